"""
Passkeys (WebAuthn): what a browser is asked, and whether its answer holds.

The library verifies; challenges, counts and whose passkey it is are ours (SECURITY section 7). The
user has to be verified by the authenticator, always, so a passkey is two factors by itself. Nothing
is stored here.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import base64url_to_bytes, options_to_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from tenure.clock import Clock
from tenure.domain.people import CHALLENGE_MS, Person
from tenure.services.people.budgets import wrong
from tenure.store.factors import StoredPasskey

HOUSE: Final = "Tenure"
CHALLENGE_BYTES: Final = 32
ANSWER_CHARACTERS_MAX: Final = 32_768
"""Several times the longest answer there is: attestation is not asked for."""
_TRANSPORTS_MAX: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A passkey that a browser just made."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...]


class Passkeys:
    """Speaks WebAuthn for one origin."""

    def __init__(self, origin: str) -> None:
        """*origin* is where the console is, `https://keys.example.com`."""
        self._origin = origin
        self._rp_id = urlsplit(origin).hostname or ""

    @staticmethod
    def challenge(clock: Clock) -> bytes:
        """Return a new challenge."""
        return clock.random_bytes(CHALLENGE_BYTES)

    def creation(self, person: Person, held: Sequence[StoredPasskey], challenge: bytes) -> str:
        """Return the options (JSON) for making a passkey that is none of those *held*."""
        return options_to_json(
            webauthn.generate_registration_options(
                rp_id=self._rp_id,
                rp_name=HOUSE,
                user_id=person.person_id.encode(),
                user_name=person.email,
                challenge=challenge,
                timeout=CHALLENGE_MS,
                authenticator_selection=AuthenticatorSelectionCriteria(
                    resident_key=ResidentKeyRequirement.PREFERRED,
                    user_verification=UserVerificationRequirement.REQUIRED,
                ),
                exclude_credentials=_named(held),
            )
        )

    def made(self, answer: str, challenge: bytes) -> Made:
        """Return the passkey in *answer*; raises Unauthenticated where it does not hold."""
        try:
            read = _read(answer)
            verified = webauthn.verify_registration_response(
                credential=read,
                expected_challenge=challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self._origin,
                require_user_verification=True,
            )
            transports = _transports(read)
        except Exception as error:
            # Whatever the libraries below make of bytes that somebody sent: an error refuses (I15).
            raise wrong() from error
        return Made(
            credential_id=verified.credential_id,
            public_key=verified.credential_public_key,
            sign_count=verified.sign_count,
            transports=transports,
        )

    def request(self, held: Sequence[StoredPasskey], challenge: bytes) -> str:
        """Return the options (JSON) for using one of the passkeys *held*; any, of none."""
        return options_to_json(
            webauthn.generate_authentication_options(
                rp_id=self._rp_id,
                challenge=challenge,
                timeout=CHALLENGE_MS,
                allow_credentials=_named(held),
                user_verification=UserVerificationRequirement.REQUIRED,
            )
        )

    @staticmethod
    def named_in(answer: str) -> bytes:
        """Return which passkey *answer* is by; raises Unauthenticated."""
        try:
            return base64url_to_bytes(str(_read(answer)["id"]))
        except Exception as error:
            raise wrong() from error  # As above.

    def count_of(self, answer: str, challenge: bytes, stored: StoredPasskey) -> int:
        """
        Return the sign count in *answer*, which *stored* really gave; raises Unauthenticated.

        The count is not compared here: an answer that holds and counts back is another matter than
        one that does not hold.
        """
        try:
            verified = webauthn.verify_authentication_response(
                credential=_read(answer),
                expected_challenge=challenge,
                expected_rp_id=self._rp_id,
                expected_origin=self._origin,
                credential_public_key=stored.public_key,
                credential_current_sign_count=0,
                require_user_verification=True,
            )
        except Exception as error:
            raise wrong() from error  # As above.
        return verified.new_sign_count


def has_gone_back(stored: StoredPasskey, sign_count: int) -> bool:
    """Whether *sign_count* says that there are two of *stored*; synced passkeys never count."""
    return bool(stored.sign_count or sign_count) and sign_count <= stored.sign_count


def _read(answer: str) -> dict[str, object]:
    if len(answer) > ANSWER_CHARACTERS_MAX:
        raise ValueError("too long")
    read = json.loads(answer)
    if not isinstance(read, dict):
        raise ValueError("no object")  # noqa: TRY004 - it is a refusal, whatever it is called
    return read


def _transports(read: dict[str, object]) -> tuple[str, ...]:
    response = read["response"]
    named = response.get("transports") if isinstance(response, dict) else None
    known = {str(transport.value) for transport in AuthenticatorTransport}
    found = named if isinstance(named, list) else []
    return tuple(str(name) for name in found if name in known)[:_TRANSPORTS_MAX]


def _named(held: Sequence[StoredPasskey]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=stored.credential_id,
            transports=[AuthenticatorTransport(name) for name in stored.transports],
        )
        for stored in held
    ]
