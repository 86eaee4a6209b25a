"""
A fresh second factor for one act, and acting once.

What is asked for is named by an act: a digest over what it is and everything it would do, so that
an approval of one edit approves no other (SECURITY T24). A form that is sent twice acts once.
"""

import hashlib
import json
from typing import Final, NoReturn

from tenure.clock import Clock
from tenure.domain.errors import Forbidden, Invalid, TenureError, Unauthenticated
from tenure.domain.people import PasskeyAnswer, Proof, RecoveryCode, TotpCode
from tenure.faces.console.forms import Form
from tenure.faces.console.visitors import Visitor
from tenure.services import acts
from tenure.services.acts import Acts
from tenure.services.people.facade import People
from tenure.services.people.sessions import Begun

ONCE: Final = "once"
"""The field that tells a form that is sent again from another one."""


def act_of(name: str, *parts: object) -> str:
    """Return what stands for the act called *name* on *parts*, which JSON can hold."""
    return hashlib.sha256(json.dumps([name, *parts]).encode()).hexdigest()


class Stepping:
    """Asks for second factors, and lets what was approved happen once."""

    def __init__(self, known: People, once: Acts, clock: Clock) -> None:
        """One per worker."""
        self._known, self._once, self._clock = known, once, clock

    def is_proved(self, visitor: Visitor, act: str) -> bool:
        """Whether *act* was approved in the last five minutes, and not spent since."""
        return self._known.step_ups.is_proved(visitor.session, act)

    def prove(self, visitor: Visitor, act: str, form: Form) -> Begun | None:
        """
        Return once *act* is approved: the session under its new id, None if it was approved before.

        The approval holds for five minutes, so that an edit whose plan was stale can be looked at
        again without another factor. Raises Invalid `code` where the factor is missing or wrong.
        """
        if self.is_proved(visitor, act):
            return None
        proof = proof_of(form)
        if proof is None:
            raise Invalid("code", visitor.language.say("factor.missing"))
        try:
            return self._known.step_ups.prove(visitor.session, act, proof)
        except (Unauthenticated, Forbidden, Invalid) as error:
            _refuse(visitor, error)

    def spend(self, visitor: Visitor, act: str) -> None:
        """Let *act* happen, now and not again without another factor; raises Forbidden."""
        self._known.step_ups.require(visitor.session, act)

    def once(self) -> str:
        """Return what a form is known by when it is sent."""
        return self._clock.random_bytes(16).hex()

    def enter(self, visitor: Visitor, act: str, form: Form) -> None:
        """Let what follows happen once; raises Conflict `repeated` for a form sent before."""
        begun = self._once.begin(visitor.actor, [form.one(ONCE)], [act.encode()])
        acts.enter(begun)


def proof_of(form: Form) -> Proof | None:
    """Return the second factor that was filled in, None where none was."""
    if answer := form.one("passkey"):
        return PasskeyAnswer(answer)
    if recovery_code := form.one("recovery_code").strip():
        return RecoveryCode(recovery_code)
    code = form.one("code").replace(" ", "")
    return TotpCode(code) if code else None


def _refuse(visitor: Visitor, error: TenureError) -> NoReturn:
    known = f"factor.{error.code}"
    said = visitor.language.texts.get(known) or visitor.language.say("factor.wrong")
    raise Invalid("code", said) from error
