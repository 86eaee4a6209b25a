"""Revoking many keys: counted first, one account tree by an operator, the house by two."""

from tests.faces.console.operate.house import OPERATE, Office, confirm, went
from tests.faces.console.visiting import words

REVOKE = f"{OPERATE}/revocations"


def alive(office: Office) -> int:
    return sum(office.key(number).revoked_at_ms is None for number in range(3))


def test_nothing_is_selected_by_an_empty_form(office: Office) -> None:
    page = office.oli.post(f"{REVOKE}/preview", {})

    assert page.status == 422
    assert "nothing is selected" in words(page)


def test_what_makes_no_sense_is_said_beside_its_field(office: Office) -> None:
    for fields, field, said in (
        ({"account": "nobody@example.com"}, "account", "There is no such account."),
        ({"issued_before": "soon"}, "issued_before", "That is no date and time."),
        ({"issued_before": "2022-01-01T00:00"}, "issued_before", "lies in the future"),
        ({"label": "x" * 65}, "label", "1 to 64 printable characters"),
    ):
        page = office.oli.post(f"{REVOKE}/preview", fields)
        assert page.status == 422
        assert f'id="{field}-error"' in page.body.decode(), fields
        assert said in words(page)


def test_where_no_key_is_meant_that_is_said(office: Office) -> None:
    page = office.oli.post(f"{REVOKE}/preview", {"label": "nobody is called so"})
    assert "No key that is not revoked meets all of this." in words(page)


def test_an_operator_revokes_within_an_account(office: Office) -> None:
    selected = {"account": "trader@example.com", "label": "my bot"}
    page = office.oli.post(f"{REVOKE}/preview", selected)
    assert "Keys that would be revoked: 3" in words(page)
    assert "approve" not in words(page)

    filled = dict(office.oli.fill(page, {"code": office.oli.code()}))
    done = office.oli.post(REVOKE, filled)

    assert went(done) == f"{REVOKE}?done=revoked"
    assert went(office.oli.post(REVOKE, filled)) == f"{REVOKE}?done=sent"
    assert (alive(office), office.tags()) == (0, ["keys:revoked"])
    assert office.actor() == "operator:operator2@example.com"
    assert office.account_id in office.vic.get(REVOKE).body.decode()


def test_across_accounts_an_operator_may_only_look(office: Office) -> None:
    page = office.oli.post(f"{REVOKE}/preview", {"label": "my bot"})
    assert "Only an administrator may do this." in words(page)

    assert office.oli.post(REVOKE, {"label": "my bot", "code": office.oli.code()}).status == 403
    assert alive(office) == 3


def test_across_accounts_it_is_proposed_and_done_by_the_approval(office: Office) -> None:
    page = office.ada.post(f"{REVOKE}/preview", {"label": "my bot"})

    filled = dict(office.ada.fill(page, {"code": office.ada.code()}))
    to = went(office.ada.post(REVOKE, filled))

    assert went(office.ada.post(REVOKE, filled)) == f"{REVOKE}?done=sent"
    assert (alive(office), office.tags()) == (3, ["approval:proposed"])
    path = to.partition("?")[0]
    confirm(office.ben, f"{path}/approve", office.ben.get(path))
    assert alive(office) == 0


def test_more_keys_than_were_shown_are_shown_again(office: Office) -> None:
    page = office.oli.post(f"{REVOKE}/preview", {"account": office.account_id})
    office.visited.house.issue(office.account_id, label="later")

    stale = confirm(office.oli, REVOKE, page)

    assert stale.status == 422
    assert "Something changed since this was shown." in words(stale)
    assert "Keys that would be revoked: 4" in words(stale)
    assert alive(office) == 3


def test_the_selection_can_be_changed_without_typing_it_again(office: Office) -> None:
    page = office.oli.post(f"{REVOKE}/preview", {"label": "my bot", "back": "yes"})
    assert 'value="my bot"' in page.body.decode()


def test_viewers_see_what_was_done_and_no_form(office: Office) -> None:
    page = office.vic.get(REVOKE)
    assert "Keys were never revoked together." in words(page)
    assert f'action="{REVOKE}/preview"' not in page.body.decode()
