"""
Whether a caller may reach an account or a key: the one place where that is decided.

What relation counts is in `domain.rights`; which route needs which right is declared with the route
and asked here before anything of the request is read. What an owner may not know exists is answered
as what does not exist (SECURITY I12, T25).
"""

import re
from typing import Final

from tenure.domain import rights
from tenure.domain.errors import Forbidden, NotFound
from tenure.domain.rights import Caller, Operator, Right
from tenure.services.accounts import Accounts
from tenure.services.keys import Keys

_ID: Final = re.compile(r"(?:acct|key)_[0-9a-z]{24}")
"""What else is asked for cannot exist, and no database has to see it."""


class Rights:
    """Who may do what to whom."""

    def __init__(self, accounts: Accounts, keys: Keys) -> None:
        """Accounts and keys are looked up; which is whose never changes once it is made."""
        self._accounts, self._keys = accounts, keys

    def require(
        self, caller: Caller, right: Right, *, account_id: str | None, key_id: str | None
    ) -> None:
        """
        Let *caller* use a route declared as *right*, on the account or key that its path names.

        Raises NotFound for what is not in an owner's account tree, there or not; Forbidden where
        the route is not for owners, names nothing to judge by, or needs the master of what it
        names and the caller is that itself.
        """
        if isinstance(caller, Operator):
            return
        if not right.is_for_owners or (account_id is None and key_id is None):
            raise Forbidden
        named = [] if account_id is None else [_looks_right(account_id)]
        if key_id is not None:
            named.append(self._keys.get(_looks_right(key_id)).account_id)
        for each in named:
            account = self._accounts.get(each)
            if not rights.reaches(caller, account):
                raise NotFound
            if right is Right.MASTER_ACTS and not rights.is_master_of(caller, account):
                raise Forbidden


def _looks_right(given: str) -> str:
    if not _ID.fullmatch(given):
        raise NotFound
    return given
