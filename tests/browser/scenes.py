"""
A house with something of everything in it, for tests that only look.

Ann has keys in every state, Ben has none yet; Mia is a master with two sub-accounts; what operators
look at is in `affairs`. The clock stands inside a lead time, so that something is amber.
"""

from dataclasses import dataclass

from tenure.domain.contacts import Channel
from tenure.domain.model import AccountKind, ApiKey, KeyType, Permission
from tenure.services.contacts import Wish
from tests.browser import affairs
from tests.browser.affairs import Affairs
from tests.browser.served import Served
from tests.builders import FUTURES, TRADING, an_address
from tests.house import House

BEFORE = "2021-11-01T08:00:00Z"
"""Where the clock has to stand when the scene is set."""
NOW = "2021-12-26T09:00:00Z"
ADDRESS = "203.0.113.7"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The ids of what there is; *key_id* is the one to look at, with a term that ends soon."""

    ann: str
    ben: str
    mia: str
    sub: str
    sibling: str
    key_id: str
    ed25519_id: str
    quarantined_id: str
    lapsed_id: str
    revoked_id: str
    sub_key_id: str
    mail_id: str
    hook_id: str
    house: Affairs


def setting(served: Served) -> Scene:
    """Set the scene in *served*, whose clock stands `BEFORE`, and move it to `NOW`."""
    house = served.house
    ann, ben = house.account("ann@example.com"), house.account("ben@example.com")
    mia = house.account("mia@example.com", AccountKind.MASTER)
    sub = house.account("desk-one@example.com", AccountKind.SUB, mia)
    sibling = house.account("desk-two@example.com", AccountKind.SUB, mia)

    lapsed = house.issue(ann, TRADING, label="last month's bot")
    revoked = house.issue(ann, TRADING, label="lost laptop")
    house.worker.keys.revoke(revoked.key_id, "test")
    served.move("2021-12-01T10:05:00Z")
    soon = house.issue(ann, TRADING, FUTURES, label="grid bot")
    house.issue(mia, TRADING, label="treasury", ips=(ADDRESS,))
    sub_key = house.issue(sub, TRADING, label="market maker")
    served.move(NOW)
    house.issue(ann, TRADING, label="rebalancer, started today", key_type=KeyType.RSA)
    pair = house.issue(
        ann, TRADING, "withdrawals", label="settlement", key_type=KeyType.ED25519, ips=(ADDRESS,)
    )
    doubtful = house.issue(ann, FUTURES, label="from the old repository")
    house.worker.quarantine.place(doubtful.key_id, "test", cause="seen in a public repository")
    _use(house, soon)
    _refuse(house, soon)
    mail, hook = _contacts(house, ann)
    return Scene(
        ann=ann,
        ben=ben,
        mia=mia,
        sub=sub,
        sibling=sibling,
        key_id=soon.key_id,
        ed25519_id=pair.key_id,
        quarantined_id=doubtful.key_id,
        lapsed_id=lapsed.key_id,
        revoked_id=revoked.key_id,
        sub_key_id=sub_key.key_id,
        mail_id=mail,
        hook_id=hook,
        house=affairs.go_on(house),
    )


def _use(house: House, key: ApiKey) -> None:
    """Trade with *key*, from two addresses."""
    for address in ("192.0.2.44", "2001:db8:85a3::8a2e:370:7334"):
        query = house.signed_query(key).encode()
        house.worker.decider.decide_raw(key.api_key, query, b"", an_address(address), TRADING)
    house.worker.usage.flush()


def _refuse(house: House, key: ApiKey) -> None:
    """Have requests of *key* refused: by its holder, and by somebody who only knows its name."""
    for spoiled, permission, address in (
        ("", "withdrawals", ADDRESS),
        ("", "internal_transfer", "2001:db8:85a3::8a2e:370:7334"),
        ("00", TRADING, "198.51.100.20"),
        ("00", TRADING, "198.51.100.21"),
    ):
        query = f"{house.signed_query(key)}{spoiled}".encode()
        at = an_address(address)
        house.worker.decider.decide_raw(key.api_key, query, b"", at, Permission(permission))
    house.worker.refusals.flush()


def _contacts(house: House, account_id: str) -> tuple[str, str]:
    """Give an account a webhook beside its e-mail, and return the ids of both."""
    contacts = house.worker.telling.contacts
    (mail,) = contacts.of_account(account_id)
    wish = Wish(address="https://8.8.8.8/hooks/tenure", muted=("key_edited",))
    hook = contacts.add(account_id, Channel.WEBHOOK, wish, "test").contact
    return mail.contact_id, hook.contact_id
