"""
The parameters of a signed call in the venue's spelling, read one by one and by name.

How e-mails, flags, address lists and public keys arrive from real clients is in WIRE section 4.
Which call takes which is not known here. The raw pairs were proved by the signature and split by
`signing.parameters` already, so that no name comes twice in one place.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

from tenure.domain import allowlist, signing
from tenure.domain.signing import Malformed, SignedRequest
from tenure.faces.http import binance_errors
from tenure.faces.http.refusals import Answer

_FLAGS: Final = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_DIGITS_MAX: Final = 9
"""Nobody turns to page 1,000,000,000, and a database counts no further than 64 bits."""


class ParameterError(Exception):
    """A parameter is missing or makes no sense; *answer* says which."""

    def __init__(self, answer: Answer) -> None:
        """*answer* is ready to be sent."""
        super().__init__(answer)
        self.answer = answer


class Parameters:
    """What one call was sent: query and form body as one, the query's value winning."""

    def __init__(self, request: SignedRequest, *, reads_body: bool) -> None:
        """*reads_body* is false of a GET: what it has there is signed, and otherwise ignored."""
        self._in_query = _pairs(request.query)
        in_body = _pairs(request.body) if reads_body else {}
        self._raw = {**in_body, **self._in_query}

    def mandatory(self, name: str) -> str:
        """Return the text of *name*; raises ParameterError where it did not come, or empty."""
        text = self.text(name)
        if not text:
            raise ParameterError(binance_errors.missing(name))
        return text

    def text(self, name: str, *, plus_is_space: bool = True) -> str | None:
        """Return the text of *name*, None where it did not come; raises ParameterError."""
        raw = self._raw.get(name.encode())
        if raw is None:
            return None
        try:
            return unquote_to_bytes(raw.replace(b"+", b" ") if plus_is_space else raw).decode()
        except UnicodeDecodeError:
            raise ParameterError(binance_errors.not_valid(name, "is not UTF-8")) from None

    def email(self) -> str:
        """Return `email`, in which a plus is a plus however it came; raises ParameterError."""
        text = self.text("email", plus_is_space=False)
        if not text:
            raise ParameterError(binance_errors.missing("email"))
        return text

    def flag(self, name: str) -> bool | None:
        """Return whether *name* is true, None where it did not come; raises ParameterError."""
        text = self.text(name)
        if text is None:
            return None
        if text not in _FLAGS:
            raise ParameterError(binance_errors.not_valid(name, "is neither true nor false"))
        return _FLAGS[text]

    def number(self, name: str, *, default: int, most: int | None = None) -> int:
        """Return *name* as a number from 1 to *most*; raises ParameterError."""
        text = self.text(name)
        if text is None:
            return default
        is_number = text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX
        if not is_number or int(text) < 1 or (most is not None and int(text) > most):
            until = f" to {most}" if most else ""
            raise ParameterError(binance_errors.not_valid(name, f"is no number from 1{until}"))
        return int(text)

    def is_restricted(self) -> bool:
        """
        Return what `status` says: 1 for any address, 2 for those named alone.

        Raises ParameterError; so does an address list that somebody else keeps (`status=3`,
        `thirdPartyName`), which is not sold.
        """
        status = self.mandatory("status")
        if self.text("thirdPartyName"):
            raise ParameterError(
                binance_errors.not_valid("thirdPartyName", "name the addresses in ipAddress")
            )
        if status not in {"1", "2"}:
            raise ParameterError(
                binance_errors.not_valid("status", "is neither 1 (any address) nor 2 (those named)")
            )
        if status == "1" and self.addresses():
            # Taken at its word on status, it would open a key that its owner means to close.
            raise ParameterError(
                binance_errors.not_valid("ipAddress", "goes with status=2, not with status=1")
            )
        return status == "2"

    def addresses(self) -> tuple[str, ...]:
        """Return the entries of `ipAddress`, split at commas and blanks, none of them judged."""
        return tuple(allowlist.split(self.text("ipAddress") or ""))

    def public_key(self, *, in_body_only: bool) -> str | None:
        """
        Return `publicKey`, PEM or bare base64, None where it did not come; raises ParameterError.

        Bare base64 keeps its plus signs. *in_body_only*: it is refused in the query.
        """
        if in_body_only and b"publicKey" in self._in_query:
            raise ParameterError(
                binance_errors.not_valid("publicKey", "belongs in the body, not in the query")
            )
        bare = self.text("publicKey", plus_is_space=False)
        text = self.text("publicKey") if bare and "-----" in bare else bare
        if text == "":
            raise ParameterError(
                binance_errors.not_valid("publicKey", "is empty; leave it out for an HMAC key")
            )
        return text


def _pairs(raw: bytes) -> Mapping[bytes, bytes]:
    found = signing.parameters(raw)
    if isinstance(found, Malformed):
        raise AssertionError(f"{found} in a request that was decided")  # noqa: TRY004 - a bug, not a type
    return found
