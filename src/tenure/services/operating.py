"""What operators look at and act by, in one hand: a worker's faces are given it whole."""

from dataclasses import dataclass

from tenure.services.approvals import Approvals
from tenure.services.browsing import Browsing
from tenure.services.ends import Ends
from tenure.services.health import Checkup
from tenure.services.search import Search


@dataclass(frozen=True, slots=True, kw_only=True)
class Operating:
    """The house as its operators see it, and what they do to it together."""

    approvals: Approvals
    browsing: Browsing
    checkup: Checkup
    ends: Ends
    search: Search
