"""
What a notice says to one contact: subject, plain text and HTML for mail, JSON for webhooks.

Words come from `languages`, facts from the notice. Nothing is looked up and nothing is sent; the
same notice, contact and rulebook always make the same message, so a message that is sent again is
the same to the byte.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import jinja2

from tenure.domain import wording
from tenure.domain.catalog import Catalog
from tenure.domain.contacts import Contact
from tenure.domain.model import RuleId
from tenure.domain.notices import Kind, Notice
from tenure.domain.rules import Rulebook
from tenure.services import languages, naming
from tenure.services.languages import Language

_ABOUT_EVERY_KEY: Final = frozenset(
    {Kind.ACCOUNT_FROZEN, Kind.ACCOUNT_UNFROZEN, Kind.KEYS_REVOKED, Kind.RULE_SCHEDULED}
)
_ABOUT_SIGNING_IN: Final = frozenset(
    {
        *(Kind.OWNER_JOINING, Kind.SIGN_IN_CHANGED, Kind.SIGN_IN_LOCKED),
        *(Kind.PASSKEY_SUSPECTED, Kind.RECOVERY_BEGUN, Kind.RECOVERY_ENDED),
    }
)
IN_PARTS: Final[Mapping[Kind, tuple[str, str]]] = {
    Kind.CONTACTS_CHANGED: ("change", "changed"),
    Kind.OWNER_JOINING: ("change", "invited"),
    Kind.SIGN_IN_CHANGED: ("change", "changed"),
    Kind.SIGN_IN_LOCKED: ("factor", "totp"),
    Kind.RECOVERY_ENDED: ("outcome", "completed"),
}
"""Kinds with a text for each value of a fact: that fact, and what is said where it is missing."""
_UNKNOWN: Final = "?"
"""Stands for a fact that the event did not hold; a text with a gap is still told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A notice in words: *subject* is one line, *body* the JSON of a webhook."""

    subject: str
    text: str
    html: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a notice says: one line, the sentences, what became of each permission, advice."""

    subject: str
    lines: tuple[str, ...]
    items: tuple[str, ...]
    advice: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """
    What every message has in common, from the settings.

    *public_url* is where owners find their keys, without a slash at its end; empty leaves links
    out. *language* and *time_zone* are for contacts that name none.
    """

    public_url: str = ""
    language: str = languages.ENGLISH
    time_zone: str = "UTC"


class Rendering:
    """Puts notices into words."""

    def __init__(self, catalog: Catalog, house: House) -> None:
        """*catalog* has the permissions' labels."""
        self._catalog, self.house = catalog, house

    def language_of(self, contact: Contact | None) -> Language:
        """Return how to speak to *contact*, None being whoever reads the house's own language."""
        tag = contact.language if contact else None
        zone = contact.time_zone if contact else None
        return languages.language(tag or self.house.language, zone or self.house.time_zone)

    def subject(self, notice: Notice, language: Language) -> str:
        """Return the one line that tells what *notice* is about."""
        text_id = f"{notice.kind}.subject"
        return " ".join(language.say(text_id, **self._parts(notice, language)).split())

    def told(self, notice: Notice, language: Language, rulebook: Rulebook) -> Told:
        """Return all that *notice* says to a reader; *rulebook* has the titles of rules."""
        return Told(
            subject=self.subject(notice, language),
            lines=tuple(self._lines(notice, language, rulebook)),
            items=tuple(self._items(notice, language)),
            advice=tuple(_advice(notice, language)),
        )

    def message(self, notice: Notice, contact: Contact, rulebook: Rulebook) -> Message:
        """Return *notice* as it is sent to *contact*; *rulebook* has the titles of rules."""
        language = self.language_of(contact)
        told = self.told(notice, language, rulebook)
        subject, url = told.subject, self._url(notice)
        shown = {
            "language": language.tag,
            "subject": subject,
            "lines": told.lines,
            "items": told.items,
            "advice": told.advice,
            "url": url,
            "link": url and language.say(_link(notice), url=url),
            "footer": list(_footer(notice, contact, language)),
        }
        text = _templates.plain.render(shown)
        return Message(
            subject=subject,
            text=text,
            html=_templates.html.render(shown),
            body=_body(notice, contact, subject=subject, text=text, url=url),
        )

    def permission(self, permission: object, language: Language) -> str:
        """Return how a permission is labelled."""
        return naming.permission(self._catalog, str(permission), language)

    def _url(self, notice: Notice) -> str:
        if not self.house.public_url:
            return ""
        if notice.key_id is not None:
            return f"{self.house.public_url}/keys/{notice.key_id}"
        if notice.kind in _ABOUT_SIGNING_IN:
            return f"{self.house.public_url}/security"
        return f"{self.house.public_url}/keys" if notice.kind in _ABOUT_EVERY_KEY else ""

    def _parts(self, notice: Notice, language: Language) -> dict[str, object]:
        facts = notice.facts
        rule, contact = _mapping(facts.get("rule")), _mapping(facts.get("contact"))
        label = facts.get("label") or notice.key_id or _UNKNOWN
        return {
            "label": label,
            "at": language.instant(notice.happened_at_ms),
            "permission": self.permission(facts.get("permission", _UNKNOWN), language),
            "factor": _factor(facts, language),
            "until": _instant(facts.get("hold_until_ms"), language),
            "end": _instant(facts.get("ends_at_ms"), language),
            "left": language.length(notice.lead_ms or 0),
            "cause": facts.get("cause", _UNKNOWN),
            "source": facts.get("source", _UNKNOWN),
            "address": contact.get("address") or facts.get("address", _UNKNOWN),
            "rule": rule.get("id", _UNKNOWN),
            "title": naming.rule(str(rule.get("id")), str(rule.get("title", _UNKNOWN)), language),
            "since": _instant(rule.get("effective_from_ms"), language),
            "permissions": ", ".join(
                f"“{self.permission(name, language)}”" for name in rule.get("permissions", ())
            ),
            "unrestricted": _lifetime(rule.get("unrestricted"), language),
            "restricted": _lifetime(rule.get("restricted"), language),
        }

    def _lines(self, notice: Notice, language: Language, rulebook: Rulebook) -> Iterator[str]:
        parts = self._parts(notice, language)
        if language.missing is not None:
            yield language.say("language_missing", language=language.missing)
        if sub_account_id := notice.facts.get("sub_account_id"):
            yield language.say("climbed", account=sub_account_id)
        fact, fallback = IN_PARTS.get(notice.kind, ("", "body"))
        body = f"{notice.kind}.{notice.facts.get(fact, fallback)}"
        if body not in language.texts:
            body = f"{notice.kind}.{fallback}"
        yield language.say(body, **parts)
        if notice.kind is Kind.RULE_SCHEDULED:
            yield language.say("rule_scheduled.lifetimes", **parts)
        for rule_id in _rules_named(notice):
            if rule := rulebook.rule(RuleId(rule_id)):
                yield language.say(
                    "rule", rule=rule.rule_id, title=naming.rule(rule.rule_id, rule.title, language)
                )

    def _items(self, notice: Notice, language: Language) -> Iterator[str]:
        for item in _consequences(notice):
            yield language.say(
                f"consequence.{item['kind']}",
                permission=self.permission(item["permission"], language),
                end=_instant(item.get("ends_at_ms"), language),
                old_end=_instant(item.get("ended_at_ms"), language),
            )


class _Templates:
    @cached_property
    def _environment(self) -> jinja2.Environment:
        return jinja2.Environment(
            loader=jinja2.PackageLoader("tenure", "texts"),
            autoescape=jinja2.select_autoescape(["html.j2"]),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )

    @cached_property
    def plain(self) -> jinja2.Template:
        return self._environment.get_template("message.txt.j2")

    @cached_property
    def html(self) -> jinja2.Template:
        return self._environment.get_template("message.html.j2")


_templates: Final = _Templates()


def facts_of(notice: Notice) -> dict[str, object]:
    """Return what a program is told of *notice*: the same over HTTP and in a webhook."""
    return {
        "notice_id": notice.notice_id,
        "kind": str(notice.kind),
        "urgency": str(notice.urgency),
        "happened_at_ms": notice.happened_at_ms,
        "key_id": notice.key_id,
        "seq": notice.seq,
        "lead_ms": notice.lead_ms,
        "facts": dict(notice.facts),
    }


def _body(notice: Notice, contact: Contact, *, subject: str, text: str, url: str) -> bytes:
    """Return the JSON of a webhook, in the shape the Standard Webhooks suggest."""
    body = {
        "type": f"notice.{notice.kind}",
        "timestamp": wording.rfc3339(notice.happened_at_ms),
        "data": {
            **facts_of(notice),
            "account_id": contact.account_id,
            "subject": subject,
            "text": text,
            "url": url or None,
        },
    }
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _link(notice: Notice) -> str:
    if notice.key_id is not None:
        return "link"
    return "link.sign_in" if notice.kind in _ABOUT_SIGNING_IN else "link.all"


def _factor(facts: Mapping[str, Any], language: Language) -> str:
    factor = facts.get("factor")
    if factor not in {"passkey", "totp"}:
        return _UNKNOWN
    return language.say(f"second_factor.{factor}", label=facts.get("label", _UNKNOWN))


def _advice(notice: Notice, language: Language) -> Iterator[str]:
    """Yield the announcement's advice where a key may be used from anywhere (RULES S9)."""
    if notice.facts.get("is_restricted") is False and notice.kind is not Kind.KEY_REVOKED:
        yield language.say("advice.addresses")
        yield language.say("advice.disclose")
        yield language.say("advice.third_party")


def _footer(notice: Notice, contact: Contact, language: Language) -> Iterator[str]:
    yield language.say("why", account=contact.account_id, notice=notice.notice_id)


def _rules_named(notice: Notice) -> list[str]:
    named = [notice.facts.get("rule_id"), *(item.get("rule_id") for item in _consequences(notice))]
    return list(dict.fromkeys(str(rule_id) for rule_id in named if rule_id))


def _consequences(notice: Notice) -> list[Mapping[str, Any]]:
    listed = notice.facts.get("consequences")
    return [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _instant(at_ms: object, language: Language) -> str:
    return language.instant(at_ms) if isinstance(at_ms, int) else _UNKNOWN


def _lifetime(value: object, language: Language) -> str:
    if isinstance(value, int):
        return language.say("lifetime.length", length=language.length(value))
    return language.say(f"lifetime.{value}") if value else _UNKNOWN
