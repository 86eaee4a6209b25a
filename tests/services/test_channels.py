"""The ways out: a file for rehearsals, and what mail and webhooks are handed."""

import json
from pathlib import Path
from typing import Any

from tenure.domain.contacts import Channel, Contact
from tenure.domain.model import Secret
from tenure.services.channels import FileSender, MailSender, Outgoing, WebhookSender
from tenure.services.outbound.outcome import Failed, Outcome, Sent
from tenure.services.rendering import Message
from tests.together import together

OUTGOING = Outgoing(
    message_id="msg_1",
    contact=Contact(
        contact_id="ctc_1",
        account_id="acct_1",
        channel=Channel.WEBHOOK,
        address="https://example.com/hook",
        added_at_ms=1,
    ),
    message=Message(subject="S", text="T" * 20_000, html="<p>H</p>", body=b'{"type":"x"}'),
    secrets=(Secret("whsec_1"),),
    sent_at_s=77,
)


def test_a_file_takes_each_message_as_a_line_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "notices.jsonl"
    sender = FileSender(path)

    assert together([lambda: sender.send(OUTGOING)] * 8) == [Sent()] * 8

    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert len(lines) == 8
    assert lines[0]["to"] == "https://example.com/hook"
    assert lines[0]["body"] == {"type": "x"}
    assert {line["message_id"] for line in lines} == {"msg_1"}
    assert path.stat().st_mode & 0o777 == 0o600
    assert "whsec_1" not in path.read_text("utf-8")


def taking(parts: list[dict[str, Any]], outcome: Outcome) -> Any:  # noqa: ANN401 - whatever is handed
    def send(**given: object) -> Outcome:
        parts.append(given)
        return outcome

    return send


def test_a_mail_has_an_id_that_stays_the_same() -> None:
    given: list[dict[str, Any]] = []
    failed = Failed(reason="no")
    sender = MailSender(taking(given, failed), "example.com")

    assert sender.send(OUTGOING) is failed
    assert given == [
        {
            "to": "https://example.com/hook",
            "subject": "S",
            "text": "T" * 20_000,
            "html": "<p>H</p>",
            "message_id": "<msg_1@example.com>",
        }
    ]


def test_a_webhook_is_handed_its_secrets_and_when_it_is_sent() -> None:
    given: list[dict[str, Any]] = []

    assert WebhookSender(taking(given, Sent())).send(OUTGOING) == Sent()
    assert given == [
        {
            "url": "https://example.com/hook",
            "secrets": (Secret("whsec_1"),),
            "webhook_id": "msg_1",
            "timestamp_s": 77,
            "body": b'{"type":"x"}',
        }
    ]


def test_neither_words_nor_secrets_are_in_a_log_of_what_is_sent() -> None:
    assert "whsec_1" not in repr(OUTGOING)
    assert "TTT" not in repr(OUTGOING)
