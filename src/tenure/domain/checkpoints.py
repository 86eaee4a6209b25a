"""
A checkpoint: what the journal was at one moment, in a form that anybody can hold and check.

The text is a C2SP tlog-checkpoint (origin, size, root), signed as a C2SP signed note with Ed25519;
a proof about one event is a C2SP tlog-proof. Reading is strict: one spelling, no extensions, since
nobody but Tenure writes what is read here. Signing needs the private half and is a service's.
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from tenure.domain import merkle
from tenure.domain.errors import Invalid
from tenure.domain.verifying import decode_base64, ed25519_verifies

NOTE_BYTES_MAX: Final = 16_384
"""More than a checkpoint with the cosignatures of many witnesses."""
_ED25519: Final = b"\x01"
"""The signature type of plain Ed25519 (C2SP signed-note)."""
_KEY_ID_BYTES: Final = 4
_PATH_MAX: Final = 63
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_NAME: Final = re.compile(r"[^\s+]{1,200}")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_DASH: Final = "\N{EM DASH}"
_PROOF: Final = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The journal *origin* had *size* events, and *root* is the hash of their Merkle tree."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed: three lines."""
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n"


@dataclass(frozen=True, slots=True)
class LogKey:
    """The public half (32 bytes) of what signs checkpoints, and the *name* it signs under."""

    name: str
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """Four bytes by which a signature names its key (SECURITY D16)."""
        named = self.name.encode() + b"\n" + _ED25519 + self.public_key
        return hashlib.sha256(named).digest()[:_KEY_ID_BYTES]

    @property
    def text(self) -> str:
        """The key as one word, as C2SP verifiers take it: `name+id+key`."""
        return f"{self.name}+{self.key_id.hex()}+{_base64(_ED25519 + self.public_key)}"

    @classmethod
    def parse(cls, text: str) -> "LogKey":
        """Read such a word; raises Invalid `log_key`."""
        name, _, rest = text.strip().partition("+")
        octets = decode_base64(rest.partition("+")[2]) or b""
        key = cls(name, octets[1:])
        if octets[:1] != _ED25519 or len(octets) != 1 + 32 or key.text != text.strip():
            raise Invalid("log_key", "is no public half of a log key: name+id+key, in one word")
        if not _NAME.fullmatch(name):
            raise Invalid("log_key", "names no key")
        return key

    def signed(self, checkpoint: Checkpoint, signature: bytes) -> str:
        """Return *checkpoint* as a signed note; *signature* is of its text, by the private half."""
        return f"{checkpoint.text}\n{_DASH} {self.name} {_base64(self.key_id + signature)}\n"


class Proved(NamedTuple):
    """That event *seq*, whose line is *entry*, is under *checkpoint*."""

    seq: int
    entry: bytes
    checkpoint: Checkpoint


def read(raw: bytes, keys: Sequence[LogKey]) -> Checkpoint:
    """
    Return the checkpoint in the signed note *raw*, signed by one of *keys*.

    Signatures of others, witnesses perhaps, are passed over. Raises Invalid `checkpoint`.
    """
    text, lines = _note(raw)
    known = {(key.name, key.key_id): key for key in keys}
    verified = 0
    for line in lines:
        name, octets = _signature(line)
        key = known.get((name, octets[:_KEY_ID_BYTES]))
        if key is None:
            continue
        if not ed25519_verifies(key.public_key, text.encode(), octets[_KEY_ID_BYTES:]):
            raise Invalid("checkpoint", f"the signature of {name} is wrong: it was altered")
        verified += 1
    if not verified:
        raise Invalid("checkpoint", "no key that is trusted here has signed it")
    return _checkpoint(text)


def claims(raw: bytes) -> Checkpoint:
    """Return what the note *raw* says without believing it; raises Invalid `checkpoint`."""
    return _checkpoint(_note(raw)[0])


def proof(seq: int, entry: bytes, path: Sequence[bytes], note: str) -> str:
    """Return the proof that event *seq* is under the checkpoint *note*; *entry* is its line."""
    first = [_PROOF, f"extra {_base64(entry)}", f"index {seq - 1}"]
    return "\n".join([*first, *(_base64(item) for item in path), "", note])


def is_proof(raw: bytes) -> bool:
    """Whether *raw* begins as a proof does."""
    return raw.startswith(_PROOF.encode() + b"\n")


def read_proof(raw: bytes, keys: Sequence[LogKey]) -> Proved:
    """
    Return what the C2SP tlog-proof *raw* proves, under a checkpoint signed by one of *keys*.

    Raises Invalid: `proof` where it proves nothing or cannot be read, `checkpoint`.
    """
    head, _, note = raw.partition(b"\n\n")
    first, extra, index, *path = [*head.decode("ascii", "replace").split("\n"), "", ""]
    entry = decode_base64(extra.removeprefix("extra "))
    number = index.removeprefix("index ")
    hashes = [decode_base64(line) or b"" for line in path[:-2]]
    is_readable = (first, extra[:6], index[:6]) == (_PROOF, "extra ", "index ")
    if not is_readable or entry is None or not _NUMBER.fullmatch(number):
        raise Invalid("proof", f"is no {_PROOF} with an event in it")
    if len(hashes) > _PATH_MAX or any(len(item) != merkle.HASH_BYTES for item in hashes):
        raise Invalid("proof", "has a path that is none")
    signed, seq = read(note, keys), int(number) + 1
    leaf = merkle.leaf_hash(entry)
    if not merkle.includes(signed.root, signed.size, leaf, seq - 1, hashes):
        raise Invalid("proof", f"does not lead from its event to the root of {signed.size} events")
    return Proved(seq, entry, signed)


def _note(raw: bytes) -> tuple[str, list[str]]:
    if len(raw) > NOTE_BYTES_MAX:
        raise Invalid("checkpoint", "is longer than any checkpoint")
    try:
        whole = raw.decode()
    except UnicodeDecodeError as error:
        raise Invalid("checkpoint", "is no text") from error
    text, blank, signatures = whole.rpartition("\n\n")
    if not blank or not signatures.endswith("\n") or _CONTROL.search(whole):
        raise Invalid("checkpoint", "is no signed note: text, an empty line, signatures")
    return text + "\n", signatures[:-1].split("\n")


def _signature(line: str) -> tuple[str, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    octets = decode_base64(encoded)
    if dash != _DASH or not _NAME.fullmatch(name) or not octets:
        raise Invalid("checkpoint", f"{line[:40]!r} is no signature")
    return name, octets


def _checkpoint(text: str) -> Checkpoint:
    lines = text[:-1].split("\n")
    if len(lines) != 3:  # noqa: PLR2004 - origin, size, root
        raise Invalid("checkpoint", "has other lines than origin, size and root")
    origin, size, encoded = lines
    root = decode_base64(encoded)
    if not origin or not _NUMBER.fullmatch(size) or root is None or len(root) != merkle.HASH_BYTES:
        raise Invalid("checkpoint", "does not say origin, size and root in their one form")
    return Checkpoint(origin, int(size), root)


def _base64(octets: bytes) -> str:
    return b64encode(octets).decode("ascii")
