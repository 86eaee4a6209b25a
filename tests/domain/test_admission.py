"""Which public keys are let in, in which spellings, and what their owners are told otherwise."""

import base64
import itertools
import math
import textwrap
from pathlib import Path
from typing import Final

import cryptography_vectors
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from hypothesis import assume, given
from hypothesis import strategies as st

from tenure.domain import admission, verifying
from tenure.domain.errors import Invalid
from tenure.domain.model import KeyType
from tests.domain.signature_cases import KEYS, PAYLOAD, public_key_of, signed

GOOD: Final = {name: key.key_type for name, key in KEYS.items() if key.public_key is not None}
ED25519: Final = public_key_of("ed25519")
RSA_2048: Final = public_key_of("rsa-2048")

DISCARD: Final = "This is a private key. Treat it as compromised: discard it, make a new pair"


def refusal(key_type: KeyType, text: str) -> str:
    """Return the words in which *text* is refused, having looked whether they give it away."""
    with pytest.raises(Invalid) as caught:
        admission.admit(key_type, text)
    error = caught.value
    assert [problem.field for problem in error.problems] == ["public_key"]
    assert error.__cause__ is None
    assert error.__context__ is None
    assert error.context == ""
    assert_nothing_is_quoted(text, f"{error!r} {error} {error.args} {error.problems}")
    return error.message


def assert_nothing_is_quoted(text: str, words: str) -> None:
    for line in text.split():
        if len(line) >= 16 and not line.startswith("-----"):
            assert line[:16] not in words


def body_of(pem: str) -> str:
    return "".join(pem.splitlines()[1:-1])


def der_of(pem: str) -> bytes:
    return base64.b64decode(body_of(pem))


def pem_of(der: bytes, label: str = "PUBLIC KEY") -> str:
    body = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n"


def rsa_pem(modulus: int, exponent: int = 65537) -> str:
    return verifying.to_pem(rsa.RSAPublicNumbers(exponent, modulus).public_key())


def ed25519_pem(point: bytes) -> str:
    return verifying.to_pem(ed25519.Ed25519PublicKey.from_public_bytes(point))


def modulus_of(pem: str) -> int:
    key = load_pem_public_key(pem.encode())
    assert isinstance(key, rsa.RSAPublicKey)
    return key.public_numbers().n


def vector(path: str) -> bytes:
    return (Path(cryptography_vectors.__file__).parent / "asymmetric" / path).read_bytes()


# What is let in


@pytest.mark.parametrize("name", GOOD)
def test_a_good_key_is_let_in_as_it_stands_and_verifies_its_signatures(name: str) -> None:
    stored = admission.admit(GOOD[name], public_key_of(name))

    assert stored == public_key_of(name)
    verifier = verifying.verifier_for(GOOD[name], public_key=stored)
    assert verifier.verify(PAYLOAD, signed(name))


@pytest.mark.parametrize("name", GOOD)
def test_every_way_of_pasting_a_key_is_stored_the_same(name: str) -> None:
    pem = public_key_of(name)
    first, *body, last = pem.splitlines()
    pasted = [
        body_of(pem),
        f"\n {body_of(pem)}\t",
        "\n".join(body),
        "\r\n".join([first, *body, last]),
        " ".join([first, *body, last]),
        "".join([first, *body, last]),
        f"\n\n   {pem}\n\n",
        "\n".join(f"    {line}" for line in pem.splitlines()),
    ]

    assert {admission.admit(GOOD[name], text) for text in pasted} == {pem}


@pytest.mark.parametrize("name", ["rsa-2048", "rsa-3072", "rsa-4096"])
def test_an_rsa_key_may_come_as_pkcs_1(name: str) -> None:
    key = load_pem_public_key(public_key_of(name).encode())
    pkcs1 = key.public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()

    assert pkcs1.startswith("-----BEGIN RSA PUBLIC KEY-----")
    assert admission.admit(KeyType.RSA, pkcs1) == public_key_of(name)


# What is no public key at all


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "neither PEM nor base64"),
        (" \n", "neither PEM nor base64"),
        ("my key", "neither PEM nor base64"),
        (body_of(ED25519)[:-1], "neither PEM nor base64"),
        (base64.urlsafe_b64encode(b"\xfb" * 32).decode(), "neither PEM nor base64"),
        (base64.b64encode(b"\x07" * 32).decode(), "neither PEM nor base64"),
        (base64.b64encode(b"0").decode(), "neither PEM nor base64"),
        (base64.b64encode(der_of(RSA_2048)[24:]).decode(), "neither PEM nor base64"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL", "neither PEM nor base64"),
        ("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----", "neither PEM nor base64"),
        (ED25519.replace("-----END", "----END"), "damaged"),
        (ED25519.replace("-----BEGIN PUBLIC KEY-----", ""), "damaged"),
        (ED25519.replace("END PUBLIC", "END RSA PUBLIC"), "damaged"),
        (f"my key: {ED25519}", "damaged"),
        (f"{ED25519} is my key", "damaged"),
        (ED25519 + RSA_2048, "several keys"),
        (ED25519 + ED25519, "several keys"),
        (ED25519.replace("PUBLIC KEY", "CERTIFICATE"), "certificate"),
        (ED25519.replace("PUBLIC KEY", "CERTIFICATE REQUEST") + ED25519, "certificate"),
        (ED25519.replace("PUBLIC KEY", "EC PARAMETERS"), "does not hold a public key"),
        (ED25519.replace("-----", "\N{EM DASH}\N{EM DASH}"), "formatted document"),
        (f"\N{ZERO WIDTH NO-BREAK SPACE}{ED25519}", "formatted document"),
        (f"\udc80{ED25519}", "formatted document"),
        (ED25519 + " " * 8192, "longer than 8192 characters"),
    ],
)
def test_what_is_no_public_key_is_refused_with_a_way_out(text: str, says: str) -> None:
    for key_type in (KeyType.RSA, KeyType.ED25519):
        words = refusal(key_type, text)
        assert says in words
        assert "openssl" in words or "exactly one" in words


def test_the_longest_text_is_still_read() -> None:
    assert admission.admit(KeyType.ED25519, ED25519.ljust(8192)) == ED25519


def test_an_hmac_key_has_no_public_key() -> None:
    for text in ("", ED25519, RSA_2048):
        assert "An hmac key has no public key" in refusal(KeyType.HMAC, text)


OTHER_KINDS: Final = {
    "ECDSA": ec.derive_private_key(7, ec.SECP256R1())
    .public_key()
    .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    "X25519": x25519.X25519PrivateKey.from_private_bytes(b"\x07" * 32)
    .public_key()
    .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    "DSA": vector("DER_Serialization/dsa_public_key.der"),
    "Ed448": vector("Ed448/ed448-pub.der"),
    "RSA-PSS": vector("PKCS8/rsa_pss_2048_pub.der"),
}


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_a_key_of_a_kind_that_is_not_sold_is_named(kind: str) -> None:
    for text in (pem_of(OTHER_KINDS[kind]), base64.b64encode(OTHER_KINDS[kind]).decode()):
        assert f"The key is to be RSA, but this is {kind}." in refusal(KeyType.RSA, text)
        assert f"The key is to be Ed25519, but this is {kind}." in refusal(KeyType.ED25519, text)


def test_a_key_of_the_other_type_is_named() -> None:
    assert "The key is to be RSA, but this is Ed25519." in refusal(KeyType.RSA, ED25519)
    assert "The key is to be Ed25519, but this is RSA." in refusal(KeyType.ED25519, RSA_2048)


def test_a_certificate_is_named_without_its_label_too() -> None:
    der = vector("../x509/v1_cert.pem").decode(), vector("../x509/cryptography.io.pem").decode()
    bare = ["".join(pem.split("-----")[2].split()) for pem in der]

    assert "neither PEM nor base64" in refusal(KeyType.RSA, bare[0])
    assert "this is a certificate" in refusal(KeyType.RSA, bare[1])


def test_a_kind_of_key_the_library_warns_about_is_refused_like_any_other() -> None:
    text = base64.b64encode(vector("DH/dhpub.der")).decode()

    assert "neither PEM nor base64" in refusal(KeyType.RSA, text)


# Private keys


def private_vectors() -> list[str]:
    """Name the files of private keys among the vectors, in every format these have."""
    root = Path(cryptography_vectors.__file__).parent / "asymmetric"
    folders = (
        "DER_Serialization EC Ed25519 MLDSA OpenSSH PEM_Serialization PKCS8"
        " Traditional_OpenSSL_Serialization X25519"
    )
    return sorted(
        f"{folder}/{path.name}"
        for folder in folders.split()
        for path in (root / folder).iterdir()
        if path.suffix in {".pem", ".der", ".key"}
        and not any(word in path.name for word in ("pub", "spki", "dsaparam"))
    )


@pytest.mark.parametrize("path", private_vectors())
def test_a_private_key_of_any_format_is_to_be_discarded(path: str) -> None:
    octets = vector(path)
    text = base64.b64encode(octets).decode() if path.endswith(".der") else octets.decode("latin-1")

    for key_type in KeyType:
        assert DISCARD in refusal(key_type, text)


def private_forms() -> dict[str, str]:
    """Write one private key of each kind in each PEM format there is for it, open and locked."""
    an_rsa_key = load_pem_private_key(vector("PKCS8/unenc-rsa-pkcs8.pem"), None)
    assert isinstance(an_rsa_key, rsa.RSAPrivateKey)
    keys: dict[str, ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey] = {
        "ed25519": ed25519.Ed25519PrivateKey.from_private_bytes(b"\x07" * 32),
        "ecdsa": ec.derive_private_key(7, ec.SECP256R1()),
        "rsa": an_rsa_key,
    }
    formats = {
        "PKCS #8": PrivateFormat.PKCS8,
        "OpenSSH": PrivateFormat.OpenSSH,
        "traditional": PrivateFormat.TraditionalOpenSSL,
    }
    locks = {"open": NoEncryption(), "locked": BestAvailableEncryption(b"opensesame")}
    return {
        f"{name}, {of}, {lock}": keys[name]
        .private_bytes(Encoding.PEM, formats[of], locks[lock])
        .decode()
        for name, of, lock in itertools.product(keys, formats, locks)
        # The first does not exist, and the second the library writes only with another package.
        if (name, of) != ("ed25519", "traditional") and (of, lock) != ("OpenSSH", "locked")
    } | {"ed25519, OpenSSH, locked": vector("OpenSSH/ed25519-psw.key").decode()}


PRIVATE_FORMS: Final = private_forms()


@pytest.mark.parametrize("form", PRIVATE_FORMS)
def test_a_private_key_is_recognised_however_it_was_mangled(form: str) -> None:
    pem = PRIVATE_FORMS[form]
    label = pem.splitlines()[0].strip("-").removeprefix("BEGIN ")
    mangled = [
        pem,
        pem.lower(),
        pem.replace("\n", "\\n"),
        pem.replace("-----", "\N{EM DASH}"),
        pem.replace("-----", ""),
        pem[: len(pem) // 2],
        f"here is my key\n{pem}\nbye",
        public_key_of("ed25519") + pem,
        pem + " " * 100_000,
    ]
    if "Proc-Type" not in pem:  # Such a body is ciphertext through and through.
        body = "".join(pem.splitlines()[1:-1])
        mangled += [
            body,
            "\n".join(textwrap.wrap(body, 48)),
            body[: len(body) // 2],
            body[:30],
            body.rstrip("="),
            body.replace("+", "-").replace("/", "_"),
            f"{' ' * 5_000}{body}",
            f"{body}\N{NO-BREAK SPACE}",
            pem.replace(label, "PUBLIC KEY"),
            public_key_of("ed25519") + pem.replace(label, "PUBLIC KEY"),
        ]

    for text in mangled:
        assert DISCARD in refusal(KeyType.ED25519, text)


@pytest.mark.parametrize(
    "text",
    [
        "PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\nAAAAIEAbc",
        "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQ",
        '{"kty": "OKP", "crv": "Ed25519", "d" : "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}',
        "<RSAKeyValue><Modulus>qqqqqqqqqqqqqqqq</Modulus><D>qqqqqqqqqqqqqqqq</D></RSAKeyValue>",
        "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----",
        base64.b64encode(bytes.fromhex("30820a0b0201033082")).decode(),
    ],
)
def test_private_keys_of_other_houses_are_recognised(text: str) -> None:
    assert DISCARD in refusal(KeyType.ED25519, text)


def test_a_raw_private_key_that_nothing_tells_from_a_public_one_gets_the_same_advice() -> None:
    seed = base64.b64encode(b"\x07" * 32).decode()

    assert "If it was the private half, discard that key" in refusal(KeyType.ED25519, seed)


# Ed25519, by D10

FIELD_PRIME: Final = 2**255 - 19
# The eight points of low order, by y (RFC 7748 7 and the curve's equation), both signs of x.
ORDER_8_Y: Final = 2707385501144840649318225287225658788936804267575313519463743609750303021600
LOW_ORDER_Y: Final = (0, 1, FIELD_PRIME - 1, ORDER_8_Y, FIELD_PRIME - ORDER_8_Y)
# The same again past the field's prime, where the encoding has room for them.
LOW_ORDER: Final = sorted(
    {
        ((y + shift) | sign << 255).to_bytes(32, "little")
        for y in LOW_ORDER_Y
        for shift in (0, FIELD_PRIME)
        for sign in (0, 1)
        if y + shift < 2**255
    }
)


def test_all_fourteen_spellings_of_points_of_low_order_are_refused() -> None:
    assert len(LOW_ORDER) == 14
    for point in LOW_ORDER:
        assert "The key is unsafe: it is no point" in refusal(KeyType.ED25519, ed25519_pem(point))


BASE_Y: Final = 4 * pow(5, -1, FIELD_PRIME) % FIELD_PRIME


@pytest.mark.parametrize(
    ("why", "encoded"),
    [
        ("y is the field's prime plus 3", FIELD_PRIME + 3),
        ("all ones", 2**256 - 1),
        ("off the curve", 2),
        # The base point plus (0, -1) is (-x, -y): on the curve, of twice the group's order.
        ("torsion", (FIELD_PRIME - BASE_Y) | 1 << 255),
    ],
)
def test_a_point_outside_the_main_group_is_refused(why: str, encoded: int) -> None:
    pem = ed25519_pem(encoded.to_bytes(32, "little"))

    assert "The key is unsafe" in refusal(KeyType.ED25519, pem), why


def test_the_base_point_itself_is_in_the_group() -> None:
    point = BASE_Y.to_bytes(32, "little")

    assert admission.admit(KeyType.ED25519, ed25519_pem(point)) == ed25519_pem(point)


@pytest.mark.parametrize(
    "der",
    [
        bytes.fromhex("3029300506032b6570032000") + b"\x07" * 31,
        bytes.fromhex("302b300506032b6570032200") + b"\x07" * 33,
        bytes.fromhex("302a300506032b6570032100") + b"\x07" * 31,
        bytes.fromhex("302a300506032b6570032100") + b"\x07" * 33,
        bytes.fromhex("302a300506032b6570032101") + b"\x07" * 32,
        bytes.fromhex("302c300706032b65700500032100") + der_of(ED25519)[12:],
        bytes.fromhex("30812a300506032b6570032100") + der_of(ED25519)[12:],
        # 32 bytes in all, which is as long as a point is.
        bytes.fromhex("301e300506032b6570031500") + b"\x07" * 20,
    ],
)
def test_an_ed25519_key_has_one_encoding_of_one_length(der: bytes) -> None:
    for text in (pem_of(der), base64.b64encode(der).decode()):
        assert "an Ed25519 key is 32 bytes" in refusal(KeyType.ED25519, text)


# RSA, by D11


@pytest.mark.parametrize("bits", [512, 1024, 1536, 2047, 2049, 2056, 3071, 4095, 4097, 8192, 16384])
def test_an_rsa_key_has_one_of_three_lengths(bits: int) -> None:
    words = refusal(KeyType.RSA, rsa_pem(2 ** (bits - 1) + 1))

    assert f"2048, 3072 or 4096 bits, and this one {bits}." in words


@pytest.mark.parametrize("exponent", [3, 17, 65535, 65539, 2**64 - 59, 2**2040 + 1])
def test_the_public_exponent_is_65537(exponent: int) -> None:
    words = refusal(KeyType.RSA, rsa_pem(modulus_of(RSA_2048), exponent))

    assert "the public exponent must be 65537" in words


@pytest.mark.parametrize("factor", [2, 3, 5, 101, 751, 757, 9973])
def test_a_modulus_with_a_small_factor_is_refused(factor: int) -> None:
    rest = first_without_small_factor(2**2047 // factor + 1, 1)

    assert "its modulus has a small factor" in refusal(KeyType.RSA, rsa_pem(factor * rest))


def has_small_factor(number: int) -> bool:
    return any(number % factor == 0 for factor in range(2, 10_000))


def first_without_small_factor(start: int, step: int) -> int:
    while has_small_factor(start):
        start += step
    return start


# Lengths of the modulus, and how many of the first primes go into M for their keys (the paper's
# table 1).
ROCA: Final = [(2048, 701), (3072, 701), (4096, 1427)]


@pytest.mark.parametrize(("bits", "largest"), ROCA)
def test_a_modulus_with_the_roca_fingerprint_is_refused(bits: int, largest: int) -> None:
    product = math.prod(n for n in range(2, largest + 1) if all(n % d for d in range(2, n)))
    modulus = 1
    for power, top in ((12_345, 2 ** (bits // 2)), (98_765, 2 ** (bits // 2) - product * 4096)):
        # k * M + (65537^a mod M), just below the top; not always a prime, which is not looked at.
        remainder = pow(65537, power, product)
        highest = (top // product - 1) * product + remainder
        modulus *= first_without_small_factor(highest, -product)
    assert modulus.bit_length() == bits

    assert "ROCA" in refusal(KeyType.RSA, rsa_pem(modulus))
    neighbour = first_without_small_factor(modulus + 2, 2)
    assert admission.admit(KeyType.RSA, rsa_pem(neighbour)) == rsa_pem(neighbour)


def test_the_roca_markers_are_the_published_ones() -> None:
    published = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157]

    assert list(admission._ROCA_RESIDUES) == published  # noqa: SLF001 - the table under test


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
@pytest.mark.parametrize("apart", [0, 2, 2**200])
def test_a_modulus_of_two_close_factors_is_refused(bits: int, apart: int) -> None:
    # Not primes, which is not looked at: odd, long, and without small factors.
    one = first_without_small_factor(3 * 2 ** (bits // 2 - 2) + 1, 2)
    other = first_without_small_factor(one + apart, 2)

    assert "so close" in refusal(KeyType.RSA, rsa_pem(one * other))


def test_close_factors_are_looked_for_a_hundred_times() -> None:
    middle = 3 * 2**1022
    # (a - b)(a + b), where a is the 100th, and the 101st, number that Fermat's method tries: with
    # b^2 / 2a = 99.5 it starts 99 or 100 below a.
    for rounds, is_refused in ((100, True), (101, False)):
        half = math.isqrt(2 * middle * (rounds - 1) + middle)
        step = next(
            b
            for b in range(half - half % 2 + 1, 2 * half, 2)
            if not has_small_factor(middle - b) and not has_small_factor(middle + b)
        )
        modulus = (middle - step) * (middle + step)
        assert middle - math.isqrt(modulus - 1) == rounds
        if is_refused:
            assert "so close" in refusal(KeyType.RSA, rsa_pem(modulus))
        else:
            assert admission.admit(KeyType.RSA, rsa_pem(modulus))


@pytest.mark.parametrize(
    "der",
    [
        der_of(RSA_2048) + b"\0",
        der_of(RSA_2048)[:-1],
        # Without the NULL that stands for no parameters (RFC 3279 2.3.1).
        der_of(RSA_2048).replace(
            bytes.fromhex("30820122300d06092a864886f70d0101010500"),
            bytes.fromhex("30820120300b06092a864886f70d010101"),
        ),
        # A length in more octets than it takes.
        der_of(RSA_2048).replace(bytes.fromhex("30820122300d"), bytes.fromhex("3083000122300d")),
        # An exponent of one, and one past the modulus, which the library refuses.
        der_of(RSA_2048).replace(bytes.fromhex("0203010001"), bytes.fromhex("0203000001")),
    ],
)
def test_an_rsa_key_has_one_encoding(der: bytes) -> None:
    assert der != der_of(RSA_2048)
    for text in (pem_of(der), base64.b64encode(der).decode()):
        assert "damaged or not in its one encoding" in refusal(KeyType.RSA, text)


def test_the_label_says_which_of_the_two_encodings_of_rsa_follows() -> None:
    key = load_pem_public_key(RSA_2048.encode())
    pkcs1 = key.public_bytes(Encoding.DER, PublicFormat.PKCS1)

    assert "one encoding" in refusal(KeyType.RSA, pem_of(der_of(RSA_2048), "RSA PUBLIC KEY"))
    assert "neither PEM" in refusal(KeyType.RSA, pem_of(pkcs1))
    assert "neither PEM" in refusal(KeyType.RSA, base64.b64encode(pkcs1).decode())
    assert "this is RSA" in refusal(KeyType.ED25519, pem_of(pkcs1, "RSA PUBLIC KEY"))


# Whatever is pasted

KEY_TYPES: Final = st.sampled_from(KeyType)
ANY_TEXT: Final = st.text(st.characters(exclude_categories=()), max_size=200)


@pytest.mark.parametrize("name", GOOD)
def test_a_key_tells_its_own_type(name: str) -> None:
    pem = public_key_of(name)
    assert admission.type_of(pem) is GOOD[name]
    assert admission.type_of(body_of(pem)) is GOOD[name]


@pytest.mark.parametrize("text", ["", "no key", *PRIVATE_FORMS.values()])
def test_what_is_no_public_key_is_left_to_admission_to_refuse(text: str) -> None:
    try:
        found = admission.type_of(text)
    except Invalid as error:
        assert_nothing_is_quoted(text, str(error))
    else:
        assert found is KeyType.ED25519
        refusal(found, text)


def assert_admitted_or_refused(key_type: KeyType, text: str) -> None:
    stored = refused = None
    try:
        stored = admission.admit(key_type, text)
    except Invalid as error:
        refused = error

    if refused is None:
        assert stored is not None
        assert admission.admit(key_type, stored) == stored
        assert not verifying.verifier_for(key_type, public_key=stored).verify(b"", "")
    else:
        assert (refused.__cause__, refused.__context__) == (None, None)
        assert [problem.field for problem in refused.problems] == ["public_key"]


@given(key_type=KEY_TYPES, text=ANY_TEXT)
def test_any_text_is_admitted_or_refused(key_type: KeyType, text: str) -> None:
    assert_admitted_or_refused(key_type, text)


@given(key_type=KEY_TYPES, octets=st.binary(max_size=400))
def test_any_bytes_are_admitted_or_refused(key_type: KeyType, octets: bytes) -> None:
    assert_admitted_or_refused(key_type, base64.b64encode(octets).decode())
    assert_admitted_or_refused(key_type, pem_of(octets))
    assert_admitted_or_refused(key_type, pem_of(octets, "RSA PUBLIC KEY"))
    assert_admitted_or_refused(key_type, octets.decode("latin-1"))


@given(
    key_type=KEY_TYPES,
    pem=st.sampled_from([ED25519, RSA_2048, *PRIVATE_FORMS.values()]),
    at=st.integers(0, 3000),
    length=st.integers(0, 40),
    put=st.text("-ABEGINPRVTUCKY= \n\x00\x7f", max_size=8) | ANY_TEXT,
)
def test_a_mutated_pem_is_admitted_or_refused(
    key_type: KeyType, pem: str, at: int, length: int, put: str
) -> None:
    assume(at < len(pem))
    assert_admitted_or_refused(key_type, pem[:at] + put + pem[at + length :])


@given(
    key_type=KEY_TYPES,
    der=st.sampled_from([der_of(ED25519), der_of(RSA_2048), *OTHER_KINDS.values()]),
    at=st.integers(0, 300),
    length=st.integers(0, 4),
    put=st.binary(max_size=4),
)
def test_mutated_der_is_admitted_or_refused(
    key_type: KeyType, der: bytes, at: int, length: int, put: bytes
) -> None:
    assume(at < len(der))
    mutated = der[:at] + put + der[at + length :]
    assert_admitted_or_refused(key_type, base64.b64encode(mutated).decode())
    assert_admitted_or_refused(key_type, pem_of(mutated, "RSA PUBLIC KEY"))
