"""
The command `tenure`: its commands put together, and errors turned into lines and exit codes.

Each command has its file in `commands`; what codes mean is in `commands.exits`.
"""

import io
import sys
from typing import Any

import typer
from typer.core import TyperGroup
from typing_extensions import override

from tenure.domain.errors import TenureError
from tenure.faces.commands import (
    accounts,
    audit,
    backup,
    contacts,
    demo,
    doctor,
    exits,
    keys,
    notices,
    people,
    rules,
    serve,
    shown,
)


class Telling(TyperGroup):
    """The outermost group: an expected error ends as lines on standard error, and a code."""

    @override
    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except TenureError as error:
            for line in exits.lines_of(error):
                shown.beside().print(f"tenure: {line}", soft_wrap=True)
            raise typer.Exit(exits.code_of(error)) from error
        except BrokenPipeError:
            raise  # Whoever read the answer has seen enough of it.
        except (OSError, UnicodeError) as error:
            # A path that cannot be made, read or written: what was named does not work here.
            shown.beside().print(f"tenure: {error}", soft_wrap=True)
            raise typer.Exit(exits.Exit.INVALID) from error


app = typer.Typer(
    name="tenure",
    cls=Telling,
    help="Tenure: an API-key authority for trading platforms. A permission is held for a term.",
    epilog=exits.epilog(),
    no_args_is_help=True,
    add_completion=False,
    # Plain text: it can be copied, compared, read aloud, and shown in the manual as it is.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)
app.command()(serve.serve)
app.command()(demo.demo)
app.add_typer(accounts.app, name="accounts")
app.add_typer(people.app, name="people")
app.add_typer(keys.app, name="keys")
app.add_typer(rules.app, name="rules")
app.add_typer(contacts.app, name="contacts")
app.add_typer(notices.app, name="notices")
app.add_typer(audit.app, name="audit")
app.command()(backup.backup)
app.command()(backup.restore)
app.command()(doctor.doctor)


def main() -> None:
    """Run the command; what the installed script calls."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that lacks a sign gets a stand-in, not a failure halfway through.
            stream.reconfigure(errors="replace")
    app(prog_name="tenure")
