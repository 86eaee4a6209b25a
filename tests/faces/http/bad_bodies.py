"""
Bad bodies to the management face, by their number in the table of bad inputs: BI-33 to BI-41.

What may stand in an allowlist, which public keys may be used, what is JSON, what may be a label.
"""

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tests import signers
from tests.domain import test_admission as admission
from tests.domain.signature_cases import public_key_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """An allowlist as sent; either the *field* at fault, or what is *kept* of it."""

    bi: str = "BI-33"
    entries: Sequence[str]
    field: str = ""
    kept: Sequence[str] = ()


ENTRIES: Final = (
    *(
        Entries(entries=[entry], field="ip_allowlist.0")
        for entry in (
            *("010.0.0.1", "10.0.0.1/8", "10.0.0.1/24", "1.2.3.0/0.0.0.255", "1.2.3.4/032"),
            *("fe80::1%eth0", "::/0", "0.0.0.0/0", "10.6.0.0/15", "2001:db8::/31", "::ffff:0:0/96"),
            *("::/64", "", " ", "1.2.3.4 ", "1.2.3.4:443", "[2001:db8::1]", "1.2.3", "0x1020304"),
            *(
                "\uff11.2.3.4",
                "1.2.3.4\x00",
                "1.2.3.4\n",
                "example.com",
                "1.2.3.4/-1",
                "1.2.3.4,1.2.3.5",
            ),
        )
    ),
    Entries(entries=["203.0.113.7", "nonsense"], field="ip_allowlist.1"),
    Entries(entries=[f"203.0.113.{2 * number}" for number in range(31)], field="ip_allowlist.30"),
    Entries(
        entries=["203.0.113.7", "::ffff:203.0.113.7", "203.0.113.7/32", "::FFFF:CB00:7107/128"],
        kept=["203.0.113.7"],
    ),
    Entries(entries=["2001:DB8:0::7", "2001:db8::7"], kept=["2001:db8::7"]),
    Entries(entries=["10.6.0.0/16"], kept=["10.6.0.0/16"]),
    Entries(entries=["2001:db8::/32"], kept=["2001:db8::/32"]),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pasted:
    """What somebody pasted as the public key of a *key_type* key, and *why* it will not do."""

    bi: str
    why: str
    key_type: str
    text: str


def edwards() -> Iterator[Pasted]:
    """BI-34."""

    def row(why: str, text: str) -> Pasted:
        return Pasted(bi="BI-34", why=why, key_type="ed25519", text=text)

    for point in admission.LOW_ORDER:
        yield row(f"low order {point.hex()[:4]}...{point.hex()[-4:]}", _edwards(point))
    prime, base_y = admission.FIELD_PRIME, admission.BASE_Y
    for why, encoded in (
        ("y is the field's prime plus 3", prime + 3),
        ("all ones", 2**256 - 1),
        ("off the curve", 2),
        ("torsion", (prime - base_y) | 1 << 255),
    ):
        yield row(why, _edwards(encoded.to_bytes(32, "little")))
    good = public_key_of("ed25519")
    for bytes_count in (31, 33):
        head = bytes(
            [0x30, 10 + bytes_count, *bytes.fromhex("300506032b657003"), bytes_count + 1, 0]
        )
        yield row(f"{bytes_count} bytes", admission.pem_of(head + b"\x07" * bytes_count))
    yield row("a private key", signers.private_key())
    yield row("two keys", good + good)
    yield row("raw bytes", base64.b64encode(b"\x07" * 32).decode())
    yield row("a key and words", f"{good} is my key")
    yield row("of the other type", public_key_of("rsa-2048"))
    yield row("nothing", "")


def rsa() -> Iterator[Pasted]:
    """BI-35; moduli need not be products of primes to be refused."""

    def row(why: str, text: str) -> Pasted:
        return Pasted(bi="BI-35", why=why, key_type="rsa", text=text)

    for bits in (1024, 1536, 2047, 8192):
        yield row(f"{bits} bits", admission.rsa_pem(2 ** (bits - 1) + 1))
    modulus = admission.modulus_of(public_key_of("rsa-2048"))
    for exponent in (3, 17, 2**64 - 59):
        yield row(f"e = {exponent}", admission.rsa_pem(modulus, exponent))
    yield row("even", admission.rsa_pem(2**2047 + 2))
    yield row("ROCA", admission.rsa_pem(_roca()))
    close = admission.first_without_small_factor(3 * 2**1022 + 1, 2)
    yield row("p = q", admission.rsa_pem(close * close))
    neighbour = admission.first_without_small_factor(close + 2, 2)
    yield row("p next to q", admission.rsa_pem(close * neighbour))
    certificate = admission.vector("../x509/cryptography.io.pem").decode()
    yield row("a certificate", certificate)
    yield row("a certificate without its label", "".join(certificate.split("-----")[2].split()))
    yield row("RSA-PSS", admission.pem_of(admission.OTHER_KINDS["RSA-PSS"]))
    yield row("of the other type", public_key_of("ed25519"))


def _edwards(point: bytes) -> str:
    return admission.pem_of(bytes.fromhex("302a300506032b6570032100") + point)


def _roca() -> int:
    """Return a modulus of 2048 bits that is a power of 65537 modulo each of the marker primes."""
    product = 1
    for number in range(2, 702):
        if all(number % divisor for divisor in range(2, number)):
            product *= number
    modulus = 1
    for power, top in ((12_345, 2**1024), (98_765, 2**1024 - product * 4096)):
        highest = (top // product - 1) * product + pow(65537, power, product)
        modulus *= admission.first_without_small_factor(highest, -product)
    return modulus


PASTED: Final = (*edwards(), *rsa())

# No JSON text, in a field that is refused anyway: so the answer shows that all of it is read first.
UNREADABLE: Final = {
    "nothing": b"",
    "NaN": b'{"surplus": NaN}',
    "Infinity": b'{"surplus": Infinity}',
    "1e400": b'{"surplus": 1e400}',
    "a lone surrogate": rb'{"surplus": "\ud800"}',
    "a lone surrogate in a name": rb'{"\udc00": 1}',
    "100k levels": b'{"surplus": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "100k levels, open": b"[" * 100_000,
    "4,301 digits": b'{"surplus": ' + b"9" * 4_301 + b"}",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"surplus": 1}'.encode("utf-16"),
    "not UTF-8": b'{"surplus": "\xff"}',
    "something behind it": b"{} {}",
    "a comma too many": b'{"surplus": 1,}',
    "a comment": b'{"surplus": 1} // really',
    "a NUL": b'{"surplus": 1}\x00',
}

MARK = "a\u0338"  # Has no composed form.
LABELS: Final[Sequence[tuple[str, str | None]]] = [
    ("bot", "bot"),
    ("  bot  ", "bot"),
    ("x" * 64, "x" * 64),
    ("x" * 65, None),
    ("x" * 1_025, None),
    ("", None),
    (" \t\n ", None),
    # NFC
    ("e\u0301", "\xe9"),
    ("\u212b", "\xc5"),
    ("e\u0301" * 64, "\xe9" * 64),
    (MARK * 32, MARK * 32),
    (MARK * 32 + "a", None),
    ("\u0958" * 33, None),
    ("\ufb01", "\ufb01"),
    ("\u1112\u1161\u11ab", "\ud55c"),
    # Lines and controls
    ("a\nb", None),
    ("a\r\nb", None),
    ("a\x00b", None),
    ("a\x1b[31mb", None),
    ("a\x7fb", None),
    ("a\x85b", None),
    ("a\u2028b", None),
    ("a\u2029b", None),
    # What cannot be seen, or turns what can be round
    ("a\u202eb", None),
    ("\u2066a\u2069", None),
    ("a\u200fb", None),
    ("a\u200bb", None),
    ("a\u200db", None),
    ("\ufeffa", None),
    ("a\xadb", None),
    ("a\xa0b", None),
    ("\ue000", None),
    ("\uffff", None),
    ("\U000e0041", None),
    # Right to left, wide, combined, outside the basic plane
    ("\u05d1\u05d5\u05d8", "\u05d1\u05d5\u05d8"),
    ("\u0628\u0648\u062a", "\u0628\u0648\u062a"),
    ("\u30dc\u30c3\u30c8", "\u30dc\u30c3\u30c8"),
    ("\U0001f916" * 64, "\U0001f916" * 64),
    ("\U00020000", "\U00020000"),
    # What other readers take for something
    ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ('"><img src=x onerror=alert(1)>', '"><img src=x onerror=alert(1)>'),
    ("'; DROP TABLE keys; --", "'; DROP TABLE keys; --"),
    ("%s%n{0}{{7*7}}${7*7}", "%s%n{0}{{7*7}}${7*7}"),
    ("$(reboot) `reboot` && reboot", "$(reboot) `reboot` && reboot"),
    ("=1+1", "=1+1"),
    ("../../etc/passwd", "../../etc/passwd"),
    ("null", "null"),
    ("True", "True"),
    ("\\u0000\\r\\n", "\\u0000\\r\\n"),
    ("[/bold red]", "[/bold red]"),
    ("%0d%0aSet-Cookie: a=b", "%0d%0aSet-Cookie: a=b"),
]
"""A label as sent, and as kept; None where it is refused."""

TOO_LARGE: Final = json.dumps({"label": "x" * 10_000_000, "key_type": "hmac"}).encode()
