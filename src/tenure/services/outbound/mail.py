"""
E-mail: one message handed to the relay that the settings name, over TLS (RFC 5321, 8314, 3207).

What a message says, to whom and when, is the business of whoever calls. A relay that took a message
has it; whether it arrives is between the relay and the reader's server.
"""

import contextlib
import datetime
import email.policy
import re
import smtplib
import ssl
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from functools import cached_property, partial
from pathlib import Path
from typing import Final, final

from tenure.clock import Clock
from tenure.domain import mailing
from tenure.domain.mailing import Relay, Sender
from tenure.services.outbound.outcome import Failed, Outcome, Sent
from tenure.settings import Settings

STEP_WITHIN_S: Final = 20.0
"""For each step of the conversation; RFC 5321 4.5.3.2 allows minutes, but one's relay is near."""
_PERMANENT: Final = 500
"""From here on a reply says: not this message, not ever (RFC 5321 4.2.1)."""
_LINE_LENGTH_MAX: Final = 998  # RFC 5322 2.1.1

_MESSAGE_ID: Final = re.compile(r"<[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+>")
_LINK: Final = re.compile(r"https?://[!-;=?-~]+")
_ENHANCED: Final = re.compile(rb"[245]\.[0-9]{1,3}\.[0-9]{1,3}(?= |\Z)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """
    A message to one reader: the same words as *text* and as *html*.

    *message_id* (`<…@…>`) is the same at every attempt, so that a copy sent twice can be told. Mail
    programs show *unsubscribe_url* as a button that posts to it (RFC 8058).
    """

    to: str
    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    message_id: str
    unsubscribe_url: str | None = None


@final
class Mailer:
    """Hands messages to a mail relay, a connection each."""

    def __init__(
        self,
        relay: Relay,
        sender: Sender,
        clock: Clock,
        *,
        trust_file: Path | None = None,
        step_within_s: float = STEP_WITHIN_S,
    ) -> None:
        """*clock* dates the messages; *trust_file* adds certificate authorities (PEM)."""
        self._relay, self._sender, self._clock = relay, sender, clock
        self._trust_file, self._step_within_s = trust_file, step_within_s

    @classmethod
    def of(cls, settings: Settings, clock: Clock) -> "Mailer | None":
        """Return the mailer that *settings* describe, None where they name no relay."""
        if not settings.smtp_url:
            return None
        return cls(
            mailing.read_relay(settings.smtp_url),
            mailing.read_sender(settings.mail_from),
            clock,
            trust_file=settings.egress_trust_file,
        )

    def send(self, mail: Mail) -> Outcome:
        """
        Try once to hand *mail* over; blocks.

        A reply of 5xx to the reader's address or to the message is a permanent failure. Any other
        trouble is one to try again after, a refused password or sender too: those are ours, and
        what waits is delivered once somebody has mended the settings.
        """
        try:
            message = self._compose(mail)
        except ValueError as error:
            return Failed(reason=str(error), is_permanent=True)
        try:
            connection = self._connect()
        except (smtplib.SMTPException, OSError) as error:
            return Failed(reason=_in_our_words(error))
        try:
            connection.send_message(message, self._sender.address, mail.to)
        except (smtplib.SMTPException, OSError) as error:
            return Failed(reason=_in_our_words(error), is_permanent=_is_permanent(error))
        finally:
            # It has been taken, or not: how the conversation ends changes nothing.
            with contextlib.suppress(smtplib.SMTPException, OSError):
                connection.quit()
            connection.close()
        return Sent()

    def _connect(self) -> smtplib.SMTP:
        """Return a connection that messages may be handed to; raises SMTPException, OSError."""
        relay, ours = self._relay, self._sender.address.rpartition("@")[2]
        # Named, for the library would look this machine's own name up, and wait for that.
        name = ours if ours.isascii() else "localhost"
        trust = self._trust
        kind = partial(smtplib.SMTP_SSL, context=trust) if relay.has_tls else smtplib.SMTP
        connection: smtplib.SMTP = kind(
            relay.host, relay.port, timeout=self._step_within_s, local_hostname=name
        )
        try:
            if relay.starttls:
                connection.starttls(context=trust)
            if relay.user:
                connection.login(relay.user, relay.password.reveal())
        except BaseException:
            connection.close()
            raise
        return connection

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        # The usual authorities, and those of the settings.
        trust = ssl.create_default_context()
        if self._trust_file is not None:
            trust.load_verify_locations(self._trust_file)
        return trust

    def _compose(self, mail: Mail) -> EmailMessage:
        """Return the message; raises ValueError naming what cannot stand in one."""
        if not mailing.is_address(mail.to):
            raise ValueError("that is no e-mail address")
        if not _MESSAGE_ID.fullmatch(mail.message_id):
            raise ValueError("that is no Message-ID: <…@…>")
        message = EmailMessage(policy=email.policy.SMTP)
        message["From"] = _addressed(self._sender.address, self._sender.name)
        message["To"] = _addressed(mail.to)
        message["Subject"] = _one_line(mail.subject)
        message["Date"] = datetime.datetime.fromtimestamp(
            self._clock.wall_ms() // 1000, datetime.UTC
        )
        message["Message-ID"] = mail.message_id
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence note, please.
        if mail.unsubscribe_url is not None:
            if not _LINK.fullmatch(mail.unsubscribe_url):
                raise ValueError("that is no link to unsubscribe by")
            message["List-Unsubscribe"] = f"<{mail.unsubscribe_url}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        return message


def _addressed(address: str, name: str = "") -> Address:
    user, _, domain = address.rpartition("@")  # Whole, it would have to be ASCII.
    return Address(name, username=user, domain=domain)


def _one_line(text: str) -> str:
    """Return *text* as one line: what a header's reader could take for its end becomes a blank."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(printable.split())[:_LINE_LENGTH_MAX]


def _is_permanent(error: smtplib.SMTPException | OSError) -> bool:
    match error:
        case smtplib.SMTPRecipientsRefused():
            return all(code >= _PERMANENT for code, _ in error.recipients.values())
        case smtplib.SMTPDataError():
            return error.smtp_code >= _PERMANENT
        case smtplib.SMTPNotSupportedError():
            return True  # A reader's address outside ASCII, and a relay without SMTPUTF8.
        case _:
            return False


def _in_our_words(  # noqa: PLR0911 - one exit per way it goes wrong
    error: smtplib.SMTPException | OSError,
) -> str:
    """Say what went wrong by the reply's numbers: its words are a stranger's."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            ((code, said),) = error.recipients.values()
            return f"the address was refused: {_numbers(code, said)}"
        case smtplib.SMTPSenderRefused():
            numbers = _numbers(error.smtp_code, error.smtp_error)
            return f"the relay refuses our sender: {numbers}"
        case smtplib.SMTPDataError():
            return f"the message was refused: {_numbers(error.smtp_code, error.smtp_error)}"
        case smtplib.SMTPAuthenticationError():
            return f"the relay refuses our password: {error.smtp_code}"
        case smtplib.SMTPResponseException():
            return f"the relay answered {error.smtp_code}"
        case smtplib.SMTPNotSupportedError():
            return "the relay does not offer what is needed: STARTTLS, AUTH or SMTPUTF8"
        case smtplib.SMTPServerDisconnected() | TimeoutError():
            return "the relay gave no answer in time, or hung up"
        case ssl.SSLCertVerificationError():
            return f"the relay's certificate is not trusted: {error.verify_message}"
        case ssl.SSLError():
            return "no TLS with the relay"
        case _:
            return "the relay cannot be reached"


def is_of_relay(reason: str) -> bool:
    """Whether the *reason* of a failure is the relay itself, and not one message or its reader."""
    return "the relay" in reason


def _numbers(code: int, said: bytes | str) -> str:
    found = _ENHANCED.match(said if isinstance(said, bytes) else said.encode())
    return f"{code} {found.group().decode('ascii')}" if found else str(code)
