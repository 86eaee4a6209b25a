"""`python -m examples.exchange`: run the sample exchange beside a Tenure on this machine."""

import argparse
import os
import sys
from pathlib import Path

from granian import Granian
from granian.constants import Interfaces

from examples.exchange import app
from tenure import settings
from tenure.domain.errors import TenureError


def main() -> int:
    """Serve until told to stop; return the exit code."""
    given = _options()
    try:
        # As `tenure serve` reads them: what is set in the environment there has to be set here.
        tenure = settings.load(home=given.home, sandbox=given.sandbox or None)
        listen = settings.load(listen=given.listen)
    except TenureError as error:
        print(f"exchange: {error}", file=sys.stderr)  # noqa: T201 - for the person who started it
        return 2
    os.environ[app.SETTINGS_ENVIRONMENT] = tenure.model_dump_json()
    os.environ[app.TENURE_ENVIRONMENT] = given.tenure
    print(f"The sample exchange serves at http://{given.listen}", flush=True)  # noqa: T201 - as above
    Granian(
        "examples.exchange.app:create",
        factory=True,
        address=listen.host,
        port=listen.port,
        interface=Interfaces.ASGINL,
        workers=given.workers,
        websockets=False,
        log_level="warning",  # type: ignore[arg-type]  # granian takes the name too
    ).serve()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m examples.exchange", description=__doc__)
    parser.add_argument("--home", type=Path, default=Path("var"), help="Tenure's directory")
    parser.add_argument("--tenure", default="http://127.0.0.1:8080", help="Tenure's base URL")
    parser.add_argument("--listen", default="127.0.0.1:8090", help="address and port to listen on")
    parser.add_argument("--workers", type=int, default=1, help="processes that serve")
    parser.add_argument("--sandbox", action="store_true", help="as `tenure serve` was started")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
