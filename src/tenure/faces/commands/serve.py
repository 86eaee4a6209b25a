"""
`tenure serve`, and settings as options: names, words and defaults come from `settings` alone.

What serving is, process by process, is in `faces.http.serving`.
"""

import datetime
import functools
import inspect
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final, get_args

import typer
from pydantic.fields import FieldInfo

from tenure import settings
from tenure.domain.errors import Unavailable
from tenure.faces.http import process
from tenure.settings import Settings

SERVING: Final = (
    *("database", "home", "listen", "workers", "rulebook", "catalog"),
    *("trusted_proxies", "sandbox", "sandbox_start"),
)
"""The settings that are options too; the others are set by environment or file."""


def with_settings(
    *names: str,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the Settings, with those called *names* as options of its own."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = [
            parameter
            for parameter in inspect.signature(command, eval_str=True).parameters.values()
            if parameter.annotation is not Settings
        ]

        @functools.wraps(command)
        def run(**given: Any) -> None:  # noqa: ANN401 - whatever Typer read
            kept = {parameter.name: given.pop(parameter.name) for parameter in own}
            command(settings.load(**given), **kept)

        signature = inspect.Signature([*(_parameter(name) for name in names), *own])
        run.__signature__ = signature  # type: ignore[attr-defined]  # what inspect, and so Typer, reads
        return run

    return decorate


def _parameter(name: str) -> inspect.Parameter:
    field = Settings.model_fields[name]
    is_flag = field.annotation is bool
    option = typer.Option(
        f"--{name.replace('_', '-')}",
        metavar=None if is_flag else _metavar(field),
        envvar=f"TENURE_{name.upper()}",
        help=_help(field),
        show_default=False,
    )
    # Texts, for the settings to read: one place checks them, wherever they come from.
    kind = Annotated[(bool if is_flag else str) | None, option]  # type: ignore[valid-type]  # built
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)


def _help(field: FieldInfo) -> str:
    # Where the default depends on something, the description says so itself.
    shown = f"  [default: {field.default}]" if field.default else ""
    return f"{field.description}{shown}"


def _metavar(field: FieldInfo) -> str:
    kinds = {field.annotation, *get_args(field.annotation)}
    for kind, name in ((Path, "PATH"), (int, "N"), (datetime.datetime, "INSTANT")):
        if kind in kinds:
            return name
    return "TEXT"


@with_settings(*SERVING)
def serve(given: Settings) -> None:
    """
    Run Tenure here until it is told to stop.

    Makes its home, keys and tables at the first start, and says where they are. Every setting can
    come from the environment, or from a TOML file named by TENURE_SETTINGS; an option wins.
    """
    _require_free(given)
    process.share_counts(given.home)
    # Here, so that the commands that only ask a server need not load one.
    from tenure.faces.http import serving  # noqa: PLC0415 - as said above

    serving.serve(given)


def _require_free(settings: Settings) -> None:
    """Raise Unavailable where the address is taken, or not ours: the HTTP server would just die."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        socket.create_server((settings.host, settings.port), family=family).close()
    except OSError as error:
        raise Unavailable(
            "listen",
            f"cannot listen at {settings.listen}: name another with --listen",
            context=str(error),
        ) from error
