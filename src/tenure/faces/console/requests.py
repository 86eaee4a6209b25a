"""What a console route may name in its path; what looks otherwise is no page, and not looked up."""

from typing import Annotated, TypeAlias

from litestar.params import PathParameter

from tenure.faces.http.requests import ACCOUNT_ID, CONTACT_ID, KEY_ID, NOTICE_ID

AccountId: TypeAlias = Annotated[str, PathParameter(pattern=ACCOUNT_ID)]
FileName: TypeAlias = Annotated[str, PathParameter(pattern=r"^[a-z.]{1,40}$")]
KeyId: TypeAlias = Annotated[str, PathParameter(pattern=KEY_ID)]
NoticeId: TypeAlias = Annotated[str, PathParameter(pattern=NOTICE_ID)]
ContactId: TypeAlias = Annotated[str, PathParameter(pattern=CONTACT_ID)]
