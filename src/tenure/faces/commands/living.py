"""
Living the worked life against a server, row by row, and comparing it with what is written.

An owner's act goes through the management API, a pop-up's sentence and stamp included. Whether a
bot may trade is asked with really signed requests: as an exchange's back end hands one over, and
as a bot asks about its own key. What was seen is shown in `demo`.
"""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import httpx

from tenure.clock import Clock
from tenure.domain.errors import Conflict, Unavailable
from tenure.faces.commands.client import Client, Json
from tenure.faces.commands.life import TRADING, TRUSTED, Row, Trading

ELSEWHERE: Final = "198.51.100.9"
"""An address that is not the trusted one."""

_ORDER: Final = "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.001"
_SWEPT_WITHIN_S: Final = 10.0
"""Many times what a sweeper takes; it only bounds how long a broken one is waited for."""
_LOOK_EVERY_S: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Lived:
    """What happened at a *row*; *differences* from what it says, none where all is well."""

    row: Row
    before: Trading | None
    after: Trading
    popups: tuple[str, ...]
    notes: tuple[str, ...]
    differences: tuple[str, ...]


class Life:
    """One key, living; `live` takes the rows in order."""

    def __init__(self, server: Client, web: httpx.Client, clock: Clock, account_id: str) -> None:
        """*server* is an operator's way in, *web* a gateway's; *clock* only waits."""
        self._server, self._web, self._clock = server, web, clock
        self._account_id = account_id
        self._key: Json = {}
        self._expected: Trading | None = None
        self.requests = 0

    def live(self, row: Row) -> Lived:
        """Do what *row* says, the sandbox's clock being there, and compare what comes of it."""
        differences: list[str] = []
        before = None
        if self._expected is not None and row.act != "wait":
            before = self._trading(row.at_ms, differences)
            _compare("before", self._expected.later(row.at_ms), before, differences)
        popups = tuple(self._do(row, differences))
        after = self._trading(row.at_ms, differences)
        _compare("after", row.trading, after, differences)
        notes = tuple(self._look_around(row, after, differences))
        self._expected = row.trading
        return Lived(
            row=row,
            before=before,
            after=after,
            popups=popups,
            notes=notes,
            differences=tuple(differences),
        )

    def _do(self, row: Row, differences: list[str]) -> Iterator[str]:
        """Do the act of *row*; yield the sentences that had to be confirmed."""
        match row.act:
            case "issue":
                draft = {"label": "bot", "key_type": "hmac", "permissions": [TRADING]}
                path = f"/v1/accounts/{self._account_id}/keys"
                self._key = self._server.post(path, draft)
            case "revoke":
                self._server.post(f"/v1/keys/{self._key['key_id']}/revoke")
            case "edit":
                yield from self._edit(row, differences)
            case "wait":
                pass

    def _edit(self, row: Row, differences: list[str]) -> Iterator[str]:
        path = f"/v1/keys/{self._key['key_id']}/edits"
        plan = self._server.post(f"{path}/preview", row.sent)
        if plan["confirmation_required"] is not row.asks:
            differences.append(
                "a pop-up came" if plan["confirmation_required"] else "no pop-up came"
            )
        if not plan["confirmation_required"]:
            self._server.post(path, row.sent)
            return
        asked = [item for item in plan["consequences"] if item["needs_confirmation"]]
        if row.trading.ends_at_ms not in [item["ends_at_ms"] for item in asked]:
            differences.append("the pop-up names another end")
        yield from (item["text"] for item in asked)
        try:
            self._server.post(path, row.sent)
            differences.append("it was saved without a confirmation")
        except Conflict as conflict:
            if conflict.code != "confirmation_required":
                raise
            self._server.post(path, {**row.sent, "stamp": plan["stamp"]})

    def look_back(self, one: Lived) -> Lived:
        """Wait until a lapse of this row is recorded; the decision was there long before."""
        if not one.row.is_lapse:
            return one
        for _ in range(int(_SWEPT_WITHIN_S / _LOOK_EVERY_S)):
            if events := self._swept():
                break
            self._clock.sleep(_LOOK_EVERY_S)
        else:
            return replace(one, differences=(*one.differences, "the lapse was never recorded"))
        if [event["happened_at_ms"] for event in events] != [one.row.at_ms]:
            wrong = "the lapse was recorded under another instant, or twice"
            return replace(one, differences=(*one.differences, wrong))
        note = "swept a moment later, and recorded under the very millisecond it happened"
        return replace(one, notes=(*one.notes, note))

    def _look_around(self, row: Row, after: Trading, differences: list[str]) -> Iterator[str]:
        if row.is_lapse:
            yield (
                "the sweeper was quick: the journal has its grant:swept already"
                if self._swept()
                else "refused, though no sweeper came by: the journal has no grant:swept yet"
            )
        if row.is_restricted and after.is_on:
            answer = self._order(row.at_ms, ELSEWHERE)
            if answer.get("reason") != "ip_not_allowed":
                differences.append(f"from {ELSEWHERE}: {answer.get('reason', 'allowed')}")
            yield f"from {TRUSTED} only; the same order from {ELSEWHERE}: {answer.get('reason')}"
        if row.act == "revoke" and "code" not in self._restrictions(row.at_ms, TRUSTED):
            differences.append("a revoked key may still read")

    def _swept(self) -> list[Json]:
        found: list[Json] = []
        page = self._server.get("/v1/events")
        while page["events"]:
            found += [
                event
                for event in page["events"]
                if event["tag"] == "grant:swept" and event["key_id"] == self._key["key_id"]
            ]
            page = self._server.get("/v1/events", after=page["next_after"])
        return found

    def _trading(self, at_ms: int, differences: list[str]) -> Trading:
        """Ask as the exchange's back end, then as the bot; both must be told the same."""
        answer, told = self._order(at_ms, TRUSTED), self._restrictions(at_ms, TRUSTED)
        is_on = bool(answer["allowed"])
        ends_at_ms = told.get("tradingAuthorityExpirationTime")
        if is_on is not told.get("enableSpotAndMarginTrading", False):
            differences.append("apiRestrictions and the decision disagree")
        if is_on and answer["ends_at_ms"] != ends_at_ms:
            differences.append("apiRestrictions and the decision name different ends")
        return Trading(is_on, ends_at_ms, answer.get("reason"))

    def _order(self, at_ms: int, address: str) -> Json:
        """Return the decision on a signed order from *address*, as a back end hands it over."""
        self.requests += 1
        return self._server.post(
            "/v1/authorize",
            {
                "api_key": self._key["api_key"],
                "method": "POST",
                "path": "/api/v3/order/test",
                "query": self._signed(f"{_ORDER}&timestamp={at_ms}"),
                "client_ip": address,
            },
        )

    def _restrictions(self, at_ms: int, address: str) -> dict[str, Any]:
        """Return what a bot at *address*, behind a trusted gateway, is told about its key."""
        self.requests += 1
        try:
            response = self._web.get(
                f"/sapi/v1/account/apiRestrictions?{self._signed(f'timestamp={at_ms}')}",
                headers={"x-mbx-apikey": self._key["api_key"], "x-forwarded-for": address},
            )
            return dict(response.json())
        except (httpx.TransportError, ValueError) as error:
            raise Unavailable("server", "apiRestrictions was not answered") from error

    def _signed(self, query: str) -> str:
        secret_key: str = self._key["secret_key"]
        digest = hmac.new(secret_key.encode(), query.encode(), hashlib.sha256).hexdigest()
        return f"{query}&signature={digest}"


def _compare(when: str, expected: Trading, seen: Trading, differences: list[str]) -> None:
    if expected != seen:
        differences.append(f"{when}: expected {expected}, saw {seen}")
