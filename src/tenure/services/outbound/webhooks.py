"""
Webhooks: one signed message to the address an owner named (Standard Webhooks, SECURITY T31, T32).

Receivers verify with the library of their language. Which messages there are, to whom, and when to
try again is the business of whoever calls; how a stranger's server is reached is in `egress`.
"""

import base64
import datetime
import email.utils
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, final

import standardwebhooks

from tenure.clock import Clock
from tenure.domain.errors import Invalid
from tenure.domain.model import Secret
from tenure.services.outbound import addresses
from tenure.services.outbound.egress import Call, Egress
from tenure.services.outbound.outcome import Failed, Outcome, Sent

_SECRET_BYTES: Final = 32
"""Standard Webhooks asks for 24 to 64 random bytes."""
_SECRETS_MAX: Final = 2
RETRY_AFTER_S_MAX: Final = 86_400
"""A receiver may ask for a day at most: notices older than that are of little use."""
_PATIENT: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """
    A message to deliver: *body* is JSON in UTF-8, *webhook_id* the same at every attempt.

    *secrets* has the one in force first, and while rotating the one before it: the message is then
    signed with both. *timestamp_s* is when this attempt is made (s, UTC).
    """

    url: str
    secrets: tuple[Secret, ...] = field(repr=False)
    webhook_id: str
    timestamp_s: int
    body: bytes = field(repr=False)


@final
class Webhooks:
    """Delivers webhooks, one attempt a call."""

    def __init__(self, egress: Egress, clock: Clock) -> None:
        """*clock* is for a Retry-After that names a date."""
        self._egress, self._clock = egress, clock

    def check(self, url: str) -> None:
        """
        Return if webhooks may be sent to *url*, to be asked when somebody saves it.

        Raises Invalid naming what is wrong: its form, or that it leads to an address that is not
        public, or nowhere; the last two look alike, so that names of our network do not show.
        """
        target = addresses.read(url, allows_loopback=self._egress.allows_loopback)
        if not self._egress.leads_outside(target):
            raise Invalid("url", "does not lead to a public address")

    def send(self, webhook: Webhook) -> Outcome:
        """
        Try once to deliver *webhook*; blocks, so never call it on an event loop.

        Any 2xx is Sent, 410 a permanent failure, everything else one to try again after; 429 and
        503 may say when. Where the URL leads is judged again, at every attempt.
        """
        try:
            target = addresses.read(webhook.url, allows_loopback=self._egress.allows_loopback)
        except Invalid as error:
            return Failed(reason=f"its URL {error.message}", is_permanent=True)
        call = Call(method="POST", target=target, headers=_headers(webhook), body=webhook.body)
        answer = self._egress.make(call)
        if isinstance(answer, Failed):
            return answer
        if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            return Sent()
        what = "a redirect, which is not followed: " if answer.status in _REDIRECTS else ""
        return Failed(
            reason=f"it answered {what}{answer.status}",
            is_permanent=answer.status == HTTPStatus.GONE,
            retry_after_s=self._retry_after_s(answer.headers.get("retry-after", ""))
            if answer.status in _PATIENT
            else None,
        )

    def _retry_after_s(self, said: str) -> int | None:
        """Read a Retry-After, seconds or an HTTP date (RFC 9110 10.2.3); None where it is none."""
        if re.fullmatch(r"[0-9]{1,9}", said):
            return min(int(said), RETRY_AFTER_S_MAX)
        try:
            instant = email.utils.parsedate_to_datetime(said)
        except (ValueError, IndexError, TypeError):
            return None
        if instant.tzinfo is None:
            return None
        wait_s = int(instant.timestamp()) - self._clock.wall_ms() // 1000
        return min(max(wait_s, 0), RETRY_AFTER_S_MAX)


def make_secret(clock: Clock) -> Secret:
    """Return a new secret to sign with, in the form receivers' libraries take: `whsec_…`."""
    return Secret("whsec_" + base64.b64encode(clock.random_bytes(_SECRET_BYTES)).decode("ascii"))


def _headers(webhook: Webhook) -> dict[str, str]:
    if not 1 <= len(webhook.secrets) <= _SECRETS_MAX:
        raise ValueError("a webhook is signed with one secret, or with two while rotating")
    # The library takes the instant's digits for UTC, whatever zone it is in.
    instant = datetime.datetime.fromtimestamp(webhook.timestamp_s, datetime.UTC)
    text = webhook.body.decode()
    signatures = [
        standardwebhooks.Webhook(secret.reveal()).sign(webhook.webhook_id, instant, text)
        for secret in webhook.secrets
    ]
    return {
        "content-type": "application/json",
        "user-agent": "Tenure",
        "webhook-id": webhook.webhook_id,
        "webhook-timestamp": str(webhook.timestamp_s),
        "webhook-signature": " ".join(signatures),
    }
