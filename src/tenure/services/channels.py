"""
The ways out: what sends a message to a contact. Mail and webhooks themselves are in `outbound`.

A channel says what became of one attempt and decides nothing; whether to try again is the business
of `sending`. It has to answer within a minute, and may be asked by several threads at once.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, final

from tenure.domain.contacts import Contact
from tenure.domain.model import Secret
from tenure.services.outbound.outcome import Outcome, Sent
from tenure.services.rendering import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """
    One attempt to tell one contact: *message_id* is the same at every attempt.

    *secrets* sign a webhook, the one in force first. *sent_at_s* is when it is sent (s, UTC).
    """

    message_id: str
    contact: Contact
    message: Message = field(repr=False)
    secrets: tuple[Secret, ...] = ()
    sent_at_s: int = 0


class Sender(Protocol):
    """A way to send: one channel."""

    def send(self, outgoing: Outgoing) -> Outcome:
        """Send, and say whether it was taken."""


@final
class FileSender:
    """Writes messages to a file instead of sending them, a JSON object a line: for rehearsals."""

    def __init__(self, path: Path) -> None:
        """*path* is made when it is not there, for its owner alone: the messages are private."""
        self._path = path

    def send(self, outgoing: Outgoing) -> Outcome:
        """Append one line."""
        line = {
            "message_id": outgoing.message_id,
            "channel": str(outgoing.contact.channel),
            "to": outgoing.contact.address,
            "subject": outgoing.message.subject,
            "text": outgoing.message.text,
            "html": outgoing.message.html,
            "body": json.loads(outgoing.message.body),
        }
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            # One write: lines of several processes do not mix.
            os.write(descriptor, json.dumps(line, ensure_ascii=False).encode() + b"\n")
        finally:
            os.close(descriptor)
        return Sent()


@final
class MailSender:
    """Sends by e-mail, through whatever takes the parts of a mail by name."""

    def __init__(self, send: Callable[..., Outcome], domain: str) -> None:
        """*send* takes to, subject, text, html, message_id; *domain* is that of the last."""
        self._send, self._domain = send, domain

    def send(self, outgoing: Outgoing) -> Outcome:
        """Send one mail."""
        return self._send(
            to=outgoing.contact.address,
            subject=outgoing.message.subject,
            text=outgoing.message.text,
            html=outgoing.message.html,
            message_id=f"<{outgoing.message_id}@{self._domain}>",
        )


@final
class WebhookSender:
    """Sends by webhook, through whatever takes the parts of one by name."""

    def __init__(self, send: Callable[..., Outcome]) -> None:
        """*send* takes url, secrets, webhook_id, timestamp_s, body."""
        self._send = send

    def send(self, outgoing: Outgoing) -> Outcome:
        """Send one webhook."""
        return self._send(
            url=outgoing.contact.address,
            secrets=outgoing.secrets,
            webhook_id=outgoing.message_id,
            timestamp_s=outgoing.sent_at_s,
            body=outgoing.message.body,
        )
