"""No bad input of SECURITY section 8 is forgotten: each number has rows in a table, or tests."""

import ast
from collections.abc import Mapping
from pathlib import Path

from tests.faces.http import bad_bodies, bad_requests, bad_signatures

REQUESTS = (*bad_requests.ROWS, *bad_signatures.ROWS)

WEBHOOKS = "tests/services/outbound/test_webhooks.py"
PEOPLE, PAGES = "tests/services/people", "tests/faces/console"
HERE, SERVED, JSON, NATIVELY, CALLERS, RIGHTS, OWNERS, ACCOUNTS, LEAKS = (
    f"tests/faces/http/test_{name}.py"
    for name in (
        *("bad_inputs", "bad_inputs_served", "bad_json", "signed_natively", "callers"),
        *("rights", "owners", "accounts", "leaks"),
    )
)
COVERED: Mapping[str, tuple[str, ...]] = {
    "BI-3": ("tests/domain/test_verifying.py::test_a_stand_in_does_the_work_before_it_says_no",),
    "BI-8": ("tests/domain/test_receive_window.py::test_other_units_fall_outside_the_window",),
    "BI-10": (
        "tests/services/test_replay.py::test_the_same_bytes_act_once_under_a_one_time_permission",
    ),
    "BI-11": (
        "tests/services/test_deciding_natively.py::test_a_nonce_acts_once_under_a_one_time_permission",
    ),
    "BI-18": (f"{NATIVELY}::test_before_proof_a_gateway_is_told_one_thing",),
    "BI-20": (
        "tests/services/test_replay.py::test_bytes_moved_between_query_and_body_are_the_same_request",
        "tests/services/test_replay.py::test_a_binance_client_is_told_its_signature_is_spent",
        f"{NATIVELY}::test_before_proof_a_platform_is_told_one_thing",
    ),
    "BI-21": (
        f"{NATIVELY}::test_before_proof_a_platform_is_told_one_thing",
        f"{SERVED}::test_a_request_of_two_lengths_is_never_two_requests",
        f"{SERVED}::test_trailers_are_no_headers",
    ),
    "BI-23": (
        f"{HERE}::test_a_key_that_was_just_revoked_is_refused",
        f"{SERVED}::test_a_revoked_key_is_refused_by_every_worker",
        "tests/faults/test_invariants.py::test_nobody_decides_by_a_keyring_past_its_bound",
    ),
    "BI-24": (f"{HERE}::test_a_term_ends_at_its_very_end",),
    "BI-25": (f"{HERE}::test_a_clock_that_is_set_back_after_a_lapse_allows_nothing",),
    "BI-26": (f"{HERE}::test_evidence_past_the_bound_refuses_everything",),
    "BI-31": (
        "tests/faces/http/test_authorize.py::test_after_proof_the_exact_reason_is_told",
        "tests/faces/http/test_decisions.py::test_a_permission_no_key_can_hold_is_missing",
    ),
    "BI-32": (
        f"{CALLERS}::test_too_many_bytes_of_headers_are_suspect_in_one_piece_or_in_many",
        f"{SERVED}::test_far_too_many_headers_let_nothing_pass",
    ),
    "BI-36": (
        f"{JSON}::test_only_the_stamp_of_this_very_plan_confirms_it",
        f"{JSON}::test_a_forged_stamp_is_stale",
        f"{JSON}::test_another_keys_stamp_is_stale",
        "tests/domain/test_stamps.py::test_a_stamp_confirms_nothing_under_another_rulebook",
    ),
    "BI-37": (
        f"{JSON}::test_a_lapse_since_the_preview_makes_it_stale_swept_or_not",
        f"{JSON}::test_a_stamp_confirms_once",
        f"{JSON}::test_a_revoked_key_is_not_edited_whatever_the_stamp",
    ),
    "BI-38": (f"{JSON}::test_no_field_that_tenure_keeps_can_be_set_from_outside",),
    "BI-39": (
        f"{HERE}::test_holding_an_api_key_opens_no_key_in_management",
        f"{HERE}::test_what_is_no_key_s_id_is_not_found_whatever_else_it_is",
        f"{HERE}::test_each_of_a_family_is_listed_its_own_keys",
        f"{RIGHTS}::test_a_key_of_ones_master_sibling_or_of_nobody_is_not_there",
        f"{RIGHTS}::test_everybody_gets_what_is_his_and_nothing_else",
    ),
    "BI-40": (
        f"{HERE}::test_what_is_no_json_is_said_to_be_none",
        f"{JSON}::test_what_is_no_json_is_told_as_such_before_any_field_is_judged",
    ),
    "BI-41": (
        f"{HERE}::test_a_label_is_kept_composed_where_it_can_be_shown_in_a_line",
        f"{HERE}::test_ten_megabytes_of_label_are_too_large",
    ),
    "BI-42": (
        f"{PEOPLE}/test_budgets.py::test_bad_codes_are_401_and_the_sixth_failure_finds_them_locked",
        f"{PEOPLE}/test_budgets.py::test_a_code_acts_once_in_whatever_spelling_and_session",
        f"{PEOPLE}/test_budgets.py::test_a_hundred_sessions_at_once_share_one_budget",
        f"{PAGES}/test_entering.py::test_bad_codes_are_401_and_then_locked",
    ),
    "BI-43": (
        f"{PEOPLE}/test_signin.py::test_an_answer_with_one_thing_wrong_is_none",
        f"{PEOPLE}/test_signin.py::test_a_count_that_goes_back_is_refused_and_told",
        f"{PAGES}/test_entering.py::test_a_passkey_signs_in_alone",
    ),
    "BI-44": (
        f"{PAGES}/test_foreign_pages.py::test_a_request_that_no_page_of_ours_sent_is_refused",
        f"{PAGES}/test_foreign_pages.py::test_json_as_plain_text_is_no_form",
    ),
    "BI-45": (
        f"{WEBHOOKS}::test_a_url_of_the_wrong_form_is_refused_when_saved_and_for_good_at_delivery",
        f"{WEBHOOKS}::test_a_name_that_leads_inside_is_refused_when_saved_and_at_delivery",
        f"{WEBHOOKS}::test_a_name_that_was_public_when_saved_and_is_not_at_delivery_is_refused",
        f"{WEBHOOKS}::test_the_answer_s_status_alone_decides",
        "tests/faces/http/test_contacts.py::test_a_contact_that_makes_no_sense_is_refused_by_field",
    ),
    "BI-46": ("tests/faces/http/test_acts.py::test_the_same_key_for_another_request_is_refused",),
    "BI-47": (
        f"{LEAKS}::test_a_message_that_github_did_not_sign_is_not_taken",
        f"{LEAKS}::test_the_same_message_signed_otherwise_has_no_second_effect",
        f"{LEAKS}::test_many_thousand_keys_are_queued_at_once_and_worked_off",
        "tests/services/test_github.py::test_an_unknown_identifier_is_remembered_as_such",
    ),
    "BI-48": (
        f"{ACCOUNTS}::test_a_forged_cursor_or_limit_is_refused",
        f"{OWNERS}::test_a_forged_cursor_or_limit_of_a_listing_is_refused",
    ),
    # A second factor and a second approval come with accounts that people sign in to.
    "BI-49": (
        "tests/faces/http/test_revocations.py::test_an_account_or_an_instant_without_a_stamp_is_refused_too",
    ),
}
"""Where a number has its tests, besides or instead of rows in the tables above."""


def test_every_number_has_a_row_or_a_test_that_is_there() -> None:
    rows = {row.bi for row in REQUESTS} | {row.bi for row in bad_bodies.ENTRIES}
    rows |= {row.bi for row in bad_bodies.PASTED}
    assert rows | COVERED.keys() == {f"BI-{n}" for n in range(1, 50)}

    tests: dict[Path, set[str]] = {}
    for node in (node for nodes in COVERED.values() for node in nodes):
        name, _, function = node.partition("::")
        path = Path(__file__).parents[3] / name
        if path not in tests:
            parsed = ast.parse(path.read_text(encoding="utf-8"))
            tests[path] = {item.name for item in parsed.body if isinstance(item, ast.FunctionDef)}
        assert function in tests[path], node
