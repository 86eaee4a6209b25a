"""Counters for operators; `/metrics` shows them. Nothing in Tenure decides by them."""

from collections.abc import Callable

from prometheus_client import Counter

from tenure.domain.decide import Reason

_decisions = Counter(
    "tenure_decisions", "Signed requests decided, by face and outcome.", ["face", "outcome"]
)
_unavailable = Counter(
    "tenure_unavailable", "Requests answered 503, by face and cause.", ["face", "cause"]
)
leak_reports = Counter(
    "tenure_leak_reports",
    "Leaks reported, by whom, and whether the key is ours.",
    ["by", "is_ours"],
)
swept = Counter("tenure_swept", "Ended terms recorded by the sweeper.")
old_secret_uses = Counter(
    "tenure_old_secret_uses", "Requests allowed by the secret a key had before its rotation."
)
uses_dropped = Counter("tenure_uses_dropped", "Uses of keys not noted, for want of room.")
refusals_dropped = Counter(
    "tenure_refusals_dropped", "Requests refused to a known key and not noted, for want of room."
)
delivered = Counter(
    "tenure_deliveries",
    "Attempts to send a notice, by channel and outcome.",
    ["channel", "outcome"],
)
_checkpoints = Counter("tenure_checkpoints", "Checkpoints of the journal, by outcome.", ["outcome"])

ALLOWED = "allowed"


def decision_counter(face: str) -> Callable[[str], None]:
    """Return a function that counts one outcome of *face*: a reason, or `allowed`."""
    # The labelled children are made once: finding them by name costs more than counting.
    children = {
        outcome: _decisions.labels(face, outcome).inc
        for outcome in (ALLOWED, *(str(reason) for reason in Reason))
    }
    return lambda outcome: children[outcome]()


def count_unavailable(face: str, cause: str) -> None:
    """Count one request that could not be decided safely."""
    _unavailable.labels(face, cause).inc()


def count_checkpoint(outcome: str) -> None:
    """Count what became of a checkpoint: signed, pushed, push_failed, contradicted."""
    _checkpoints.labels(outcome).inc()
