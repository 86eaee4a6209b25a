"""
The native scheme by itself: what is read, what is refused, and what a signature then covers.

RFC 9421's own examples cover other components than this profile demands, so they are held against
the signature base alone; that requests of the profile are read as others write them is shown with
an independent signer.
"""

import base64
import datetime
import hashlib
import hmac
from dataclasses import replace
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from http_message_signatures import HTTPMessageSigner, algorithms

from tenure.domain import decide, messages, signing
from tenure.domain.decide import Allowed, Reason
from tenure.domain.messages import SignedMessage
from tenure.domain.model import ApiKey, KeyType
from tenure.domain.signing import Fault, Malformed
from tests import signers
from tests.builders import TRADING, a_key, an_address, load, ms
from tests.native import COVERED, DIGEST, HOST, Request, as_base64, digest

AT = "2021-12-01 10:00"
AT_S = ms(AT) // 1000
KEY = a_key(TRADING, key_type=KeyType.ED25519)
BODY = b'{"quantity":"1"}'
ALGORITHMS = {
    KeyType.HMAC: "hmac-sha256",
    KeyType.RSA: "rsa-v1_5-sha256",
    KeyType.ED25519: "ed25519",
}


def a_request(key: ApiKey = KEY, **more: object) -> Request:
    return replace(Request(api_key=key.api_key, created_s=AT_S), **more)  # type: ignore[arg-type]  # its own fields


def signed_headers(request: Request, key: ApiKey = KEY) -> dict[str, str]:
    return request.headers(lambda base: signers.sign(key.key_type, base))


def read(
    request: Request, headers: dict[str, str], body: bytes | None = None
) -> SignedMessage | Malformed:
    body = request.body if body is None else body
    return messages.parse(request.method, request.target, headers, body, an_address())


def judged(
    request: Request,
    headers: dict[str, str],
    key: ApiKey = KEY,
    *,
    at_ms: int = AT_S * 1000,
    body: bytes | None = None,
) -> Reason | None:
    """Return why it is refused, None where it is allowed."""
    read_as = read(request, headers, body)
    if isinstance(read_as, Malformed):
        return Reason.REQUEST_MALFORMED
    outcome = decide.decide(read_as, TRADING, load(key), at_ms)
    return None if isinstance(outcome, Allowed) else outcome.reason


# RFC 9421, appendix B.2.5 and B.2.6: the keys of B.1.5 and B.1.4, the request of B.2.
RFC_SECRET = base64.b64decode(
    "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="
)
RFC_ED25519 = b"""-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=
-----END PUBLIC KEY-----
"""
RFC_VALUES = {
    "date": "Tue, 20 Apr 2021 02:07:55 GMT",
    "@method": "POST",
    "@path": "/foo",
    "@authority": "example.com",
    "content-type": "application/json",
    "content-length": "18",
}


def rfc_base(names: str, keyid: str) -> bytes:
    covered = [(name, RFC_VALUES[name]) for name in names.split()]
    listed = " ".join(f'"{name}"' for name in names.split())
    return messages.signature_base(covered, f'({listed});created=1618884473;keyid="{keyid}"')


def test_the_signature_base_is_that_of_the_rfc_for_hmac() -> None:
    """RFC 9421 B.2.5."""
    base = rfc_base("date @authority content-type", "test-shared-secret")
    assert base.decode() == (
        '"date": Tue, 20 Apr 2021 02:07:55 GMT\n'
        '"@authority": example.com\n'
        '"content-type": application/json\n'
        '"@signature-params": ("date" "@authority" "content-type")'
        ';created=1618884473;keyid="test-shared-secret"'
    )
    code = hmac.new(RFC_SECRET, base, hashlib.sha256).digest()
    assert code == base64.b64decode("pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=")


def test_the_signature_base_is_that_of_the_rfc_for_ed25519() -> None:
    """RFC 9421 B.2.6."""
    names = "date @method @path @authority content-type content-length"
    signature = (
        "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
    )
    key = load_pem_public_key(RFC_ED25519)
    assert isinstance(key, Ed25519PublicKey)
    key.verify(base64.b64decode(signature), rfc_base(names, "test-key-ed25519"))


def test_the_digest_is_that_of_the_rfc() -> None:
    """RFC 9530, appendix D: the body of RFC 9421's own request."""
    expected = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"
    assert messages.content_digest(b'{"hello": "world"}') == expected


@pytest.mark.parametrize("key_type", list(KeyType))
@pytest.mark.parametrize("body", [b"", BODY])
@pytest.mark.parametrize("names_alg", [False, True])
def test_a_request_is_read_as_an_independent_signer_writes_it(
    key_type: KeyType, body: bytes, *, names_alg: bool
) -> None:
    """The parties share the RFC and no line of code."""
    key = a_key(TRADING, key_type=key_type)
    sent = SimpleNamespace(
        method="POST", url=f"https://{HOST.upper()}/api/v3/order?symbol=A%20B", headers={}
    )
    algorithm = {
        KeyType.HMAC: algorithms.HMAC_SHA256,
        KeyType.RSA: algorithms.RSA_V1_5_SHA256,
        KeyType.ED25519: algorithms.ED25519,
    }[key_type]
    signer = HTTPMessageSigner(signature_algorithm=algorithm)
    prepared = signer.prepare(
        sent,
        key_id=key.api_key,
        created=datetime.datetime.fromtimestamp(AT_S, datetime.UTC),
        nonce="4e4f-4e43/45==",
        include_alg=names_alg,
        covered_component_ids=COVERED,
        body=body or None,
    )
    signature = as_base64(signers.sign(key_type, prepared.signature_base))
    signer.apply(sent, prepared, base64.b64decode(signature))

    headers = {name.lower(): value for name, value in sent.headers.items()}
    request = a_request(key, target="/api/v3/order?symbol=A%20B", body=body)
    assert judged(request, headers | {"host": HOST.upper()}, key) is None


@pytest.mark.parametrize("key_type", list(KeyType))
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"body": BODY},
        {"covered": (*COVERED, DIGEST)},
        {"method": "GET", "target": "/api/v3/account"},
        {"method": "DELETE", "target": "/?", "host": "[2001:db8::1]:8443"},
        {"covered": tuple(reversed(COVERED)), "label": "*x.y-z_1"},
        {"nonce": "n" * 128},
        {"target": "/a?symbol=%C3%A9&signatures=1&Signature=2&a.signature=3"},
    ],
)
def test_a_whole_request_is_allowed(key_type: KeyType, more: dict[str, object]) -> None:
    key = a_key(TRADING, key_type=key_type)
    request = a_request(key, **more)
    assert judged(request, signed_headers(request, key), key) is None
    request = replace(request, more={"alg": f'"{ALGORITHMS[key_type]}"'})
    assert judged(request, signed_headers(request, key), key) is None


def test_what_is_read_says_all_that_is_judged() -> None:
    request = a_request(body=BODY)
    found = read(request, signed_headers(request))

    assert isinstance(found, SignedMessage)
    assert (found.api_key, found.nonce) == (KEY.api_key, "a-nonce")
    assert found.timestamp_us == AT_S * 1_000_000
    assert found.recv_window_us == 5_000_000
    assert found.content_digest == digest(BODY)
    assert found.address == an_address()
    assert found.decoded_payload() is None


def test_native_is_what_has_signature_input() -> None:
    assert messages.is_native({"signature-input": ""})
    assert not messages.is_native({"signature": "sig=:AA==:", "host": HOST})


# BI-18: one part of what was signed replaced in what is sent, the signature kept.
MOVED = {
    "a GET's signature on DELETE": {"method": "DELETE"},
    "another path": {"target": "/api/v3/order/test?symbol=A&side=BUY"},
    "a longer path": {"target": "/api/v3/order/?symbol=A&side=BUY"},
    "another query": {"target": "/api/v3/order?symbol=B&side=BUY"},
    "no query": {"target": "/api/v3/order"},
    "the border of path and query moved": {"target": "/api/v3/order%3Fsymbol=A&side=BUY"},
    "the same query in other words": {"target": "/api/v3/order?symbol=%41&side=BUY"},
}


@pytest.mark.parametrize("key_type", list(KeyType))
@pytest.mark.parametrize("moved", MOVED.values(), ids=MOVED)
def test_a_signature_is_good_for_its_own_request_alone(
    key_type: KeyType, moved: dict[str, object]
) -> None:
    key = a_key(TRADING, key_type=key_type)
    request = a_request(key, method="GET")
    headers = signed_headers(request, key)
    assert judged(request, headers, key) is None
    assert judged(replace(request, **moved), headers, key) is Reason.SIGNATURE_INVALID  # type: ignore[arg-type]  # its own fields


def test_a_signature_is_good_for_its_own_host_alone() -> None:
    request = a_request()
    headers = signed_headers(request)
    for host in ("api.example.org", "api.example.com:8443", "example.com"):
        assert judged(request, headers | {"host": host}) is Reason.SIGNATURE_INVALID
    assert judged(request, headers | {"host": "API.Example.COM"}) is None


def test_bytes_moved_between_query_and_body_are_another_request() -> None:
    """BI-20: what the `binance` profile cannot tell apart."""
    request = a_request(target="/api/v3/order?quantity=1", body=b"0&price=5")
    headers = signed_headers(request)
    assert judged(request, headers) is None

    moved = replace(request, target="/api/v3/order?quantity=10", body=b"&price=5")
    assert judged(moved, headers) is Reason.REQUEST_MALFORMED
    with_its_digest = headers | {DIGEST: digest(b"&price=5")}
    assert judged(moved, with_its_digest) is Reason.SIGNATURE_INVALID


def test_a_body_that_was_changed_is_refused() -> None:
    """BI-21: with its digest kept, with another digest, and without any."""
    request = a_request(body=BODY)
    headers = signed_headers(request)
    changed = BODY.replace(b"1", b"9")

    assert judged(request, headers, body=changed) is Reason.REQUEST_MALFORMED
    with_its_digest = headers | {DIGEST: digest(changed)}
    assert judged(request, with_its_digest, body=changed) is Reason.SIGNATURE_INVALID
    assert judged(request, headers, body=b"") is Reason.REQUEST_MALFORMED
    del headers[DIGEST]
    assert judged(request, headers) is Reason.REQUEST_MALFORMED


def test_a_body_nobody_signed_is_refused() -> None:
    request = a_request()
    headers = signed_headers(request)
    assert judged(request, headers) is None
    assert judged(request, headers, body=b"a") is Reason.REQUEST_MALFORMED
    assert judged(request, headers | {DIGEST: digest(b"a")}, body=b"a") is Reason.REQUEST_MALFORMED


def test_without_the_body_its_digest_is_signed_and_handed_on() -> None:
    """Gateways ask without the body: whoever has it compares."""
    request = a_request(body=BODY)
    found = messages.parse("POST", request.target, signed_headers(request), None, an_address())
    assert isinstance(found, SignedMessage)
    assert found.content_digest == digest(BODY)

    request = a_request()
    found = messages.parse("POST", request.target, signed_headers(request), None, an_address())
    assert isinstance(found, SignedMessage)
    assert found.content_digest == ""


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
        f"{digest(BODY)}, sha-512=:AA==:",
        digest(BODY).upper(),
        f" {digest(BODY)}",
        digest(BODY).replace("=:", ":"),
        digest(BODY)[:-4] + "x=:",
    ],
)
def test_a_digest_has_one_kind_and_one_spelling(sent: str) -> None:
    request = a_request(body=BODY)
    headers = signed_headers(request) | {DIGEST: sent}
    for body in (BODY, None):
        found = messages.parse("POST", request.target, headers, body, an_address())
        assert found == Malformed(Fault.MALFORMED, DIGEST)


@pytest.mark.parametrize("missing", COVERED)
def test_a_component_that_is_not_covered_is_refused(missing: str) -> None:
    """BI-18."""
    covered = tuple(name for name in COVERED if name != missing)
    request = a_request(covered=covered)
    assert judged(request, signed_headers(request)) is Reason.REQUEST_MALFORMED


@pytest.mark.parametrize(
    "extra", ["@path", "date", "@scheme", "@target-uri", "@signature-params", "@query-param"]
)
def test_a_component_beyond_those_is_refused(extra: str) -> None:
    request = a_request(covered=(*COVERED, extra))
    assert judged(request, signed_headers(request)) is Reason.REQUEST_MALFORMED


@pytest.mark.parametrize("key_type", list(KeyType))
@pytest.mark.parametrize(
    "named",
    [
        *ALGORITHMS.values(),
        *("rsa-pss-sha512", "ecdsa-p256-sha256", "none", "HMAC-SHA256", "hmac-sha-256", ""),
    ],
)
def test_an_algorithm_that_is_named_must_be_the_key_s(key_type: KeyType, named: str) -> None:
    """BI-18, T17, I18: nothing is chosen by it, it can only be wrong."""
    key = a_key(TRADING, key_type=key_type)
    request = a_request(key, more={"alg": f'"{named}"'})
    is_right = named == ALGORITHMS[key_type]
    expected = None if is_right else Reason.REQUEST_MALFORMED
    assert judged(request, signed_headers(request, key), key) is expected


@pytest.mark.parametrize("key_type", [KeyType.RSA, KeyType.ED25519])
def test_a_public_key_is_no_secret(key_type: KeyType) -> None:
    """T17, BI-16: an HMAC code made with what everybody knows, with and without its name."""
    key = a_key(TRADING, key_type=key_type)
    assert key.public_key is not None
    pem = key.public_key.encode()
    for more in ({}, {"alg": '"hmac-sha256"'}):
        request = a_request(key, more=more)
        headers = request.headers(lambda base: signers.hmac_sign(pem, base))
        assert judged(request, headers, key) is Reason.SIGNATURE_INVALID


def test_a_code_in_hex_is_no_signature_here() -> None:
    """BI-14: the 64 digits of the right code happen to be base64 as well."""
    key = a_key(TRADING, key_type=KeyType.HMAC)
    request = a_request(key)
    headers = signed_headers(request, key)
    assert judged(request, headers, key) is None

    code = base64.b64decode(headers["signature"][6:-1]).hex()
    headers["signature"] = f"sig1=:{code}:"
    assert judged(request, headers, key) is Reason.REQUEST_MALFORMED


PARAMETERS = {
    "no created": {"created": None},
    "created in milliseconds": {"created": f"{AT_S}000"},
    "created with a fraction": {"created": f"{AT_S}.5"},
    "created as a string": {"created": f'"{AT_S}"'},
    "created with a sign": {"created": f"+{AT_S}"},
    "created with a zero in front": {"created": f"0{AT_S}"[:10]},
    "created in full-width digits": {"created": "".join(chr(0xFEE0 + ord(d)) for d in str(AT_S))},
    "created with an underscore": {"created": f"{AT_S}"[:8] + "_1"},
    "no keyid": {"keyid": None},
    "keyid as a bare word": {"keyid": KEY.api_key},
    "an empty keyid": {"keyid": '""'},
    "a keyid of a kilobyte": {"keyid": '"' + "a" * 1024 + '"'},
    "a keyid with a blank": {"keyid": f'"{KEY.api_key} "'},
    "no nonce": {"nonce": None},
    "an empty nonce": {"nonce": '""'},
    "a nonce as a number": {"nonce": "1"},
    "a nonce with an escape": {"nonce": r'"a\"b"'},
    "a nonce with a blank": {"nonce": '"a b"'},
    "a nonce with a line break": {"nonce": '"a\nb"'},
    "a nonce beyond ASCII": {"nonce": '"é"'},
    "a nonce of 129 characters": {"nonce": '"' + "a" * 129 + '"'},
    "expires": {"expires": f"{AT_S + 60}"},
    "a tag": {"tag": '"app"'},
    "alg as a bare word": {"alg": "ed25519"},
}


@pytest.mark.parametrize("parameters", PARAMETERS.values(), ids=PARAMETERS)
def test_parameters_are_these_and_so_spelt(parameters: dict[str, str | None]) -> None:
    """T5: a whole number of seconds in ten ASCII digits, and so on."""
    request = a_request()
    given = {"created": str(AT_S), "keyid": f'"{KEY.api_key}"', "nonce": '"a-nonce"', **parameters}
    tail = "".join(f";{name}={value}" for name, value in given.items() if value is not None)
    names = " ".join(f'"{name}"' for name in COVERED)
    headers = signed_headers(request) | {"signature-input": f"sig1=({names}){tail}"}
    assert judged(request, headers) is Reason.REQUEST_MALFORMED


NAMES = '("@method" "@authority" "@path" "@query")'
GIVEN = f';created={AT_S};keyid="{KEY.api_key}";nonce="a-nonce"'
INPUTS = {
    "empty": "",
    "no parameters": f"sig1={NAMES}",
    "no components": f"sig1=(){GIVEN}",
    "a blank in front": f" sig1={NAMES}{GIVEN}",
    "a line break behind": f"sig1={NAMES}{GIVEN}\n",
    "two blanks between components": f"sig1={NAMES.replace(' ', '  ')}{GIVEN}",
    "a blank before a parameter": f"sig1={NAMES}{GIVEN.replace(';', '; ')}",
    "a component with a parameter": "sig1=" + NAMES.replace('@path"', '@path";req') + GIVEN,
    "a component in upper case": f"sig1={NAMES.replace('path', 'PATH')}{GIVEN}",
    "components as bare words": "sig1=" + NAMES.replace('"', "") + GIVEN,
    "a label in upper case": f"SIG1={NAMES}{GIVEN}",
    "no label": f"={NAMES}{GIVEN}",
    "two signatures": f"sig1={NAMES}{GIVEN}, sig2={NAMES}{GIVEN}",
    "the same signature twice": f"sig1={NAMES}{GIVEN}, sig1={NAMES}{GIVEN}",
    "a parameter twice": f"sig1={NAMES}{GIVEN};created={AT_S}",
    "a parameter without value": f"sig1={NAMES}{GIVEN};alg",
    "a token": "sig1=ed25519",
    "ten kilobytes": f"sig1={NAMES}{GIVEN}" + ";a=1" * 2_500,
}


@pytest.mark.parametrize("sent", INPUTS.values(), ids=INPUTS)
def test_signature_input_has_one_spelling(sent: str) -> None:
    request = a_request()
    headers = signed_headers(request) | {"signature-input": sent}
    assert read(request, headers) == Malformed(Fault.MALFORMED, "signature-input")


def test_without_signature_input_nothing_is_signed() -> None:
    request = a_request()
    headers = signed_headers(request)
    del headers["signature-input"]
    assert read(request, headers) == Malformed(Fault.MISSING, "signature-input")


GOOD = signed_headers(a_request())["signature"][6:-1]
SIGNATURES = {
    "empty": "",
    "none at all": "sig1=::",
    "of another label": f"sig2=:{GOOD}:",
    "two": f"sig1=:{GOOD}:, sig2=:{GOOD}:",
    "as a string": f'sig1="{GOOD}"',
    "a blank in it": f"sig1=: {GOOD}:",
    "a line break in it": f"sig1=:{GOOD[:40]}\n{GOOD[40:]}:",
    "a line break behind": f"sig1=:{GOOD}:\n",
    "url-safe": f"sig1=:{GOOD[:-3]}-==:",
    "without padding": f"sig1=:{GOOD.rstrip('=')}:",
    "stray bits": f"sig1=:{GOOD[:-3]}{'R' if GOOD[-3] == 'Q' else 'B'}==:",
    "a byte short": f"sig1=:{base64.b64encode(base64.b64decode(GOOD)[:-1]).decode()}:",
    "a byte long": f"sig1=:{base64.b64encode(base64.b64decode(GOOD) + b'0').decode()}:",
    "with a parameter": f"sig1=:{GOOD}:;a=1",
}


@pytest.mark.parametrize("sent", SIGNATURES.values(), ids=SIGNATURES)
def test_a_signature_has_one_spelling(sent: str) -> None:
    """BI-12, BI-13, T20."""
    request = a_request()
    headers = signed_headers(request) | {"signature": sent}
    assert read(request, headers) == Malformed(Fault.MALFORMED, "signature")


@pytest.mark.parametrize(
    "spoiled",
    [
        {"method": "get"},
        {"method": ""},
        {"method": "GET\n"},
        {"method": 'POST\n"@path": /other'},
        {"target": ""},
        {"target": "?a=b"},
        {"target": "api/v3/order"},
        {"target": "http://api.example.com/api/v3/order"},
        {"target": "/a b"},
        {"target": "/a#b"},
        {"target": "/a?b#c"},
        {"target": "/é"},
        {"target": "/a?b=é"},
        {"target": "/a\n"},
        {"target": '/a?b\n"@query": ?c'},
    ],
)
def test_nothing_in_a_request_can_end_a_line_of_what_is_signed(spoiled: dict[str, str]) -> None:
    """RFC 9421 7.5.1: else what was signed as one thing could be read as another."""
    request = a_request()
    headers = signed_headers(request)
    assert read(replace(request, **spoiled), headers) == Malformed(Fault.ILLEGAL, "target")  # type: ignore[arg-type]  # texts


@pytest.mark.parametrize("host", ["", "a b", "a\n", "é.example", "a" * 256])
def test_a_host_is_one_word(host: str) -> None:
    request = a_request()
    headers = signed_headers(request)
    assert read(request, headers | {"host": host}) == Malformed(Fault.ILLEGAL, "target")
    del headers["host"]
    assert read(request, headers) == Malformed(Fault.ILLEGAL, "target")


@pytest.mark.parametrize(
    "target", ["/a?signature=00", "/a?b=c&signature=00&d", "/a?signature", "/a?b&signature"]
)
def test_a_request_signed_in_both_ways_is_refused(target: str) -> None:
    request = a_request(target=target)
    headers = signed_headers(request)
    assert read(request, headers) == Malformed(Fault.DUPLICATE, "signature")

    request = a_request()
    headers = signed_headers(request) | {"x-mbx-apikey": KEY.api_key}
    assert read(request, headers) == Malformed(Fault.DUPLICATE, "signature")


def test_the_receive_window_is_the_usual_one_around_a_whole_second() -> None:
    """BI-6, BI-7 for a time in seconds, and the default window of 5 s."""
    request, at_ms = a_request(), AT_S * 1000
    headers = signed_headers(request)

    assert judged(request, headers, at_ms=at_ms + 5_000) is None
    assert judged(request, headers, at_ms=at_ms + 5_001) is Reason.OUTSIDE_RECEIVE_WINDOW
    assert judged(request, headers, at_ms=at_ms - 999) is None
    assert judged(request, headers, at_ms=at_ms - 1_000) is Reason.OUTSIDE_RECEIVE_WINDOW


def test_an_unknown_key_is_refused_like_a_wrong_signature() -> None:
    request = a_request()
    found = read(request, signed_headers(request))
    assert isinstance(found, SignedMessage)
    unknown = decide.decide(found, TRADING, None, AT_S * 1000)
    assert isinstance(unknown, decide.Refused)
    assert unknown.reason is Reason.KEY_UNKNOWN
    assert not decide.REFUSALS[unknown.reason].is_told


def test_what_makes_it_this_request_is_its_nonce() -> None:
    """BI-11: signed anew over another body, at another second, it is the same request."""
    first, second = a_request(), a_request(body=BODY, created_s=AT_S + 1)
    third = a_request(nonce="another")
    marks = []
    for request in (first, second, third):
        found = read(request, signed_headers(request))
        assert isinstance(found, SignedMessage)
        marks.append(found.fingerprint())
    assert marks[0] == marks[1] != marks[2]


def test_no_fingerprint_of_one_scheme_is_one_of_the_other() -> None:
    native = read(a_request(nonce="TQ=="), signed_headers(a_request(nonce="TQ==")))
    binance = signing.parse(KEY.api_key, b"timestamp=1&signature=VFE9PQ==", b"", an_address())
    assert isinstance(native, SignedMessage)
    assert isinstance(binance, signing.SignedRequest)
    assert native.fingerprint() == b"native\0TQ=="
    assert binance.fingerprint() == b"binance\0TQ=="
