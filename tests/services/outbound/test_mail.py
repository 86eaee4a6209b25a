"""E-mail through a real relay: what arrives, how it got there, and what each refusal means."""

import email
import email.policy
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final

import pytest

from tenure import settings
from tenure.domain import mailing
from tenure.services.outbound import mail
from tenure.services.outbound.mail import Mail, Mailer
from tenure.services.outbound.outcome import Failed, Sent
from tests.fakes import FakeClock
from tests.services.outbound import certificates
from tests.services.outbound.certificates import Trust
from tests.services.outbound.relay import PASSWORD, USER, Behaviour, Handed, relaying

# The relay's library is right; where TLS is there from the start it just does not see it.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

MAIL: Final = Mail(
    to="owner@example.com",
    subject="Trading ends in 7 days \u2713",
    text="Your key “bot” keeps trading until 2021-12-31.\n",
    html="<p>Your key <b>bot</b> keeps trading until 2021-12-31.</p>\n",
    message_id="<ntc_1.acct_1@tenure.example>",
    unsubscribe_url="https://exchange.example/u?k=1&l=2",
)
SENDER: Final = "Tenure at Börse <keys@exchange.example>"
LOGIN: Final = f"{USER}:{PASSWORD.replace('@', '%40').replace(' ', '%20')}@"


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Trust:
    """Return a relay's certificate, and what vouches for it."""
    return certificates.make(tmp_path_factory.mktemp("relay"), "127.0.0.1")


def mailer(url: str, trust: Trust | None = None, *, step_within_s: float = 5.0) -> Mailer:
    """Return what hands mail to the relay at *url*, on a clock at 2021-12-01 10:00."""
    return Mailer(
        mailing.read_relay(url),
        mailing.read_sender(SENDER),
        FakeClock(),
        trust_file=trust.trust_file if trust else None,
        step_within_s=step_within_s,
    )


@contextmanager
def bare(behaviour: Behaviour, **options: Any) -> Iterator[Mailer]:  # noqa: ANN401 - the relay's
    """Yield a mailer to a relay without TLS that behaves so."""
    with relaying(behaviour, **options) as port:
        yield mailer(f"smtp://127.0.0.1:{port}?tls=no")


def read(handed: Handed) -> EmailMessage:
    """Return the message as a mail program reads it."""
    message = email.message_from_bytes(handed.content, policy=email.policy.SMTP)
    assert isinstance(message, EmailMessage)
    assert message.defects == []
    return message


def only(behaviour: Behaviour) -> Handed:
    """Return the one message that was handed over."""
    (handed,) = behaviour.handed
    return handed


def test_a_message_arrives_whole_in_plain_words_and_in_html() -> None:
    behaviour = Behaviour()
    with bare(behaviour) as sender:
        assert sender.send(MAIL) == Sent()

    handed = only(behaviour)
    assert (handed.sender, handed.recipients) == ("keys@exchange.example", ["owner@example.com"])
    message = read(handed)
    assert message["From"] == SENDER
    assert message["To"] == "owner@example.com"
    assert message["Subject"] == MAIL.subject
    assert message["Message-ID"] == MAIL.message_id
    assert message["Date"] == "Wed, 01 Dec 2021 10:00:00 +0000"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"] == "<https://exchange.example/u?k=1&l=2>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message.get_content_type() == "multipart/alternative"
    plain, html = message.iter_parts()
    assert isinstance(plain, EmailMessage)
    assert isinstance(html, EmailMessage)
    assert (plain.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert plain.get_content().replace("\r\n", "\n") == MAIL.text
    assert html.get_content().replace("\r\n", "\n") == MAIL.html


def test_at_every_attempt_the_message_has_the_same_id() -> None:
    behaviour = Behaviour()
    with bare(behaviour) as sender:
        assert [sender.send(MAIL), sender.send(MAIL)] == [Sent(), Sent()]

    assert {read(handed)["Message-ID"] for handed in behaviour.handed} == {MAIL.message_id}


def test_without_a_link_nothing_is_said_about_unsubscribing() -> None:
    behaviour = Behaviour()
    with bare(behaviour) as sender:
        assert sender.send(replace(MAIL, unsubscribe_url=None)) == Sent()

    message = read(only(behaviour))
    assert message["List-Unsubscribe"] is None
    assert message["List-Unsubscribe-Post"] is None


def test_starttls_comes_before_the_password_and_the_message(trust: Trust) -> None:
    behaviour = Behaviour()
    with relaying(behaviour, starttls=trust.server, needs_login=True) as port:
        assert mailer(f"smtp://{LOGIN}127.0.0.1:{port}", trust).send(MAIL) == Sent()

    assert only(behaviour).has_tls
    assert only(behaviour).is_known
    assert behaviour.logins == [(USER.encode(), PASSWORD.encode())]


def test_tls_may_be_there_from_the_start(trust: Trust) -> None:
    behaviour = Behaviour()
    with relaying(behaviour, tls=trust.server, needs_login=True) as port:
        assert mailer(f"smtps://{LOGIN}127.0.0.1:{port}", trust).send(MAIL) == Sent()

    assert only(behaviour).has_tls
    assert only(behaviour).is_known


def test_a_relay_without_starttls_gets_neither_password_nor_message() -> None:
    behaviour = Behaviour()
    with relaying(behaviour) as port:
        outcome = mailer(f"smtp://{LOGIN}127.0.0.1:{port}").send(MAIL)

    assert isinstance(outcome, Failed)
    assert "STARTTLS" in outcome.reason
    assert not outcome.is_permanent
    assert (behaviour.handed, behaviour.logins) == ([], [])


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_certificate_by_nobody_known_is_not_taken(trust: Trust, scheme: str) -> None:
    behaviour = Behaviour()
    starttls, tls = (trust.server, None) if scheme == "smtp" else (None, trust.server)
    with relaying(behaviour, starttls=starttls, tls=tls) as port:
        outcome = mailer(f"{scheme}://{LOGIN}127.0.0.1:{port}").send(MAIL)

    assert isinstance(outcome, Failed)
    assert outcome.reason.startswith("the relay's certificate is not trusted: ")
    assert (behaviour.handed, behaviour.logins) == ([], [])


def test_a_certificate_for_another_name_is_not_taken(trust: Trust) -> None:
    with relaying(Behaviour(), starttls=trust.server) as port:
        outcome = mailer(f"smtp://localhost:{port}", trust).send(MAIL)

    assert isinstance(outcome, Failed)
    assert "mismatch" in outcome.reason


def test_a_wrong_password_may_be_mended_and_is_not_shown(trust: Trust) -> None:
    behaviour = Behaviour()
    with relaying(behaviour, starttls=trust.server, needs_login=True) as port:
        outcome = mailer(f"smtp://{USER}:wrong-canary@127.0.0.1:{port}", trust).send(MAIL)

    assert outcome == Failed(reason="the relay refuses our password: 535")
    assert behaviour.handed == []


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (
            Behaviour(recipient="550 5.1.1 canary unknown"),
            Failed(reason="the address was refused: 550 5.1.1", is_permanent=True),
        ),
        (
            Behaviour(recipient="450 4.2.1 canary greylisted"),
            Failed(reason="the address was refused: 450 4.2.1"),
        ),
        (
            Behaviour(message="554 canary spam"),
            Failed(reason="the message was refused: 554", is_permanent=True),
        ),
        (
            Behaviour(message="452 4.3.1 canary full"),
            Failed(reason="the message was refused: 452 4.3.1"),
        ),
        (
            Behaviour(sender="550 5.7.1 canary not you"),
            Failed(reason="the relay refuses our sender: 550 5.7.1"),
        ),
        (
            Behaviour(sender="451 canary later"),
            Failed(reason="the relay refuses our sender: 451"),
        ),
    ],
)
def test_what_a_refusal_means_follows_from_its_numbers(
    behaviour: Behaviour, expected: Failed
) -> None:
    with bare(behaviour) as sender:
        assert sender.send(MAIL) == expected
    assert mail.is_of_relay(expected.reason) is bool(behaviour.sender)


def test_a_relay_that_hangs_up_after_taking_the_message_has_it() -> None:
    behaviour = Behaviour(hangs_up=True)
    with bare(behaviour) as sender:
        assert sender.send(MAIL) == Sent()

    assert len(behaviour.handed) == 1


def test_a_relay_that_never_speaks_is_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        outcome = mailer(f"smtp://127.0.0.1:{port}?tls=no", step_within_s=0.2).send(MAIL)

    assert outcome == Failed(reason="the relay gave no answer in time, or hung up")


def test_a_relay_that_does_not_welcome_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def refuse() -> None:
            with listening.accept()[0] as connection:
                connection.sendall(b"554 canary go away\r\n")
                connection.recv(100)

        thread = threading.Thread(target=refuse)
        thread.start()
        port = listening.getsockname()[1]
        outcome = mailer(f"smtp://127.0.0.1:{port}?tls=no").send(MAIL)
        thread.join()

    assert outcome == Failed(reason="the relay answered 554")


def test_a_relay_that_is_not_there_is_tried_again() -> None:
    outcome = mailer("smtp://127.0.0.1:1?tls=no").send(MAIL)

    assert outcome == Failed(reason="the relay cannot be reached")


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_no_line_of_a_subject_becomes_a_header(end: str) -> None:
    behaviour = Behaviour()
    with bare(behaviour) as sender:
        subject = f"Hello{end}Bcc: victim@example.com{end}{end}<b>not the body</b>"
        assert sender.send(replace(MAIL, subject=subject)) == Sent()

    handed = only(behaviour)
    assert handed.recipients == ["owner@example.com"]
    message = read(handed)
    assert message["Bcc"] is None
    assert message["Subject"] == "Hello Bcc: victim@example.com <b>not the body</b>"


@pytest.mark.parametrize(
    "change",
    [
        {"to": "owner@example.com\r\nBcc: victim@example.com"},
        {"to": "owner@example.com, victim@example.com"},
        {"to": "Owner <owner@example.com>"},
        {"to": "owner@example.com> NOTIFY=NEVER"},
        {"to": ""},
        {"message_id": "<a@b>\r\nBcc: victim@example.com"},
        {"message_id": "no-brackets@example.com"},
        {"unsubscribe_url": "https://exchange.example/>\r\nBcc: victim@example.com"},
        {"unsubscribe_url": "https://exchange.example/>, <mailto:victim@example.com"},
        {"unsubscribe_url": "javascript:alert(1)"},
    ],
)
def test_what_could_be_read_as_something_else_is_not_sent(change: dict[str, str]) -> None:
    behaviour = Behaviour()
    with bare(behaviour) as sender:
        outcome = sender.send(replace(MAIL, **change))

    assert isinstance(outcome, Failed)
    assert outcome.is_permanent
    assert behaviour.handed == []


def test_a_line_with_a_single_dot_does_not_end_the_message() -> None:
    behaviour = Behaviour()
    text = "before\n.\nMAIL FROM:<canary@example.com>\nafter\n"
    with bare(behaviour) as sender:
        assert sender.send(replace(MAIL, text=text)) == Sent()

    plain = read(only(behaviour)).get_body(("plain",))
    assert plain is not None
    assert plain.get_content().replace("\r\n", "\n") == text


def test_an_address_outside_ascii_needs_a_relay_that_takes_it() -> None:
    mail = replace(MAIL, to="b\u00fccher@example.com")
    behaviour = Behaviour()
    with bare(behaviour) as sender:
        assert sender.send(mail) == Sent()
    assert only(behaviour).recipients == [mail.to]

    with bare(Behaviour(), takes_utf8=False) as sender:
        outcome = sender.send(mail)
    assert isinstance(outcome, Failed)
    assert outcome.is_permanent
    assert "SMTPUTF8" in outcome.reason


def test_nothing_of_a_mailer_or_a_message_shows_a_secret() -> None:
    shown = repr(mailer(f"smtp://{LOGIN}127.0.0.1:1")) + repr(replace(MAIL, text="canary"))

    assert "s3cr3t" not in shown
    assert "canary" not in shown


def test_the_settings_make_a_mailer_or_none(trust: Trust, tmp_path: Path) -> None:
    behaviour = Behaviour()
    assert Mailer.of(settings.load(home=tmp_path), FakeClock()) is None
    with relaying(behaviour, starttls=trust.server, needs_login=True) as port:
        given = settings.load(
            home=tmp_path,
            smtp_url=f"smtp://{LOGIN}127.0.0.1:{port}",
            mail_from=SENDER,
            egress_trust_file=trust.trust_file,
        )
        made = Mailer.of(given, FakeClock())
        assert made is not None
        assert made.send(MAIL) == Sent()
    assert read(only(behaviour))["From"] == SENDER
