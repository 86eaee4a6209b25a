"""The search box: what was found, by what, and what is not looked for."""

from tenure.domain import apikeys
from tests.faces.console.operate.house import OPERATE, Office
from tests.faces.console.visiting import words

SEARCH = f"{OPERATE}/search"


def test_a_key_and_its_owner_are_found(office: Office) -> None:
    key = office.keys[0]
    page = office.vic.get(f"{SEARCH}?q=my+bot")

    text = page.body.decode()
    assert text.count(f'href="{OPERATE}/keys/key_') == 3
    assert apikeys.mask(key.api_key) in text
    assert key.api_key not in text
    assert "trader@example.com" in text
    assert "Looked through 3 of 3 keys." in words(page)
    found = office.vic.get(f"{SEARCH}?q=trader").body.decode()
    assert f'href="{OPERATE}/accounts/{office.account_id}"' in found


def test_a_secret_is_neither_looked_for_nor_shown_again(office: Office) -> None:
    secret = apikeys.secret_text(b"s" * 48)
    page = office.vic.get(f"{SEARCH}?q={secret}")

    assert page.status == 422
    assert secret not in page.body.decode()
    assert "looks like a secret key" in words(page)


def test_what_is_typed_is_shown_as_text(office: Office) -> None:
    page = office.vic.get(f"{SEARCH}?q=%3Cscript%3E%22%27")

    assert "<script>&" not in page.body.decode()
    assert "&lt;script&gt;" in page.body.decode()
    assert "Nothing was found" in words(page)


def test_a_mistyped_api_key_is_said_to_be_one(office: Office) -> None:
    api_key = office.keys[0].api_key
    mistyped = api_key[:-1] + ("1" if api_key[-1] == "0" else "0")

    said = words(office.vic.get(f"{SEARCH}?q={mistyped}"))

    assert "it was mistyped or cut" in said
    assert "my bot" in said


def test_without_a_question_it_asks_for_one(office: Office) -> None:
    assert "What are you looking for?" in words(office.vic.get(SEARCH))
    assert office.vic.get(f"{SEARCH}?q={'x' * 300}").status == 422


def test_a_long_search_goes_on_where_it_ended(office: Office) -> None:
    first, *_ = sorted(key.key_id for key in office.keys)
    said = words(office.vic.get(f"{SEARCH}?q=y+b&after={first}"))

    assert "Looked through 2 of 3 keys." in said
