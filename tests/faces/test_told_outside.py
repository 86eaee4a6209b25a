"""Thirty days of a key, told to its owner by a real mail relay, a real receiver and the inbox."""

import email
import email.policy
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import standardwebhooks

from tenure import settings, wiring
from tenure.clock import SandboxClock
from tenure.domain.contacts import Channel
from tenure.domain.model import AccountKind, KeyType
from tenure.services.contacts import Wish
from tenure.services.keys import Draft
from tenure.services.sweep import Sweep
from tenure.settings import Settings
from tests.builders import DAY_MS, TRADING, ms
from tests.services.outbound.receiver import Receiver, receiving
from tests.services.outbound.relay import Behaviour, relaying

HOUR_MS = 3_600_000
TOLD = [
    "key_issued",
    *("term_ends_soon", "term_ends_soon", "term_ends_soon", "term_ends_soon"),
    "term_ended",
]
LEADS_MS = (7 * DAY_MS, 3 * DAY_MS, DAY_MS, HOUR_MS, 0)


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    """Run a receiver of webhooks on this machine."""
    with receiving(tmp_path) as running:
        yield running


@pytest.fixture
def behaviour() -> Behaviour:
    """Return how the relay behaves, and what it was handed."""
    return Behaviour()


@pytest.fixture
def told(tmp_path: Path, receiver: Receiver, behaviour: Behaviour) -> Iterator[Settings]:
    """Return the settings of a rehearsal that mails and calls for real."""
    with relaying(behaviour) as port:
        yield settings.load(
            home=tmp_path / "home",
            sandbox=True,
            sandbox_start="2021-12-01T10:00:00Z",
            smtp_url=f"smtp://127.0.0.1:{port}?tls=no",
            mail_from="Tenure <keys@example.com>",
            egress_trust_file=receiver.trust_file,
            webhook_loopback=True,
            public_url="https://example.com/api-keys",
        )


@pytest.mark.slow
def test_an_owner_hears_of_thirty_days_by_mail_webhook_and_inbox(
    told: Settings, receiver: Receiver, behaviour: Behaviour
) -> None:
    with closing(wiring.open_alone(told)) as worker:
        account = worker.accounts.create("ann@example.com", AccountKind.NORMAL, None, "test")
        assert isinstance(worker.clock, SandboxClock)
        wish = Wish(address=receiver.url(name="127.0.0.1"), language="es")
        hook = worker.telling.contacts.add(account.account_id, Channel.WEBHOOK, wish, "test")
        draft = Draft(label="bot", key_type=KeyType.HMAC, permissions=(TRADING,))
        issued = worker.keys.issue(account.account_id, draft, "test")

        def arrived(count: int) -> Callable[[], bool]:
            """Whether so many came each way: the account's own e-mail is its first contact."""
            return lambda: len(receiver.received) >= count and len(behaviour.handed) >= count

        before = len(worker.telling.notices.of_account(account.account_id)) - 1
        _send(told, arrived(before + 1))
        for number, lead_ms in enumerate(LEADS_MS, start=2):
            worker.clock.move(ms("2021-12-31 10:00") - lead_ms)
            Sweep(worker.store, worker.clock).tick()
            _send(told, arrived(before + number))

        inbox = worker.telling.notices.of_account(account.account_id)

    assert hook.secret is not None
    verifier = standardwebhooks.Webhook(hook.secret.reveal())
    bodies = [verifier.verify(request.body, request.headers) for request in receiver.received]
    assert [body["type"] for body in bodies][-len(TOLD) :] == [f"notice.{kind}" for kind in TOLD]
    assert [str(listed.notice.kind) for listed in inbox][-len(TOLD) :] == TOLD
    ids = [request.headers["webhook-id"] for request in receiver.received]
    assert len(set(ids)) == len(ids)
    mails = [
        email.message_from_bytes(handed.content, policy=email.policy.SMTP)
        for handed in behaviour.handed
    ]
    assert len({mail["message-id"] for mail in mails}) == len(mails) == len(ids)
    secret = issued.secret_key
    assert secret is not None
    sent = json.dumps(bodies) + "".join(handed.content.decode() for handed in behaviour.handed)
    assert secret.reveal() not in sent
    assert hook.secret.reveal() not in sent


def _send(told: Settings, until: Callable[[], bool]) -> None:
    with closing(wiring.open_notifying(told)) as notifying:
        notifying.run(until)
