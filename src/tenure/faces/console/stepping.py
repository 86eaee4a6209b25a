"""
A fresh second factor for one act, and acting once.

What is asked for is named by an act: a digest over what it is and everything it would do, so that
an approval of one edit approves no other (SECURITY T24). It is spent before the act and not after,
so that of many forms sent at once one acts; and a form that is sent twice acts once.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator
from typing import Final, NoReturn, TypeAlias

from tenure.clock import Clock
from tenure.domain.errors import Conflict, Forbidden, Invalid, TenureError, Unauthenticated
from tenure.domain.people import PasskeyAnswer, Proof, RecoveryCode, TotpCode
from tenure.faces.console.forms import Form
from tenure.faces.console.visitors import Visitor
from tenure.services import acts
from tenure.services.acts import Acts, Done
from tenure.services.people.facade import People
from tenure.services.people.sessions import Begun
from tenure.services.people.stepups import Spent

ONCE: Final = "once"
"""The field that tells a form that is sent again from another one."""
Again: TypeAlias = str | Callable[[Done], str]
"""The page that shows what a form did to whoever sends it again; or what names it, by what was."""


class DoneBefore(Exception):  # noqa: N818 - it says where to go, and nothing is wrong
    """What a form asks for was done when it was first sent; see `to`."""

    def __init__(self, to: str) -> None:
        """*to* is the page that shows what was done."""
        self.to = to
        super().__init__(to)


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

        For what spends the approval in its own transaction; all else is done in `acting`. Raises
        Invalid `code` where the factor is missing or wrong.
        """
        if self.is_proved(visitor, act):
            return None
        proof = proof_of(form)
        if proof is None:
            raise _missing(visitor)
        try:
            return self._known.step_ups.prove(visitor.session, act, proof)
        except (Unauthenticated, Forbidden, Invalid) as error:
            _refuse(visitor, error)

    def done_before(self, visitor: Visitor, act: str, form: Form) -> Done | None:
        """
        Return what this very form did when *visitor* sent it before, None where it did nothing.

        For a page that is loaded again: to be asked before any factor is, as the one that came with
        the form is used up. It tells nothing to anybody but who did it. An approval that came with
        the form is spent: what was done needs none.
        """
        try:
            self._once.begin(visitor.actor, [form.one(ONCE)], [act.encode()])
        except Conflict as conflict:
            with contextlib.suppress(Forbidden):  # There was none.
                self._known.step_ups.spend(visitor.session, act, None)
            return conflict.plan if isinstance(conflict.plan, Done) else None
        except Invalid:
            return None  # As `acting` will say.
        return None

    @contextlib.contextmanager
    def acting(
        self, visitor: Visitor, act: str, form: Form, take: Callable[[Begun], None]
    ) -> Iterator[None]:
        """
        Let what is done inside happen once, by an approval of *act* that is spent by now.

        Where it turns out impossible (Invalid, Conflict) nothing was done, and whoever reads why
        may mend it and send it again: the approval is given back for what remains of it. Not so
        for anything else, after which nobody knows what was done. *take* is handed the session
        under its new id. Raises Invalid `code` where the factor is missing or wrong, Conflict
        `repeated` for a form that was sent before.
        """
        spent = self._spend(visitor, act, form)
        if spent.begun is not None:
            take(spent.begun)
        # Not before: a form that is sent again must not leave the approval it came with.
        doing = self._once.begin(visitor.actor, [form.one(ONCE)], [act.encode()])
        acts.enter(doing)
        try:
            yield
        except (Invalid, Conflict):
            if not self._once.is_done(doing):
                self._known.step_ups.give_back(spent)
            raise

    def begin(self, visitor: Visitor, act: str, form: Form) -> None:
        """
        Let what follows in this request be what *form* does, once.

        For what spends its approval in its own transaction; all else is done in `acting`. Raises
        Conflict `repeated` for a form that was sent before.
        """
        acts.enter(self._once.begin(visitor.actor, [form.one(ONCE)], [act.encode()]))

    def once(self) -> str:
        """Return what a form is known by when it is sent."""
        return self._clock.random_bytes(16).hex()

    def _spend(self, visitor: Visitor, act: str, form: Form) -> Spent:
        proof = proof_of(form)
        try:
            return self._known.step_ups.spend(visitor.session, act, proof)
        except (Unauthenticated, Forbidden, Invalid) as error:
            if proof is None:
                raise _missing(visitor) from error
            _refuse(visitor, error)


def proof_of(form: Form) -> Proof | None:
    """Return the second factor that was filled in, None where none was."""
    if answer := form.one("passkey"):
        return PasskeyAnswer(answer)
    if recovery_code := form.one("recovery_code").strip():
        return RecoveryCode(recovery_code)
    code = form.one("code").replace(" ", "")
    return TotpCode(code) if code else None


def _missing(visitor: Visitor) -> Invalid:
    """Return what is wrong with a form that came without a second factor."""
    return Invalid("code", visitor.language.say("factor.missing"))


def _refuse(visitor: Visitor, error: TenureError) -> NoReturn:
    known = f"factor.{error.code}"
    said = visitor.language.texts.get(known) or visitor.language.say("factor.wrong")
    raise Invalid("code", said) from error
