"""What docs/howto/webhooks.md tells receivers to write: it verifies what is really sent."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from tenure.services.outbound.egress import Egress
from tenure.services.outbound.outcome import Sent
from tenure.services.outbound.webhooks import Webhook, Webhooks, make_secret
from tests.fakes import FakeClock
from tests.services.outbound import receiver as running

PAGE = Path(__file__).parents[3] / "docs" / "howto" / "webhooks.md"


def test_the_page_s_receiver_verifies_and_works_once_on_each_message(tmp_path: Path) -> None:
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    secret = make_secret(FakeClock())
    seen: set[str] = set()
    worked_on: list[Any] = []

    def seen_before(webhook_id: str) -> bool:
        is_known = webhook_id in seen
        seen.add(webhook_id)
        return is_known

    names: dict[str, Any] = {"seen_before": seen_before, "work_on": worked_on.append}
    exec(found.group(1).replace("whsec_\N{HORIZONTAL ELLIPSIS}", secret.reveal()), names)  # noqa: S102 - ours

    with running.receiving(tmp_path) as receiver:
        sender = Webhooks(Egress(trust_file=receiver.trust_file, allows_loopback=True), FakeClock())
        webhook = Webhook(
            url=receiver.url(name="127.0.0.1"),
            secrets=(secret,),
            webhook_id="ntc_1",
            timestamp_s=int(time.time()),
            body=json.dumps({"kind": "a notice"}).encode(),
        )
        assert [sender.send(webhook), sender.send(webhook)] == [Sent(), Sent()]
        for request in receiver.received:
            names["receive"](request.headers, request.body)

    assert worked_on == [{"kind": "a notice"}]
    with pytest.raises(WebhookVerificationError):
        names["receive"](receiver.received[0].headers, b"{}")
