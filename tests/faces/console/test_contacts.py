"""Contacts as pages: added, changed and ended with a second factor, errors beside the field."""

import re

import pytest

from tenure.domain import notices
from tenure.domain.contacts import Channel, Contact
from tenure.domain.notices import Kind
from tenure.services import contacts as service
from tenure.services import languages
from tests.faces.console.visiting import Browser, Visited, fields_of, words
from tests.house import Reply

HOOK = "https://8.8.8.8/a-secret-path"


def an_owner(visited: Visited) -> tuple[Browser, str]:
    account = visited.house.account()
    return visited.owner(account), account


def listed(visited: Visited, account: str) -> list[Contact]:
    return visited.house.worker.telling.contacts.of_account(account)


def one(visited: Visited, account: str, address: str) -> Contact:
    (found,) = (each for each in listed(visited, account) if each.address == address)
    return found


def new(account: str) -> str:
    return f"/console/accounts/{account}/contacts/new"


def add(owner: Browser, account: str, address: str, channel: str = "email", **more: str) -> Reply:
    """Fill in the form of a new contact, and confirm it."""
    code = more.pop("code", None)
    form = owner.get(f"{new(account)}?channel={channel}")
    review = owner.post(new(account), owner.fill(form, {"address": address, **more}))
    if review.status != 200:
        return review
    return confirm(owner, new(account), review, code)


def confirm(owner: Browser, path: str, review: Reply, code: str | None = None) -> Reply:
    """Give the second factor that a page asks for which says what the contact will be."""
    assert ("reviewed", "yes") in fields_of(review), words(review)
    return owner.post(path, owner.fill(review, {"code": owner.code() if code is None else code}))


def test_an_address_is_added_with_its_language_and_what_it_does_not_want(
    visited: Visited,
) -> None:
    owner, account = an_owner(visited)
    form = owner.get(f"{new(account)}?channel=email")
    fields = owner.fill(
        form,
        {
            "address": " desk@example.com ",
            "language": "es",
            "time_zone": "Europe/Madrid",
        },
    )

    review = owner.post(new(account), [pair for pair in fields if pair != ("sent", "key_edited")])
    said = words(review)
    assert "E-mail address desk@example.com Language Español Time zone Europe/Madrid" in said
    assert "Not sent there A key was edited" in said
    assert len(listed(visited, account)) == 1
    done = confirm(owner, new(account), review)

    assert (done.status, done.headers["location"]) == (
        303,
        "/console/preferences?done=added#contacts",
    )
    contact = one(visited, account, "desk@example.com")
    assert (contact.address, contact.language) == ("desk@example.com", "es")
    assert contact.time_zone == "Europe/Madrid"
    assert contact.muted == (Kind.KEY_EDITED,)
    page = words(owner.get("/console/preferences"))
    assert "desk@example.com E-mail Español · Europe/Madrid · kinds muted: 1" in page
    event = visited.house.worker.journal.after(0)[-1]
    assert event.change.actor == owner.person.actor  # type: ignore[union-attr]  # signed in


def test_a_webhooks_secret_is_shown_once_and_rotated_with_a_day_of_both(
    visited: Visited,
) -> None:
    owner, account = an_owner(visited)

    added = add(owner, account, HOOK, "webhook")

    secret = re.search(r"whsec_[\w+/=]+", added.body.decode())
    assert secret
    assert added.headers["cache-control"] == "no-store"
    hook = one(visited, account, HOOK)
    path = f"/console/accounts/{account}/contacts/{hook.contact_id}"
    for other in ("/console/preferences", path, f"{path}/rotate", "/console/activity"):
        assert secret.group() not in owner.get(other).body.decode()
    assert "a-secret-path" not in owner.get("/console/preferences").body.decode()

    ask = owner.get(f"{path}/rotate")
    rotated = owner.post(f"{path}/rotate", owner.fill(ask, {"code": owner.code()}))
    assert "For one day messages are signed with both" in words(rotated)
    again = re.search(r"whsec_[\w+/=]+", rotated.body.decode())
    assert again
    assert again.group() != secret.group()


def test_a_secret_that_is_loaded_again_is_said_to_have_been_shown(visited: Visited) -> None:
    owner, account = an_owner(visited)
    form = owner.get(f"{new(account)}?channel=webhook")
    review = owner.post(new(account), owner.fill(form, {"address": HOOK}))
    filled = owner.fill(review, {"code": owner.code()})
    assert "whsec_" in owner.post(new(account), filled).body.decode()
    path = f"/console/accounts/{account}/contacts/{one(visited, account, HOOK).contact_id}"
    turned = owner.fill(owner.get(f"{path}/rotate"), {"code": owner.code()})
    assert "whsec_" in owner.post(f"{path}/rotate", turned).body.decode()
    removed = owner.fill(owner.get(f"{path}/remove"), {"code": owner.code()})
    owner.post(f"{path}/remove", removed)

    for to, sent, done in (
        (new(account), filled, "shown"),
        (f"{path}/rotate", turned, "shown"),
        (f"{path}/remove", removed, "removed"),
    ):
        again = owner.post(to, sent)
        assert again.headers["location"] == f"/console/preferences?done={done}#contacts"
    assert "is not shown again" in words(owner.get("/console/preferences?done=shown"))


@pytest.mark.parametrize(
    ("channel", "address", "wrong"),
    [
        ("email", "", "address"),
        ("email", "nobody", "address"),
        ("webhook", "http://example.com/", "address"),
        ("webhook", "https://user@example.com/", "address"),
        ("webhook", "https://127.0.0.1/", "address"),
    ],
)
def test_a_wrong_address_is_said_beside_the_field_before_the_factor_is_spent(
    visited: Visited, channel: str, address: str, wrong: str
) -> None:
    owner, account = an_owner(visited)
    form = owner.get(f"{new(account)}?channel={channel}")
    assert 'name="code"' not in form.body.decode()

    reply = owner.post(new(account), owner.fill(form, {"address": address}))

    assert reply.status == 422
    assert f'id="{wrong}-error"' in reply.body.decode()
    assert dict(fields_of(reply))["address"] == address
    right = {"email": "desk@example.com", "webhook": HOOK}[channel]
    review = owner.post(new(account), owner.fill(reply, {"address": right}))
    done = confirm(owner, new(account), review)
    assert done.status in {200, 303}, words(done)
    assert len(listed(visited, account)) == 2


def test_every_field_that_is_wrong_says_so_at_once(visited: Visited) -> None:
    owner, account = an_owner(visited)

    reply = add(owner, account, "nobody", language="!!", time_zone="Mars/Olympus")

    for field in ("address", "language", "time_zone"):
        assert f'id="{field}-error"' in reply.body.decode()


@pytest.mark.parametrize("code", ["", "000000"])
def test_without_a_second_factor_nothing_is_added_changed_or_removed(
    visited: Visited, code: str
) -> None:
    owner, account = an_owner(visited)
    (first,) = listed(visited, account)
    path = f"/console/accounts/{account}/contacts/{first.contact_id}"

    replies = [add(owner, account, "thief@example.com", code=code)]
    review = owner.post(path, owner.fill(owner.get(path), {"address": "thief@example.com"}))
    replies.append(confirm(owner, path, review, code))
    form = owner.fill(owner.get(f"{path}/remove"), {"code": code})
    replies.append(owner.post(f"{path}/remove", form))

    for reply in replies:
        assert reply.status == 422
        assert 'id="code-error"' in reply.body.decode()
    assert listed(visited, account) == [first]


def test_a_factor_for_one_address_adds_no_other(visited: Visited) -> None:
    owner, account = an_owner(visited)
    form = owner.get(f"{new(account)}?channel=email")
    review = owner.post(new(account), owner.fill(form, {"address": "desk@example.com"}))
    filled = owner.fill(review, {"code": owner.code()})
    assert owner.post(new(account), filled).status == 303

    other = [pair for pair in filled if pair[0] != "address"] + [("address", "thief@example.com")]
    assert owner.post(new(account), other).status == 422
    again = owner.post(new(account), filled)
    assert again.headers["location"] == "/console/preferences?done=again#contacts"
    assert "nothing was done a second time" in words(owner.get("/console/preferences?done=again"))
    addresses = {each.address for each in listed(visited, account)}
    assert addresses == {"owner@example.com", "desk@example.com"}


def test_a_contact_is_changed(visited: Visited) -> None:
    owner, account = an_owner(visited)
    (first,) = listed(visited, account)
    path = f"/console/accounts/{account}/contacts/{first.contact_id}"
    form = owner.get(path)
    assert dict(fields_of(form))["address"] == "owner@example.com"
    assert [value for name, value in fields_of(form) if name == "sent"] == [
        kind for kind in Kind if notices.can_mute(kind)
    ]

    review = owner.post(path, owner.fill(form, {"address": "new@example.com"}))
    done = confirm(owner, path, review)

    assert done.headers["location"] == "/console/preferences?done=changed#contacts"
    assert [each.address for each in listed(visited, account)] == ["new@example.com"]


def test_removing_the_last_one_is_said_to_be_that(visited: Visited) -> None:
    owner, account = an_owner(visited)
    (first,) = listed(visited, account)
    path = f"/console/accounts/{account}/contacts/{first.contact_id}/remove"
    ask = owner.get(path)
    assert "It is the last one" in words(ask)

    done = owner.post(path, owner.fill(ask, {"code": owner.code()}))

    assert done.headers["location"] == "/console/preferences?done=removed#contacts"
    assert listed(visited, account) == []
    assert "Nobody is told outside of this console" in words(owner.get("/console/preferences"))
    assert owner.get(path).status == 404


def test_an_e_mail_has_no_secret_to_rotate(visited: Visited) -> None:
    owner, account = an_owner(visited)
    (first,) = listed(visited, account)
    path = f"/console/accounts/{account}/contacts/{first.contact_id}/rotate"
    assert owner.get(path).status == 404
    assert owner.post(path, {"code": owner.code()}).status == 404


def test_a_full_account_says_so(visited: Visited, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "CONTACTS_MAX", 1)
    owner, account = an_owner(visited)

    reply = add(owner, account, "desk@example.com")

    assert reply.status == 422
    assert "as many contacts as it may" in words(reply)


def test_a_contact_that_names_another_language_keeps_it_to_choose(visited: Visited) -> None:
    owner, account = an_owner(visited)
    (first,) = listed(visited, account)
    wish = service.Wish(language="pt-BR")
    visited.house.worker.telling.contacts.change(account, first.contact_id, wish, "test")

    page = owner.get(f"/console/accounts/{account}/contacts/{first.contact_id}").body.decode()

    assert '<option value="pt-BR" lang="pt-BR" selected>' in page


def test_a_contact_whose_zone_and_language_are_emptied_takes_those_of_the_house(
    visited: Visited,
) -> None:
    owner, account = an_owner(visited)
    (first,) = listed(visited, account)
    wish = service.Wish(language="ja", time_zone="Asia/Tokyo")
    visited.house.worker.telling.contacts.change(account, first.contact_id, wish, "test")
    path = f"/console/accounts/{account}/contacts/{first.contact_id}"
    form = owner.get(path)
    assert "Begin to type a city. Left empty it is UTC." in words(form)

    emptied = [(name, value) for name, value in fields_of(form) if name != "language"]
    emptied = [(name, "" if name == "time_zone" else value) for name, value in emptied]
    review = owner.post(path, [*emptied, ("language", "")])

    assert "Language Default language Time zone UTC" in words(review)
    assert confirm(owner, path, review).status == 303
    (now,) = listed(visited, account)
    assert (now.language, now.time_zone) == (None, None)


def test_a_strangers_contact_is_as_good_as_none(visited: Visited) -> None:
    owner, account = an_owner(visited)
    other = visited.house.account("other@example.com")
    (foreign,) = listed(visited, other)

    for path in (
        f"/console/accounts/{other}/contacts/{foreign.contact_id}",
        f"/console/accounts/{account}/contacts/{foreign.contact_id}",
        f"/console/accounts/{account}/contacts/{foreign.contact_id}/remove",
        f"/console/accounts/{account}/contacts/ctc_{'0' * 24}",
        f"/console/accounts/{other}/contacts/new",
    ):
        assert owner.get(path).status == 404, path
        assert owner.post(path, {"code": owner.code()}).status == 404, path


def test_every_kind_has_a_name_in_every_language() -> None:
    for tag in ("en", "es", "ja", "zh-CN"):
        texts = languages.language(tag, "UTC").texts
        assert {f"kind.{kind}" for kind in Kind} <= texts.keys()
        assert {f"contacts.channel.{channel}" for channel in Channel} <= texts.keys()


def test_the_form_is_shown_again_as_it_was_filled_in(visited: Visited) -> None:
    owner, account = an_owner(visited)
    form = owner.get(f"{new(account)}?channel=email")
    review = owner.post(new(account), owner.fill(form, {"address": "desk@example.com"}))

    again = owner.post(new(account), [*fields_of(review), ("back", "yes")])

    assert dict(fields_of(again))["address"] == "desk@example.com"
    assert "Confirm it is you" not in words(again)
