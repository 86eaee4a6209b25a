"""
Proving a second factor: a code, a passkey, or a recovery code in their place.

Where a proof is asked for (at sign-in, for an act) is the business of `signin` and `stepups`; here
it is judged, in one transaction, so that what is spent stays spent whatever comes of it.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

from tenure.clock import new_id
from tenure.domain.errors import Unauthenticated, Unavailable
from tenure.domain.events import Event, Tag
from tenure.domain.people import (
    CHALLENGE_MS,
    PasskeyAnswer,
    Person,
    Proof,
    RecoveryCode,
    Session,
    TotpCode,
)
from tenure.services.people import codes, passkeys, totp
from tenure.services.people.budgets import Budgets, wrong
from tenure.services.people.passkeys import Passkeys
from tenure.services.people.register import Register
from tenure.services.sealing import SealingKey
from tenure.store import factors, people, seals, sessions
from tenure.store.db import Transaction
from tenure.store.factors import StoredPasskey
from tenure.store.sessions import Challenge

SEALED_FOR: Final = "totp"
"""What a seed is sealed for, beside its holder: it opens nothing else (SECURITY P21)."""

Failed: TypeAlias = Unauthenticated | None
"""What a proof failed with, None where it held: raised once what it spent is stored."""


class Proving:
    """Judges proofs of second factors."""

    def __init__(
        self,
        register: Register,
        budgets: Budgets,
        verifier: Passkeys,
        sealing_key: SealingKey | None,
    ) -> None:
        """Without *sealing_key* no code can be judged; passkeys can."""
        self._register, self._budgets, self.verifier = register, budgets, verifier
        self._sealing_key = sealing_key

    def ask(self, session: Session, purpose: str) -> str:
        """Return the options (JSON) for a passkey of whose *session* it is, for one *purpose*."""
        challenge = self.verifier.challenge(self._register.real)

        def ask(tx: Transaction) -> list[StoredPasskey]:
            self.keep(tx, purpose, session.visit_id, challenge)
            return factors.stored_passkeys(tx, session.person.person_id)

        return self.verifier.request(self._register.store.write(ask), challenge)

    def keep(self, tx: Transaction, purpose: str, bound_to: str, content: bytes) -> str:
        """Keep what is to be answered soon and once; return its id."""
        challenge = Challenge(
            challenge_id=new_id(self._register.real, "chl"),
            purpose=purpose,
            bound_to=bound_to,
            content=content,
            ends_at_ms=self._register.real.now_ms() + CHALLENGE_MS,
        )
        sessions.ask(tx, challenge)
        return challenge.challenge_id

    def prove(self, session: Session, purpose: str, proof: Proof) -> None:
        """
        Return if *proof* holds for whose *session* it is, and *purpose*.

        Raises Unauthenticated `wrong` or `locked`, Unavailable `sealed`.
        """
        match proof:
            case TotpCode(text):
                self._judge(lambda tx: self._code(tx, session.person, text))
            case PasskeyAnswer(text):
                self._judge(lambda tx: self._passkey(tx, session, purpose, text))
            case RecoveryCode(text):
                self._judge(lambda tx: self._recovery_code(tx, session.person, text))

    def by_any_passkey(self, challenge_id: str, purpose: str, answer: str) -> Person:
        """Return whose passkey answered a challenge that nobody in particular was asked."""
        found: list[Person] = []

        def judge(tx: Transaction) -> tuple[Failed, Event | None]:
            now_ms = self._register.real.now_ms()
            asked = sessions.called(tx, challenge_id, purpose, now_ms)
            if asked is None or not sessions.spend(tx, asked):
                return wrong(), None
            stored = factors.passkey_called(tx, self.verifier.named_in(answer))
            person = people.find(tx, stored.person_id) if stored is not None else None
            if stored is None or person is None or person.removed_at_ms is not None:
                return wrong(), None
            found.append(person)
            return self._verify(tx, person, stored, asked, answer)

        self._judge(judge)
        return found[0]

    def _judge(self, judge: Callable[[Transaction], tuple[Failed, Event | None]]) -> None:
        failed = self._register.change(judge)
        if failed is not None:
            raise failed

    def _code(self, tx: Transaction, person: Person, text: str) -> tuple[Failed, Event | None]:
        self._budgets.require_codes(tx, person)
        stored = factors.totp_of(tx, person.person_id)
        if stored is None:
            return wrong(), None
        seed = self.open(tx, person, stored.sealed)
        step = totp.step_of(seed, text, self._register.real.now_ms(), stored.last_step)
        if step is None or not factors.spend_step(tx, person.person_id, step):
            return wrong(), self._budgets.note_wrong_code(tx, person)
        return None, None

    def _passkey(
        self, tx: Transaction, session: Session, purpose: str, answer: str
    ) -> tuple[Failed, Event | None]:
        asked = sessions.asked(tx, session.visit_id, purpose, self._register.real.now_ms())
        if asked is None or not sessions.spend(tx, asked):
            return wrong(), None
        held = factors.stored_passkeys(tx, session.person.person_id)
        try:
            named = self.verifier.named_in(answer)
        except Unauthenticated as error:
            return error, None
        stored = next((one for one in held if one.credential_id == named), None)
        if stored is None:
            return wrong(), None
        return self._verify(tx, session.person, stored, asked, answer)

    def _verify(
        self,
        tx: Transaction,
        person: Person,
        stored: StoredPasskey,
        asked: Challenge,
        answer: str,
    ) -> tuple[Failed, Event | None]:
        try:
            sign_count = self.verifier.count_of(answer, asked.content, stored)
        except Unauthenticated as error:
            return error, None
        if passkeys.has_gone_back(stored, sign_count):
            # It may have been copied: this one is refused, and its holder is told.
            return wrong(), self._register.record(
                tx,
                Tag.PERSON_PASSKEY_SUSPECTED,
                people.get(tx, person.person_id),
                label=stored.passkey.label,
            )
        if not factors.use_passkey(tx, stored, sign_count, self._register.real.now_ms()):
            return wrong(), None
        self._budgets.unlock(tx, person)
        return None, None

    def _recovery_code(
        self, tx: Transaction, person: Person, text: str
    ) -> tuple[Failed, Event | None]:
        if not factors.spend_code(tx, person.person_id, codes.digest_of(person.person_id, text)):
            return wrong(), None
        self._budgets.unlock(tx, person)
        left = people.get(tx, person.person_id)
        return None, self._register.record(tx, Tag.PERSON_CODE_USED, left)

    def open(self, tx: Transaction, person: Person, sealed: bytes) -> bytes:
        """Return the seed in *sealed*; raises Unavailable `sealed`."""
        return self.key().open(
            sealed,
            key_id=person.person_id,
            account_id=SEALED_FOR,
            wrapped=seals.data_keys(tx),
        )

    def key(self) -> SealingKey:
        """Return the key that seals seeds; raises Unavailable `sealed`."""
        if self._sealing_key is None:
            raise Unavailable("sealed", "secrets are sealed: the sealing key is missing or wrong")
        return self._sealing_key
