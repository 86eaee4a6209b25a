"""
The public corpora, counted: SECURITY section 9 says what of each is accepted and what is not.

Project Wycheproof and C2SP's CCTV are read from `shared/vectors` beside the checkout, and skipped
where that is absent; the vectors of pyca/cryptography are installed with the tests. Signatures
come in binary there, so each is spelled the way its verifier reads it.
"""

import base64
import collections
import json
from pathlib import Path
from typing import Any, Final

import cryptography_vectors
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tenure.domain import admission, verifying
from tenure.domain.errors import Invalid
from tenure.domain.model import KeyType

SHARED: Final = Path(__file__).resolve().parents[3] / "shared" / "vectors"
INSTALLED: Final = Path(cryptography_vectors.__file__).parent

Judged = collections.Counter[tuple[str, bool]]
"""How often a vector of a given result was, or was not, accepted."""


def shared(name: str) -> Any:  # noqa: ANN401 - whatever the file holds
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{name} is not in shared/vectors beside the checkout")
    return json.loads(path.read_text(encoding="utf-8"))


def in_base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def ed25519_pem(point: bytes) -> str:
    return verifying.to_pem(Ed25519PublicKey.from_public_bytes(point))


def is_admitted(key_type: KeyType, public_key: str) -> bool:
    try:
        return bool(admission.admit(key_type, public_key))
    except Invalid:
        return False


def judged(groups: list[dict[str, Any]], verifiers: list[verifying.Verifier]) -> Judged:
    """Count what each group's verifier says to each of the group's signatures."""
    return Judged(
        (
            test["result"],
            verifier.verify(bytes.fromhex(test["msg"]), in_base64(bytes.fromhex(test["sig"]))),
        )
        for group, verifier in zip(groups, verifiers, strict=True)
        for test in group["tests"]
    )


def test_wycheproof_ed25519_signatures_are_all_judged_as_expected() -> None:
    groups = shared("ed25519_test.json")["testGroups"]
    stored = [admission.admit(KeyType.ED25519, group["publicKeyPem"]) for group in groups]
    verifiers = [verifying.verifier_for(KeyType.ED25519, public_key=pem) for pem in stored]

    assert judged(groups, verifiers) == {("valid", True): 88, ("invalid", False): 63}


def test_wycheproof_ed25519_keys_are_admitted_in_der_too() -> None:
    for group in shared("ed25519_test.json")["testGroups"]:
        der = bytes.fromhex(group["publicKeyDer"])
        assert is_admitted(KeyType.ED25519, in_base64(der))


def test_cctv_edge_keys_are_mostly_refused_and_one_signature_verifies_under_the_rest() -> None:
    vectors = shared("cctv_ed25519vectors.json")
    pems = [ed25519_pem(bytes.fromhex(vector["key"])) for vector in vectors]
    accepted = {
        vector["number"]
        for vector, pem in zip(vectors, pems, strict=True)
        if verifying.Ed25519Verifier(pem).verify(
            vector["msg"].encode(), in_base64(bytes.fromhex(vector["sig"]))
        )
    }
    admitted = {
        vector["number"]
        for vector, pem in zip(vectors, pems, strict=True)
        if is_admitted(KeyType.ED25519, pem)
    }

    assert len(vectors) == 914
    assert len(accepted) == 43
    assert len(admitted) == 28
    assert accepted & admitted == {305}
    assert vectors[305]["number"] == 305
    assert not vectors[305]["flags"]


def test_openssl_would_accept_far_more_of_cctv() -> None:
    """Why PyNaCl verifies (D10): if this number falls, look at that choice again."""
    accepted = 0
    for vector in shared("cctv_ed25519vectors.json"):
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(vector["key"]))
        try:
            key.verify(bytes.fromhex(vector["sig"]), vector["msg"].encode())
        except InvalidSignature:
            continue
        accepted += 1

    assert accepted == 208


@pytest.mark.parametrize(
    ("bits", "valid", "invalid"), [(2048, 9, 249), (3072, 8, 250), (4096, 7, 250)]
)
def test_wycheproof_rsa_signatures_are_judged_as_expected(
    bits: int, valid: int, invalid: int
) -> None:
    groups = shared(f"rsa_signature_{bits}_sha256_test.json")["testGroups"]
    verifiers: list[verifying.Verifier] = [
        verifying.RsaVerifier(group["publicKeyPem"]) for group in groups
    ]

    # The one "acceptable" lacks a NULL that the standard demands: refused.
    assert judged(groups, verifiers) == {
        ("valid", True): valid,
        ("invalid", False): invalid,
        ("acceptable", False): 1,
    }


def test_the_three_wycheproof_rsa_vectors_under_an_exponent_of_3_have_inadmissible_keys() -> None:
    refused: list[dict[str, Any]] = []
    for bits in (2048, 3072, 4096):
        for group in shared(f"rsa_signature_{bits}_sha256_test.json")["testGroups"]:
            der = bytes.fromhex(group["publicKeyDer"])
            admitted = is_admitted(KeyType.RSA, group["publicKeyPem"])
            assert is_admitted(KeyType.RSA, in_base64(der)) is admitted
            if not admitted:
                refused.append(group)

    assert [group["publicKey"]["publicExponent"] for group in refused] == ["03"] * 3
    assert [len(group["tests"]) for group in refused] == [1] * 3
    verifiers: list[verifying.Verifier] = [
        verifying.RsaVerifier(group["publicKeyPem"]) for group in refused
    ]
    assert judged(refused, verifiers) == {("valid", True): 3}


def test_wycheproof_hmac_codes_are_accepted_at_full_length_alone() -> None:
    groups = shared("hmac_sha256_test.json")["testGroups"]
    counts = collections.Counter(
        (
            test["result"],
            group["tagSize"],
            verifying.HmacVerifier(bytes.fromhex(test["key"])).verify(
                bytes.fromhex(test["msg"]), test["tag"]
            ),
        )
        for group in groups
        for test in group["tests"]
    )

    assert counts.total() == 174
    assert counts["valid", 256, True] == 33
    assert counts["valid", 128, False] == 33
    assert sum(count for (*_, accepted), count in counts.items() if not accepted) == 141


def test_the_1024_ed25519_signatures_of_the_reference_implementation_verify() -> None:
    lines = (INSTALLED / "asymmetric/Ed25519/sign.input").read_text(encoding="ascii").splitlines()
    assert len(lines) == 1024

    for line in lines:
        _, point, message, signed, _ = line.split(":")
        stored = admission.admit(KeyType.ED25519, ed25519_pem(bytes.fromhex(point)))
        verifier = verifying.Ed25519Verifier(stored)
        payload, signature = bytes.fromhex(message), bytes.fromhex(signed)[:64]
        assert verifier.verify(payload, in_base64(signature))
        assert not verifier.verify(payload + b"\0", in_base64(signature))


def test_the_hmac_codes_of_rfc_4231_verify() -> None:
    text = (INSTALLED / "HMAC/rfc-4231-sha256.txt").read_text(encoding="ascii")
    fields = [line.split(" = ") for line in text.splitlines() if " = " in line]
    examples = [dict(fields[at : at + 4]) for at in range(0, len(fields), 4)]
    assert len(examples) == 6

    for example in examples:
        verifier = verifying.HmacVerifier(bytes.fromhex(example["Key"]))
        payload = bytes.fromhex(example["Msg"])
        assert verifier.verify(payload, example["MD"])
        assert not verifier.verify(payload, example["MD"][:32])
        assert not verifier.verify(payload[:-1], example["MD"])
