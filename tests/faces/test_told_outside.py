"""Thirty days of a key, told to its owner by a real mail relay, a real receiver and the inbox."""

import email
import email.policy
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import standardwebhooks

from tenure import settings, wiring
from tenure.clock import SandboxClock
from tenure.domain.contacts import Channel
from tenure.domain.model import AccountKind, KeyType
from tenure.domain.notices import message_id
from tenure.services.contacts import Wish
from tenure.services.keys import Draft
from tenure.services.sweep import Sweep
from tenure.settings import Settings
from tenure.store.deliveries import Delivery
from tenure.wiring import Worker
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


SENDER = """
import sys
import tenure.services.sending as sending
from tenure import wiring
from tenure.settings import Settings
sending.CLAIMED_FOR_MS = 1_000  # What a killed one had in hand is somebody else's after a second.
notifying = wiring.open_notifying(Settings.model_validate_json(sys.stdin.read()))
print("running", flush=True)
notifying.run(lambda: False)
"""


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(5, marks=pytest.mark.timeout(300)),
        pytest.param(200, marks=[pytest.mark.soak, pytest.mark.timeout(0)]),
    ],
)
def test_a_sender_that_is_killed_at_random_loses_nothing(
    told: Settings, receiver: Receiver, behaviour: Behaviour, kills: int
) -> None:
    """`kill -9`, wherever it is: each notice arrives both ways, and again only under its own id."""
    dice = random.Random(14)  # noqa: S311 - to be repeatable
    with closing(wiring.open_alone(told)) as worker:
        accounts = [_an_owner(worker, receiver, number) for number in range(4)]
        for kill in range(kills):
            with _sender(told) as process:
                for account_id in accounts:
                    frozen = kill % 2 == 0
                    worker.accounts.set_frozen(account_id, frozen=frozen, actor="test")
                time.sleep(dice.random() * 0.5)
                process.send_signal(signal.SIGKILL)
        with _sender(told) as process:
            while not _is_all_delivered(worker, accounts):
                time.sleep(0.2)
            process.send_signal(signal.SIGKILL)
        expected = {channel: _expected(worker, accounts, channel) for channel in Channel}

    assert len(expected[Channel.WEBHOOK]) >= kills * len(accounts)
    # What was cut off in the middle of a request arrived as no message.
    whole = [
        request
        for request in receiver.received
        if len(request.body) == int(request.headers["content-length"])
    ]
    hooks = [request.headers["webhook-id"] for request in whole]
    mails = [
        email.message_from_bytes(handed.content, policy=email.policy.SMTP)["message-id"]
        for handed in behaviour.handed
    ]
    assert set(hooks) == expected[Channel.WEBHOOK]
    assert {mail.strip("<>").partition("@")[0] for mail in mails} == expected[Channel.EMAIL]
    said: dict[str, set[str]] = {}
    for request in whole:
        body = json.loads(request.body)
        said.setdefault(request.headers["webhook-id"], set()).add(body["data"]["notice_id"])
    assert {len(ids) for ids in said.values()} == {1}
    print(  # noqa: T201 - the count, for whoever ran this on purpose
        f"{kills} kills: {len(hooks)} webhooks of {len(set(hooks))} ids, "
        f"{len(mails)} e-mails of {len(set(mails))} ids"
    )


def _an_owner(worker: Worker, receiver: Receiver, number: int) -> str:
    """Create an account that is told by e-mail and, in Spanish, by webhook."""
    owner = worker.accounts.create(f"o{number}@example.com", AccountKind.NORMAL, None, "test")
    wish = Wish(address=receiver.url(name="127.0.0.1"), language="es")
    worker.telling.contacts.add(owner.account_id, Channel.WEBHOOK, wish, "test")
    return owner.account_id


@contextmanager
def _sender(told: Settings) -> Iterator[subprocess.Popen[str]]:
    """Run a process that sends, until it is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", SENDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(told.model_dump_json())
        process.stdin.close()
        assert process.stdout.readline() == "running\n"
        try:
            yield process
        finally:
            process.kill()


def _deliveries(worker: Worker, accounts: list[str]) -> Iterator[tuple[str, list[Delivery]]]:
    """Yield each notice, and what became of it at each contact."""
    notices = worker.telling.notices
    for account_id in accounts:
        after = 0
        while page := notices.of_account(account_id, after=after):
            for listed in page:
                notice_id = listed.notice.notice_id
                yield notice_id, notices.deliveries(account_id, notice_id)
            after = page[-1].number


def _is_all_delivered(worker: Worker, accounts: list[str]) -> bool:
    return all(
        len(found) == len(Channel) and all(item.delivered_at_ms is not None for item in found)
        for _, found in _deliveries(worker, accounts)
    )


def _expected(worker: Worker, accounts: list[str], channel: Channel) -> set[str]:
    """Return the ids of the messages that have to arrive that way."""
    return {
        message_id(notice_id, item.contact_id)
        for notice_id, found in _deliveries(worker, accounts)
        for item in found
        if item.channel == channel
    }


def _send(told: Settings, until: Callable[[], bool]) -> None:
    with closing(wiring.open_notifying(told)) as notifying:
        notifying.run(until)
