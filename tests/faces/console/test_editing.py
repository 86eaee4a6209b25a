"""Editing by form: what is asked for, the pop-up, the second factor, the commit, stale plans."""

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest

from tenure.faces.console import edits
from tenure.faces.console.edits import Filled
from tenure.services.keys import Wanted
from tests.builders import FUTURES, TRADING
from tests.faces.console.visiting import Browser, Visited, fields_of, words


def an_old_key(visited: Visited) -> tuple[Browser, str]:
    """Return the owner's browser and a key that trades without an end, from before the rule."""
    account = visited.house.account()
    key = visited.house.issue(account, TRADING)
    return visited.owner(account), key.key_id


def test_the_popup_says_what_will_end_and_confirming_commits_exactly_that(tmp_path: Path) -> None:
    visited = Visited.open(tmp_path / "home", "2021-07-01T12:00:00Z")
    owner, key_id = an_old_key(visited)
    visited.house.move("2021-12-01T10:05:00Z")
    form = owner.get(f"/console/keys/{key_id}/edit")

    ticked = [*fields_of(form), ("permission", FUTURES)]
    popup = owner.post(f"/console/keys/{key_id}/edit", ticked)

    assert popup.status == 200, words(popup)
    said = "“Enable Spot & Margin Trading” will be on until 31 Dec 2021, 10:05, then unticked."
    assert said in words(popup)
    assert "“Enable Futures” will be on, without an end." in words(popup)
    assert visited.house.worker.keys.get(key_id).version == 1

    confirmed = owner.fill(popup, {"code": owner.code()})
    done = owner.post(f"/console/keys/{key_id}/edit/confirm", confirmed)
    assert (done.status, done.headers["location"]) == (303, f"/console/keys/{key_id}?done=edited")
    page = words(owner.get(f"/console/keys/{key_id}"))
    assert "ends in 30 days, 31 Dec 2021, 10:05" in page
    events = visited.house.worker.journal.after(0, 100)
    assert events[-1].change.actor == owner.person.actor  # type: ignore[union-attr]  # signed in
    visited.house.close()


def test_a_plan_that_went_stale_is_shown_again_with_what_is_new_marked(visited: Visited) -> None:
    account = visited.house.account()
    key = visited.house.issue(account, TRADING, ips=("203.0.113.7",))
    owner = visited.owner(account)
    path = f"/console/keys/{key.key_id}/edit"
    popup = owner.post(path, [*fields_of(owner.get(path)), ("permission", FUTURES)])
    assert "no longer end" not in words(popup)
    one_tab = fields_of(popup)

    # Another tab takes the address away meanwhile.
    other = owner.post(path, owner.fill(owner.get(path), {"access": "any"}))
    assert "will be on until 31 Dec 2021" in words(other)
    owner.post(f"{path}/confirm", owner.fill(other, {"code": owner.code()}))

    again = owner.post(
        f"{path}/confirm",
        [pair for pair in one_tab if pair[0] != "code"] + [("code", owner.code())],
    )
    assert again.status == 409
    assert "Something changed since this was shown." in words(again)
    assert visited.house.worker.keys.get(key.key_id).version == 2
    # The factor was given for this very edit: it is not asked for again.
    assert 'name="code"' not in again.body.decode()
    done = owner.post(f"{path}/confirm", fields_of(again))
    assert done.status == 303
    assert FUTURES in visited.house.worker.keys.get(key.key_id).grants


@pytest.mark.parametrize("code", ["", "000000", "12345", "\uff11\uff12\uff13\uff14\uff15\uff16"])
def test_without_a_right_code_nothing_is_committed(visited: Visited, code: str) -> None:
    account = visited.house.account()
    key = visited.house.issue(account)
    owner = visited.owner(account)
    path = f"/console/keys/{key.key_id}/edit"
    popup = owner.post(path, [*fields_of(owner.get(path)), ("permission", FUTURES)])

    reply = owner.post(f"{path}/confirm", owner.fill(popup, {"code": code}))

    assert reply.status == 422
    assert 'id="code-error"' in reply.body.decode()
    assert visited.house.worker.keys.get(key.key_id).version == 1


def test_a_code_may_be_pasted_with_a_blank_in_it(visited: Visited) -> None:
    account = visited.house.account()
    key = visited.house.issue(account)
    owner = visited.owner(account)
    path = f"/console/keys/{key.key_id}/edit"
    popup = owner.post(path, [*fields_of(owner.get(path)), ("permission", FUTURES)])
    code = owner.code()

    assert 'maxlength="7" pattern="[0-9 ]{6,7}"' in popup.body.decode()
    done = owner.post(f"{path}/confirm", owner.fill(popup, {"code": f"{code[:3]} {code[3:]}"}))
    assert done.status == 303


def test_a_factor_for_one_edit_approves_no_other(visited: Visited) -> None:
    account = visited.house.account()
    key = visited.house.issue(account)
    owner = visited.owner(account)
    path = f"/console/keys/{key.key_id}/edit"
    popup = owner.post(path, [*fields_of(owner.get(path)), ("permission", FUTURES)])
    confirmed = owner.fill(popup, {"code": owner.code(), "stamp": "none"})
    assert owner.post(f"{path}/confirm", confirmed).status == 409

    other = [*(pair for pair in confirmed if pair[0] != "code"), ("permission", TRADING)]
    assert owner.post(f"{path}/confirm", other).status == 422
    assert visited.house.worker.keys.get(key.key_id).version == 1


def test_a_form_that_is_sent_twice_acts_once(visited: Visited) -> None:
    account = visited.house.account()
    key = visited.house.issue(account)
    owner = visited.owner(account)
    path = f"/console/keys/{key.key_id}/edit"
    popup = owner.post(path, [*fields_of(owner.get(path)), ("permission", FUTURES)])
    once = owner.fill(popup, {"code": owner.code()})
    assert owner.post(f"{path}/confirm", once).status == 303

    again = owner.fill(popup, {"code": owner.code()})
    location = owner.post(f"{path}/confirm", again).headers["location"]
    assert "nothing was done a second time" in words(owner.get(location))
    assert visited.house.worker.keys.get(key.key_id).version == 2


def test_the_popup_says_how_a_lapsed_permission_stands_and_asks_nothing_there(
    visited: Visited,
) -> None:
    account = visited.house.account()
    key = visited.house.issue(account, TRADING)
    owner = visited.owner(account)
    visited.house.move("2021-12-31T10:00:00Z")
    path = f"/console/keys/{key.key_id}/edit"

    popup = words(owner.post(path, [*fields_of(owner.get(path)), ("permission", TRADING)]))

    stands = "Enable Spot & Margin Trading Not ticked: ended on 31 Dec 2021, 10:00 ends in 30 days"
    assert stands in popup
    assert "tick to enable again" not in popup


def test_each_bad_address_is_named_as_it_was_typed_beside_the_field(visited: Visited) -> None:
    account = visited.house.account()
    key = visited.house.issue(account)
    owner = visited.owner(account)
    path = f"/console/keys/{key.key_id}/edit"
    typed = {"access": "trusted", "addresses": "10.0.0.1/8, 1.2.3.4\uff1b010.0.0.1"}

    reply = owner.post(path, owner.fill(owner.get(path), typed))

    page = reply.body.decode()
    assert reply.status == 422
    assert "“10.0.0.1/8” admits too many addresses. The widest network is /16" in words(reply)
    assert "“010.0.0.1” is no address or network." in words(reply)
    assert words(reply).count("10.0.0.1/8") == 2, "as it was typed, and what is wrong with it"
    assert "“1.2.3.4”" not in words(reply)
    assert re.search(r"<textarea[^>]*aria-invalid", page)
    assert dict(fields_of(reply))["addresses"] == typed["addresses"]


def test_what_is_wrong_with_each_field_is_told_at_once_in_the_readers_language(
    visited: Visited,
) -> None:
    account = visited.house.account()
    key = visited.house.issue(account)
    owner = visited.owner(account)
    path = f"/console/keys/{key.key_id}/edit?lang=es"
    form = fields_of(owner.get(path))
    typed = {"label": "", "access": "trusted", "addresses": "10.0.0.1/8"}

    reply = owner.post(path, [(name, typed.get(name, value)) for name, value in form])

    assert reply.status == 422
    assert "Una etiqueta tiene de 1 a 64 caracteres." in words(reply)
    assert "«10.0.0.1/8» admite demasiadas direcciones." in words(reply)
    assert "addresses." not in words(reply)

    fix = [("permission", "fix_trading"), ("permission", "fix_reading")]
    refused = words(owner.post(path, [*form, *fix]))
    assert refused.count("Solo lo admiten las claves Ed25519.") == 2


def test_trusted_without_an_address_says_what_to_do(visited: Visited) -> None:
    account = visited.house.account()
    key = visited.house.issue(account)
    owner = visited.owner(account)
    path = f"/console/keys/{key.key_id}/edit"

    reply = owner.post(path, owner.fill(owner.get(path), {"access": "trusted", "addresses": " ,"}))

    assert reply.status == 422
    assert "Name at least one address, or choose unrestricted." in words(reply)


def test_an_edit_that_changes_nothing_is_told_so(visited: Visited) -> None:
    account = visited.house.account()
    key = visited.house.issue(account, TRADING)
    owner = visited.owner(account)
    path = f"/console/keys/{key.key_id}/edit"

    reply = owner.post(path, fields_of(owner.get(path)))

    assert reply.status == 422
    assert "Nothing was changed." in words(reply)


@pytest.mark.parametrize(
    ("permission", "said"),
    [
        ("withdrawals", "Withdrawals need trusted IPs"),
        # By a page that was loaded before the catalogue changed: no page has that box any more.
        ("telepathy", "There is no such permission any more"),
    ],
)
def test_what_may_not_be_ticked_is_told(visited: Visited, permission: str, said: str) -> None:
    account = visited.house.account()
    key = visited.house.issue(account)
    owner = visited.owner(account)
    path = f"/console/keys/{key.key_id}/edit"

    reply = owner.post(path, [*fields_of(owner.get(path)), ("permission", permission)])

    assert reply.status == 422
    assert said in words(reply)


def test_a_box_nobody_touched_is_not_asked_for_after_it_lapsed(visited: Visited) -> None:
    account = visited.house.account()
    key = visited.house.issue(account, TRADING)
    owner = visited.owner(account)
    path = f"/console/keys/{key.key_id}/edit"
    form = [*fields_of(owner.get(path)), ("permission", FUTURES)]
    visited.house.move("2022-01-02T08:00:00Z")

    popup = owner.post(path, form)
    owner.post(f"{path}/confirm", owner.fill(popup, {"code": owner.code()}))

    kept = visited.house.worker.keys.get(key.key_id)
    assert FUTURES in kept.grants
    assert not kept.holds(TRADING, visited.house.worker.clock.now_ms())


def test_an_address_from_a_link_is_filled_in_and_looked_at(visited: Visited) -> None:
    account = visited.house.account()
    key = visited.house.issue(account)
    owner = visited.owner(account)
    path = f"/console/keys/{key.key_id}/edit"

    form = owner.get(f"{path}?add=198.51.100.9")

    assert ("access", "trusted") in fields_of(form)
    assert dict(fields_of(form))["addresses"] == "198.51.100.9"
    popup = owner.post(path, fields_of(form))
    assert "198.51.100.9" in words(popup)


def test_scripts_are_given_the_popup_alone_and_the_form_alone(visited: Visited) -> None:
    account = visited.house.account()
    key = visited.house.issue(account)
    owner = visited.owner(account)
    path = f"/console/keys/{key.key_id}/edit"
    form = fields_of(owner.get(path))

    popup = owner.post(path, [*form, ("permission", FUTURES)], **{"hx-request": "true"})
    assert popup.body.decode().strip().startswith("<dialog")
    assert popup.headers["hx-retarget"] == "#popup"

    wrong = owner.post(path, form, **{"hx-request": "true"})
    assert wrong.body.decode().strip().startswith("<form")
    assert wrong.headers["hx-retarget"] == "#edit"


def test_a_form_means_the_difference_to_what_it_showed() -> None:
    filled = Filled(
        label="new",
        access="any",
        addresses="1.2.3.4",
        permissions=frozenset({"reading", "futures", "spot_margin_trading"}),
        renewed=frozenset({"spot_margin_trading", "withdrawals"}),
        shown_label="old",
        shown_addresses="1.2.3.4",
        shown_permissions=frozenset({"reading", "spot_margin_trading", "internal_transfer"}),
    )

    wanted = filled.wanted

    assert wanted.label == "new"
    assert wanted.ip_allowlist == ()
    assert wanted.permissions == {
        "futures": True,
        "internal_transfer": False,
        "spot_margin_trading": "renew",
    }
    assert edits.act("key_1", wanted) != edits.act("key_2", wanted)


def test_a_revoked_key_is_not_edited_but_shown(visited: Visited) -> None:
    account = visited.house.account()
    key = visited.house.issue(account)
    owner = visited.owner(account)
    path = f"/console/keys/{key.key_id}/edit"
    filled = [*fields_of(owner.get(path)), ("permission", FUTURES)]
    popup = owner.post(path, filled)
    confirmed = owner.fill(popup, {"code": owner.code()})
    visited.house.worker.keys.revoke(key.key_id, "test")

    replies = [owner.get(path), owner.post(path, filled), owner.post(f"{path}/confirm", confirmed)]

    page = f"/console/keys/{key.key_id}"
    assert [(each.status, each.headers["location"]) for each in replies] == [(303, page)] * 3


def test_what_no_form_can_mend_is_a_page_of_its_own_to_a_script_too(visited: Visited) -> None:
    owner = visited.owner(visited.house.account())

    reply = owner.post("/console/keys/key_of_nobody/edit", (), **{"hx-request": "true"})

    assert reply.status == 404
    assert reply.headers["hx-retarget"] == "body"
    assert reply.headers["hx-reswap"].startswith("innerHTML")


def test_an_approval_is_bound_to_all_that_an_edit_asks_for() -> None:
    """Whatever is added to what can be asked for has to be in the digest (SECURITY T24)."""
    changed = {
        "label": "another",
        "ip_allowlist": ("203.0.113.8",),
        "permissions": {"futures": True},
    }
    wanted = Wanted(label="bot", ip_allowlist=("203.0.113.7",), permissions={"futures": False})

    assert {field.name for field in fields(Wanted)} == changed.keys()
    for name, value in changed.items():
        other = replace(wanted, **{name: value})  # type: ignore[arg-type]  # each its own type
        assert edits.act("key_1", other) != edits.act("key_1", wanted), name
