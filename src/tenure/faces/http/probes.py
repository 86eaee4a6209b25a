"""What machines ask Tenure about itself: is it alive, can it decide, what has it counted."""

import os
from typing import Final, Literal

from litestar import Response, Router, get
from litestar.di import NamedDependency as Given
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from tenure.faces.http import problems, requests, rights
from tenure.faces.http.views import View
from tenure.services.keyring import Keyring

MEDIA_TYPE: Final = "text/plain; version=0.0.4"
"""Prometheus' text format; the framework adds the character set."""


class AliveView(View):
    """The process answers."""

    status: Literal["ok"]


class ReadyView(View):
    """
    The process can decide: its keyring is fresh, at event `seq`, and its clock is good.

    `mail` is `no_relay` where `smtp_url` is not set: then e-mails to owners wait, and nothing else.
    """

    status: Literal["ready"]
    seq: int
    now_ms: int
    mail: Literal["relay", "no_relay"]


@get("/healthz", opt=rights.OPEN, sync_to_thread=False)
def is_alive() -> AliveView:
    """Answer at all: restart the process if this does not."""
    return AliveView(status="ok")


@get("/readyz", opt=rights.OPEN, responses=problems.documented(503), sync_to_thread=False)
def is_ready(
    keyring: Given[Keyring], clock: requests.GivenClock, has_relay: Given[bool]
) -> ReadyView:
    """Answer 503 while requests could not be decided safely: send no traffic then."""
    now_ms = clock.now_ms()
    return ReadyView(
        status="ready",
        seq=keyring.require_fresh(),
        now_ms=now_ms,
        mail="relay" if has_relay else "no_relay",
    )


@get("/metrics", opt=rights.OPEN, media_type=MEDIA_TYPE, sync_to_thread=True)
def get_metrics() -> Response[bytes]:
    """Return the counters of all workers, in Prometheus' text format."""
    registry = None
    # Each worker counts for itself; any of them answers for all where they share a directory.
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library's own
    counted = generate_latest(registry) if registry is not None else generate_latest()
    return Response(counted, media_type=MEDIA_TYPE)


def routes() -> Router:
    """Return what is answered without an operator token."""
    return Router("/", route_handlers=[is_alive, is_ready, get_metrics], tags=["probes"])
