"""
`tenure demo`: the announcement lived through in a minute, on a real server thrown away afterwards.

The rows are in `life`, living them is in `living`; here a server is started, the rows are shown as
they happen, and the verdict is given.
"""

import contextlib
import dataclasses
import datetime
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import httpx
import typer
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tenure.clock import SystemClock
from tenure.domain import wording
from tenure.domain.model import AccountKind
from tenure.faces.commands import client, exits, life, shown
from tenure.faces.commands.client import Client
from tenure.faces.commands.life import Row, Trading
from tenure.faces.commands.living import Life, Lived
from tenure.faces.http.starting import starting
from tenure.settings import Settings

if TYPE_CHECKING:
    from tenure.faces.commands.showcase import Showcase

_COLUMNS: Final = (
    ("#", 2),
    ("when, UTC", 12),
    ("what happens", 25),
    ("expected", 10),
    ("order", 9),
    ("end shown", 10),
    ("", 1),
)
_INDENT: Final = 3
_ENDINGS: Final = (signal.SIGTERM, signal.SIGHUP)
_YES, _NO = Text("✓", style="bold green"), Text("✗", style="bold red")


def demo(
    kind: Annotated[
        AccountKind, typer.Option(help="Whose life is shown; all three are lived.")
    ] = AccountKind.NORMAL,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
    console: Annotated[
        bool | None,
        typer.Option(help="Leave the console open at the end; by default on a terminal."),
    ] = None,
) -> None:
    """
    Watch a permission end and come back, in less than a minute.

    Starts a server of its own with a clock that can be moved, issues a key to a normal, a master
    and a sub-account, and takes all three through the thirteen rows of the worked life: each act
    through the API, each order really signed. Ends with 1 if any row differs. On a terminal the
    server then stays, with the console open on an account that has a key in every state.
    """
    _leave_nothing_behind()
    is_terminal = sys.stdout.isatty() and not as_json
    stays = is_terminal if console is None else console
    raise typer.Exit(run(life.ROWS, kind, as_json=as_json, stays=stays))


def run(
    rows: Sequence[Row], kind: AccountKind, *, as_json: bool, stays: bool = False
) -> exits.Exit:
    """
    Live *rows* with all three kinds of account, show that of *kind*, and return the verdict.

    The server then *stays*, with the console open, until somebody presses Ctrl-C.
    """
    lived: dict[AccountKind, list[Lived]] = {each: [] for each in AccountKind}
    shown.beside().print("Starting a Tenure of its own, in a sandbox…", style="dim")
    with (
        tempfile.TemporaryDirectory(prefix="tenure-demo-") as directory,
        contextlib.closing(SystemClock(Path(directory))) as clock,
    ):
        started_ns = clock.elapsed_ns()
        given = _settings(Path(directory) / "home")
        with starting(given, clock) as url, _world(url, given.home, clock) as (operator, lives):
            showcase = _showcase(operator) if stays else None
            if not as_json:
                _show_head()
            for row in rows:
                operator.put("/sandbox/clock", {"now_ms": row.at_ms})
                now = {each: one.live(row) for each, one in lives.items()}
                # Only when all three have asked for their orders is anything waited for.
                for each, one in lives.items():
                    lived[each].append(one.look_back(now[each]))
                if showcase is not None:
                    showcase.live(row)
                if not as_json:
                    _show(lived[kind][-1])
            requests = sum(one.requests for one in lives.values())
            took_s = (clock.elapsed_ns() - started_ns) / 1e9
            is_as_written = not any(one.differences for each in lived.values() for one in each)
            if as_json:
                shown.as_json(_as_json(lived, requests, is_well=is_as_written))
            else:
                _show_verdict(lived, kind, f"{requests} signed requests, {took_s:.0f} s")
            if showcase is not None:
                _stay(given, url, showcase, clock)
    return exits.Exit.DONE if is_as_written else exits.Exit.REFUSED


def _leave_nothing_behind() -> None:
    """Have a signal that would end this at once, as a closed terminal's, end it in order."""

    def leave(*_: object) -> None:
        for told in _ENDINGS:
            signal.signal(told, signal.SIG_IGN)  # Told twice, it still stops its server.
        raise SystemExit(exits.Exit.INTERRUPTED)

    for told in _ENDINGS:
        if signal.getsignal(told) is signal.SIG_DFL:  # Not where `nohup` has it ignored.
            signal.signal(told, leave)


def _showcase(operator: Client) -> "Showcase":
    from tenure.faces.commands.showcase import Showcase  # noqa: PLC0415 - it loads a whole Tenure, which no other command needs

    return Showcase(operator)


def _stay(given: Settings, url: str, showcase: "Showcase", clock: SystemClock) -> None:
    from tenure.faces.commands.showcase import let_in, stay  # noqa: PLC0415 - as above

    here = given.model_copy(update={"listen": url.partition("://")[2]})
    seed = let_in(here, showcase.account_id, clock)
    with contextlib.suppress(KeyboardInterrupt):
        stay(here.console_at, seed, clock)


def _settings(home: Path) -> Settings:
    # Not `settings.load`: whatever the environment says is about somebody's real Tenure.
    return Settings.model_construct(
        home=home,
        listen="127.0.0.1:0",
        workers=1,
        sandbox=True,
        sandbox_start=datetime.datetime.fromisoformat(life.STARTS),
        # The bot stands behind this process, as behind a gateway, to come from any address.
        trusted_proxies=("127.0.0.1/32",),
    )


@contextlib.contextmanager
def _world(
    url: str, home: Path, clock: SystemClock
) -> Iterator[tuple[Client, Mapping[AccountKind, Life]]]:
    """Yield an operator's way into the server at *url*, and one life for each kind of account."""
    with (
        contextlib.closing(client.connect(url, home / "operator-token", home)) as operator,
        httpx.Client(base_url=url, trust_env=False, timeout=client.TIMEOUT_S) as web,
    ):
        ids: dict[AccountKind, str] = {}
        for kind in AccountKind:
            body = {"email": f"{kind}@example.com", "kind": str(kind)}
            if kind is AccountKind.SUB:
                body["master_id"] = ids[AccountKind.MASTER]
            ids[kind] = operator.post("/v1/accounts", body)["account_id"]
        yield operator, {kind: Life(operator, web, clock, ids[kind]) for kind in AccountKind}


def _show_head() -> None:
    grid = _grid()
    grid.add_row(*(Text(title, style="bold") for title, _ in _COLUMNS))
    grid.add_row(*(Text("─" * width, style="dim") for _, width in _COLUMNS))
    shown.console().print(grid)


def _show(one: Lived) -> None:
    row, console = one.row, shown.console()
    grid = _grid()
    grid.add_row(
        str(row.number),
        row.at,
        row.says,
        _expected(row.trading),
        _observed(one),
        _end(one.after),
        _NO if one.differences else _YES,
    )
    console.print(grid)
    for popup in one.popups:
        console.print(_beneath(Text(f"pop-up: {popup}", style="yellow")))
    for note in one.notes:
        console.print(_beneath(Text(note, style="dim")))
    for difference in one.differences:
        console.print(_beneath(Text(f"DIFFERS {difference}", style="bold red")))


def _show_verdict(lived: Mapping[AccountKind, list[Lived]], kind: AccountKind, did: str) -> None:
    console = shown.console()
    console.print()
    for each, lives in lived.items():
        as_written = sum(not one.differences for one in lives)
        verdict = Text.assemble(
            _YES if as_written == len(lives) else _NO,
            f" {each} account: {as_written} of {len(lives)} rows as written",
            " (shown above)" if each is kind else "",
        )
        console.print(verdict)
        if each is not kind:
            for one in lives:
                for difference in one.differences:
                    text = f"DIFFERS row {one.row.number}, {difference}"
                    console.print(_beneath(Text(text, style="bold red")))
    is_as_written = all(not one.differences for lives in lived.values() for one in lives)
    said = "The rules hold, to the millisecond" if is_as_written else "The rules do NOT hold here"
    console.print(f"\n{said}: {did}.")


def _as_json(
    lived: Mapping[AccountKind, list[Lived]], requests: int, *, is_well: bool
) -> dict[str, object]:
    return {
        "ok": is_well,
        "signed_requests": requests,
        "lives": {
            str(kind): [dataclasses.asdict(one) for one in lives] for kind, lives in lived.items()
        },
    }


def _grid() -> Table:
    grid = Table.grid(padding=(0, 1))
    for _, width in _COLUMNS:
        grid.add_column(width=width)
    return grid


def _beneath(text: Text) -> Padding:
    return Padding(text, (0, 0, 0, _INDENT))


def _expected(trading: Trading) -> str:
    if trading.is_on:
        return str(trading)
    return "off" if trading == life.EXPIRED else "off for good"


def _observed(one: Lived) -> Text:
    after = _word(one.after)
    return after if one.before is None else Text.assemble(_word(one.before), " → ", after)


def _word(trading: Trading) -> Text:
    return Text("on", style="green") if trading.is_on else Text("off", style="red")


def _end(trading: Trading) -> str:
    if not trading.is_on:
        return (trading.reason or "").rpartition("_")[2]
    at_ms = trading.ends_at_ms
    return "none" if at_ms is None else wording.instant(at_ms).removesuffix(":00 UTC")
