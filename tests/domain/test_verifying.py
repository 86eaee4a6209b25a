"""Signatures: which verify, which never do, and that refusing tells nothing by its price."""

import base64
import dataclasses
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenure.domain import admission, verifying
from tenure.domain.model import KeyType
from tests.domain.signature_cases import CASES, KEYS, PAYLOAD, Case, public_key_of, signed

# The official examples of the `binance` profile (WIRE section 4).
OFFICIAL_SECRET = b"NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
OFFICIAL = {
    "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000"
    "&timestamp=1499827319559": "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71",
    "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTCquantity=1&price=0.1&recvWindow=5000"
    "&timestamp=1499827319559": "0fd168b8ddb4876a0358a8d14d0c9f3da0e9b20c5d52b2a00fcf7d1c602f9a77",
    "symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96&side=BUY&type=LIMIT"
    "&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000"
    "&timestamp=1499827319559": "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3",
}

VERIFIERS = {name: key.verifier() for name, key in KEYS.items()}

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=100)
"""Lone surrogates included: percent-decoding can make them."""
LIKE_A_SIGNATURE = st.sampled_from([64, 88, 344, 512, 684]).flatmap(
    lambda size: (
        st.text("0123456789abcdefABCDEF \n", min_size=size, max_size=size)
        | st.text("AQgw/+-_= \n", min_size=size, max_size=size)
        | st.text(st.characters(exclude_categories=()), min_size=size, max_size=size)
    )
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.key}, {case.why}")
def test_each_signature_of_the_table_is_judged_as_the_table_says(case: Case) -> None:
    assert VERIFIERS[case.key].verify(case.payload, case.signature) is case.verifies


@pytest.mark.parametrize(("payload", "signature"), OFFICIAL.items())
def test_the_official_hmac_examples_verify(payload: str, signature: str) -> None:
    verifier = verifying.HmacVerifier(OFFICIAL_SECRET)

    assert verifier.verify(payload.encode(), signature)
    assert verifier.verify(payload.encode(), signature.upper())
    assert not verifier.verify(payload.encode() + b"&", signature)


def test_a_signature_is_no_good_under_another_key_or_over_another_payload() -> None:
    for name, verifier in VERIFIERS.items():
        assert not verifier.verify(PAYLOAD[:-1], signed(name))
        assert not verifier.verify(b"", signed(name))
        for other, of_another in VERIFIERS.items():
            assert of_another.verify(PAYLOAD, signed(name)) is (other == name)


@pytest.mark.parametrize("moved", [1, 2])
def test_bytes_cannot_move_from_the_payload_into_an_ed25519_signature(moved: int) -> None:
    octets = base64.b64decode(signed("ed25519")) + PAYLOAD[:moved]
    signature = base64.b64encode(octets).decode()

    assert len(signature) == len(signed("ed25519"))
    assert not VERIFIERS["ed25519"].verify(PAYLOAD[moved:], signature)


@given(payload=st.binary(max_size=40), signature=ANY_TEXT | LIKE_A_SIGNATURE)
def test_no_text_whatever_raises_or_happens_to_verify(payload: bytes, signature: str) -> None:
    for verifier in (*VERIFIERS.values(), verifying.stand_in(signature)):
        assert verifier.verify(payload, signature) is False


@given(payload=st.binary(max_size=300), secret=st.binary(min_size=1, max_size=200))
def test_hmac_agrees_with_the_standard_library(payload: bytes, secret: bytes) -> None:
    code = hmac.new(secret, payload, hashlib.sha256).hexdigest()

    assert verifying.HmacVerifier(secret).verify(payload, code)
    assert not verifying.HmacVerifier(secret + b"x").verify(payload, code)


@pytest.mark.parametrize("name", ["ed25519", "rsa-2048", "rsa-3072", "rsa-4096"])
def test_a_public_key_is_never_taken_for_an_hmac_secret(name: str) -> None:
    pem = public_key_of(name)
    body = "".join(pem.splitlines()[1:-1])
    for spelling in (pem.encode(), pem.strip().encode(), body.encode(), base64.b64decode(body)):
        code = hmac.digest(spelling, PAYLOAD, "sha256")
        for text in (code.hex(), base64.b64encode(code).decode()):
            assert not VERIFIERS[name].verify(PAYLOAD, text)


# Keys are loaded once, and only good ones


def test_an_hmac_secret_must_not_be_empty() -> None:
    with pytest.raises(ValueError, match="empty"):
        verifying.HmacVerifier(b"")


def test_a_key_without_the_half_its_type_uses_is_an_error() -> None:
    with pytest.raises(ValueError, match="an HMAC key without its secret"):
        verifying.verifier_for(KeyType.HMAC, public_key=public_key_of("ed25519"))
    with pytest.raises(ValueError, match="a key of type rsa without its public key"):
        verifying.verifier_for(KeyType.RSA, secret=b"secret")
    with pytest.raises(ValueError, match="a key of type ed25519 without its public key"):
        verifying.verifier_for(KeyType.ED25519, secret=b"secret")


def test_a_key_of_another_type_is_an_error() -> None:
    with pytest.raises(ValueError, match="not an RSA public key"):
        verifying.RsaVerifier(public_key_of("ed25519"))
    with pytest.raises(ValueError, match="not an Ed25519 public key"):
        verifying.Ed25519Verifier(public_key_of("rsa-2048"))


# SubjectPublicKeyInfo of an elliptic-curve key on 1.2.3.4.5, which is no curve.
ON_NO_CURVE = base64.b64encode(
    bytes.fromhex("301a301106072a8648ce3d020106062a030405060703050004ffffff")
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no key",
        f"-----BEGIN PUBLIC KEY-----\n{ON_NO_CURVE.decode()}\n-----END PUBLIC KEY-----\n",
    ],
)
def test_a_public_key_that_cannot_be_read_is_a_value_error(text: str) -> None:
    for key_type in (KeyType.RSA, KeyType.ED25519):
        with pytest.raises(ValueError, match=r"."):
            verifying.verifier_for(key_type, public_key=text)


def test_a_verifier_cannot_be_changed_and_does_not_show_its_secret() -> None:
    verifier = verifying.HmacVerifier(b"the secret")

    assert "the secret" not in repr(verifier)
    with pytest.raises(dataclasses.FrozenInstanceError):
        verifier.secret = b"another"  # type: ignore[misc]  # what is tried here
    assert verifying.RsaVerifier(public_key_of("rsa-2048")) == VERIFIERS["rsa-2048"]
    assert verifying.RsaVerifier(public_key_of("rsa-3072")) != VERIFIERS["rsa-2048"]


# One spelling of base64


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("", b""),
        ("TQ==", b"M"),
        ("TWE=", b"Ma"),
        ("TWFu", b"Man"),
        ("+/+/", b"\xfb\xff\xbf"),
        ("TR==", None),
        ("TWF=", None),
        ("TQ", None),
        ("TQ=", None),
        ("TQ===", None),
        ("TQ==TQ==", None),
        ("TQ==\n", None),
        (" TQ==", None),
        ("T Q==", None),
        ("-_-_", None),
        ("=", None),
        ("T", None),
        ("TQ\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH EQUALS SIGN}", None),
        ("\udc80QQQ", None),
    ],
)
def test_bytes_have_one_spelling_in_base64(text: str, octets: bytes | None) -> None:
    assert verifying.decode_base64(text) == octets


@given(text=st.text("TRQWF+/-_= \n", max_size=12) | ANY_TEXT)
def test_two_different_texts_never_decode_to_the_same_bytes(text: str) -> None:
    octets = verifying.decode_base64(text)

    assert octets is None or base64.b64encode(octets).decode() == text


@given(octets=st.binary())
def test_what_was_encoded_is_decoded(octets: bytes) -> None:
    assert verifying.decode_base64(base64.b64encode(octets).decode()) == octets


# Where there is no key


def inside(stand_in: verifying.Verifier) -> verifying.Verifier:
    assert isinstance(stand_in, verifying.StandIn)
    return stand_in.verifier


@pytest.mark.parametrize(
    ("characters", "kind"),
    [
        (0, verifying.HmacVerifier),
        (63, verifying.HmacVerifier),
        (64, verifying.HmacVerifier),
        (88, verifying.Ed25519Verifier),
        (344, verifying.RsaVerifier),
        (512, verifying.RsaVerifier),
        (684, verifying.RsaVerifier),
        (10_000, verifying.HmacVerifier),
    ],
)
def test_the_stand_in_is_of_the_kind_the_signature_looks_like(characters: int, kind: type) -> None:
    assert isinstance(inside(verifying.stand_in("A" * characters)), kind)


def test_a_stand_in_says_no_even_to_what_is_right() -> None:
    stand_in = verifying.stand_in("A" * 64)
    hmac_inside = inside(stand_in)
    assert isinstance(hmac_inside, verifying.HmacVerifier)
    code = hmac.digest(hmac_inside.secret, PAYLOAD, "sha256").hex()

    assert hmac_inside.verify(PAYLOAD, code)
    assert stand_in.verify(PAYLOAD, code) is False


def test_a_stand_in_costs_as_much_as_a_key_that_was_admitted() -> None:
    ed25519 = inside(verifying.stand_in("A" * 88))
    assert isinstance(ed25519, verifying.Ed25519Verifier)
    assert admission.admit(KeyType.ED25519, ed25519.public_key) == ed25519.public_key

    for name in ("rsa-2048", "rsa-3072", "rsa-4096"):
        rsa = inside(verifying.stand_in(signed(name)))
        assert isinstance(rsa, verifying.RsaVerifier)
        assert len(rsa.public_key) == len(public_key_of(name))


@dataclasses.dataclass(frozen=True)
class Counting:
    """A verifier that notes which signatures it was given."""

    seen: list[str] = dataclasses.field(default_factory=list)

    def verify(self, payload: bytes, signature: str) -> bool:
        """Note the signature, and claim that it is good: nobody may believe it."""
        assert payload == PAYLOAD
        self.seen.append(signature)
        return True


def test_a_stand_in_does_the_work_before_it_says_no() -> None:
    counting = Counting()

    assert verifying.StandIn(counting).verify(PAYLOAD, "any") is False
    assert counting.seen == ["any"]


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("looks_like", KEYS)
def test_a_signature_of_another_kind_costs_what_an_unknown_key_costs(
    name: str, looks_like: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Counting()
    signature = signed(looks_like)
    monkeypatch.setattr(verifying, "_STAND_INS", {len(signature): counting})

    assert VERIFIERS[name].verify(PAYLOAD, signature) is (name == looks_like)
    assert counting.seen == ([] if name == looks_like else [signature])


@dataclasses.dataclass(frozen=True)
class Library:
    """Stands for the library's RSA key: notes the numbers that it would raise to a power."""

    seen: list[int] = dataclasses.field(default_factory=list)

    def verify(self, signature: bytes, *_: object) -> None:
        """Take the signature as a number, without an opinion."""
        self.seen.append(int.from_bytes(signature, "big"))


def test_a_number_past_the_modulus_is_not_refused_any_faster() -> None:
    verifier = verifying.RsaVerifier(public_key_of("rsa-2048"))
    modulus = verifier._key.public_numbers().n  # noqa: SLF001 - the number under test
    library = Library()
    object.__setattr__(verifier, "_key", library)

    for number in (7, modulus - 1, modulus, modulus + 7, 2**2048 - 1):
        verifier.verify(PAYLOAD, base64.b64encode(number.to_bytes(256, "big")).decode())

    assert library.seen == [7] + [modulus - 1] * 4
