"""
A passkey as people have it, without people: Chromium's virtual authenticator, one a page.

The browser itself judges origin and relying party, as with a real one.
"""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import CDPSession, Page


@dataclass(frozen=True, slots=True)
class Passkeys:
    """The authenticator that is plugged into one page, with the passkeys it holds."""

    session: CDPSession
    authenticator_id: str

    @classmethod
    def plug(cls, page: Page) -> "Passkeys":
        """Plug one in that keeps passkeys, verifies its user, and is touched at once."""
        session = page.context.new_cdp_session(page)
        session.send("WebAuthn.enable")
        made = session.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": True,
                    "automaticPresenceSimulation": True,
                }
            },
        )
        return cls(session, str(made["authenticatorId"]))

    def held(self) -> list[dict[str, Any]]:
        """Return the passkeys it holds, as Chromium describes them, private halves included."""
        held = self._send("getCredentials")["credentials"]
        assert isinstance(held, list)
        return held

    def take_from(self, other: "Passkeys") -> None:
        """Hold what *other* holds, counters as they stand there: the same telephone, used here."""
        self._send("clearCredentials")
        for passkey in other.held():
            self._send("addCredential", credential=passkey)

    def verify_user(self, *, succeeds: bool) -> None:
        """Let finger or PIN be right from now on, or wrong."""
        self._send("setUserVerified", isUserVerified=succeeds)

    def _send(self, method: str, **more: object) -> dict[str, Any]:
        given = {"authenticatorId": self.authenticator_id, **more}
        return self.session.send(f"WebAuthn.{method}", given)
