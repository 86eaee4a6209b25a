"""
What goes on in the house of the scene: who works there, what waits for two, what has leaked.

Rosa and Sam are administrators; Rosa proposes, and Sam has settled. Zoe is invited. Lea lost what
she signs in with and is being let in again; Nina has yet to join, and two keys of hers have leaked.
"""

from dataclasses import dataclass, replace

from pyotp.hotp import HOTP

from tenure.domain.approvals import Act, Asked, Signatory
from tenure.domain.model import KeyType, RuleId
from tenure.domain.people import Passkey, Person, PersonId, Role, Stage
from tenure.domain.rules import Rule, Rulebook
from tenure.services.leaks import Found
from tenure.services.people.invitations import Invited, Joining
from tenure.services.people.sessions import Begun
from tenure.services.people.totp import STEP_MS
from tenure.store import factors
from tenure.store.factors import StoredPasskey
from tests.browser.members import PASSWORD, secret_of
from tests.builders import DAY_MS, FUTURES, TRADING, a_rule, ms
from tests.house import House

STAGES = {
    "rosa": Stage.FULL,
    "lea_herself": Stage.FULL,
    "sam": Stage.PASSWORD,
    "zoe": Stage.ENROLLING,
}
"""Who is seen without having been in a browser before, and how far they have come in."""
RULEBOOK = """[[rule]]
id = "2022-04-01-options"
title = "Options end after 60 days"
source = "Notice to API users, 2021-12-20"
effective_from = 2022-04-01T00:00:00Z
permissions = ["european_options"]
unrestricted = "60d"
restricted = "unlimited"
notify_before = ["7d", "1d"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Affairs:
    """Ids of people, accounts and proposals; *join_secret* is the end of Nina's link."""

    rosa: str
    sam: str
    zoe: str
    lea: str
    lea_herself: str
    nina: str
    join_secret: str
    passkey_id: str
    rule_id: str
    inviting_id: str
    scheduling_id: str
    stale_id: str
    approved_id: str
    leaked_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """The two who have to agree in *house*."""

    house: House
    rosa: Person
    sam: Person

    def proposed(self, act: Act, asked: Asked) -> str:
        """Let Rosa propose something, and return its id."""
        approvals, by = self.house.worker.operating.approvals, _signatory(self.rosa)
        stamp = approvals.look(act, asked, by).stamp
        proposal = approvals.put_forward(act, asked, stamp, by).proposal
        assert proposal is not None
        return proposal.approval_id

    def agreed(self, act: Act, asked: Asked) -> str:
        """Let Rosa propose something that Sam approves."""
        approval_id = self.proposed(act, asked)
        self.house.worker.operating.approvals.approve(approval_id, _signatory(self.sam))
        return approval_id

    def turned_down(self, act: Act, asked: Asked) -> str:
        """Let Rosa propose something that Sam turns down."""
        approval_id = self.proposed(act, asked)
        self.house.worker.operating.approvals.withdraw(approval_id, _signatory(self.sam))
        return approval_id


def go_on(house: House) -> Affairs:
    """Let all of it happen, now."""
    invitations = house.worker.people.invitations
    office = Office(
        house=house,
        rosa=_join(
            house, invitations.of_operator("rosa@house.example", Role.ADMINISTRATOR, "test")
        ),
        sam=_join(house, invitations.of_operator("sam@house.example", Role.ADMINISTRATOR, "test")),
    )
    passkey_id = _plug(house, office.rosa)
    _plug(house, office.sam)
    nina, lea = house.account("nina@example.com"), house.account("lea@example.com")
    leaked_id = _leak(house, nina)
    rule, other = _rules(house)

    invited = {"email": "zoe@house.example", "role": "viewer"}
    approved_id = office.agreed(Act.INVITE_OPERATOR, invited)
    zoe = house.worker.people.operators()[-1].person_id
    office.agreed(Act.REVOKE_KEYS, {"label": "copy trading", "issued_before_ms": None})
    office.turned_down(Act.CHANGE_ROLE, {"person_id": zoe, "role": "administrator"})
    stale_id = office.proposed(Act.WITHDRAW_RULE, {"rule_id": other.rule_id})
    house.worker.rules.withdraw(other.rule_id, "test")
    return Affairs(
        rosa=office.rosa.person_id,
        sam=office.sam.person_id,
        zoe=zoe,
        lea=lea,
        lea_herself=_lock_out(house, lea),
        nina=nina,
        join_secret=secret_of(invitations.of_account(nina, "test")),
        passkey_id=passkey_id,
        rule_id=rule.rule_id,
        inviting_id=office.proposed(
            Act.INVITE_OPERATOR, {"email": "yuki@house.example", "role": "operator"}
        ),
        scheduling_id=office.proposed(Act.SCHEDULE_RULES, {"rulebook": RULEBOOK}),
        stale_id=stale_id,
        approved_id=approved_id,
        leaked_id=leaked_id,
    )


def begin(house: House, ids: Affairs, who: str) -> Begun:
    """Let somebody of `STAGES` sign in on a telephone and here, and nowhere else."""
    sessions, person_id = house.worker.people.sessions, PersonId(getattr(ids, who))
    person = house.worker.people.find(person_id)
    sessions.end_all(person_id)

    def begin(agent: str) -> Begun:
        return house.worker.store.write(
            lambda tx: sessions.begin_in(tx, person, STAGES[who], agent)
        )

    begin("Mozilla/5.0 (Android 14) Firefox/128.0")
    return begin("Mozilla/5.0 (Linux) Chrome/126.0")


def _signatory(person: Person) -> Signatory:
    return Signatory(person.person_id, person.actor)


def _join(house: House, invited: Invited) -> Person:
    """Let somebody take an invitation, with an app as the second factor."""
    people = house.worker.people
    begun = people.invitations.accept(secret_of(invited), Joining(password=PASSWORD))
    seed = people.factors.begin_totp(begun.session).seed.reveal()
    code = HOTP(seed).at(people.now_ms() // STEP_MS)
    return people.factors.confirm_totp(begun.session, code).person


def _plug(house: House, person: Person) -> str:
    """Give somebody a passkey beside the app, which nobody will ever use; return its id."""
    now_ms = house.worker.people.now_ms()
    passkey = Passkey(
        passkey_id=f"psk_{person.person_id[-24:]}", label="telephone", added_at_ms=now_ms
    )
    stored = StoredPasskey(
        passkey=passkey,
        person_id=person.person_id,
        credential_id=person.person_id.encode(),
        public_key=b"none",
        sign_count=0,
    )
    house.worker.store.write(lambda tx: factors.add_passkey(tx, stored))
    return passkey.passkey_id


def _leak(house: House, account_id: str) -> str:
    """Have two keys of an account reported, and one that is called as many; return one's id."""
    leaked = house.issue(account_id, TRADING, label="signals, from the office")
    pair = house.issue(account_id, FUTURES, label="hedge", key_type=KeyType.ED25519)
    house.issue(account_id, TRADING, label="copy trading")
    url = "https://github.com/nina-trades/notebooks/blob/main/2021/december/signals.ipynb"
    leaks = house.worker.leaks
    leaks.receive([Found(api_key=leaked.api_key, url=url)], "github")
    leaks.receive([Found(api_key=pair.api_key, source="commit")], "operator")
    leaks.tick()
    return leaked.key_id


def _rules(house: House) -> tuple[Rule, Rule]:
    """Schedule two rules, and return them."""
    rules = house.worker.rules
    futures = a_rule("2022-03-01", FUTURES, since="2022-03-01 00:00", unrestricted=90 * DAY_MS)
    futures = replace(
        futures,
        title="Futures end after 90 days",
        source="Notice to API users, 2021-12-20",
    )
    hasty = replace(
        futures,
        rule_id=RuleId("2022-01-03"),
        title="Futures end after a week",
        effective_from_ms=ms("2022-01-03 00:00"),
        unrestricted=7 * DAY_MS,
    )
    rulebook = Rulebook((futures, hasty))
    rules.schedule(rulebook, rules.preview(rulebook).stamp, "test")
    return futures, hasty


def _lock_out(house: House, account_id: str) -> str:
    """Let the owner join, lose her telephone and tell support; return who she is."""
    house.issue(account_id, TRADING, label="weekend bot")
    people = house.worker.people
    owner = _join(house, people.invitations.of_account(account_id, "test"))
    people.recovery.begin(account_id, "test")
    return owner.person_id
