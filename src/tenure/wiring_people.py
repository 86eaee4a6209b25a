"""
The part of the composition root that lets people in: on the machine's time, in a sandbox too.

`people` is what a worker's faces stand on; `tidying` a step of the ticks; `first_link` is for
whoever starts a server.
"""

from collections.abc import Callable
from contextlib import ExitStack, closing

from tenure.clock import Clock, SandboxClock, SystemClock
from tenure.domain.model import Secret
from tenure.services.people.facade import House, People
from tenure.services.people.oidc import Provider
from tenure.services.people.register import Register
from tenure.services.people.sessions import Sessions
from tenure.services.sealing import SealingKey
from tenure.settings import Settings
from tenure.store import db
from tenure.store.db import Store


def people(
    settings: Settings,
    store: Store,
    clock: SystemClock | SandboxClock,
    sealing_key: SealingKey | None,
    catch_up: Callable[[int], None],
) -> People:
    """Build what a worker's faces stand on."""
    real = _real(settings, clock)
    return People(_house(settings, store, clock, real, sealing_key, catch_up), _provider(settings))


def first_link(settings: Settings) -> Secret | None:
    """
    Return a new link for the first administrator, None where the house has one.

    The link of the start before is void then. The store has to be prepared. Nothing stays open,
    for the process that starts a server forks.
    """
    with ExitStack() as stack:
        clock: SystemClock | SandboxClock = stack.enter_context(
            closing(SandboxClock(settings.home) if settings.sandbox else SystemClock(settings.home))
        )
        real = _real(settings, clock)
        if real is not clock:
            stack.enter_context(closing(real))
        store = stack.enter_context(closing(db.open_store(settings.database_url)))
        house = _house(settings, store, clock, real, None, lambda _seq: None)
        found = People(house).invitations.first_administrator()
        return None if found is None else found.link


def tidying(
    settings: Settings, store: Store, clock: SystemClock | SandboxClock
) -> Callable[[], bool]:
    """Build the step that forgets sessions, and whatever else of the kind is over."""
    real = _real(settings, clock)
    register = Register(store=store, clock=clock, real=real, catch_up=lambda _seq: None)
    return Sessions(register).step


def _house(  # noqa: PLR0913, PLR0917 - what it stands on, once each
    settings: Settings,
    store: Store,
    clock: Clock,
    real: Clock,
    sealing_key: SealingKey | None,
    catch_up: Callable[[int], None],
) -> House:
    return House(
        store=store,
        clock=clock,
        real=real,
        sealing_key=sealing_key,
        catch_up=catch_up,
        origin=settings.console_at,
    )


def _real(settings: Settings, clock: SystemClock | SandboxClock) -> SystemClock:
    """Return the clock that people live by: in a sandbox one with a mark of its own."""
    if isinstance(clock, SystemClock):
        return clock
    home = settings.home / "people"
    home.mkdir(mode=0o700, exist_ok=True)
    return SystemClock(home)


def _provider(settings: Settings) -> Provider | None:
    if settings.oidc_client_secret_file is None:
        return None
    return Provider(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=Secret(settings.oidc_client_secret_file.read_text("utf-8").strip()),
        origin=settings.console_at,
        second_factor=settings.oidc_second_factor,
        proxy=settings.egress_proxy,
        trust_file=settings.egress_trust_file,
    )
