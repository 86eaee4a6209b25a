"""The composition root: what a start makes, refuses, and mends; real clocks, real files."""

import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from tenure import settings, wiring
from tenure.clock import SandboxClock
from tenure.domain import apikeys
from tenure.domain.decide import Allowed, Reason
from tenure.domain.errors import Conflict, Invalid, TenureError, Unavailable
from tenure.domain.events import Change, Tag
from tenure.domain.model import AccountKind, ApiKey, KeyStatus, KeyType
from tenure.services.deciding import Decider
from tenure.services.keys import Draft
from tenure.services.leaks import Found
from tenure.services.rereading import Rereading
from tenure.settings import Settings
from tenure.store import db, journal
from tenure.wiring import Worker
from tests import signers
from tests.builders import TRADING, an_address, ms, shipped
from tests.processes import Process, running

pytestmark = pytest.mark.slow  # Many of them, or many examples each.

ACTOR = "operator"
UNKNOWN = apikeys.compose(b"nobody was ever issued this one!")
START = "2021-07-01T12:00:00Z"
TICKS = """
import sys
from tenure import settings, wiring
found = wiring.open_ticks(settings.load(home=sys.argv[1]))
print("ticking", flush=True)
found.run(lambda: False)
"""
"""The background process, in the home it is handed."""


@pytest.fixture(autouse=True)
def _no_other_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what the shell that runs the tests has set."""
    for name in [*Settings.model_fields, "settings"]:
        monkeypatch.delenv(f"TENURE_{name.upper()}", raising=False)


@pytest.fixture
def real(tmp_path: Path) -> Settings:
    """Return the settings of a real home, not started yet."""
    return settings.load(home=tmp_path / "home")


@pytest.fixture
def sandbox(tmp_path: Path) -> Settings:
    """Return the settings of a sandbox in the same home."""
    return settings.load(home=tmp_path / "home", sandbox=True, sandbox_start=START)


@pytest.fixture
def worker(real: Settings) -> Iterator[Worker]:
    """Return a whole Tenure in this process."""
    with closing(wiring.open_alone(real)) as opened:
        yield opened


def _issue(worker: Worker, key_type: KeyType) -> tuple[ApiKey, str]:
    """Return a key that may trade, of a new account, and its secret if it has one."""
    number = len(worker.accounts.every())
    account = worker.accounts.create(f"o{number}@example.com", AccountKind.NORMAL, None, ACTOR)
    draft = Draft(
        label="my bot",
        key_type=key_type,
        public_key=signers.public_key(key_type),
        permissions=(TRADING,),
    )
    issued = worker.keys.issue(account.account_id, draft, ACTOR)
    return issued.plan.after, issued.secret_key.reveal() if issued.secret_key else ""


def _ask(decider: Decider, api_key: str, key_type: KeyType, secret: str = "") -> Reason | None:
    query = f"timestamp={decider.now_ms()}"
    if key_type is KeyType.HMAC:
        signature = signers.hmac_sign(secret.encode(), query.encode())
    else:
        signature = quote(signers.sign(key_type, query.encode()), safe="")
    sent = f"{query}&signature={signature}".encode()
    outcome = decider.decide_raw(api_key, sent, b"", an_address(), TRADING)
    return None if isinstance(outcome, Allowed) else outcome.reason


def _head(found: Settings) -> tuple[int, str, int]:
    with closing(db.open_store(found.database_url)) as store:
        return store.read(journal.head)


def test_a_first_start_makes_everything_for_its_owner_alone(real: Settings) -> None:
    prepared = wiring.prepare(real)

    assert prepared.is_new
    assert prepared.operator_token_path == real.home / "operator-token"
    assert [rule.rule_id for rule in prepared.rulebook.rules] == [
        "2021-07-09",
        "2021-07-09-withdrawals",
    ]
    assert _head(real)[0] == 2
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in (real.home, *real.home.iterdir())
    }
    assert modes["home"] == 0o700
    assert (modes["operator-token"], modes["sealing-key"]) == (0o600, 0o400)


def test_starting_again_changes_nothing(real: Settings) -> None:
    wiring.prepare(real)
    kept = {name: (real.home / name).read_text() for name in ("operator-token", "sealing-key")}
    head = _head(real)

    prepared = wiring.prepare(real)

    assert not prepared.is_new
    assert {name: (real.home / name).read_text() for name in kept} == kept
    assert _head(real) == head


def test_processes_that_start_at_once_make_one_store(real: Settings) -> None:
    code = """
import pathlib, sys
from tenure import settings, wiring
found = settings.load(home=sys.argv[1])
print("ready", flush=True)
input()
print(wiring.prepare(found).is_new)
"""
    processes = [Process(code, real.home) for _ in range(3)]
    assert [process.hear() for process in processes] == ["ready"] * 3
    for process in processes:
        process.tell()

    assert sorted(process.hear() for process in processes) == ["False", "False", "True"]
    assert [process.end() for process in processes] == [0] * 3
    assert _head(real)[0] == 2
    with closing(wiring.open_alone(real)) as worker:
        key, secret = _issue(worker, KeyType.HMAC)
        assert _ask(worker.decider, key.api_key, KeyType.HMAC, secret) is None


def test_a_sandbox_is_never_opened_as_real(real: Settings, sandbox: Settings) -> None:
    wiring.prepare(sandbox)

    with pytest.raises(Invalid, match="made in a sandbox: start with --sandbox") as raised:
        wiring.prepare(real)

    assert raised.value.field == "sandbox"
    assert not (real.home / "time-mark").exists()


def test_a_real_store_is_never_opened_as_a_sandbox(real: Settings, sandbox: Settings) -> None:
    wiring.prepare(real)
    head = _head(real)

    with pytest.raises(Invalid, match="real store: start without --sandbox") as raised:
        wiring.prepare(sandbox)

    assert raised.value.field == "sandbox"
    assert not SandboxClock.stands_in(real.home), "or nobody could tell what this home is"
    assert _head(real) == head


def test_a_sandbox_stands_where_it_was_told_to_start_until_it_is_moved(sandbox: Settings) -> None:
    with closing(wiring.open_alone(sandbox)) as worker:
        assert worker.clock.now_ms() == ms("2021-07-01 12:00")
        assert isinstance(worker.clock, SandboxClock)
        worker.clock.move(ms("2021-12-01 10:00"))

    with closing(wiring.open_alone(sandbox)) as worker:
        assert worker.clock.now_ms() == ms("2021-12-01 10:00")


@pytest.mark.parametrize(
    "step",
    ["_start_clock", "wiring_secrets.prepare_sealing_key", "Operators.prepare", "Rules.adopt"],
)
def test_a_first_start_that_was_cut_off_is_made_good_by_the_next(
    sandbox: Settings, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f"tenure.wiring.{step}", die)
        with pytest.raises(KeyboardInterrupt):
            wiring.prepare(sandbox)

    with closing(wiring.open_alone(sandbox)) as worker:
        assert worker.clock.now_ms() == ms("2021-07-01 12:00"), "not the beginning of time"
        key, secret = _issue(worker, KeyType.HMAC)
        assert _ask(worker.decider, key.api_key, KeyType.HMAC, secret) is None
        assert len(worker.rules.rulebook().rules) == 2


def _remove(path: Path) -> None:
    path.unlink()


def _replace(path: Path) -> None:
    path.unlink()
    path.write_text("ab" * 32)
    path.chmod(0o400)


def _garble(path: Path) -> None:
    path.chmod(0o600)
    path.write_text("no key")


def _open_to_all(path: Path) -> None:
    path.chmod(0o444)


@pytest.mark.parametrize("trouble", [_remove, _replace, _garble, _open_to_all])
def test_a_store_whose_sealing_key_is_missing_or_wrong_starts_sealed(
    real: Settings, tmp_path: Path, trouble: Callable[[Path], None]
) -> None:
    """Public keys work; HMAC and unknown keys get one answer; nothing is sealed anew."""
    with closing(wiring.open_alone(real)) as worker:
        hmac, secret = _issue(worker, KeyType.HMAC)
        rsa, _ = _issue(worker, KeyType.RSA)
    shutil.copy2(real.sealing_key_path, tmp_path / "kept")
    trouble(real.sealing_key_path)

    with closing(wiring.open_alone(real)) as sealed:
        assert _ask(sealed.decider, rsa.api_key, KeyType.RSA) is None
        for api_key in (hmac.api_key, UNKNOWN):
            with pytest.raises(Unavailable) as raised:
                _ask(sealed.decider, api_key, KeyType.HMAC, secret)
            assert raised.value.code == "sealed"
        with pytest.raises(Unavailable) as raised:
            sealed.keys.rotate(hmac.key_id, None, ACTOR)
        assert raised.value.code == "sealed"

    real.sealing_key_path.unlink(missing_ok=True)
    shutil.copy2(tmp_path / "kept", real.sealing_key_path)
    with closing(wiring.open_alone(real)) as opened:
        assert _ask(opened.decider, hmac.api_key, KeyType.HMAC, secret) is None


def test_a_sealing_key_that_is_there_is_used(real: Settings) -> None:
    real.home.mkdir()
    real.sealing_key_path.write_text("ab" * 32)
    real.sealing_key_path.chmod(0o400)

    wiring.prepare(real)

    assert real.sealing_key_path.read_text() == "ab" * 32


@pytest.mark.parametrize("mode", [0o444, 0o440])
def test_a_new_store_is_not_sealed_with_a_key_that_others_read(real: Settings, mode: int) -> None:
    real.home.mkdir()
    real.sealing_key_path.write_text("ab" * 32)
    real.sealing_key_path.chmod(mode)

    with pytest.raises(Unavailable, match="chmod 0400"):
        wiring.prepare(real)


def test_a_place_where_no_sealing_key_can_be_made_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "key"
    found = settings.load(home=tmp_path / "home", sealing_key_file=path)

    with pytest.raises(Unavailable, match="no sealing key can be made") as raised:
        wiring.prepare(found)

    assert raised.value.code == "sealed"
    path.parent.mkdir()
    wiring.prepare(found)


def test_every_problem_of_a_rulebook_is_listed_before_anything_is_made(tmp_path: Path) -> None:
    text = shipped("rulebooks/2021-07-09.toml")
    text = text.replace('"30d"', '"a month"').replace('["withdrawals"]', '["gold"]')
    (tmp_path / "rulebook.toml").write_text(text + "\n[[rule]]\ncolour = 1\n")
    found = settings.load(home=tmp_path / "home", rulebook=tmp_path / "rulebook.toml")

    with pytest.raises(Invalid) as raised:
        wiring.prepare(found)

    said = str(raised.value)
    assert all(words in said for words in ("a length such as", "`gold`", "`colour`"))
    assert {problem.field.partition(" ")[0] for problem in raised.value.problems} == {"line"}
    assert not (tmp_path / "home" / "tenure.db").exists()


def test_every_problem_of_a_catalog_is_listed_before_anything_is_made(tmp_path: Path) -> None:
    (tmp_path / "catalog.toml").write_text('[catalog]\nid = ""\n[[permission]]\nid = "x"\n')
    found = settings.load(home=tmp_path / "home", catalog=tmp_path / "catalog.toml")

    with pytest.raises(Invalid) as raised:
        wiring.prepare(found)

    assert len(raised.value.problems) >= 4
    assert not (tmp_path / "home" / "tenure.db").exists()


def test_a_rulebook_that_alters_an_adopted_rule_does_not_start(
    real: Settings, tmp_path: Path
) -> None:
    wiring.prepare(real)
    text = shipped("rulebooks/2021-07-09.toml").replace('"30d"', '"90d"')
    (tmp_path / "rulebook.toml").write_text(text)
    altered = settings.load(home=real.home, rulebook=tmp_path / "rulebook.toml")

    with pytest.raises(Conflict) as raised:
        wiring.prepare(altered)

    assert raised.value.code == "rule_altered"


@pytest.mark.parametrize(
    ("database", "code"), [("mysql://db/tenure", "store"), ("sqlite:////no/such/place", "store")]
)
def test_a_database_that_cannot_be_opened_does_not_start(
    tmp_path: Path, database: str, code: str
) -> None:
    found = settings.load(home=tmp_path / "home", database=database)

    with pytest.raises(TenureError) as raised:
        wiring.prepare(found)

    assert raised.value.code == code


def test_a_start_goes_on_from_the_journals_last_instant(real: Settings) -> None:
    """Written by a machine whose clock was ahead: nobody decides as of before it (RULES R15)."""
    with closing(wiring.open_alone(real)) as worker:
        later_ms = worker.clock.now_ms() + 3_600_000
        change = Change(tag=Tag.KEY_EDITED, actor=ACTOR, happened_at_ms=later_ms, body={})
        worker.store.write(lambda tx: journal.append(tx, change, later_ms))
        assert worker.clock.now_ms() < later_ms

    with closing(wiring.open_alone(real)) as worker:
        with pytest.raises(Unavailable) as raised:
            worker.clock.now_ms()
        assert raised.value.code == "clock"
        assert not worker.decider.is_ready()


def test_an_act_in_one_process_is_in_force_in_another_when_it_returns(real: Settings) -> None:
    """Three processes as `tenure serve` has them: the ticks, and two workers."""
    wiring.prepare(real)
    other = """
import sys
from tenure import settings, wiring
from tenure.domain.decide import Allowed
from tests import signers
from tests.test_wiring import _ask, KeyType
worker = wiring.open_worker(settings.load(home=sys.argv[1]))
while True:
    print(_ask(worker.decider, input(), KeyType.ED25519), flush=True)
"""
    with running(TICKS, real.home) as ticking, running(other, real.home) as asked:
        assert ticking.hear() == "ticking"
        with closing(wiring.open_worker(real)) as worker:
            for _ in range(5):
                key, _ = _issue(worker, KeyType.ED25519)
                asked.tell(key.api_key)
                assert asked.hear() == "None"
                worker.keys.revoke(key.key_id, ACTOR)
                asked.tell(key.api_key)
                assert asked.hear() == "key_revoked"


def test_a_decider_without_a_store_decides_from_the_keyring(real: Settings) -> None:
    with closing(wiring.open_alone(real)) as worker:
        key, secret = _issue(worker, KeyType.HMAC)

    decider = wiring.open_decider(real)

    assert _ask(decider, key.api_key, KeyType.HMAC, secret) is None


def test_a_decider_that_may_not_read_the_sealing_key_serves_public_keys(real: Settings) -> None:
    """Nodes can be set to public keys alone (SECURITY section 7)."""
    with closing(wiring.open_alone(real)) as worker:
        hmac, secret = _issue(worker, KeyType.HMAC)
        rsa, _ = _issue(worker, KeyType.RSA)
    real.sealing_key_path.chmod(0o644)

    decider = wiring.open_decider(real)

    assert _ask(decider, rsa.api_key, KeyType.RSA) is None
    with pytest.raises(Unavailable) as raised:
        _ask(decider, hmac.api_key, KeyType.HMAC, secret)
    assert raised.value.code == "sealed"


def test_a_decider_needs_a_home_that_was_started_and_its_kind_of_clock(
    real: Settings, sandbox: Settings
) -> None:
    with pytest.raises(Unavailable) as unavailable:
        wiring.open_decider(real)
    assert unavailable.value.code == "stale"

    wiring.open_alone(sandbox).close()
    with pytest.raises(Invalid) as invalid:
        wiring.open_decider(real)
    assert invalid.value.field == "sandbox"


def test_a_whole_tenure_in_one_process_is_ready(worker: Worker) -> None:
    assert worker.decider.is_ready()
    assert worker.follower is not None
    assert worker.keyring.require_fresh() == worker.journal.head() == 2
    token = worker.settings.operator_token_path.read_text().strip()
    assert worker.operators.authenticate(f"Bearer {token}").name == ACTOR


def test_the_ticks_work_off_what_was_reported_as_leaked(real: Settings) -> None:
    wiring.prepare(real)
    with running(TICKS, real.home) as ticking:
        assert ticking.hear() == "ticking"
        with closing(wiring.open_worker(real)) as worker:
            key, _ = _issue(worker, KeyType.HMAC)
            worker.leaks.receive([Found(api_key=key.api_key)], "github")
            while worker.keys.get(key.key_id).status is KeyStatus.ACTIVE:
                worker.clock.sleep(0.05)  # Until the next second's work; the test has its own end.


def test_errands_sign_and_push_what_the_ticks_need_not_wait_for(
    real: Settings, tmp_path: Path
) -> None:
    wiring.prepare(real)
    pushed = tmp_path / "pushed.txt"
    errands = wiring.open_errands(real.model_copy(update={"checkpoint_file": pushed}))
    errands.once()
    errands.once()
    with closing(wiring.open_worker(real)) as worker:
        reread = Rereading(worker.store, worker.clock).state()
    assert reread is not None
    assert reread.whole_seq == 2
    assert pushed.read_text().splitlines()[1] == "2"
