"""The text of API keys and secret keys: BI-2, the checksum, what is shown of them."""

import re
import string
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.domain import apikeys

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
GOLDEN_ENTROPY = bytes(range(40))
GOLDEN = "tnr1G2rlJwYjFp4MWD9zpIjhDPDb79ZSnkUiHkcXCETacyeDMLwevRsvW61QPDaO"
SAMPLES = [apikeys.compose(bytes([number]) * 32) for number in range(40)]


def sealed_with_its_checksum(unchecked: str) -> str:
    """Append the checksum as the module's docstring describes it, worked out digit by digit."""
    number, digits = zlib.crc32(unchecked.encode()), ""
    while number:
        number, digit = divmod(number, 62)
        digits = ALPHABET[digit] + digits
    return unchecked + digits.rjust(6, "0")


def test_a_key_is_64_letters_and_digits_behind_its_prefix() -> None:
    assert all(re.fullmatch(r"tnr1[0-9A-Za-z]{60}", api_key) for api_key in SAMPLES)


def test_the_form_of_keys_already_issued_never_changes() -> None:
    assert apikeys.compose(GOLDEN_ENTROPY) == GOLDEN
    assert apikeys.is_well_formed(GOLDEN)


@given(st.binary(min_size=32, max_size=80))
def test_every_composed_key_is_well_formed_and_ends_in_its_checksum(entropy: bytes) -> None:
    api_key = apikeys.compose(entropy)

    assert apikeys.is_well_formed(api_key)
    assert api_key == sealed_with_its_checksum(api_key[:58])
    assert api_key == apikeys.compose(entropy)


@given(
    st.text(ALPHABET, min_size=54, max_size=54),
    st.text(ALPHABET, min_size=54, max_size=54),
)
def test_any_body_is_well_formed_with_its_own_checksum_only(body: str, other: str) -> None:
    api_key = sealed_with_its_checksum("tnr1" + body)
    checksum = sealed_with_its_checksum("tnr1" + other)[-6:]

    assert apikeys.is_well_formed(api_key)
    assert apikeys.is_well_formed(api_key[:-6] + checksum) is (checksum == api_key[-6:])


def test_a_checksum_that_starts_with_zeros_keeps_them() -> None:
    """One CRC in five is below 62^5, so a form without leading zeros would be short at once."""
    assert any(api_key[58] == "0" for api_key in SAMPLES)


@given(st.lists(st.binary(min_size=32, max_size=40), min_size=2, max_size=8, unique=True))
def test_different_randomness_gives_different_keys_and_secrets(entropies: list[bytes]) -> None:
    padded = [entropy + bytes([len(entropy)]) * (56 - len(entropy)) for entropy in entropies]

    assert len({apikeys.compose(entropy) for entropy in entropies}) == len(entropies)
    assert len({apikeys.secret_text(entropy) for entropy in padded}) == len(entropies)


def test_every_character_of_the_body_and_of_a_secret_varies() -> None:
    """However few the bytes: no run of zeros where the randomness was shorter than the text."""
    secrets = [apikeys.secret_text(bytes([number]) * 48) for number in range(40)]

    assert all(len({api_key[place] for api_key in SAMPLES}) > 10 for place in range(4, 58))
    assert all(len({secret[place] for secret in secrets}) > 10 for place in range(64))


@pytest.mark.parametrize("length", [0, 1, 31])
def test_a_key_from_too_little_randomness_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=f"^{length} random bytes given, at least 32 needed$"):
        apikeys.compose(bytes(length))


@pytest.mark.parametrize("length", [0, 32, 47])
def test_a_secret_from_too_little_randomness_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=f"^{length} random bytes given, at least 48 needed$"):
        apikeys.secret_text(bytes(length))


@given(st.binary(min_size=48, max_size=80))
def test_a_secret_is_64_letters_and_digits_and_no_api_key(entropy: bytes) -> None:
    secret = apikeys.secret_text(entropy)

    assert re.fullmatch(r"[0-9A-Za-z]{64}", secret)
    assert not apikeys.is_well_formed(secret)
    assert secret == apikeys.secret_text(entropy)


@given(st.binary(min_size=48, max_size=80))
def test_a_key_does_not_tell_the_secret_made_from_the_same_bytes(entropy: bytes) -> None:
    body, secret = apikeys.compose(entropy)[4:58], apikeys.secret_text(entropy)

    assert not any(body[place : place + 8] in secret for place in range(len(body) - 7))


@pytest.mark.parametrize("api_key", SAMPLES[:3])
def test_no_slip_of_one_character_passes(api_key: str) -> None:
    slips = [
        api_key[:place] + wrong + api_key[place + 1 :]
        for place in range(64)
        for wrong in ALPHABET
        if wrong != api_key[place]
    ]

    assert len(slips) == 64 * 61
    assert not any(map(apikeys.is_well_formed, slips))


def test_no_two_neighbours_change_places_unnoticed() -> None:
    slips = [
        api_key[:place] + api_key[place + 1] + api_key[place] + api_key[place + 2 :]
        for api_key in SAMPLES
        for place in range(63)
        if api_key[place] != api_key[place + 1]
    ]

    assert len(slips) > 2_000
    assert not any(map(apikeys.is_well_formed, slips))


@given(st.text(ALPHABET, min_size=53, max_size=53), st.sampled_from("01234"))
def test_the_seam_of_body_and_checksum_hides_no_swap(body: str, last: str) -> None:
    """There body and checksum change at once; only the digits 0 to 4 can lead a checksum."""
    api_key = sealed_with_its_checksum("tnr1" + body + last)
    swapped = api_key[:57] + api_key[58] + api_key[57] + api_key[59:]

    assert apikeys.is_well_formed(swapped) is (swapped == api_key)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param(GOLDEN[:-1], id="one short"),
        pytest.param(GOLDEN + "0", id="one long"),
        pytest.param(GOLDEN + "\n", id="a line end behind"),
        pytest.param(" " + GOLDEN[:-1], id="a blank in front"),
        pytest.param(GOLDEN[:-1] + "\0", id="NUL"),
        pytest.param(GOLDEN[:-1] + "-", id="a dash"),
        pytest.param(GOLDEN[:-1] + "\N{FULLWIDTH LATIN CAPITAL LETTER O}", id="full-width"),
        pytest.param(GOLDEN[:-1] + "\N{ARABIC-INDIC DIGIT ZERO}", id="another script's digit"),
        pytest.param(GOLDEN[:-1] + "\udcff", id="half a surrogate pair"),
        pytest.param(GOLDEN[:-1] + "P", id="wrong checksum"),
        pytest.param(GOLDEN.swapcase(), id="case swapped"),
        pytest.param(sealed_with_its_checksum("tnr2" + GOLDEN[4:58]), id="another form"),
        pytest.param(sealed_with_its_checksum("TNR1" + GOLDEN[4:58]), id="prefix in capitals"),
        pytest.param(sealed_with_its_checksum(GOLDEN[4:58] + "tnr1"), id="prefix elsewhere"),
        pytest.param(sealed_with_its_checksum(GOLDEN[:57]), id="short with a good checksum"),
        pytest.param(sealed_with_its_checksum(GOLDEN[:57] + "_"), id="good checksum over a bar"),
        pytest.param(
            sealed_with_its_checksum(GOLDEN[:57] + "\N{LATIN SMALL LETTER E WITH ACUTE}"),
            id="good checksum over an accent",
        ),
        pytest.param("tnr1" * 2_560, id="10 kB"),
        pytest.param(GOLDEN * 160, id="10 kB of good keys"),
    ],
)
def test_what_is_no_key_is_refused_before_anything_is_looked_up(text: str) -> None:
    assert not apikeys.is_well_formed(text)


@given(st.text() | st.text(min_size=60, max_size=60).map("tnr1".__add__))
def test_any_text_at_all_may_be_asked_about(text: str) -> None:
    assert apikeys.is_well_formed(text) is False
    assert apikeys.mask(text) == "…"


def test_a_listing_shows_both_ends_of_a_key() -> None:
    assert apikeys.mask(GOLDEN) == "tnr1G2rl…PDaO"


def test_a_pasted_secret_is_not_shown_in_part() -> None:
    assert apikeys.mask(apikeys.secret_text(bytes(48))) == "…"


@pytest.mark.parametrize(
    "found_in",
    [
        f"{GOLDEN}",
        f"API_KEY_{GOLDEN}_old",
        f'{{"api_key":"{GOLDEN}"}}',
        f"https://venue.example/?key={GOLDEN}&symbol=BTC",
        f"key: {GOLDEN}\r\n",
    ],
)
def test_a_leak_scanner_finds_a_key_wherever_it_stands(found_in: str) -> None:
    assert re.findall(apikeys.SCAN_PATTERN, found_in) == [GOLDEN]


def test_a_leak_scanner_finds_every_key_of_a_list() -> None:
    assert re.findall(apikeys.SCAN_PATTERN, ",".join(SAMPLES)) == SAMPLES
