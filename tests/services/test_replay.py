"""
The replay cache alone, and asked last by a Decider: a one-time request acts once (I10, T4).

What each scheme takes for the same request is here and in `test_deciding_natively`.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typing_extensions import override

from tenure import wiring
from tenure.domain import signing
from tenure.domain.allowlist import Address
from tenure.domain.decide import Allowed, Reason, Refused
from tenure.domain.errors import Unavailable
from tenure.domain.model import ApiKey, KeyType
from tenure.domain.signing import SignedRequest
from tenure.faces.http import binance
from tenure.services.deciding import Decider
from tenure.services.replay import Replays
from tests.builders import an_address, the_catalog
from tests.fakes import FakeClock
from tests.house import House, ask, one_time_catalog
from tests.together import together

pytestmark = pytest.mark.slow

KEY, WINDOW_MS = "key_1", 5_000
TRADING, FUTURES = "spot_margin_trading", "futures"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def replays(tmp_path: Path, clock: FakeClock) -> Iterator[Replays]:
    replays = Replays(tmp_path, clock, entries_max=3)
    yield replays
    replays.close()


def spend(
    replays: Replays, at_ms: int, *, signature: bytes = b"a signature", key: str = KEY
) -> bool:
    return replays.spend(key, signature, at_ms * 1000, WINDOW_MS * 1000)


def test_a_request_acts_once(replays: Replays, clock: FakeClock) -> None:
    assert spend(replays, clock.now)
    assert not spend(replays, clock.now)
    assert not spend(replays, clock.now)


def test_another_signature_or_key_is_another_request(replays: Replays, clock: FakeClock) -> None:
    assert spend(replays, clock.now)
    assert spend(replays, clock.now, signature=b"another")
    assert spend(replays, clock.now, key="key_2")


def test_no_key_can_spend_the_requests_of_another(replays: Replays, clock: FakeClock) -> None:
    """Where the id of a key ends and its signature begins is part of what is remembered."""
    assert spend(replays, clock.now, key="key_1", signature=b"2 and more")
    assert spend(replays, clock.now, key="key_12", signature=b" and more")


def test_a_restart_forgets_nothing(tmp_path: Path, clock: FakeClock) -> None:
    first = Replays(tmp_path, clock)
    assert spend(first, clock.now)
    first.close()

    again = Replays(tmp_path, clock)
    assert not spend(again, clock.now)
    assert spend(again, clock.now, signature=b"another")
    again.close()


def test_a_request_is_remembered_until_its_window_can_admit_it_no_more(
    replays: Replays, clock: FakeClock
) -> None:
    start = clock.now
    for signature in (b"1", b"2", b"3"):
        assert spend(replays, start, signature=signature)

    clock.advance(WINDOW_MS)  # The last instant at which it could be admitted.
    assert not spend(replays, start, signature=b"1")
    with pytest.raises(Unavailable, match=r".*"):
        spend(replays, clock.now, signature=b"4")
    clock.advance(1)
    assert spend(replays, clock.now, signature=b"4")


def test_a_full_cache_refuses_and_forgets_nothing(replays: Replays, clock: FakeClock) -> None:
    for signature in (b"1", b"2", b"3"):
        assert spend(replays, clock.now, signature=signature)

    for _ in range(3):
        with pytest.raises(Unavailable) as caught:
            spend(replays, clock.now, signature=b"4")
        assert caught.value.code == "replay"
    for signature in (b"1", b"2", b"3"):
        assert not spend(replays, clock.now, signature=signature)


def test_what_could_not_be_remembered_may_be_sent_again(replays: Replays, clock: FakeClock) -> None:
    """A request that was refused because the cache was full has not been spent."""
    for signature in (b"1", b"2", b"3"):
        spend(replays, clock.now, signature=signature)
    with pytest.raises(Unavailable):
        spend(replays, clock.now, signature=b"4")

    clock.advance(WINDOW_MS + 1)
    assert spend(replays, clock.now, signature=b"4")


def test_much_that_is_over_is_forgotten_little_by_little(tmp_path: Path, clock: FakeClock) -> None:
    replays = Replays(tmp_path, clock, entries_max=200)
    for number in range(200):
        assert spend(replays, clock.now, signature=b"%d" % number)
    clock.advance(WINDOW_MS + 1)

    for number in range(200):
        assert spend(replays, clock.now, signature=b"again %d" % number)
    with pytest.raises(Unavailable):
        spend(replays, clock.now, signature=b"one too many")
    replays.close()


def test_a_worker_that_was_held_up_cannot_spend_what_was_forgotten(
    replays: Replays, clock: FakeClock
) -> None:
    """It looked at its clock in time; before it asks here the others have gone on."""
    start = clock.now
    assert spend(replays, start)
    clock.advance(WINDOW_MS + 1)
    assert spend(replays, clock.now, signature=b"this one makes room")

    assert not spend(replays, start)
    assert not spend(replays, start, signature=b"never seen, but who knows that now")


def test_in_a_sandbox_nothing_is_forgotten_that_either_clock_admits(tmp_path: Path) -> None:
    clock = FakeClock()
    replays = Replays(tmp_path, clock, entries_max=1)
    assert spend(replays, clock.now)

    clock.now += WINDOW_MS + 1  # The rehearsed clock moves, the machine's stands.
    with pytest.raises(Unavailable):
        spend(replays, clock.now, signature=b"another")
    clock.wall += WINDOW_MS + 1
    assert spend(replays, clock.now, signature=b"another")
    replays.close()


def test_a_new_cache_refuses_what_was_stamped_before_it(tmp_path: Path, clock: FakeClock) -> None:
    replays = Replays(tmp_path, clock)
    assert not spend(replays, clock.now - 1)
    assert spend(replays, clock.now)
    replays.close()


def test_after_a_reboot_refuses_what_the_lost_cache_may_have_seen(
    tmp_path: Path, clock: FakeClock
) -> None:
    """Also what was stamped ahead: 1 s is allowed, and the clock may have been 1 s ahead too."""
    first = Replays(tmp_path, clock)
    assert spend(first, clock.now + 999, signature=b"stamped ahead")
    first.close()
    clock.boot_id += 1

    second = Replays(tmp_path, clock)
    assert not spend(second, clock.now + 999, signature=b"stamped ahead")
    assert not spend(second, clock.now + 1_999)
    assert spend(second, clock.now + 2_000)
    second.close()
    assert [path.name for path in (tmp_path / "replays").iterdir()] == [f"{clock.boot_id:016x}"]


def test_the_birth_of_a_cache_stands_however_often_it_is_opened(
    tmp_path: Path, clock: FakeClock
) -> None:
    Replays(tmp_path, clock).close()
    clock.advance(1_000)
    again = Replays(tmp_path, clock)
    assert spend(again, clock.now - 1_000)
    again.close()


class Unsure(FakeClock):
    """A clock that is not believed while it *is_behind*."""

    is_behind = True

    @override
    def now_ms(self) -> int:
        if self.is_behind:
            raise Unavailable("clock")
        return super().now_ms()


def test_while_the_clock_is_not_believed_a_cache_waits_to_be_born(tmp_path: Path) -> None:
    """A worker starts all the same, and refuses everything until the clock is right."""
    clock = Unsure()
    replays = Replays(tmp_path, clock)
    replays.close()
    with pytest.raises(Unavailable) as raised:
        spend(replays, clock.now)
    assert raised.value.code == "clock"

    clock.is_behind = False
    clock.advance(1_000)
    assert not spend(replays, clock.now - 1)
    assert [spend(replays, clock.now), spend(replays, clock.now)] == [True, False]
    replays.close()


def test_of_many_threads_with_one_request_one_is_first(tmp_path: Path, clock: FakeClock) -> None:
    replays = Replays(tmp_path, clock)
    for number in range(50):
        signature = b"%d" % number
        seen = together([lambda: spend(replays, clock.now, signature=signature)] * 4)  # noqa: B023 - called before the next round
        assert sorted(seen) == [False, False, False, True]
    replays.close()


RACER = """
import sys
from pathlib import Path
from tenure.services.replay import Replays
from tests.fakes import FakeClock

clock = FakeClock()
replays = Replays(Path(sys.argv[1]), clock)
print("ready", flush=True)
sys.stdin.readline()
print("".join("01"[replays.spend("key_1", b"%d" % n, clock.now * 1000, 5_000_000)]
              for n in range(500)))
"""


def test_of_several_processes_with_one_request_one_is_first(tmp_path: Path) -> None:
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    seen = [racer.communicate()[0].strip() for racer in racers]

    assert [len(marks) for marks in seen] == [500] * 3
    for number in range(500):
        assert sum(marks[number] == "1" for marks in seen) == 1


def test_a_cache_that_cannot_be_opened_says_so(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "replays").write_text("not a directory")
    with pytest.raises(Unavailable, match="cannot be opened") as caught:
        Replays(tmp_path, clock)
    assert caught.value.code == "replay"


def test_a_cache_that_cannot_be_written_refuses(tmp_path: Path, clock: FakeClock) -> None:
    replays = Replays(tmp_path, clock)
    replays.close()
    with pytest.raises(Unavailable) as caught:
        spend(replays, clock.now)
    assert caught.value.code == "replay"


# From here on: asked by a Decider, in a whole Tenure where trading is one-time and futures are not.


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = open_house(tmp_path)
    yield house
    house.close()


def open_house(home: Path) -> House:
    catalog = one_time_catalog(home, TRADING)
    return House.open(home / "home", catalog=catalog, staleness_ms=60_000)


def judged(  # noqa: PLR0913 - a request has that many parts
    house: House,
    key: ApiKey,
    query: str,
    body: str = "",
    *,
    permission: str = TRADING,
    address: Address | None = None,
) -> Reason | None:
    """Return why it is refused, None where it is allowed."""
    outcome = house.worker.decider.decide_raw(
        key.api_key, query.encode(), body.encode(), address or an_address(), permission
    )
    assert isinstance(outcome, Allowed | Refused)
    return outcome.reason if isinstance(outcome, Refused) else None


@pytest.mark.parametrize("key_type", list(KeyType))
def test_the_same_bytes_act_once_under_a_one_time_permission(
    house: House, key_type: KeyType
) -> None:
    """BI-10."""
    key = house.issue(house.account(), TRADING, FUTURES, key_type=key_type)
    query = house.signed_query(key, "symbol=A")

    assert judged(house, key, query) is None
    assert judged(house, key, query) is Reason.REPLAYED
    assert judged(house, key, house.signed_query(key, "symbol=B")) is None


def test_under_any_other_permission_they_may_be_sent_again(house: House) -> None:
    key = house.issue(house.account(), TRADING, FUTURES)
    query = house.signed_query(key, "symbol=A")
    for _ in range(3):
        assert judged(house, key, query, permission=FUTURES) is None


def test_another_spelling_of_a_spent_signature_is_the_same_request(house: House) -> None:
    """P18: hex is read in either case (BI-14), and digits may be percent-encoded."""
    key = house.issue(house.account(), TRADING)
    query, _, signature = house.signed_query(key, "symbol=A").rpartition("=")
    assert judged(house, key, f"{query}={signature}") is None

    assert judged(house, key, f"{query}={signature.upper()}") is Reason.REPLAYED
    escaped = "".join(f"%{ord(sign):02x}" for sign in signature)
    assert judged(house, key, f"{query}={escaped}") is Reason.REPLAYED
    assert judged(house, key, f"signature={signature}&{query[:-10]}") is Reason.REPLAYED


@pytest.mark.parametrize("key_type", [KeyType.RSA, KeyType.ED25519])
def test_base64_has_one_spelling_on_the_wire_but_for_percent_signs(
    house: House, key_type: KeyType
) -> None:
    key = house.issue(house.account(), TRADING, key_type=key_type)
    query, _, signature = house.signed_query(key, "symbol=A").rpartition("=")
    assert judged(house, key, f"{query}={signature}") is None

    for plain, escaped in (("%2F", "/"), ("%2B", "+"), ("%3D", "="), ("A", "%41")):
        signature = signature.replace(plain, escaped)
    assert judged(house, key, f"{query}={signature}") is Reason.REPLAYED
    without_padding = signature.rstrip("=")
    assert judged(house, key, f"{query}={without_padding}") is Reason.SIGNATURE_INVALID


def test_bytes_moved_between_query_and_body_are_the_same_request(house: House) -> None:
    """BI-20: the profile's signature covers no border, so whoever moves it changes nothing."""
    key = house.issue(house.account(), TRADING)
    payload = f"timestamp={house.worker.clock.now_ms()}&quantity=10&price=5"
    signature = house.signers[key.key_id](payload.encode())
    tail = f"&signature={signature}"

    assert judged(house, key, payload[:-9] + tail, payload[-9:]) is None
    assert payload[-9:] == "0&price=5"
    for at in (len(payload), len(payload) - 8, len(payload) - 10):
        assert judged(house, key, payload[:at] + tail, payload[at:]) is Reason.REPLAYED


def test_a_window_made_longer_by_moving_the_border_gains_nothing(house: House) -> None:
    """What was sent with a window of 5 ms reads as one of 5 s under the same signature."""
    key = house.issue(house.account(), TRADING)
    now_ms = house.worker.clock.now_ms()
    payload = f"timestamp={now_ms}&recvWindow=5000=x"
    tail = f"&signature={house.signers[key.key_id](payload.encode())}"
    assert judged(house, key, payload[:-5] + tail, payload[-5:]) is None

    house.move(now_ms + 1_000)
    assert judged(house, key, house.signed_query(key)) is None
    assert judged(house, key, payload[:-2] + tail, payload[-2:]) is Reason.REPLAYED


def test_it_is_asked_last_so_what_is_refused_is_not_spent(house: House) -> None:
    key = house.issue(house.account(), TRADING, ips=("203.0.113.7",))
    query = house.signed_query(key, "symbol=A")

    stranger = an_address("198.51.100.1")
    assert judged(house, key, query, address=stranger) is Reason.IP_NOT_ALLOWED
    assert judged(house, key, query.replace("symbol=A", "symbol=B")) is Reason.SIGNATURE_INVALID
    assert judged(house, key, query, permission=FUTURES) is Reason.PERMISSION_MISSING
    assert judged(house, key, query) is None


def test_a_restart_of_the_whole_forgets_nothing(tmp_path: Path) -> None:
    house = open_house(tmp_path)
    key = house.issue(house.account(), TRADING)
    query = house.signed_query(key)
    assert judged(house, key, query) is None
    house.close()

    again = open_house(tmp_path)
    assert judged(again, key, query) is Reason.REPLAYED
    again.close()


OTHER_PROCESS = """
import sys
from tenure import settings, wiring
from tests.builders import an_address, the_catalog

decider = wiring.open_decider(settings.Settings.model_validate_json(sys.argv[1]))
outcome = decider.decide_raw(
    sys.argv[2], sys.argv[3].encode(), b"", an_address(), "spot_margin_trading"
)
print(getattr(outcome, "reason", "allowed"))
"""


def test_what_one_process_let_act_another_refuses(house: House) -> None:
    key = house.issue(house.account(), TRADING)
    first, second = house.signed_query(key, "symbol=A"), house.signed_query(key, "symbol=B")
    assert judged(house, key, first) is None

    def elsewhere(query: str) -> str:
        chosen = house.worker.settings.model_dump_json()
        return subprocess.run(
            [sys.executable, "-c", OTHER_PROCESS, chosen, key.api_key, query],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    assert elsewhere(first) == "replayed"
    assert elsewhere(second) == "allowed"
    assert judged(house, key, second) is Reason.REPLAYED


def test_while_it_cannot_be_remembered_nothing_one_time_acts(house: House) -> None:
    key = house.issue(house.account(), TRADING, FUTURES)
    house.worker.replays.close()

    with pytest.raises(Unavailable) as caught:
        judged(house, key, house.signed_query(key))
    assert caught.value.code == "replay"
    assert judged(house, key, house.signed_query(key), permission=FUTURES) is None


def test_without_one_time_permissions_venue_requests_may_be_repeated(tmp_path: Path) -> None:
    """The cache is there all the same: owners' acts are one-time, whatever the venue sells."""
    house = House.open(tmp_path)
    key = house.issue(house.account(), TRADING)
    query = house.signed_query(key)
    assert [judged(house, key, query) for _ in range(2)] == [None, None]
    (record,) = (tmp_path / "replays").iterdir()
    house.close()

    shutil.rmtree(record)
    decider = wiring.open_decider(house.worker.settings)
    assert decider.is_ready()
    assert not record.exists()  # Nobody who only decides for the venue needs one.


def test_whoever_asks_for_it_has_a_request_act_once_under_any_permission(house: House) -> None:
    decider, key = house.worker.decider, house.issue(house.account(), TRADING, FUTURES)
    for permission, again in ((FUTURES, Reason.REPLAYED), (TRADING, None)):
        request = signing.parse(key.api_key, signed(house, key), b"", an_address())
        assert isinstance(request, SignedRequest)
        allowed = decider.decide(request, permission)
        assert isinstance(allowed, Allowed)
        assert decider.once(request, allowed) == allowed
        second = decider.once(request, allowed)
        # What is one-time anyway was spent by deciding, and is not spent twice.
        assert (second.reason if isinstance(second, Refused) else None) is again


def test_without_a_cache_nothing_is_done_once(house: House) -> None:
    worker = house.worker
    decider = Decider(worker.keyring, worker.clock, the_catalog(), decoded_retry=True, sandbox=True)
    key = house.issue(house.account(), TRADING)
    request = signing.parse(key.api_key, signed(house, key), b"", an_address())
    assert isinstance(request, SignedRequest)
    allowed = house.worker.decider.decide(request, TRADING)
    assert isinstance(allowed, Allowed)
    with pytest.raises(Unavailable) as raised:
        decider.once(request, allowed)
    assert raised.value.code == "replay"


def signed(house: House, key: ApiKey) -> bytes:
    house.move(house.worker.clock.now_ms() + 1)  # Else it would be the same request again.
    return house.signed_query(key).encode()


def test_a_decider_for_one_time_permissions_is_not_made_without_a_cache(house: House) -> None:
    worker = house.worker
    with pytest.raises(ValueError, match="one-time"):
        Decider(worker.keyring, worker.clock, worker.catalog, decoded_retry=True, sandbox=True)


def test_a_binance_client_is_told_its_signature_is_spent(tmp_path: Path) -> None:
    """BI-20 on the compatible surface: the code of a bad signature, the reason in a header."""
    catalog = one_time_catalog(tmp_path, "reading")
    house = House.open(tmp_path / "home", catalog=catalog, staleness_ms=60_000)
    key = house.issue(house.account())
    app = binance.build(house.worker.decider, house.worker.settings)
    target, headers = "/sapi/v1/account/status", {"X-MBX-APIKEY": key.api_key}
    query = house.signed_query(key, "symbol=A")

    assert ask(app, "GET", f"{target}?{query}", headers=headers).status == 200
    moved = query.replace("symbol=A", "")
    again = ask(app, "GET", f"{target}?{moved[1:]}", headers=headers, body=b"")
    assert (again.status, again.json()["code"]) == (400, -1022)
    assert "tenure-refusal" not in again.headers  # Other bytes: nothing was proved.

    replayed = ask(app, "GET", f"{target}?{query}", headers=headers)
    assert (replayed.status, replayed.json()["code"]) == (400, -1022)
    assert replayed.headers["tenure-refusal"] == "replayed"
    house.close()


def test_a_replay_is_no_use_of_the_key(house: House) -> None:
    """What somebody sends again, from wherever, must not look as if its owner had been there."""
    key = house.issue(house.account(), TRADING)
    query = house.signed_query(key)
    assert judged(house, key, query) is None
    began = house.worker.clock.now_ms()
    house.move(began + 1)
    assert judged(house, key, query) is Reason.REPLAYED

    assert house.worker.usage.flush() == 1

    known = house.worker.usage.of_key(key.key_id)
    assert known is not None
    assert known.last_used_at_ms == began
