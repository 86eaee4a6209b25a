"""
The routes of the transparency log: the latest checkpoint and its key, open to all; and proofs.

Plain text in C2SP's forms, so that stock verifiers read them. A checkpoint says how many events
there are and nothing of what is in them; a proof has its event in it, so it is for operators.
"""

from typing import Annotated, Final

from litestar import Router, get
from litestar.di import NamedDependency as Given
from litestar.params import PathParameter, SkipValidation

from tenure.faces.http import problems, requests, rights
from tenure.services.checkpoints import Checkpoints

MEDIA_TYPE: Final = "text/plain"
"""The framework adds the character set."""

GivenLog = Given[SkipValidation[Checkpoints]]


@get(
    "/latest",
    opt=rights.OPEN,
    media_type=MEDIA_TYPE,
    responses=problems.documented(404, 503),
    sync_to_thread=True,
)
def get_latest_checkpoint(log: GivenLog) -> str:
    """Read the checkpoint signed last: a C2SP tlog-checkpoint."""
    return log.latest().note


@get(
    "/key",
    opt=rights.OPEN,
    media_type=MEDIA_TYPE,
    responses=problems.documented(404, 503),
    sync_to_thread=True,
)
def get_log_key(log: GivenLog) -> str:
    """Read the public half of the log key, as C2SP verifiers take it."""
    return log.key().text + "\n"


@get(
    "/events/{seq:int}/proof",
    opt=rights.OPERATORS,
    media_type=MEDIA_TYPE,
    responses=problems.documented(401, 403, 404, 409, 422, 503),
    sync_to_thread=True,
)
def prove_event(
    seq: Annotated[int, PathParameter(ge=1, le=requests.INTEGER_MAX)], log: GivenLog
) -> str:
    """Prove that an event is under the latest checkpoint: a C2SP tlog-proof, the event in it."""
    return log.proof(seq)


def routes() -> Router:
    """Return what is answered under `/v1/checkpoints`, without an operator token."""
    return Router(
        "/v1/checkpoints", route_handlers=[get_latest_checkpoint, get_log_key], tags=["log"]
    )


def proofs() -> Router:
    """Return what operators are answered about single events."""
    return Router("/", route_handlers=[prove_event], tags=["log"])
