"""GitHub's signatures and public keys: whose word is taken, and how seldom anybody is asked."""

import base64
import collections
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from structlog.testing import capture_logs

from tenure import settings
from tenure.domain.errors import Unavailable
from tenure.services import github
from tenure.services.github import FETCH_EVERY_S, KEPT_S, UNKNOWN_MAX, UNKNOWN_S, GitHub
from tenure.services.outbound.egress import Answer
from tenure.services.outbound.outcome import Failed
from tests import signers
from tests.domain.test_vectors import shared
from tests.fakes import FakeClock
from tests.services.outbound import receiver as running

# What GitHub's page on the partner programme shows: a message, its signature, and the identifier
# and public key it is by; and the same of an older edition of that page.
_SIGNATURE = (
    "MEQCIQDaMKqrGnE27S0kgMrEK0eYBmyG0LeZismAEz/BgZyt7AIfXt9fErtRS4XaeSt/AO1RtBY66YcAdjxji410VQV4"
    "xg=="
)
_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYAGMWO8XgCamYKMJS6jc/qgvSlAd"
    "AjPuDPRcXU22YxgBrz+zoN19MzuRyW87qEt9/AmtoNP5GrobzUvQSyJFVw=="
)
_BODY = (
    b'[{"source":"commit","token":"some_token","type":"some_type",'
    b'"url":"https://example.com/base-repo-url/"}]'
)
_OLDER_SIGNATURE = (
    "MEUCIFLZzeK++IhS+y276SRk2Pe5LfDrfvTXu6iwKKcFGCrvAiEAhHN2kDOhy2I6eGkOFmxNkOJ+L2y8oQ9A2T9GGJo6"
    "WJY="
)
_OLDER_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEsz9ugWDj5jK5ELBK42ynytbo38gP"
    "HzZFI03Exwz8Lh/tCfL3YxwMdLjB+bMznsanlhK0RwcGP3IDb34kQDIo3Q=="
)
_OLDER_BODY = b'[{"token":"some_token","type":"some_type","url":"some_url","source":"some_source"}]'
SAMPLES: Final = (
    (
        _BODY,
        "bcb53661c06b4728e59d897fb6165d5c9cda0fd9cdf9d09ead458168deb7518c",
        _SIGNATURE,
        _KEY,
    ),
    (
        _OLDER_BODY,
        "f9525bf080f75b3506ca1ead061add62b8633a346606dc5fe544e29231c6ee0d",
        _OLDER_SIGNATURE,
        _OLDER_KEY,
    ),
)
ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of P-256's group: (r, s) and (r, ORDER - s) are both signatures."""
PRIVATE: Final = ec.derive_private_key(20_210_709, ec.SECP256R1())
BODY: Final = b'[{"token": "x", "type": "t"}]'


def pem_of(text: str) -> str:
    return f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n"


def public_pem(private: ec.EllipticCurvePrivateKey = PRIVATE) -> str:
    public = private.public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def sign(body: bytes = BODY) -> str:
    """Sign as GitHub would, with a key of our own."""
    return base64.b64encode(PRIVATE.sign(body, ec.ECDSA(SHA256()))).decode()


def turned(signature: str) -> str:
    """Return the other signature that everybody can make of one: (r, n - s)."""
    r, s = decode_dss_signature(base64.b64decode(signature))
    return base64.b64encode(encode_dss_signature(r, ORDER - s)).decode()


def published(*keys: tuple[str, str]) -> Answer:
    """Return the document with the public keys, by identifier."""
    rows = [{"key_identifier": name, "key": pem, "is_current": True} for name, pem in keys]
    return Answer(status=200, headers={}, body=json.dumps({"public_keys": rows}).encode())


class Published:
    """Where GitHub's keys are fetched from: what is there, and how often it was asked for."""

    def __init__(self, answer: Answer | Failed | None = None) -> None:
        self.answer = answer or published(("k1", public_pem()))
        self.times = 0

    def fetch(self) -> Answer | Failed:
        """Count, and answer."""
        self.times += 1
        return self.answer


@pytest.mark.parametrize(("body", "identifier", "signature", "key"), SAMPLES)
def test_the_samples_of_github_s_documentation_verify(
    body: bytes, identifier: str, signature: str, key: str
) -> None:
    source = Published(published((identifier, pem_of(key))))
    verifier = GitHub(source.fetch, FakeClock())

    assert verifier.has_signed(body, identifier, signature)
    assert not verifier.has_signed(body + b"\n", identifier, signature)
    parsed = json.dumps(json.loads(body)).encode()
    assert not verifier.has_signed(parsed, identifier, signature), "re-serialised"


def test_wycheproof_ecdsa_signatures_are_all_judged_as_expected() -> None:
    judged: collections.Counter[tuple[str, bool]] = collections.Counter()
    for group in shared("ecdsa_secp256r1_sha256_test.json")["testGroups"]:
        key = github.load(group["publicKeyPem"])
        assert key is not None
        judged.update(
            (
                test["result"],
                github.verify(key, bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"])),
            )
            for test in group["tests"]
        )

    assert judged == {("valid", True): 174, ("invalid", False): 310}


def test_of_every_signature_anybody_can_make_a_second_one() -> None:
    """Why a report is not known by its signature (T19)."""
    verifier = GitHub(Published().fetch, FakeClock())
    signature = sign()

    assert turned(signature) != signature
    assert verifier.has_signed(BODY, "k1", signature)
    assert verifier.has_signed(BODY, "k1", turned(signature))


@pytest.mark.parametrize(
    ("identifier", "signature"),
    [
        ("", sign()),
        ("x" * 129, sign()),
        ("k1", ""),
        ("k1", "x"),
        ("k1", "\u00e4" * 96),
        ("k1", sign() + "\n"),
        ("k1", sign() + sign()),
        ("k1", base64.b64decode(sign()).hex()),
    ],
    # By number: signatures are another text in every process.
    ids=range(8),
)
def test_what_cannot_be_a_signature_is_refused_before_anybody_is_asked(
    identifier: str, signature: str
) -> None:
    source = Published()

    assert not GitHub(source.fetch, FakeClock()).has_signed(BODY, identifier, signature)
    assert source.times == 0


def test_another_key_s_signature_is_none() -> None:
    other = ec.derive_private_key(7, ec.SECP256R1())
    signature = base64.b64encode(other.sign(BODY, ec.ECDSA(SHA256()))).decode()
    source = Published(published(("k1", public_pem()), ("k2", public_pem(other))))
    verifier = GitHub(source.fetch, FakeClock())

    assert not verifier.has_signed(BODY, "k1", signature)
    assert verifier.has_signed(BODY, "k2", signature)


def test_the_public_keys_are_kept_for_a_day() -> None:
    source, clock = Published(), FakeClock()
    verifier = GitHub(source.fetch, clock)
    for _ in range(3):
        assert verifier.has_signed(BODY, "k1", sign())
    clock.advance(KEPT_S * 1000 - 1)
    assert verifier.has_signed(BODY, "k1", sign())
    assert source.times == 1

    source.answer = published(("k2", public_pem()))
    clock.advance(1)
    assert not verifier.has_signed(BODY, "k1", sign()), "withdrawn"
    assert source.times == 2


def test_unknown_identifiers_make_nobody_fetch_more_than_once_a_minute() -> None:
    source, clock = Published(), FakeClock()
    verifier = GitHub(source.fetch, clock)
    for number in range(100):
        assert not verifier.has_signed(BODY, f"made up {number}", sign())
        clock.advance(FETCH_EVERY_S * 10 - 1)  # A hundredth of a minute.
    assert verifier.has_signed(BODY, "k1", sign())
    assert source.times == 1

    clock.advance(FETCH_EVERY_S * 1000)
    assert not verifier.has_signed(BODY, "another", sign())
    assert source.times == 2


def test_an_unknown_identifier_is_remembered_as_such() -> None:
    source, clock = Published(), FakeClock()
    verifier = GitHub(source.fetch, clock)
    assert not verifier.has_signed(BODY, "made up", sign())

    clock.advance(UNKNOWN_S * 1000 - 1)
    assert not verifier.has_signed(BODY, "made up", sign())
    assert source.times == 1
    clock.advance(1)
    assert not verifier.has_signed(BODY, "made up", sign())
    assert source.times == 2


def test_what_strangers_make_up_is_not_remembered_without_bound() -> None:
    source = Published()
    verifier = GitHub(source.fetch, FakeClock())
    for number in range(UNKNOWN_MAX + 50):
        verifier.has_signed(BODY, f"made up {number}", sign())

    assert len(verifier._unknown) == UNKNOWN_MAX  # noqa: SLF001 - its size shows nowhere else
    assert source.times == 1


def test_a_new_key_of_github_s_is_found_within_a_minute() -> None:
    source, clock = Published(), FakeClock()
    verifier = GitHub(source.fetch, clock)
    assert verifier.has_signed(BODY, "k1", sign())

    source.answer = published(("k1", public_pem()), ("k2", public_pem()))
    assert verifier.has_signed(BODY, "k1", sign())
    clock.advance(FETCH_EVERY_S * 1000)
    assert verifier.has_signed(BODY, "k2", sign())
    assert source.times == 2


@pytest.mark.parametrize(
    "answer",
    [
        Failed(reason="no answer in time"),
        Answer(status=500, headers={}),
        Answer(status=302, headers={}),
        Answer(status=200, headers={}, body=b""),
        Answer(status=200, headers={}, body=b"<html>"),
        Answer(status=200, headers={}, body=b"\xff"),
        Answer(status=200, headers={}, body=b"[" * 100_000),
        Answer(status=200, headers={}, body=b'{"public_keys": [{"key": "x"}]}'),
    ],
)
def test_without_github_s_keys_nobody_is_told_yes_or_no(answer: Answer | Failed) -> None:
    source, clock = Published(answer), FakeClock()
    verifier = GitHub(source.fetch, clock)
    with capture_logs() as logged:
        for _ in range(3):
            with pytest.raises(Unavailable) as raised:
                verifier.has_signed(BODY, "k1", sign())
            assert raised.value.code == "github_keys"
    assert len(logged) == source.times == 1

    source.answer = published(("k1", public_pem()))
    clock.advance(FETCH_EVERY_S * 1000)
    assert verifier.has_signed(BODY, "k1", sign())


def test_keys_that_cannot_be_renewed_are_not_believed_for_ever() -> None:
    source, clock = Published(), FakeClock()
    verifier = GitHub(source.fetch, clock)
    assert verifier.has_signed(BODY, "k1", sign())
    source.answer = Failed(reason="no answer in time")
    clock.advance(KEPT_S * 1000)

    with pytest.raises(Unavailable):
        verifier.has_signed(BODY, "k1", sign())


@pytest.mark.parametrize(
    "pem",
    [
        "",
        "nonsense",
        pem_of("AAAA"),
        public_pem(ec.derive_private_key(5, ec.SECP384R1())),
        signers.private_key(),
        "\u00e4",
    ],
)
def test_a_key_of_another_kind_is_passed_over(pem: str) -> None:
    source = Published(published(("odd", pem), ("k1", public_pem())))
    verifier = GitHub(source.fetch, FakeClock())

    assert github.load(pem) is None
    assert not verifier.has_signed(BODY, "odd", sign())
    assert verifier.has_signed(BODY, "k1", sign())


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Any]:
    """Return a server where the public keys can be fetched over TLS, at `/keys`."""
    with running.receiving(tmp_path) as receiver:
        receiver.documents["/keys"] = published(("k1", public_pem())).body
        yield receiver


def test_the_settings_say_where_the_keys_are(served: running.Receiver, tmp_path: Path) -> None:
    given = settings.load(
        home=tmp_path,
        github_keys_url=served.url("/keys", name="127.0.0.1"),
        egress_trust_file=served.trust_file,
    )
    verifier = GitHub.of(given, FakeClock())

    assert verifier is not None
    assert verifier.has_signed(BODY, "k1", sign())
    assert [request.path for request in served.received] == ["/keys"]
    assert GitHub.of(settings.load(home=tmp_path, github_keys_url=""), FakeClock()) is None
