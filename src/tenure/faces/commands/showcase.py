"""
What `tenure demo` leaves to look at: an account with a key in every state, and a way in.

The keys are issued while the thirteen rows are lived, so that their terms are as old as they look.
The way in is an owner whose password and authenticator this very process made up and shows: there
is nothing here that lets anybody into a Tenure of his own.
"""

from collections.abc import Callable, Mapping
from typing import Final

from pyotp.totp import TOTP
from rich.console import Group
from rich.live import Live
from rich.text import Text

from tenure import wiring
from tenure.clock import Clock
from tenure.faces.commands import shown
from tenure.faces.commands.client import Client
from tenure.faces.commands.life import TRADING, TRUSTED, Row
from tenure.services.people.facade import People
from tenure.services.people.invitations import Joining
from tenure.settings import Settings

EMAIL: Final = "demo@example.com"
SUB_EMAIL: Final = "demo-sub@example.com"
PASSWORD: Final = "look-around-in-here"  # noqa: S105 - of a server that is thrown away
_CODE_LASTS_S: Final = 30
_MARGIN: Final = "margin_loan_repay_transfer"

_ISSUED: Final[Mapping[int, tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]]] = {
    1: (("Older than the rule", (TRADING, "futures"), ()),),
    8: (("Lapsed on its 30th day", (TRADING,), ()),),
    9: (("Trusted IPs only", (TRADING, "withdrawals"), (TRUSTED, "2001:db8:7::/48")),),
    10: (("Ends tomorrow", (TRADING, _MARGIN), ()),),
    11: (("Grid bot", (TRADING, "futures"), ()), ("Reads only", (), ())),
    12: (("Seen in a screenshot", (TRADING,), ()), ("Gone", (TRADING,), ())),
    13: (("Rotated just now", (TRADING, "universal_transfer"), ()),),
}
"""By the row after which it is issued: label, permissions, trusted IPs."""


class Showcase:
    """The account, filled row by row."""

    def __init__(self, server: Client) -> None:
        """*server* is an operator's way in."""
        self._server = server
        made = server.post("/v1/accounts", {"email": EMAIL, "kind": "master"})
        self.account_id = str(made["account_id"])
        sub = {"email": SUB_EMAIL, "kind": "sub", "master_id": self.account_id}
        self._sub_id = str(server.post("/v1/accounts", sub)["account_id"])

    def live(self, row: Row) -> None:
        """Issue what belongs to *row*, the sandbox's clock being there."""
        for label, permissions, addresses in _ISSUED.get(row.number, ()):
            self._issue(self.account_id, label, permissions, addresses)
        if row.number == max(_ISSUED):
            self._issue(self._sub_id, "The sub-account's", (TRADING,), ())
            self._finish()

    def _issue(
        self, account_id: str, label: str, permissions: tuple[str, ...], ips: tuple[str, ...]
    ) -> None:
        draft = {
            "label": label,
            "key_type": "hmac",
            "permissions": list(permissions),
            "ip_allowlist": list(ips),
        }
        self._server.post(f"/v1/accounts/{account_id}/keys", draft)

    def _finish(self) -> None:
        listed = self._server.get(f"/v1/accounts/{self.account_id}/keys")["keys"]
        ids = {key["label"]: key["key_id"] for key in listed}
        cause = {"cause": "seen in a screenshot"}
        self._server.post(f"/v1/keys/{ids['Seen in a screenshot']}/quarantine", cause)
        self._server.post(f"/v1/keys/{ids['Gone']}/revoke", {})
        overlap = {"overlap_ms": 86_400_000}
        self._server.post(f"/v1/keys/{ids['Rotated just now']}/rotate", overlap)


def let_in(settings: Settings, account_id: str, clock: Clock) -> str:
    """Make the account's owner, and return the seed of the authenticator he has."""
    worker = wiring.open_worker(settings)
    try:
        return _join(worker.people, account_id, clock)
    finally:
        worker.close()


def _join(people: People, account_id: str, clock: Clock) -> str:
    link = people.invitations.of_account(account_id, "demo").link.reveal()
    begun = people.invitations.accept(link.rpartition("/")[2], Joining(password=PASSWORD))
    seed = people.factors.begin_totp(begun.session).seed.reveal()
    # The code before this one: it is as good, and leaves the one that is shown first to be used.
    code = TOTP(seed).generate_otp(clock.wall_ms() // 1000 // _CODE_LASTS_S - 1)
    people.factors.confirm_totp(begun.session, code)
    return seed


def stay(url: str, seed: str, clock: Clock, is_over: Callable[[], bool] = lambda: False) -> None:
    """Show the way in, with the code that changes, until somebody presses Ctrl-C."""
    console = shown.console()
    if not console.is_terminal:
        # Nothing can be shown in place there: whoever reads it makes the codes from the seed.
        console.print(_way_in(url, seed, clock), f"  seed      {seed}", sep="\n")
    with Live(console=console, auto_refresh=False) as live:
        while not is_over():
            if console.is_terminal:
                live.update(_way_in(url, seed, clock), refresh=True)
            clock.sleep(1)


def _way_in(url: str, seed: str, clock: Clock) -> Group:
    now_s = clock.wall_ms() // 1000
    code = TOTP(seed).generate_otp(now_s // _CODE_LASTS_S)
    left_s = _CODE_LASTS_S - now_s % _CODE_LASTS_S
    return Group(
        Text(),
        Text.assemble("Open the console: ", (f"{url}/console", "bold underline")),
        Text.assemble("  e-mail    ", (EMAIL, "bold")),
        Text.assemble("  password  ", (PASSWORD, "bold")),
        Text.assemble("  code      ", (code, "bold"), (f"  (the next one in {left_s} s)", "dim")),
        Text("A key in every state is there, and the clock is a slider on each page.", "dim"),
        Text("Ctrl-C ends it all, and leaves nothing behind.", "dim"),
    )
