"""
One life of the house, drawn from a seed: what happens, and whether the ledger saw it come.

Time is biased to the instants at which something ends or takes effect, and faults to patterns: a
follower stopped and then an edit, a sweeper stopped for months, a kill right behind a commit.
"""

import hashlib
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, final
from urllib.parse import quote

from tenure.domain import decide
from tenure.domain.decide import Allowed, Refused
from tenure.domain.errors import Conflict, Invalid, Unavailable
from tenure.domain.marks import Selection
from tenure.domain.model import AccountKind, KeyType
from tenure.services.keys import Issued, Previewed
from tests import signers
from tests.builders import DAY_MS, an_address, ms
from tests.simulation import draws
from tests.simulation.draws import CALLERS, PERMISSIONS, SHIPPED
from tests.simulation.ledger import Ledger, Stamp, Wish, is_refused, needs_confirmation
from tests.simulation.machine import Machine
from tests.simulation.world import Killed, World

_Answer = TypeVar("_Answer")

ACTOR = "simulation"
KEYS_MAX = 7
COMPARED_PER_STEP = 2
FOLLOWER_STARTED_AGAIN = 0.3
"""How likely with every step."""
LEFT_ALONE = 0.9
"""How likely a key is passed over whose account is frozen or that was revoked: little is to see."""


@dataclass(slots=True)
class Bot:
    """Who holds a key: *sign* is None where its secret was lost with a killed answer."""

    key_id: str
    api_key: str
    sign: Callable[[bytes], str] | None
    old_sign: Callable[[bytes], str] | None = None


@final
class Play:
    """A world, what should be in it, and the dice that move both."""

    def __init__(self, seed: int) -> None:
        """Everything follows from *seed*."""
        self.dice = random.Random(seed)  # noqa: S311 - to be repeatable is the point
        start_ms = ms("2021-06-25 00:00") + self.dice.randrange(20 * DAY_MS)
        self.machine = Machine(self.dice, start_ms)
        self.ledger = Ledger(SHIPPED)
        self.bots: list[Bot] = []
        self.compared = 0
        self._trace = hashlib.sha256(str(seed).encode())
        self._sweeps = True
        # In every other life: where keys are revoked by the dozen, little is left to see.
        self._strikes = seed % 2 == 0

    def begin(self, home: Path) -> None:
        """Open the house and its accounts in the empty *home*; inside `machine.running`."""
        self.world = World(self.machine, home)
        now = self.now()
        assert now is not None
        self.ledger.changes += [("rule:added", rule.name, now) for rule in SHIPPED]
        self.accounts: list[str] = []
        for kind in ("normal", "master", "sub"):
            self.open_account(kind)
        while not self.bots:
            self.issue()
        self.world.watch = self.compare

    def step(self) -> None:
        """Let one thing happen, and look what requests are told then."""
        acts: dict[Callable[[], None], int] = {
            self.pass_time: 40,
            self.edit: 36,
            self.issue: 6,
            self.rotate: 2,
            self.revoke: 1,
            self.freeze: 4,
            self.adopt: 4,
            self.sweep: 6,
            self.sweep_late: 5,
            self.toggle_sweeper: 3,
            self.stop_follower: 3,
            self.step_wall: 5,
            self.restart: 1,
            self.reboot: 1,
            self.aim_to_kill: 2,
            **({self.strike: 3} if self._strikes else {}),
        }
        (act,) = self.dice.choices(list(acts), list(acts.values()))
        self.note(act.__name__)
        act()
        if self.dice.random() < FOLLOWER_STARTED_AGAIN:
            self.world.follows = True
        self.world.tick()
        if self._sweeps and self.dice.random() < 0.2:
            self.sweep()
        self.compare()

    def finish(self) -> str:
        """Set everything right again, record what has ended, and return the trace's hash."""
        self.world.follows, self.world.dies = True, None
        if (now := self.now()) is None:
            self.machine.pass_time(DAY_MS * 400)
            now = self.now()
        assert now is not None
        self.world.tick()
        self.world.sweep.tick()
        self.world.tick()
        self.ledger.lapse_all(now)
        self.compare()
        self.note(self.world.journal()[-1].hash)
        return self._trace.hexdigest()

    # What happens.

    def pass_time(self) -> None:
        """Let time go by, often to the very millisecond at which something ends."""
        to_come = [at - self.machine.wall_ms for at in self.ledger.instants()]
        self.machine.pass_time(draws.delay(self.dice, to_come))

    def step_wall(self) -> None:
        """Set the machine's clock wrong, or right again."""
        self.machine.step_wall(draws.wall_step(self.dice))

    def open_account(self, kind: str) -> None:
        """Open an account of *kind*; a sub-account belongs to the only master."""
        master = self.accounts[1] if kind == "sub" else None
        now = self.now()
        assert now is not None
        email = f"{kind}@example.com"
        account = self.world.accounts.create(email, AccountKind(kind), master, ACTOR)
        self.accounts.append(account.account_id)
        self.ledger.create(account.account_id, kind, master, now)

    def issue(self) -> None:
        """Issue a key, maybe one that nobody may have."""
        if sum(self.ledger.is_alive(bot.key_id) for bot in self.bots) >= KEYS_MAX:
            return
        account, wish = self.dice.choice(self.accounts), draws.wish(self.dice, {True: 1})
        key_type, now = self.dice.choice(list(KeyType)), self.now()
        draft = draws.draft(wish, key_type, signers.public_key(key_type))
        outcome, issued = self.attempt(lambda: self.world.keys.issue(account, draft, ACTOR))
        if outcome == "killed before":
            return
        now = None if now is None else self.ledger.issuable(now)
        key = None if now is None else self.ledger.plan_issue(account, key_type, wish, now)
        self.agree(self.refused(wish, now) or ("done" if key else "invalid"), outcome)
        if key is not None and now is not None:
            self.bots.append(self.bot_of(account, key_type, issued))
            self.ledger.issue(self.bots[-1].key_id, key, wish.label or "", now)

    def bot_of(self, account: str, key_type: KeyType, issued: Issued | None) -> Bot:
        """Return who holds the key just issued, found in the store if the answer was lost."""
        if issued is None:
            found = self.world.keys.of_account(account)
            key = next(key for key in found if key.key_id not in self.ledger.keys)
        else:
            key = issued.plan.after
        return Bot(key.key_id, key.api_key, signer_of(key_type, issued))

    def edit(self) -> None:
        """Edit a key: seen first or not, confirmed soon, late, or after something moved."""
        bot, wish, stamp = self.some_bot(), draws.wish(self.dice), None
        shown: Previewed | None = None
        if self.dice.random() < 0.75:
            shown, stamp = self.preview(bot, wish)
            if self.dice.random() < 0.4:
                self.meanwhile()
            if self.dice.random() < 0.1:
                wish = draws.wish(self.dice)
        self.commit(bot, wish, shown.stamp if shown else None, stamp)

    def preview(self, bot: Bot, wish: Wish) -> tuple[Previewed | None, Stamp | None]:
        """Look at what *wish* would do."""
        now, wanted = self.now(), draws.wanted(wish)
        outcome, shown = self.attempt(lambda: self.world.keys.preview(bot.key_id, wanted))
        foreseen = "" if now is None else self.ledger.preview(bot.key_id, wish, now)
        expected = foreseen if isinstance(foreseen, str) else "done"
        self.agree(self.refused(wish, now) or expected, outcome)
        if shown is None or isinstance(foreseen, str):
            return None, None
        said, stamp = foreseen
        self.agree(sorted(said), draws.told(shown.plan))
        self.agree(needs_confirmation(said), shown.plan.confirmation_required)
        return shown, stamp

    def commit(self, bot: Bot, wish: Wish, stamp: str | None, foreseen: Stamp | None) -> None:
        """Save *wish*, confirmed with *stamp*, of which the ledger knows what it stood on."""
        now, wanted = self.now(), draws.wanted(wish)
        outcome, _ = self.attempt(lambda: self.world.keys.edit(bot.key_id, wanted, stamp, ACTOR))
        if outcome == "killed before":
            return
        refused = self.refused(wish, now)
        if refused is None and now is not None:
            refused = self.ledger.edit(bot.key_id, wish, foreseen, now)
        self.agree(refused, outcome)

    def meanwhile(self) -> None:
        """Let something else come first."""
        acts = [*[self.pass_time] * 6, *[self.adopt] * 2, *[self.edit] * 3, self.revoke]
        act = self.dice.choice(acts)
        self.note(f"meanwhile {act.__name__}")
        act()

    def rotate(self) -> None:
        """Give an HMAC key a new secret: the old one stops at once."""
        bot = self.dice.choice(self.bots)
        if self.ledger.keys[bot.key_id].key_type != KeyType.HMAC:
            return
        now = self.now()
        outcome, issued = self.attempt(lambda: self.world.keys.rotate(bot.key_id, None, ACTOR))
        if outcome == "killed before":
            return
        expected = "clock" if now is None else self.ledger.rotate(bot.key_id, now)
        self.agree(expected, outcome)
        if outcome in {"done", "killed after"}:
            bot.old_sign, bot.sign = bot.sign, signer_of(KeyType.HMAC, issued)

    def revoke(self) -> None:
        """Revoke a key, for good; not often, or nothing would be left to happen."""
        bot, now = self.dice.choice(self.bots), self.now()
        outcome, _ = self.attempt(lambda: self.world.keys.revoke(bot.key_id, ACTOR))
        if outcome == "killed before":
            return
        self.agree("clock" if now is None else "done", outcome)
        if now is not None:
            self.ledger.revoke(bot.key_id, now)

    def strike(self) -> None:
        """Revoke keys together, by a label mostly; now and then without having looked."""
        now, ledger = self.now(), self.ledger
        label = self.dice.choice([*ledger.labels.values(), *ledger.labels.values(), None])
        tree = self.dice.choice([None, None, *self.accounts])
        before = self.dice.choice([None, None, *ledger.issued.values()])
        nothing = label is None and tree is None and before is None
        if nothing or (before is not None and before > (now or 0)):
            return
        # What nobody named is called so in Tenure.
        selection = Selection.of("new" if label == "" else label, tree, before)
        _, shown = self.attempt(lambda: self.world.revocations.preview(selection))
        stamp = shown.stamp if shown and self.dice.random() < 0.9 else None
        outcome, _ = self.attempt(lambda: self.world.revocations.commit(selection, stamp, ACTOR))
        if outcome == "killed before":
            return
        meant = ledger.meant(label, tree, before)
        if now is None:
            self.agree("clock", outcome)
        elif meant and stamp is None:
            self.agree("confirmation_required", outcome)
        else:
            self.agree(len(meant), shown.plan.matched if shown else 0)
            self.agree("done", outcome)
            ledger.strike(label, tree, before, now)

    def freeze(self) -> None:
        """Freeze an account, or let it go."""
        account, now = self.dice.choice([*self.accounts, *[*self.ledger.frozen] * 9]), self.now()
        frozen = account not in self.ledger.frozen
        outcome, _ = self.attempt(
            lambda: self.world.accounts.set_frozen(account, frozen=frozen, actor=ACTOR)
        )
        if outcome == "killed before":
            return
        self.agree("clock" if now is None else "done", outcome)
        if now is not None:
            self.ledger.freeze(account, now, frozen=frozen)

    def adopt(self) -> None:
        """Add a rule that succeeds others from its own date, or clashes with one."""
        now = self.now()
        if now is None:
            return
        rule = draws.rule(self.dice, len(self.ledger.rules), now, self.ledger.rules)
        outcome, _ = self.attempt(lambda: self.world.worker.rules.adopt(draws.rulebook(rule)))
        if outcome != "killed before":
            self.agree(self.ledger.adopt(rule, now), outcome)

    def sweep(self) -> None:
        """Sweep, maybe twice, maybe killed; nothing is to be seen of it but in the journal."""
        now = self.now()
        for _ in range(self.dice.choice([1, 1, 2])):
            outcome, _ = self.attempt(self.world.sweep.tick)
            if outcome != "killed before":
                self.agree("clock" if now is None else "done", outcome)

    def sweep_late(self) -> None:
        """Have a term end, an owner tick it again, and a slow sweeper that looked in between."""
        running = [
            (box.end, key_id, name)
            for key_id, key in self.ledger.keys.items()
            for name, box in key.boxes.items()
            if box.end and box.end > self.machine.wall_ms and self.ledger.is_alive(key_id)
        ]
        if self.world.dies or not running:
            return
        end, key_id, name = min(running)
        self.machine.pass_time(end - self.machine.wall_ms)
        if self.now() is None:
            return
        bot = next(bot for bot in self.bots if bot.key_id == key_id)

        def tick_again() -> None:
            wish = Wish({name: True})
            shown, stamp = self.preview(bot, wish)
            self.commit(bot, wish, shown.stamp if shown else None, stamp)

        self.world.sweep_late(tick_again)

    def toggle_sweeper(self) -> None:
        """Stop the sweeper for a long while, or start it again."""
        self._sweeps = not self._sweeps

    def stop_follower(self) -> None:
        """Stop the follower for some steps; the bound is soon reached, or just not yet."""
        self.world.follows = False
        self.machine.pass_time(self.dice.choice([0, 1, 1_000, 4_999, 5_000, 5_001]))

    def restart(self) -> None:
        """Stop everything and start it again."""
        self.world.restart()
        self.ledger.was_restarted = True

    def reboot(self) -> None:
        """Restart the machine itself."""
        self.machine.reboot()
        self.restart()

    def aim_to_kill(self) -> None:
        """Have the process die that makes the next change."""
        self.world.dies = self.dice.choice(["before", "after"])

    # What is asked, and whether it was foreseen.

    def compare(self, most: int = COMPARED_PER_STEP) -> None:
        """Have requests of some keys decided, under every permission, and compare."""
        for bot in [self.some_bot() for _ in range(most)]:
            caller, now = self.dice.choice(CALLERS), self.now()
            unable = "clock" if now is None else "stale" if self.world.is_stale() else None
            said = [self.ask(bot, self.dice.choice(PERMISSIONS), caller, now, unable)]
            if unable is None and now is not None:
                loaded = self.world.worker.keyring.find(bot.api_key)
                assert loaded is not None
                address = an_address(caller)
                for permission in PERMISSIONS:
                    outcome = answer(decide.judge(loaded, address, permission, now))
                    self.agree(self.ledger.verdict(bot.key_id, permission, caller, now), outcome)
                    said.append(outcome)
            self.compared += len(said)
            self.note(f"{bot.key_id} {said}")

    def ask(
        self, bot: Bot, permission: str, caller: str, now: int | None, unable: str | None
    ) -> tuple[str, int | None]:
        """Send a signed request, now and then signed with what the key had before."""
        sign, proved = bot.sign, True
        if bot.old_sign is not None and self.dice.random() < 0.3:
            sign, proved = bot.old_sign, False
        key_type = self.ledger.keys[bot.key_id].key_type
        # Signing with RSA takes as long as all the rest of a step.
        if sign is None or (key_type == KeyType.RSA and self.dice.random() < 0.8):
            return "unsigned", None
        query = f"timestamp={self.machine.wall_ms if now is None else now}"
        query += f"&signature={quote(sign(query.encode()), safe='')}"
        decider, address = self.world.worker.decider, an_address(caller)
        try:
            decided = decider.decide_raw(bot.api_key, query.encode(), b"", address, permission)
        except Unavailable as error:
            self.agree(unable, error.code)
            return error.code, None
        expected: tuple[str, int | None] = ("signature_invalid", None)
        if proved and now is not None:
            expected = self.ledger.verdict(bot.key_id, permission, caller, now)
        self.agree((unable, expected), (None, answer(decided)))
        return answer(decided)

    def some_bot(self) -> Bot:
        """Draw a bot, mostly one with something to lose."""
        alive = [bot for bot in self.bots if self.ledger.is_alive(bot.key_id)]
        if alive and self.dice.random() < LEFT_ALONE:
            return self.dice.choice(alive)
        return self.dice.choice(self.bots)

    def attempt(self, act: Callable[[], _Answer]) -> tuple[str, _Answer | None]:
        """Return how *act* went, in the ledger's words; who is killed is started again."""
        try:
            with self.world.dying():
                return "done", act()
        except Invalid:
            return "invalid", None
        except (Conflict, Unavailable) as error:
            return error.code, None
        except Killed:
            how, self.world.dies = self.world.dies, None
            self.restart()
            return f"killed {how}", None

    def now(self) -> int | None:
        """
        Return the instant things are decided as of, None where the clock is too far back.

        Both are asked, always: what only one of them has seen, only one is held to.
        """
        now: int | None = None
        with suppress(Unavailable):
            now = self.world.worker.clock.now_ms()
        self.agree(self.ledger.now(self.machine.wall_ms), now)
        return now

    def refused(self, wish: Wish, now: int | None) -> str | None:
        """Return what stops *wish* before its key is looked at."""
        if wish.nets and is_refused("", {}, wish.nets):
            return "invalid"
        return "clock" if now is None else None

    def agree(self, expected: object, actual: object) -> None:
        """Raise AssertionError unless both say the same; a killed answer was never heard."""
        if actual == "killed after":
            actual = "done"
        if expected != actual:
            raise AssertionError(f"the ledger says {expected!r}, Tenure {actual!r}")

    def note(self, text: str) -> None:
        """Add to the trace."""
        self._trace.update(text.encode())


def answer(decided: Allowed | Refused) -> tuple[str, int | None]:
    """Return a decision as the ledger says it."""
    if isinstance(decided, Allowed):
        return "allowed", decided.ends_at_ms
    return str(decided.reason), decided.at_ms


def signer_of(key_type: KeyType, issued: Issued | None) -> Callable[[bytes], str] | None:
    """Return what signs for a key just *issued*, None where nobody heard its secret."""
    if key_type is not KeyType.HMAC:
        return lambda payload: signers.sign(key_type, payload)
    if issued is None or issued.secret_key is None:
        return None
    secret = issued.secret_key.reveal().encode()
    return lambda payload: signers.hmac_sign(secret, payload)
