"""Leak reports: listed with what was done, and keys reported by pasting whatever has them."""

from tenure.domain import apikeys
from tests.faces.console.operate.house import OPERATE, Office, confirm, went
from tests.faces.console.visiting import words

LEAKS = f"{OPERATE}/leaks"


def test_keys_are_taken_out_of_whatever_was_pasted_and_the_rest_is_forgotten(
    office: Office,
) -> None:
    key, secret = office.keys[0], apikeys.secret_text(b"s" * 48)
    pasted = f"API_KEY={key.api_key}\nSECRET={secret}\n{key.api_key}"

    page = office.oli.post(f"{LEAKS}/preview", {"text": pasted, "url": "https://paste.example"})

    assert "API keys in it: 1" in words(page)
    assert apikeys.mask(key.api_key) in words(page)
    assert secret not in page.body.decode()
    assert "HMAC keys among them are revoked, for good." in words(page)

    done = confirm(office.oli, LEAKS, page)

    assert went(done) == f"{LEAKS}?done=reported&ours=1&others=0"
    assert "Under way" in words(office.vic.get(LEAKS))
    office.visited.house.worker.leaks.tick()
    assert office.key().revoked_at_ms is not None
    said = words(office.vic.get(LEAKS))
    assert "my bot" in said
    assert "https://paste.example Revoked" in said
    assert "operator:operator2@example.com" in said


def test_without_a_second_factor_nothing_is_reported(office: Office) -> None:
    page = office.oli.post(f"{LEAKS}/preview", {"text": office.keys[0].api_key})

    assert office.oli.post(LEAKS, office.oli.fill(page)).status == 422
    assert "Nobody has reported a key" in words(office.vic.get(LEAKS))


def test_what_has_no_key_in_it_is_said_beside_the_field(office: Office) -> None:
    for text, said in (("", "Paste something"), ("no key here", "There is no API key in it")):
        page = office.oli.post(f"{LEAKS}/preview", {"text": text})
        assert page.status == 422
        assert said in words(page)
        assert 'id="text-error"' in page.body.decode()
    assert office.oli.post(LEAKS, {"text": "x"}).status == 422


def test_too_many_at_once_are_not_taken(office: Office) -> None:
    keys = "\n".join(apikeys.compose(number.to_bytes(32, "big")) for number in range(1_001))
    assert "more than 1,000 keys" in words(office.oli.post(f"{LEAKS}/preview", {"text": keys}))


def test_keys_of_others_are_counted_and_passed_over(office: Office) -> None:
    strange = apikeys.compose(b"x" * 32)
    page = office.oli.post(f"{LEAKS}/preview", {"text": strange})

    assert went(confirm(office.oli, LEAKS, page)) == f"{LEAKS}?done=reported&ours=0&others=1"


def test_viewers_are_shown_no_form(office: Office) -> None:
    assert f'action="{LEAKS}/preview"' not in office.vic.get(LEAKS).body.decode()
    assert office.vic.get(f"{LEAKS}?done=reported&ours=<b>&others=").status == 200
