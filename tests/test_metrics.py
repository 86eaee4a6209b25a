"""What is counted for operators, under which names."""

import pytest
from prometheus_client import REGISTRY

from tenure import metrics
from tenure.domain.decide import Reason


def _counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.mark.parametrize("outcome", [metrics.ALLOWED, *(str(reason) for reason in Reason)])
def test_every_outcome_of_a_decision_is_counted_by_face(outcome: str) -> None:
    count = metrics.decision_counter("a test")
    before = _counted("tenure_decisions_total", face="a test", outcome=outcome)

    count(outcome)
    count(outcome)

    assert _counted("tenure_decisions_total", face="a test", outcome=outcome) == before + 2
    assert _counted("tenure_decisions_total", face="another", outcome=outcome) == 0


def test_an_outcome_that_nobody_knows_is_a_bug() -> None:
    with pytest.raises(KeyError):
        metrics.decision_counter("a test")("perhaps")


def test_what_could_not_be_decided_is_counted_by_cause() -> None:
    before = _counted("tenure_unavailable_total", face="a test", cause="stale")

    metrics.count_unavailable("a test", "stale")

    assert _counted("tenure_unavailable_total", face="a test", cause="stale") == before + 1


def test_recorded_lapses_are_counted() -> None:
    before = _counted("tenure_swept_total")

    metrics.swept.inc(3)

    assert _counted("tenure_swept_total") == before + 3
