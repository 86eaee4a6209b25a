"""A house with operators in it, and what they do at its pages."""

import re
from dataclasses import dataclass, replace

from tenure.domain.approvals import Act, Asked, Proposal, Signatory
from tenure.domain.model import ApiKey
from tenure.domain.people import Role
from tenure.services.approvals import Approvals
from tests.builders import TRADING, shipped
from tests.faces.console.visiting import Browser, Fields, Visited
from tests.house import Reply

OPERATE = "/console/operate"
_NEW_RULE = """
[[rule]]
id = "{0}"
title = "Options end after a week"
source = "a notice"
effective_from = {1}
permissions = ["european_options"]
unrestricted = "7d"
"""


def rulebook(rule_id: str = "options-week", since: str = "2022-03-01T00:00:00Z") -> str:
    """Return the text of the shipped rulebook with one more rule in it."""
    return shipped("rulebooks/2021-07-09.toml") + _NEW_RULE.format(rule_id, since)


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """A house, an account in it, its keys, and two administrators, an operator and a viewer."""

    visited: Visited
    account_id: str
    keys: tuple[ApiKey, ...]
    ada: Browser
    ben: Browser
    oli: Browser
    vic: Browser

    @classmethod
    def open(cls, visited: Visited) -> "Office":
        """Let everybody join."""
        account_id = visited.house.account("trader@example.com")
        keys = tuple(visited.house.issue(account_id, TRADING, label="my bot") for _ in range(3))
        roles = (Role.ADMINISTRATOR, Role.ADMINISTRATOR, Role.OPERATOR, Role.VIEWER)
        ada, ben, oli, vic = (visited.operator(role) for role in roles)
        return cls(
            visited=visited,
            account_id=account_id,
            keys=keys,
            ada=ada,
            ben=ben,
            oli=oli,
            vic=vic,
        )

    @property
    def approvals(self) -> Approvals:
        """What the pages stand on."""
        return self.visited.house.worker.operating.approvals

    def proposed(self, act: Act, asked: Asked, by: Browser | None = None) -> Proposal:
        """Propose something, past the pages."""
        who = signatory(by or self.ada)
        stamp = self.approvals.look(act, asked, who).stamp
        proposal = self.approvals.put_forward(act, asked, stamp, who).proposal
        assert proposal is not None
        return proposal

    def tags(self, count: int = 1) -> list[str]:
        """Return what happened last, the newest last."""
        journal = self.visited.house.worker.journal
        events = journal.after(max(0, journal.head() - count))
        return [str(event.change.tag) for event in events]

    def actor(self) -> str:
        """Return who did what happened last."""
        journal = self.visited.house.worker.journal
        return journal.after(journal.head() - 1)[0].change.actor

    def key(self, number: int = 0) -> ApiKey:
        """Return one of the keys as it is now."""
        return self.visited.house.worker.keys.get(self.keys[number].key_id)


def signatory(browser: Browser) -> Signatory:
    """Return who sits before a browser."""
    assert browser.person is not None
    return Signatory(browser.person.person_id, browser.person.actor)


def confirm(browser: Browser, to: str, page: Reply, fields: Fields = ()) -> Reply:
    """Send the form on *page* that goes there, with a fresh code."""
    given = list(fields.items()) if hasattr(fields, "items") else list(fields)
    return again(browser, to, page, [*given, ("code", browser.code())])


def again(browser: Browser, to: str, page: Reply, fields: Fields = ()) -> Reply:
    """Send the form on *page* that goes there, as it is but for *fields*."""
    forms = re.findall(r"<form\b.*?</form>", page.body.decode(), flags=re.DOTALL)
    (form,) = [each for each in forms if f'action="{to}"' in each]
    return browser.post(to, browser.fill(replace(page, body=form.encode()), fields))


def went(reply: Reply) -> str:
    """Return where the browser is sent."""
    assert reply.status == 303, reply.status
    return reply.headers["location"]
