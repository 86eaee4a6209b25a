"""Checkpoints: the signed note of the reference implementation, strict reading, and proofs."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tenure.domain import checkpoints, merkle
from tenure.domain.checkpoints import Checkpoint, LogKey
from tenure.domain.errors import Invalid
from tenure.domain.verifying import ed25519_verifies

# The key pair and the note that golang.org/x/mod/sumdb/note is tested with.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
PETERS_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
PETERS_SIGNATURE = (
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
)

ROOT = bytes(range(32))
PRIVATE = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
KEY = LogKey("tenure/store_1", PRIVATE.public_key().public_bytes_raw())
CHECKPOINT = Checkpoint(KEY.name, 42, ROOT)


def note(text: str = CHECKPOINT.text, key: LogKey = KEY) -> bytes:
    """Return *text*, whatever it says, really signed."""
    signature = base64.b64encode(key.key_id + PRIVATE.sign(text.encode())).decode()
    return f"{text}\n— {key.name} {signature}\n".encode()


NOTE = note()


def test_the_reference_implementations_key_is_read_and_named_alike() -> None:
    key = LogKey.parse(PETER)
    private = Ed25519PrivateKey.from_private_bytes(PETERS_SEED)

    assert key.text == PETER
    assert key.key_id.hex() == "c74f20a3"
    assert key.public_key == private.public_key().public_bytes_raw()
    signed = base64.b64encode(key.key_id + private.sign(PETERS_TEXT.encode())).decode()
    assert signed == PETERS_SIGNATURE
    octets = base64.b64decode(PETERS_SIGNATURE)[4:]
    assert ed25519_verifies(key.public_key, PETERS_TEXT.encode(), octets)


def test_a_checkpoint_is_three_lines_and_a_signature() -> None:
    root = base64.b64encode(ROOT).decode()
    assert CHECKPOINT.text == f"tenure/store_1\n42\n{root}\n"
    signed = KEY.signed(CHECKPOINT, PRIVATE.sign(CHECKPOINT.text.encode()))
    assert signed.encode() == NOTE
    assert checkpoints.read(NOTE, [KEY]) == CHECKPOINT
    assert checkpoints.claims(NOTE) == CHECKPOINT


@pytest.mark.parametrize("at", range(len(NOTE)))
def test_no_byte_of_a_checkpoint_can_be_another(at: int) -> None:
    for bit in (1, 2, 128):
        altered = NOTE[:at] + bytes([NOTE[at] ^ bit]) + NOTE[at + 1 :]
        with pytest.raises(Invalid):
            checkpoints.read(altered, [KEY])


@given(st.binary(max_size=200))
def test_whatever_is_sent_is_refused_without_a_surprise(raw: bytes) -> None:
    for sent in (raw, raw + NOTE, NOTE + raw):
        if sent != NOTE:
            with pytest.raises(Invalid):
                checkpoints.read(sent, [KEY])


@pytest.mark.parametrize(
    "text",
    [
        CHECKPOINT.text + "an extension\n",
        CHECKPOINT.text.replace("42", "042"),
        CHECKPOINT.text.replace("42", "-1"),
        CHECKPOINT.text.replace("42", "4\N{ARABIC-INDIC DIGIT TWO}"),
        CHECKPOINT.text.replace("42", "1" * 20),
        CHECKPOINT.text.replace("42", ""),
        CHECKPOINT.text.replace("tenure/store_1\n", "\n"),
        CHECKPOINT.text.replace("=", ""),
        CHECKPOINT.text.replace("\n", " \n"),
        f"tenure/store_1\n42\n{base64.b64encode(b'short').decode()}\n",
        "tenure/store_1\n42\n",
    ],
)
def test_only_the_one_form_is_read_even_if_it_is_signed(text: str) -> None:
    with pytest.raises(Invalid, match=r"does not say|has other lines"):
        checkpoints.read(note(text), [KEY])


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff" + NOTE,
        NOTE.rstrip(b"\n"),
        NOTE.replace(b"\n\n", b"\n"),
        NOTE.replace(b"42", b"42\r"),
        NOTE.replace("—".encode(), b"-"),
        NOTE.replace(b"store_1 ", b"store_1  "),
        NOTE + b"nobody signed this\n",
        NOTE + b"x" * checkpoints.NOTE_BYTES_MAX,
    ],
)
def test_what_is_no_signed_note_is_refused(raw: bytes) -> None:
    with pytest.raises(Invalid):
        checkpoints.read(raw, [KEY])


def test_a_witness_may_sign_too_and_is_passed_over() -> None:
    witness = "— witness.example " + base64.b64encode(b"id..signature").decode() + "\n"
    assert checkpoints.read(NOTE + witness.encode(), [KEY]) == CHECKPOINT


def test_somebody_elses_checkpoint_is_not_believed() -> None:
    others = LogKey(KEY.name, b"\x01" * 32)
    renamed = LogKey("tenure/store_2", KEY.public_key)
    for key in (others, renamed):
        with pytest.raises(Invalid, match="no key that is trusted"):
            checkpoints.read(NOTE, [key])
    assert checkpoints.read(NOTE, [others, renamed, KEY]) == CHECKPOINT


def test_a_wrong_signature_beside_a_good_one_refuses_the_whole() -> None:
    wrong = base64.b64encode(KEY.key_id + bytes(64)).decode()
    with pytest.raises(Invalid, match="was altered"):
        checkpoints.read(NOTE + f"— {KEY.name} {wrong}\n".encode(), [KEY])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann",
        PETER[:-1],
        PETER.replace("c74f20a3", "c74f20a4"),
        PETER.replace("PeterNeumann", "Peter Neumann"),
        PETER.replace("PeterNeumann", ""),
        PETER.replace("+ARpc", "+ZRpc"),
        f"{PETER} {PETER}",
    ],
)
def test_what_is_no_log_key_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="public half"):
        LogKey.parse(text)


def test_a_key_under_no_name_is_refused() -> None:
    for name in ("", "two words"):
        with pytest.raises(Invalid, match="names no key"):
            LogKey.parse(LogKey(name, KEY.public_key).text)


def proof(index: int = 5, entries: int = 13) -> bytes:
    leaves = [merkle.leaf_hash(b"entry %d" % number) for number in range(entries)]

    def node_at(level: int, position: int) -> bytes:
        frontier = merkle.Frontier()
        for leaf in leaves[position << level : (position + 1) << level]:
            frontier.append(leaf)
        return frontier.root()

    frontier = merkle.Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    path = merkle.inclusion(index, entries, node_at)
    signed = note(Checkpoint(KEY.name, entries, frontier.root()).text).decode()
    return checkpoints.proof(index + 1, b"entry %d" % index, path, signed).encode()


@pytest.mark.parametrize(("index", "entries"), [(0, 1), (0, 13), (5, 13), (12, 13), (7, 8)])
def test_a_proof_holds_its_event_and_stands_alone(index: int, entries: int) -> None:
    raw = proof(index, entries)

    proved = checkpoints.read_proof(raw, [KEY])

    assert checkpoints.is_proof(raw)
    assert (proved.seq, proved.entry) == (index + 1, b"entry %d" % index)
    assert proved.checkpoint.size == entries
    lines = raw.decode().split("\n")
    assert lines[:3] == [
        "c2sp.org/tlog-proof@v1",
        f"extra {base64.b64encode(proved.entry).decode()}",
        f"index {index}",
    ]


def test_no_byte_of_a_proof_can_be_another() -> None:
    raw = proof()
    for at in range(len(raw)):
        altered = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        with pytest.raises(Invalid):
            checkpoints.read_proof(altered, [KEY])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"index 5\n", b""),
        (b"index 5", b"index 05"),
        (b"index 5", b"index 6"),
        (b"extra ", b"other "),
        (b"\n\n", b"\n"),
        (b"index 5\n", b"index 5\n" + b"AA==\n"),
        (b"index 5\n", b"index 5\n" + b"A" * 43 + b"=\n"),
        (b"index 5\n", b"index 5\n" + (b"A" * 43 + b"=\n") * 64),
    ],
)
def test_a_proof_that_is_put_together_otherwise_proves_nothing(old: bytes, new: bytes) -> None:
    with pytest.raises(Invalid):
        checkpoints.read_proof(proof().replace(old, new, 1), [KEY])


def test_a_checkpoint_is_no_proof() -> None:
    assert not checkpoints.is_proof(NOTE)
