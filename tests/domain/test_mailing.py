"""Which texts are an address, a sender, a mail relay; and that none of them can be two things."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.domain import mailing
from tenure.domain.mailing import Relay, Sender
from tenure.domain.model import Secret


@pytest.mark.parametrize(
    "text",
    [
        *("a@b.c", "a@localhost", "o'x+1@exa-mple.com", "first.last@mail.example.com"),
        *("b\u00fccher@example.com", "owner@b\u00fccher.example", f"{'a' * 64}@{'b' * 253}"),
    ],
)
def test_a_plain_address_is_one(text: str) -> None:
    assert mailing.is_address(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "a", "@b.c", "a@", "a@@b.c", "a@b@c", "a b@c.d", "a@b c", " a@b.c", "a@b.c "),
        *("a@b.c\n", "a@b.c\r\nBcc: x@y.z", "a\x00@b.c", "a@b\u2028.c", "a@b.c\x85", "a\u00a0@b.c"),
        *("<a@b.c>", "A <a@b.c>", '"a"@b.c', "a@b.c,d@e.f", "a@b.c;d@e.f", "g:a@b.c", "a(b)@c.d"),
        *("a@[127.0.0.1]", "a@-b.c", "a@b.", "a@b-", f"{'a' * 65}@b.c", f"a@{'b' * 254}"),
    ],
)
def test_whatever_could_mean_more_in_a_header_is_none(text: str) -> None:
    assert not mailing.is_address(text)


@pytest.mark.parametrize(
    ("text", "is_anybodys"),
    [
        *(("a@b.c", True), ("owner@b\u00fccher.example", True), (f"a@{'b' * 250}.c", True)),
        *(("a@b", False), ("root@localhost", False), ("a@b..c", False), ("a@.c", False)),
        *(("a@b.c ", False), ("a@b.", False), (f"a@{'b' * 251}.c", False), ("", False)),
    ],
)
def test_mail_from_anywhere_reaches_a_domain_with_a_dot(text: str, *, is_anybodys: bool) -> None:
    assert mailing.is_anybodys(text) is is_anybodys


@given(st.text(max_size=40) | st.text(st.sampled_from('a@.<>,;:" \r\n\u2028('), max_size=12))
def test_what_is_an_address_is_one_line_and_one_address(text: str) -> None:
    if mailing.is_address(text):
        assert len(text.splitlines()) == 1
        assert text.count("@") == 1
        assert not set(text) & set(' <>,;:"()')


@pytest.mark.parametrize(
    ("text", "sender"),
    [
        ("keys@example.com", Sender("", "keys@example.com")),
        ("Tenure <keys@example.com>", Sender("Tenure", "keys@example.com")),
        (
            "Tenure at B\u00f6rse <keys@example.com>",
            Sender("Tenure at B\u00f6rse", "keys@example.com"),
        ),
        ("<keys@example.com>", Sender("", "keys@example.com")),
    ],
)
def test_a_sender_may_have_a_name(text: str, sender: Sender) -> None:
    assert mailing.read_sender(text) == sender


@pytest.mark.parametrize(
    "text", ["", "Tenure", "A <b>", "A\n <a@b.c>", "A, B <a@b.c>", "A <a@b.c> x", "a@b.c, d@e.f"]
)
def test_a_sender_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no sender, such as keys@example\.com"):
        mailing.read_sender(text)


def relay(  # noqa: PLR0913 - a relay has that many sides
    host: str,
    port: int,
    *,
    has_tls: bool = False,
    starttls: bool = True,
    user: str = "",
    password: str = "",
) -> Relay:
    return Relay(host, port, has_tls, starttls, user, Secret(password))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example", relay("mail.example", 587)),
        ("smtp://mail.example:25/", relay("mail.example", 25)),
        ("smtps://mail.example", relay("mail.example", 465, has_tls=True, starttls=False)),
        ("smtps://[::1]:99", relay("::1", 99, has_tls=True, starttls=False)),
        ("smtp://localhost:25?tls=no", relay("localhost", 25, starttls=False)),
        ("smtp://u:p%40%3A%2F@m", relay("m", 587, user="u", password="p@:/")),
        ("smtp://a%40b.c:p@m", relay("m", 587, user="a@b.c", password="p")),
    ],
)
def test_a_relay_is_read(url: str, expected: Relay) -> None:
    assert mailing.read_relay(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        *("", "mail.example", "smtp:", "smtp://", "http://canary@m", "smtp://u:canary@m/x"),
        *("smtp://u:canary@m:99999", "smtp://u:canary@m:x", "smtp://u:canary@[m", "smtps://:25"),
        *("smtp://u:canary@m?tls=yes", "smtp://u:canary@m?tls=no", "smtps://m?tls=no"),
        *("smtp://u:canary#@m", "smtp://u:canary?@m", "smtp://u:canary@m\u2100", "smtp://m\n"),
    ],
)
def test_a_relay_that_is_none_is_refused_without_a_word_of_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"relay|tls=no") as raised:
        mailing.read_relay(url)

    assert "canary" not in f"{raised.value}{raised.value.__cause__}"


def test_a_relay_does_not_show_its_password() -> None:
    assert "canary" not in repr(mailing.read_relay("smtp://u:canary@m"))
