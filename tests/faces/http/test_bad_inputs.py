"""SECURITY section 8 as tables, by number; that none is forgotten is in `_covered` beside it."""

import base64
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from tenure import clock, settings, wiring
from tenure.domain.model import AccountKind, KeyType
from tests.builders import ms
from tests.faces.http import bad_bodies, bad_requests, bad_signatures
from tests.faces.http.attempts import (
    ALLOWED,
    AS_OPERATOR,
    FACES,
    GATEWAY,
    STRANGER,
    UNKNOWN,
    Door,
    Outcome,
    Row,
    door_of,
    standing_door,
)
from tests.faces.http.bad_bodies import Entries, Pasted
from tests.faces.http.managed import OPERATOR_TOKEN, TRADING, is_problem
from tests.house import House, Reply, ask

pytestmark = pytest.mark.slow

START = "2021-12-01 10:00"
REQUESTS = (*bad_requests.ROWS, *bad_signatures.ROWS)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with standing_door(tmp_path_factory.mktemp("standing")) as opened:
        yield opened


# BI-1 to BI-9, BI-12 to BI-19, BI-22, BI-27 to BI-30: nothing but the request matters.


@pytest.mark.parametrize("key", ["hmac", "ed25519", "rsa", "restricted"])
@pytest.mark.parametrize("face", FACES)
def test_what_the_rows_are_made_from_is_allowed(door: Door, face: str, key: str) -> None:
    assert FACES[face](door, door.attempt(key=key)) == ALLOWED


@pytest.mark.parametrize(
    ("row", "face", "outcome"),
    [
        pytest.param(row, face, outcome, id=f"{row.bi}, {row.why}, {face}")
        for row in REQUESTS
        for face, outcome in row.answers()
    ],
)
def test_each_bad_request_is_answered_as_the_table_says(
    door: Door, row: Row, face: str, outcome: Outcome
) -> None:
    assert FACES[face](door, row.attempt(door)) == outcome


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize(
    "row", [row for row in REQUESTS if row.bi in {"BI-2", "BI-3"}], ids=lambda row: row.why
)
def test_what_cannot_be_a_key_is_not_looked_up(
    door: Door, monkeypatch: pytest.MonkeyPatch, face: str, row: Row
) -> None:
    """BI-2; that BI-3 is looked up shows that somebody would have noticed."""
    looked: list[str] = []

    def look() -> None:
        looked.append(face)
        raise RuntimeError("planted")

    # The keyring is opened by the first question: before there is anything to replace.
    assert FACES[face](door, door.attempt()) == ALLOWED
    attempt = row.attempt(door)
    monkeypatch.setattr(door.house.worker.keyring, "_env", SimpleNamespace(begin=look))
    outcome = FACES[face](door, attempt)

    assert bool(looked) is (row.bi == "BI-3")
    assert (outcome == getattr(row, face)) is (row.bi == "BI-2")


@pytest.mark.parametrize("face", FACES)
def test_a_key_that_nobody_has_is_answered_like_a_wrong_signature(door: Door, face: str) -> None:
    """BI-3: a signature of each kind's length, on a key of each kind and on nobody's."""
    for signature in ("0" * 64, "A" * 86 + "==", "A" * 342 + "=="):
        attempts = [door.attempt(key=key, signature=signature) for key in door.keys]
        wrong = {FACES[face](door, attempt) for attempt in attempts}
        nobodys = FACES[face](door, replace(attempts[0], api_key=UNKNOWN))
        assert wrong == {nobodys}


# BI-23 to BI-26: when.


@pytest.fixture
def moving(tmp_path: Path) -> Iterator[Door]:
    with standing_door(tmp_path) as opened:
        yield opened


class Machine:
    """Stands for the machine's clocks, which only a test moves."""

    CLOCK_BOOTTIME = 7

    def __init__(self) -> None:
        self.wall_ns = ms(START) * 1_000_000
        self.elapsed_ns = 3_600_000_000_000

    def pass_ms(self, by_ms: int) -> None:
        """Let *by_ms* pass on both clocks."""
        self.wall_ns += by_ms * 1_000_000
        self.elapsed_ns += by_ms * 1_000_000

    def time_ns(self) -> int:
        """Return the wall clock's time."""
        return self.wall_ns

    def clock_gettime_ns(self, _clock: int) -> int:
        """Return the time since boot."""
        return self.elapsed_ns


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Put the machine's clocks into the test's hands."""
    machine = Machine()
    monkeypatch.setattr(clock, "time", machine)
    return machine


@pytest.fixture
def real(machine: Machine, tmp_path: Path) -> Iterator[Door]:
    """Open the doors of a Tenure that is no sandbox, on a machine whose clocks stand still."""
    assert machine.time_ns()
    given = settings.load(home=tmp_path, trusted_proxies=(GATEWAY,), operator_token=OPERATOR_TOKEN)
    house = House(worker=wiring.open_alone(given), signers={})
    yield door_of(house)
    house.close()


BOUND_MS, DAYS_30_MS = 5_000, 2_592_000_000
UNAVAILABLE: Mapping[str, Outcome] = {"surface": (503, -1008)}


@pytest.mark.parametrize("face", FACES)
def test_a_key_that_was_just_revoked_is_refused(moving: Door, face: str) -> None:
    """BI-23 on the writer, at once and 1 ms later."""
    attempt = moving.attempt()
    assert FACES[face](moving, attempt) == ALLOWED
    moving.house.worker.keys.revoke(moving.keys["hmac"].key_id, "test")
    told: Outcome = (400, -2008) if face == "surface" else (401, "key_revoked")
    assert FACES[face](moving, attempt) == told
    moving.house.move(moving.now_ms + 1)
    assert FACES[face](moving, attempt) == told


@pytest.mark.parametrize("face", ["gateway", "platform"])
def test_a_term_ends_at_its_very_end(moving: Door, face: str) -> None:
    """BI-24; nothing that the compatible surface serves has a term."""
    end_ms = moving.now_ms + DAYS_30_MS
    moving.house.move(end_ms - 1)
    assert FACES[face](moving, moving.attempt()) == ALLOWED
    moving.house.move(end_ms)
    assert FACES[face](moving, moving.attempt()) == (403, "permission_expired")


@pytest.mark.parametrize("face", FACES)
def test_a_clock_that_is_set_back_after_a_lapse_allows_nothing(
    real: Door, machine: Machine, face: str
) -> None:
    """BI-25."""
    machine.pass_ms(DAYS_30_MS - 1)
    assert FACES[face](real, real.attempt()) == ALLOWED
    machine.pass_ms(1)
    lapsed = ALLOWED if face == "surface" else (403, "permission_expired")
    assert FACES[face](real, real.attempt()) == lapsed

    attempt = real.attempt(f"timestamp={real.now_ms - 3_600_000}")
    machine.wall_ns -= 3_600_000_000_000
    refused = UNAVAILABLE.get(face, (503, "clock"))
    assert FACES[face](real, attempt) == refused
    machine.pass_ms(3_600_000 - 1_001)
    assert FACES[face](real, attempt) == refused
    machine.pass_ms(1_001)
    assert FACES[face](real, real.attempt()) == lapsed


@pytest.mark.parametrize("face", FACES)
def test_evidence_past_the_bound_refuses_everything(
    real: Door, machine: Machine, monkeypatch: pytest.MonkeyPatch, face: str
) -> None:
    """BI-26, to the millisecond."""
    attempt = real.attempt()
    real.fresh()
    monkeypatch.setattr(real.house.worker.follower, "tick", lambda: 0)
    machine.pass_ms(BOUND_MS)
    assert FACES[face](real, attempt) == ALLOWED
    machine.pass_ms(1)
    assert FACES[face](real, real.attempt()) == UNAVAILABLE.get(face, (503, "stale"))


# BI-22, BI-33 to BI-41: management.


@pytest.mark.parametrize(
    "path",
    [
        *("//v1/accounts", "/v1//accounts", "/v1%2faccounts", "/v1/%61ccounts", "/%76%31/accounts"),
        *(
            "/v1/./accounts",
            "/v1/x/../accounts",
            "/v1/accounts;x",
            "/v1\\accounts",
            "/v1/accounts%00",
        ),
        *(
            "/authorize%2f..%2fv1/accounts",
            "/api%2f..%2fv1/accounts",
            "/v1/accounts%2f",
            "v1/accounts",
        ),
    ],
)
def test_management_is_under_no_other_spelling_of_its_paths(door: Door, path: str) -> None:
    """BI-22: else a gateway that bars /v1 bars less than is answered here."""
    assert tell(door, "/v1/accounts", b"", "GET").status == 200
    assert is_problem(tell(door, path, b"", "GET"), 404, "not_found")
    assert is_problem(tell(as_served(door), path, b"", "GET"), 404, "not_found")


def as_served(door: Door) -> Door:
    """Return *door* behind a server: it hands the path over decoded, beside what was sent."""

    async def served(
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[Any], Awaitable[None]],
    ) -> None:
        await door.app({**scope, "path": unquote(scope["path"])}, receive, send)

    return replace(door, app=served)


@pytest.fixture(scope="module")
def owned(door: Door) -> tuple[str, str, str]:
    """Return an account, a key of it of each type that brings its public half."""
    house = door.house
    account_id = house.account("pasting@example.com")
    edwards = house.issue(account_id, key_type=KeyType.ED25519)
    return account_id, edwards.key_id, house.issue(account_id, key_type=KeyType.RSA).key_id


def tell(door: Door, target: str, body: object, method: str = "POST", **more: str) -> Reply:
    """Send *body*, as JSON unless it is bytes, as the operator unless headers are given."""
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ask(door.app, method, target, headers=more or AS_OPERATOR, body=octets)


def events(door: Door) -> object:
    """Return what everything that happened is told by."""
    return tell(door, "/v1/events?limit=1000", b"", "GET").json()


@pytest.mark.parametrize("row", bad_bodies.ENTRIES, ids=lambda row: f"{row.bi} {row.entries[-1]!r}")
def test_an_allowlist_is_kept_in_one_spelling_or_refused_by_the_entry(
    door: Door, owned: tuple[str, str, str], row: Entries
) -> None:
    account_id, key_id, _ = owned
    given = {"label": "bot", "key_type": "hmac", "ip_allowlist": row.entries}
    issue, edit = f"/v1/accounts/{account_id}/keys", f"/v1/keys/{key_id}/edits"
    if row.field:
        before = events(door)
        for target, body in (
            (issue, given),
            (edit, {"ip_allowlist": row.entries}),
            (f"{edit}/preview", {"ip_allowlist": row.entries}),
        ):
            reply = tell(door, target, body)
            assert is_problem(reply, 422, "invalid")
            assert [problem["field"] for problem in reply.json()["problems"]] == [row.field]
        assert events(door) == before
        return
    reply = tell(door, issue, given)
    assert (reply.status, reply.json()["ip_allowlist"]) == (201, row.kept)


@pytest.mark.parametrize("row", bad_bodies.PASTED, ids=lambda row: f"{row.bi} {row.why}")
def test_a_public_key_that_will_not_do_is_refused_and_not_repeated(
    door: Door, owned: tuple[str, str, str], row: Pasted
) -> None:
    account_id, *key_ids = owned
    before = events(door)
    given = {"label": "bot", "key_type": row.key_type, "public_key": row.text}
    rotated = key_ids[row.key_type == "rsa"]
    for target, body in (
        (f"/v1/accounts/{account_id}/keys", given),
        (f"/v1/keys/{rotated}/rotate", {"public_key": row.text}),
    ):
        reply = tell(door, target, body)
        assert is_problem(reply, 422, "invalid")
        assert [problem["field"] for problem in reply.json()["problems"]] == ["public_key"]
        lines = [line for line in row.text.splitlines() if len(line) > 16 and line[0] != "-"]
        assert not [line for line in lines if line[:16].encode() in reply.body]
    assert events(door) == before


KEY_ACTS = ("GET ", "POST /edits/preview", "POST /edits", "POST /rotate", "POST /revoke")


@pytest.fixture(scope="module")
def family(door: Door) -> dict[str, str]:
    """Return the key ids of a master, and of two sub-accounts, by whose they are."""
    house = door.house
    master_id = house.account("master@example.com", AccountKind.MASTER)
    owners = {"master": master_id} | {
        name: house.account(f"{name}@example.com", AccountKind.SUB, master_id)
        for name in ("one", "other")
    }
    return {name: house.issue(account_id, TRADING).key_id for name, account_id in owners.items()}


@pytest.mark.parametrize("act", KEY_ACTS)
@pytest.mark.parametrize("whose", ["master", "one", "other"])
def test_holding_an_api_key_opens_no_key_in_management(
    door: Door, family: dict[str, str], act: str, whose: str
) -> None:
    """BI-39: naming a key, or signing in the `binance` profile, proves nothing in management."""
    method, _, rest = act.partition(" ")
    holder = door.keys["hmac"].api_key
    before = events(door)
    target = f"/v1/keys/{family[whose]}{rest}"
    query = door.attempt("symbol=A").query
    for headers in (
        {"X-MBX-APIKEY": holder},
        {"Authorization": f"Bearer {holder}"},
        {"Authorization": f"Basic {base64.b64encode(holder.encode()).decode()}"},
        {"Cookie": f"session={holder}"},
    ):
        for at in (target, f"{target}?{query}"):
            reply = tell(door, at, {"label": "mine"}, method, **headers)
            assert is_problem(reply, 401, "unauthenticated")
    assert events(door) == before


@pytest.mark.parametrize("act", KEY_ACTS)
def test_what_is_no_key_s_id_is_not_found_whatever_else_it_is(
    door: Door, family: dict[str, str], act: str
) -> None:
    """BI-39: the answer does not tell what exists."""
    method, _, rest = act.partition(" ")
    key_id = family["one"]
    account_id = door.house.worker.keys.get(key_id).account_id
    answers = []
    for other in (
        *(account_id, f"key_{account_id.partition('_')[2]}", f"key_{'0' * 24}", "key_", "*"),
        *(key_id.upper(), f"{key_id}0", key_id[:-1], door.keys["hmac"].api_key),
    ):
        reply = tell(door, f"/v1/keys/{other}{rest}", b"{}" if method == "POST" else b"", method)
        assert is_problem(reply, 404, "not_found"), other
        answers.append({**reply.json(), "request_id": ""})
    assert all(answer == answers[0] for answer in answers)


def test_each_of_a_family_is_listed_its_own_keys(door: Door, family: dict[str, str]) -> None:
    """BI-39."""
    for key_id in family.values():
        account_id = door.house.worker.keys.get(key_id).account_id
        listed = tell(door, f"/v1/accounts/{account_id}/keys", b"", "GET").json()["keys"]
        assert [key["key_id"] for key in listed] == [key_id]


@pytest.mark.parametrize("body", bad_bodies.UNREADABLE.values(), ids=bad_bodies.UNREADABLE)
def test_what_is_no_json_is_said_to_be_none(
    door: Door, owned: tuple[str, str, str], body: bytes
) -> None:
    """BI-40, on the assembled application."""
    for target in ("/v1/authorize", "/v1/accounts", f"/v1/keys/{owned[1]}/edits"):
        assert is_problem(tell(door, target, body), 400, "malformed")


def test_of_equal_names_the_last_wins_for_there_is_one_reader(
    door: Door, owned: tuple[str, str, str]
) -> None:
    """BI-40."""
    body = b'{"label": 1, "label": "first", "label": "last"}'
    assert tell(door, f"/v1/keys/{owned[1]}/edits", body).json()["label"] == "last"


@pytest.mark.parametrize(
    ("label", "kept"), bad_bodies.LABELS, ids=[ascii(label)[:40] for label, _ in bad_bodies.LABELS]
)
def test_a_label_is_kept_composed_where_it_can_be_shown_in_a_line(
    door: Door, owned: tuple[str, str, str], label: str, kept: str | None
) -> None:
    """BI-41."""
    account_id, key_id, _ = owned
    given = {"label": label, "key_type": "ed25519", "public_key": "not one"}
    reply = tell(door, f"/v1/keys/{key_id}/edits", {"label": label})
    if kept is not None:
        assert (reply.status, reply.json()["label"]) == (200, kept)
        return
    for refused in (reply, tell(door, f"/v1/accounts/{account_id}/keys", given)):
        assert is_problem(refused, 422, "invalid")
        assert refused.json()["problems"][0]["field"] == "label"


def test_ten_megabytes_of_label_are_too_large(door: Door, owned: tuple[str, str, str]) -> None:
    """BI-41."""
    for target in (f"/v1/accounts/{owned[0]}/keys", f"/v1/keys/{owned[1]}/edits"):
        reply = tell(door, target, bad_bodies.TOO_LARGE)
        assert is_problem(reply, 413, "too_large")


# Whatever else is sent.

NAMES = st.sampled_from(
    [
        *("X-MBX-APIKEY", "X-Original-URI", "X-Original-Method", "X-Forwarded-For", "X_MBX_APIKEY"),
        *("X-Original-Host", "Signature-Input", "Signature", "Content-Digest", "X.Original.URI"),
        *("X-Forwarded-Uri", "X-MBX-TIME-UNIT", "Host", "Authorization", "Tenure-Key", "X"),
    ]
)
SIGNS = st.text(st.characters(max_codepoint=255), max_size=30)
PIECES = st.sampled_from(
    ["&", "=", "%", "%26", "%3D", "+", "signature", "timestamp", "0", "a", "?", "/", "%61", "\x00"]
)


@st.composite
def spoilt(draw: st.DrawFn, text: str) -> str:
    """Draw *text* with a few pieces taken out, put in or put in their place."""
    for _ in range(draw(st.integers(0, 2))):
        at, length = draw(st.integers(0, len(text))), draw(st.integers(0, 3))
        text = text[:at] + draw(PIECES | SIGNS) + text[at + length :]
    return text


def is_proved(door: Door, headers: list[tuple[str, str]]) -> bool:
    """Whether the holder of the hmac key signed what *headers* ask about, read by itself."""
    given = {name.lower(): value for name, value in headers}
    key = door.keys["hmac"]
    pairs = given["x-original-uri"].partition("?")[2].split("&")
    unsigned = "&".join(pair for pair in pairs if not pair.startswith("signature="))
    found = [unquote(pair[10:]) for pair in pairs if pair.startswith("signature=")]
    payloads = (unsigned.encode("latin-1"), unquote_to_bytes(unsigned.encode("latin-1")))
    right = [door.house.signers[key.key_id](payload) for payload in payloads]
    return given["x-mbx-apikey"] == key.api_key and found[0].lower() in right


@given(st.data())
def test_forward_auth_has_four_answers_and_lets_nobody_pass_unproved(
    door: Door, drawn: st.DataObject
) -> None:
    attempt = door.attempt(f"symbol=A%20B&timestamp={door.now_ms}")
    headers = [
        ("X-Original-Method", drawn.draw(spoilt("POST"))),
        ("X-Original-URI", drawn.draw(spoilt(f"{attempt.path}?{attempt.query}"))),
        ("X-MBX-APIKEY", drawn.draw(spoilt(str(attempt.api_key)))),
        *drawn.draw(st.lists(st.tuples(NAMES, SIGNS), max_size=2)),
    ]
    peer = drawn.draw(st.sampled_from([GATEWAY, STRANGER]))
    target = drawn.draw(st.sampled_from(["/authorize", "/authorize/", "/authorize/api/v3/ping"]))
    reply = ask(
        door.fresh(),
        drawn.draw(st.sampled_from(["GET", "POST"])),
        target,
        headers=headers,
        peer=peer,
    )

    assert reply.status in {200, 401, 403, 503}
    event(str(reply.status))
    if reply.status == 200:
        assert peer == GATEWAY
        assert reply.headers["tenure-key"] == door.keys["hmac"].key_id
        assert is_proved(door, headers)
