"""Webhooks to a real receiver: signed so that its library verifies, and sent nowhere else."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
import standardwebhooks
from standardwebhooks.webhooks import WebhookVerificationError

from tenure.domain.errors import Invalid
from tenure.domain.model import Secret
from tenure.services.outbound.egress import Egress
from tenure.services.outbound.outcome import Failed, Sent
from tenure.services.outbound.webhooks import RETRY_AFTER_S_MAX, Webhook, Webhooks, make_secret
from tests.fakes import FakeClock
from tests.services.outbound import receiver as running
from tests.services.outbound.receiver import NAME, Received, Receiver

SECRET: Final = make_secret(FakeClock(seed=1))
OTHER: Final = make_secret(FakeClock(seed=2))
BODY: Final = json.dumps({"type": "grant:swept", "label": "Bücher \u2713"}).encode()
Resolve = Callable[[str, int], list[str]]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """Return one receiver for all, since a certificate takes its time."""
    with running.receiving(tmp_path_factory.mktemp("receiver")) as receiver:
        yield receiver


@pytest.fixture
def receiver(shared: Receiver) -> Receiver:
    """Return the receiver as if nothing had come yet."""
    shared.received.clear()
    shared.seen_names.clear()
    return shared


def here(_host: str, _port: int) -> list[str]:
    """Resolve every name to this machine."""
    return ["127.0.0.1"]


def webhooks(  # noqa: PLR0913 - a way out has that many sides
    receiver: Receiver,
    *,
    resolve: Resolve = here,
    trusted: bool = True,
    loopback: bool = True,
    within_s: float = 5.0,
    proxy: str = "",
) -> Webhooks:
    """Return what sends to *receiver*, on a clock that stands at 2021-12-01 10:00."""
    egress = Egress(
        proxy=proxy,
        trust_file=receiver.trust_file if trusted else None,
        allows_loopback=loopback,
        resolve=resolve,
        within_s=within_s,
    )
    return Webhooks(egress, FakeClock())


def a_webhook(
    url: str, *secrets: Secret, body: bytes = BODY, webhook_id: str = "ntc_1", at_s: int = 0
) -> Webhook:
    return Webhook(
        url=url,
        secrets=secrets or (SECRET,),
        webhook_id=webhook_id,
        timestamp_s=at_s or int(time.time()),
        body=body,
    )


def verified(request: Received, secret: Secret) -> object:
    """Return what the receiver's library reads in *request*; raises where it does not verify."""
    return standardwebhooks.Webhook(secret.reveal()).verify(request.body, request.headers)


def test_a_webhook_arrives_and_the_receiver_s_library_verifies_it(receiver: Receiver) -> None:
    assert webhooks(receiver).send(a_webhook(receiver.url("/ok?a=b"))) == Sent()

    (request,) = receiver.received
    assert request.path == "/ok?a=b"
    assert request.body == BODY
    assert verified(request, SECRET) == json.loads(BODY)
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == "ntc_1"
    with pytest.raises(WebhookVerificationError):
        verified(request, OTHER)
    with pytest.raises(WebhookVerificationError):
        verified(Received(request.path, request.headers, BODY + b" "), SECRET)


def test_while_rotating_both_secrets_verify(receiver: Receiver) -> None:
    assert webhooks(receiver).send(a_webhook(receiver.url(), OTHER, SECRET)) == Sent()

    (request,) = receiver.received
    assert verified(request, OTHER) == verified(request, SECRET) == json.loads(BODY)


@pytest.mark.parametrize("count", [0, 3])
def test_no_secret_and_a_third_one_are_a_bug(receiver: Receiver, count: int) -> None:
    webhook = a_webhook(receiver.url())
    bare = Webhook(
        url=webhook.url, secrets=(SECRET,) * count, webhook_id="x", timestamp_s=1, body=b""
    )
    with pytest.raises(ValueError, match="one secret, or with two"):
        webhooks(receiver).send(bare)


def test_a_retry_says_the_same_id_and_its_own_instant(receiver: Receiver) -> None:
    now_s = int(time.time())
    for at_s in (now_s - 60, now_s):
        webhooks(receiver).send(a_webhook(receiver.url(), at_s=at_s))

    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    stamps = [int(each.headers["webhook-timestamp"]) for each in (first, second)]
    assert stamps == [now_s - 60, now_s]
    assert verified(first, SECRET) == verified(second, SECRET)


def test_the_signature_is_that_of_the_specification_s_example() -> None:
    """Standard Webhooks' own test vector: secret, id, instant, body and signature."""
    from tenure.services.outbound import webhooks as module  # noqa: PLC0415 - for its one part

    headers = module._headers(  # noqa: SLF001 - what is sent is not seen otherwise at this instant
        Webhook(
            url="",
            secrets=(Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),),
            webhook_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
            timestamp_s=1_614_265_330,
            body=b'{"test": 2432232314}',
        )
    )

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_new_secret_is_one_the_library_takes_and_shows_nothing() -> None:
    secret = make_secret(FakeClock())

    assert len(base64.b64decode(secret.reveal().removeprefix("whsec_"))) == 32
    standardwebhooks.Webhook(secret.reveal())
    assert "whsec_" not in repr(a_webhook("https://h.example/", secret))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/200", Sent()),
        ("/204", Sent()),
        ("/299", Sent()),
        ("/500", Failed(reason="it answered 500")),
        ("/400", Failed(reason="it answered 400")),
        ("/404", Failed(reason="it answered 404")),
        ("/410", Failed(reason="it answered 410", is_permanent=True)),
        ("/moved", Failed(reason="it answered a redirect, which is not followed: 302")),
        ("/moved-here", Failed(reason="it answered a redirect, which is not followed: 307")),
        ("/garbage", Failed(reason="its answer was no HTTP")),
        ("/long", Sent()),
        ("/drip-body", Sent()),
    ],
)
def test_the_answer_s_status_alone_decides(
    receiver: Receiver, path: str, expected: Sent | Failed
) -> None:
    assert webhooks(receiver).send(a_webhook(receiver.url(path))) == expected
    assert [request.path for request in receiver.received] == [path]


@pytest.mark.parametrize("path", ["/hang", "/drip"])
def test_a_receiver_that_takes_for_ever_is_left(receiver: Receiver, path: str) -> None:
    outcome = webhooks(receiver, within_s=0.5).send(a_webhook(receiver.url(path)))

    assert outcome == Failed(reason="no answer in time")
    assert len(receiver.received) == 1


def test_a_resolver_that_takes_for_ever_is_left(receiver: Receiver) -> None:
    def asleep(_host: str, _port: int) -> list[str]:
        receiver.stopping.wait()
        return ["127.0.0.1"]

    sender = webhooks(receiver, resolve=asleep, within_s=0.3)

    assert sender.send(a_webhook(receiver.url())) == Failed(reason="no answer in time")
    with pytest.raises(Invalid, match="does not lead to a public address"):
        sender.check(receiver.url())


@pytest.mark.parametrize(
    ("said", "retry_after_s"),
    [
        ("120", 120),
        ("0", 0),
        ("999999999", RETRY_AFTER_S_MAX),
        ("Wed, 01 Dec 2021 10:01:30 GMT", 90),
        ("Wed, 01 Dec 2021 09:00:00 GMT", 0),
        ("Thu, 01 Dec 2022 10:00:00 GMT", RETRY_AFTER_S_MAX),
        ("Wed, 01 Dec 2021 10:01:30 -0000", None),
        ("-5", None),
        ("1e3", None),
        ("soon", None),
        ("", None),
        ("99999999999999", None),
    ],
)
def test_a_busy_receiver_may_say_when_to_come_back(
    receiver: Receiver, said: str, retry_after_s: int | None
) -> None:
    receiver.retry_after[:] = [said]

    outcome = webhooks(receiver).send(a_webhook(receiver.url("/busy")))

    assert outcome == Failed(reason="it answered 503", retry_after_s=retry_after_s)


def test_the_name_of_the_url_is_asked_for_and_checked(receiver: Receiver) -> None:
    assert webhooks(receiver).send(a_webhook(receiver.url())) == Sent()

    assert receiver.seen_names == [NAME]
    assert receiver.received[0].headers["host"] == f"{NAME}:{receiver.port}"


def test_a_certificate_for_another_name_is_not_taken(receiver: Receiver) -> None:
    url = receiver.url(name="other.test")

    outcome = webhooks(receiver).send(a_webhook(url))

    assert isinstance(outcome, Failed)
    assert outcome.reason.startswith("its certificate is not trusted: Hostname mismatch")
    assert not outcome.is_permanent
    assert receiver.received == []


def test_a_certificate_by_nobody_known_is_not_taken(receiver: Receiver) -> None:
    outcome = webhooks(receiver, trusted=False).send(a_webhook(receiver.url()))

    assert isinstance(outcome, Failed)
    assert outcome.reason.startswith("its certificate is not trusted: ")
    assert receiver.received == []


def test_an_address_in_the_url_is_checked_against_the_certificate_too(receiver: Receiver) -> None:
    def never(_host: str, _port: int) -> list[str]:
        raise AssertionError("an address is not resolved")

    sender = webhooks(receiver, resolve=never)

    assert sender.send(a_webhook(receiver.url(name="127.0.0.1"))) == Sent()
    outcome = sender.send(a_webhook(receiver.url(name="127.0.0.2")))
    assert isinstance(outcome, Failed)


def test_a_resolver_that_changes_its_answer_is_asked_once(receiver: Receiver) -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])

    outcome = webhooks(receiver, resolve=lambda *_: next(answers)).send(a_webhook(receiver.url()))

    assert outcome == Sent()
    assert next(answers) == ["127.0.0.2"]


def test_a_name_that_was_public_when_saved_and_is_not_at_delivery_is_refused(
    receiver: Receiver,
) -> None:
    """DNS rebinding: what was judged when the URL was saved is judged again (T31)."""
    answers = iter([["8.8.8.8"], ["127.0.0.1"]])
    sender = webhooks(receiver, resolve=lambda *_: next(answers), loopback=False)

    sender.check(receiver.url())
    outcome = sender.send(a_webhook(receiver.url()))

    reason = "its name does not lead to a public address: not connected"
    assert outcome == Failed(reason=reason)
    assert (receiver.received, receiver.seen_names) == ([], [])


@pytest.mark.parametrize(
    "answers",
    [
        *(["169.254.169.254"], ["10.0.0.1"], ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"]),
        *(["fec0::1"], ["::127.0.0.1"], ["2002:7f00:1::1"], ["fe80::1%lo"], ["8.8.8.8", "::1"]),
        *([], ["nonsense"]),
    ],
)
def test_a_name_that_leads_inside_is_refused_when_saved_and_at_delivery(
    receiver: Receiver, answers: list[str]
) -> None:
    sender = webhooks(receiver, resolve=lambda *_: answers, loopback=False)

    with pytest.raises(Invalid, match="does not lead to a public address"):
        sender.check(receiver.url())
    assert isinstance(sender.send(a_webhook(receiver.url())), Failed)
    assert (receiver.received, receiver.seen_names) == ([], [])


def test_a_name_that_leads_nowhere_is_refused_like_one_that_leads_inside(
    receiver: Receiver,
) -> None:
    def unknown(_host: str, _port: int) -> list[str]:
        raise OSError("no such name")

    with pytest.raises(Invalid, match="does not lead to a public address"):
        webhooks(receiver, resolve=unknown).check(receiver.url())


@pytest.mark.parametrize(
    "url", ["http:", "https://127.1/", "https://[64:ff9b::7f00:1]/", "https://user@host.example/"]
)
def test_a_url_of_the_wrong_form_is_refused_when_saved_and_for_good_at_delivery(
    receiver: Receiver, url: str
) -> None:
    """BI-45; it may have been saved under other settings."""
    sender = webhooks(receiver, loopback=False)

    with pytest.raises(Invalid):
        sender.check(url)
    outcome = sender.send(a_webhook(url))
    assert isinstance(outcome, Failed)
    assert outcome.is_permanent


def test_an_address_that_does_not_answer_is_passed_over(receiver: Receiver) -> None:
    sender = webhooks(receiver, resolve=lambda *_: ["127.0.0.2", "127.0.0.1"])

    assert sender.send(a_webhook(receiver.url())) == Sent()


def test_a_host_where_nobody_listens_cannot_be_reached(receiver: Receiver) -> None:
    url = f"https://{NAME}:1/"

    outcome = webhooks(receiver).send(a_webhook(url))

    assert outcome == Failed(reason="it cannot be reached")


def test_plain_http_is_for_this_machine_alone(tmp_path: Path) -> None:
    with running.receiving(tmp_path, tls=False) as bare:
        url = bare.url(name="127.0.0.1")
        assert webhooks(bare).send(a_webhook(url)) == Sent()
        assert isinstance(webhooks(bare, loopback=False).send(a_webhook(url)), Failed)
        assert isinstance(webhooks(bare).send(a_webhook(bare.url(name=NAME))), Failed)
        assert len(bare.received) == 1


def test_no_reason_holds_the_url_or_what_was_answered(receiver: Receiver) -> None:
    for path in ("/500", "/moved", "/garbage", "/410"):
        outcome = webhooks(receiver).send(a_webhook(receiver.url(f"{path}?s3cr3t")))
        assert isinstance(outcome, Failed)
        assert not {"s3cr3t", "169.254", "OpenSSH", NAME} & set(outcome.reason.split())
        assert "s3cr3t" not in outcome.reason


def test_a_proxy_is_handed_the_name_and_sees_nothing_else(receiver: Receiver) -> None:
    def never(_host: str, _port: int) -> list[str]:
        raise AssertionError("the proxy resolves")

    with running.proxying() as (proxy, asked):
        sender = webhooks(receiver, resolve=never, proxy=proxy, loopback=False)
        sender.check(receiver.url())
        assert sender.send(a_webhook(receiver.url())) == Sent()

    assert asked == [f"CONNECT {NAME}:{receiver.port} HTTP/1.1"]
    assert verified(receiver.received[0], SECRET)


def test_a_proxy_is_not_asked_for_addresses_inside(receiver: Receiver) -> None:
    with running.proxying() as (proxy, asked):
        sender = webhooks(receiver, proxy=proxy, loopback=False)
        outcome = sender.send(a_webhook("https://169.254.169.254/"))

    assert isinstance(outcome, Failed)
    assert asked == []


def test_a_proxy_that_says_no_is_named_as_such(receiver: Receiver) -> None:
    with running.proxying(lets_through=False) as (proxy, _):
        outcome = webhooks(receiver, proxy=proxy).send(a_webhook(receiver.url()))

    assert outcome == Failed(reason="the proxy did not let it through")


def test_the_environment_s_proxies_are_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")

    assert webhooks(receiver).send(a_webhook(receiver.url())) == Sent()
