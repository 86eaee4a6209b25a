"""
Planted bugs about leaked keys, and about what is said to the outside.

L1 and on are about docs/decisions/0014-marks-instead-of-loops.md; the others have the numbers of
the threats of SECURITY section 2.
"""

from tests.faults.planted.bug import Bug, Swap

ADDRESSES = "tests/services/outbound/test_addresses.py::"
LEAK_REPORTS = "tests/faces/http/test_leaks.py::"
WEBHOOKS = "tests/services/outbound/test_webhooks.py::"
LEAKS = "tests/domain/test_quarantine.py::"
MARKS = "tests/domain/test_marks.py::"
REVOCATIONS = "tests/services/test_revocations.py::"

LEAK_BUGS = (
    Bug(
        number="L1",
        words="a mark covers keys issued at its very instant, and so what replaces them",
        swaps=(
            Swap(
                "domain/marks.py",
                "if issued_at_ms < before_ms and",
                "if issued_at_ms <= before_ms and",
            ),
        ),
        caught_by=(
            f"{MARKS}test_asking_all_marks_at_once_says_what_asking_each_says",
            f"{REVOCATIONS}test_keys_of_the_same_millisecond_are_told_apart_by_which_came_first",
        ),
    ),
    Bug(
        number="L2",
        words="an older key takes a label whose keys were revoked together",
        swaps=(
            Swap(
                "services/key_events.py",
                "    if before is None or before.label == after.label:\n",
                "    if before is not None:\n",
            ),
        ),
        caught_by=(
            f"{REVOCATIONS}test_no_older_key_comes_to_bear_a_label_that_was_revoked",
            f"{REVOCATIONS}test_an_edit_that_was_previewed_before_the_mark_is_refused_after_it",
        ),
    ),
    Bug(
        number="L3",
        words="while anybody's overlap runs every old secret works",
        swaps=(
            Swap(
                "domain/decide.py",
                "loaded.old_verifier if loaded and now_ms < old_until_ms else None",
                "loaded.old_verifier if loaded else None",
            ),
        ),
        caught_by=(
            f"{LEAKS}test_at_the_end_of_the_overlap_the_old_secret_stops_and_not_a_millisecond_earlier",
        ),
    ),
    Bug(
        number="L4",
        words="in quarantine every route of the table counts as cancelling",
        swaps=(
            Swap(
                "domain/catalog.py",
                "return row in self.kept_in_quarantine and",
                "return row is not None and",
            ),
        ),
        caught_by=(f"{LEAKS}test_reading_and_cancelling_are_kept_and_nothing_else",),
    ),
    Bug(
        number="L5",
        words="a worker that has a key ready does not look at the marks",
        swaps=(
            Swap(
                "services/keyring.py",
                "loaded = self._as_it_stands(txn, bare)\n",
                "loaded = known[1] if is_known else self._as_it_stands(txn, bare)\n",
            ),
        ),
        caught_by=(f"{REVOCATIONS}test_a_worker_that_has_the_key_ready_hears_of_the_mark",),
    ),
    Bug(
        number="T19",
        words="a leak report is known by its signature",
        swaps=(
            Swap(
                "faces/http/leaks.py",
                "leaks.receive(found, GITHUB)",
                "leaks.receive(found, GITHUB + signature)",
            ),
        ),
        caught_by=(f"{LEAK_REPORTS}test_the_same_message_signed_otherwise_has_no_second_effect",),
    ),
    Bug(
        number="T31",
        words="an address is public if the library says so",
        swaps=(
            Swap(
                "services/outbound/addresses.py",
                "    if isinstance(address, ipaddress.IPv4Address):\n",
                "    if address.is_global:\n        return True\n"
                "    if isinstance(address, ipaddress.IPv4Address):\n",
            ),
        ),
        caught_by=(
            f"{ADDRESSES}test_what_the_registries_keep_for_something_is_not",
            f"{WEBHOOKS}test_a_name_that_leads_inside_is_refused_when_saved_and_at_delivery",
        ),
    ),
    Bug(
        number="T31b",
        words="where a webhook leads is judged when its URL is saved, and not again",
        swaps=(
            Swap(
                "services/outbound/egress.py",
                "        hosts = [call.target.host] if self._proxy is not None else "
                "await self._hosts(call.target)\n",
                "        hosts = [call.target.host] if self._proxy is not None else "
                "await self._resolved(call.target.host, call.target.port)\n",
            ),
        ),
        caught_by=(
            f"{WEBHOOKS}test_a_name_that_was_public_when_saved_and_is_not_at_delivery_is_refused",
        ),
    ),
)
