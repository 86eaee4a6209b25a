"""What is read of an answer, and what the settings make of the way out."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tenure import settings
from tenure.clock import SystemClock
from tenure.domain.errors import Invalid
from tenure.services.outbound import addresses
from tenure.services.outbound.channels import Channels
from tenure.services.outbound.egress import Answer, Call, Egress
from tenure.services.outbound.outcome import Failed
from tests.services.outbound import receiver as running
from tests.services.outbound.receiver import Receiver


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    """Return a receiver on this machine."""
    with running.receiving(tmp_path) as receiver:
        yield receiver


def a_call(receiver: Receiver, path: str, answer_bytes_max: int = 0) -> Call:
    url = receiver.url(path, name="127.0.0.1")
    target = addresses.read(url, allows_loopback=True)
    return Call(method="GET", target=target, answer_bytes_max=answer_bytes_max)


def egress(receiver: Receiver, within_s: float = 5.0) -> Egress:
    return Egress(trust_file=receiver.trust_file, allows_loopback=True, within_s=within_s)


@pytest.mark.parametrize("most", [0, 1, 1_000, 99_999, 100_000, 1_000_000])
def test_no_more_of_an_answer_is_read_than_was_asked_for(receiver: Receiver, most: int) -> None:
    answer = egress(receiver).make(a_call(receiver, "/long", most))

    assert isinstance(answer, Answer)
    assert (answer.status, answer.body) == (200, b"x" * min(most, 100_000))


def test_an_answer_that_drips_is_left_where_its_body_is_wanted(receiver: Receiver) -> None:
    answer = egress(receiver, within_s=0.4).make(a_call(receiver, "/drip-body", 1_000))

    assert answer == Failed(reason="no answer in time")


def test_the_settings_say_which_way_out_there_is(receiver: Receiver) -> None:
    assert receiver.trust_file is not None
    home = receiver.trust_file.parent / "home"
    given = settings.load(home=home, egress_trust_file=receiver.trust_file, webhook_loopback=True)
    url = receiver.url("/ok", name="127.0.0.1")

    assert isinstance(Egress.of(given).make(a_call(receiver, "/ok")), Answer)
    clock = SystemClock(home)
    Channels.of(given, clock).webhooks.check(url)
    with pytest.raises(Invalid):
        Channels.of(settings.load(home=home), clock).webhooks.check(url)
    clock.close()


def test_a_broken_trust_file_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "authorities.pem"
    path.write_text("nothing of the kind")

    with pytest.raises(Invalid, match="holds no certificates in PEM"):
        settings.load(egress_trust_file=path)
