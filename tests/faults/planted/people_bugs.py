"""Planted bugs about people signing in: P19 of SECURITY section 5, the others by their threats."""

from tests.faults.planted.bug import Bug, Swap

BUDGETS = "tests/services/people/test_budgets.py::"
FACTORS = "tests/services/people/test_factors.py::"
INVITATIONS = "tests/services/people/test_invitations.py::"
OIDC = "tests/services/people/test_oidc.py::"
RECOVERY = "tests/services/people/test_recovery.py::"
SESSIONS = "tests/services/people/test_sessions.py::"
SIGN_IN = "tests/services/people/test_signin.py::"
STEPPING = "tests/faces/console/test_stepping.py::"
STEP_UPS = "tests/services/people/test_stepups.py::"
TOTP = "tests/services/people/test_totp.py::"

_BY_TEXT = """\
_SPENT: set[tuple[bytes, str]] = set()  # a planted bug


def step_of(seed: bytes, text: str, now_ms: int, last_step: int) -> int | None:
    if (seed, text) in _SPENT:
        return None
    found = _step_of(seed, text, now_ms, 0)
    if found is not None:
        _SPENT.add((seed, text))
    return found


def _step_of(seed: bytes, text: str, now_ms: int, last_step: int) -> int | None:
"""

PEOPLE_BUGS = (
    Bug(
        number="P19",
        words="a TOTP code is spent by its text, so another spelling, or an older one, passes",
        swaps=(
            Swap(
                "services/people/totp.py",
                "def step_of(seed: bytes, text: str, now_ms: int, last_step: int) -> int | None:\n",
                _BY_TEXT,
            ),
            Swap(
                "store/factors.py",
                "is_fresh = (_PEOPLE.c.person_id == person_id) & (_PEOPLE.c.totp_last_step < step)",
                "is_fresh = _PEOPLE.c.person_id == person_id",
            ),
        ),
        caught_by=(
            f"{TOTP}test_a_step_that_was_spent_is_none_however_it_is_written",
            f"{BUDGETS}test_a_code_acts_once_in_whatever_spelling_and_session",
            f"{BUDGETS}test_a_code_from_before_the_one_that_was_used_is_spent_too",
        ),
    ),
    Bug(
        number="T21",
        words="wrong passwords are counted once they were verified, so many at once slip in",
        swaps=(
            Swap(
                "services/people/budgets.py",
                "            attempts.note(tx, attempt_id, subject, now_ms)\n",
                "",
            ),
            Swap(
                "services/people/budgets.py",
                "            person = people.by_name(tx, email)\n            if person is None or",
                "            person = people.by_name(tx, email)\n"
                "            late = new_id(self._register.real, 'try')\n"
                "            attempts.note(tx, late, _of_name(email), now_ms)\n"
                "            if person is None or",
            ),
        ),
        caught_by=(f"{BUDGETS}test_twenty_wrong_passwords_at_once_share_one_budget",),
    ),
    Bug(
        number="T22",
        words="a passkey need not have verified its user",
        swaps=(
            Swap(
                "services/people/passkeys.py",
                "                credential_current_sign_count=0,\n"
                "                require_user_verification=True,\n",
                "                credential_current_sign_count=0,\n",
            ),
        ),
        caught_by=(
            f"{SIGN_IN}test_an_answer_with_one_thing_wrong_is_none",
            f"{SIGN_IN}test_a_passkey_alone_is_judged_as_strictly",
        ),
    ),
    Bug(
        number="T22b",
        words="a challenge can be answered again",
        swaps=(
            Swap(
                "store/sessions.py",
                "    own = _CHALLENGES.c.challenge_id == challenge.challenge_id\n"
                "    return tx.execute(delete(_CHALLENGES).where(own)).rowcount == 1\n",
                "    return challenge is not None\n",
            ),
        ),
        caught_by=(
            f"{SIGN_IN}test_a_challenge_is_answered_once_even_wrongly",
            f"{SIGN_IN}test_a_challenge_for_anybody_is_answered_once_too",
            f"{OIDC}test_an_answer_is_taken_once_and_soon",
        ),
    ),
    Bug(
        number="T24",
        words="half of a sign-in and the whole one have the same id",
        swaps=(
            Swap(
                "services/people/sessions.py",
                "        if stage is not session.stage:\n",
                "        if stage is not session.stage:\n"
                "            kept = replace(session, stage=stage, person=person)\n"
                "            sessions.add(tx, kept)\n"
                "            return Begun(session=kept, secret=Secret('the same'))\n"
                "        if stage is not session.stage:\n",
            ),
        ),
        caught_by=(f"{SESSIONS}test_an_id_planted_before_the_sign_in_is_dead_after_it",),
    ),
    Bug(
        number="T24b",
        words="an approval is good for every act",
        swaps=(
            Swap(
                "store/sessions.py",
                'that still holds."""\n'
                "    own = (_STEP_UPS.c.visit_id == visit_id) & (_STEP_UPS.c.act == act)\n",
                'that still holds."""\n    own = _STEP_UPS.c.visit_id == visit_id\n',
            ),
        ),
        caught_by=(f"{STEP_UPS}test_it_is_good_for_the_act_it_names_and_no_other",),
    ),
    Bug(
        number="T24c",
        words="an approval is spent after the act, so many at once act by it",
        swaps=(
            Swap(
                "services/people/stepups.py",
                "        ends_at_ms = self._register.store.write(\n"
                "            lambda tx: "
                "stored.spend_approval(tx, session.visit_id, digest(act), now_ms)\n"
                "        )\n",
                "        ends_at_ms = now_ms if self.is_proved(session, act) else None\n",
            ),
            Swap(
                "faces/console/stepping.py",
                "        try:\n            yield\n        except (Invalid, Conflict):\n",
                "        try:\n"
                "            yield\n"
                "            ups = self._known.step_ups\n"
                "            ups._register.store.write(\n"
                "                lambda tx: ups.require_in(tx, visitor.session, act)\n"
                "            )\n"
                "        except (Invalid, Conflict):\n",
            ),
        ),
        caught_by=(
            f"{STEPPING}test_of_many_forms_that_are_sent_by_one_approval_one_acts",
            f"{STEPPING}test_an_approval_is_gone_before_the_act_runs_and_stays_gone_where_it_fails",
        ),
    ),
    Bug(
        number="T41",
        words="a recovery does not wait",
        swaps=(
            Swap(
                "services/people/recovery.py",
                "if hold is None or self._register.real.now_ms() < hold.until_ms:",
                "if hold is None:",
            ),
        ),
        caught_by=(
            f"{RECOVERY}test_the_journey_of_an_owner_who_lost_everything",
            f"{RECOVERY}test_the_hold_runs_on_the_machines_time_where_the_houses_stands_still",
        ),
    ),
    Bug(
        number="T41b",
        words="removing an owner is the quick way around the hold",
        swaps=(
            Swap(
                "services/people/invitations.py",
                "                self._require_gone_long(tx, account_id)\n",
                "",
            ),
        ),
        caught_by=(f"{INVITATIONS}test_a_removal_is_no_quick_way_around_the_hold_of_a_recovery",),
    ),
    Bug(
        number="O1",
        words="what an ID token says is believed without looking at its claims",
        swaps=(
            Swap(
                "services/people/provider.py",
                "claims.validate(now=self._clock.wall_ms() // 1_000, leeway=LEEWAY_S)",
                "claims.get('iss')",
            ),
        ),
        caught_by=(f"{OIDC}test_every_claim_has_to_hold",),
    ),
    Bug(
        number="O2",
        words="the state in the provider's answer is not compared",
        swaps=(
            Swap(
                "services/people/oidc.py",
                '    if named.get("state") != [asked.state]:\n',
                '    if "state" not in named:\n',
            ),
        ),
        # Another browser's answer fails by PKCE and nonce all the same: two locks on one door.
        caught_by=(f"{OIDC}test_an_answer_that_was_meddled_with_is_none",),
    ),
)
