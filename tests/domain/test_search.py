"""What one text may mean to an operator who looks for a key or an account."""

import pytest

from tenure.domain import allowlist, apikeys, search
from tenure.domain.errors import Invalid
from tests.builders import a_key, an_address

API_KEY = a_key().api_key
KEY_ID, ACCOUNT_ID = "key_" + "0a" * 12, "acct_" + "z9" * 12


def test_an_id_is_that_id_and_nothing_else() -> None:
    assert search.read(f"  {KEY_ID}\n") == search.Asked(key_id=KEY_ID)
    assert search.read(ACCOUNT_ID) == search.Asked(account_id=ACCOUNT_ID)


def test_a_whole_api_key_is_that_key_and_nothing_else() -> None:
    assert search.read(API_KEY) == search.Asked(api_key=API_KEY)


@pytest.mark.parametrize("dots", ["…", "..."])
def test_a_masked_api_key_is_taken_apart(dots: str) -> None:
    masked = apikeys.mask(API_KEY).replace("…", dots)

    asked = search.read(masked)

    assert asked == search.Asked(api_key_start=API_KEY[:8], api_key_end=API_KEY[-4:])


def test_the_beginning_of_an_api_key_may_also_be_a_label_or_an_email() -> None:
    asked = search.read(API_KEY[:12])

    assert (asked.api_key_start, asked.api_key_end) == (API_KEY[:12], "")
    assert (asked.label, asked.email_start) == (API_KEY[:12], API_KEY[:12])
    assert search.read(API_KEY[:7]).api_key_start is None, "thousands of keys begin so"


def test_a_mistyped_api_key_is_said_to_be_one() -> None:
    mistyped = API_KEY[:-1] + ("1" if API_KEY[-1] == "0" else "0")

    assert search.read(mistyped) == search.Asked(api_key_start=API_KEY[:8], is_mistyped=True)


def test_what_looks_like_a_secret_key_is_refused_and_not_repeated() -> None:
    secret = apikeys.secret_text(b"s" * 48)

    with pytest.raises(Invalid, match="secret") as raised:
        search.read(secret)

    assert raised.value.field == search.SECRET
    assert secret not in str(raised.value)


def test_an_address_may_also_be_a_label() -> None:
    asked = search.read("::ffff:203.0.113.7")

    assert asked.address == an_address("203.0.113.7")
    assert asked.label == "::ffff:203.0.113.7"


def test_words_are_no_email() -> None:
    assert search.read("my bot") == search.Asked(label="my bot")
    assert search.read("owner1@exam").email_start == "owner1@exam"


@pytest.mark.parametrize("text", ["", "  ", "x" * 255, "x" * 2000, "a\x00b", "a\nb"])
def test_what_nobody_can_have_meant_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as raised:
        search.read(text)

    assert raised.value.field == "q"


def test_a_label_is_looked_for_in_every_case_once() -> None:
    assert search.spellings("ärger") == ("ärger", "ÄRGER", "Ärger")
    assert search.spellings("机器人") == ("机器人",)


@pytest.mark.parametrize(
    ("address", "entry"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7", "203.0.0.0/16"),
        ("2001:db8::7", "2001:db8::/32"),
        ("2001:0:1::7", "2001::/32"),
        ("::7", "::7"),
        ("0:0:1:2:3:4:5:6", "0:0:1::/48"),
    ],
)
def test_every_entry_that_admits_an_address_begins_as_is_said(address: str, entry: str) -> None:
    (entry,) = allowlist.normalise([entry])

    start = search.allowlist_start(an_address(address))

    assert allowlist.compile_allowlist((entry,))(an_address(address))
    assert entry.startswith(start)


def test_an_entry_that_cannot_admit_it_mostly_begins_otherwise() -> None:
    assert not "198.51.100.0/24".startswith(search.allowlist_start(an_address()))
    assert not "2001:db8::/32".startswith(search.allowlist_start(an_address("2002::1")))
