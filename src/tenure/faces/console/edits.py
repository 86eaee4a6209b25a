"""
The edit form: what it asks, what was filled in, and the edit that it means.

A form says what it showed beside what it was sent with, and the edit is the difference. So what
lapsed since, or was changed in another tab, is not asked for by a box nobody touched (RULES R10).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from tenure.domain import allowlist
from tenure.domain.errors import Invalid
from tenure.domain.model import ApiKey
from tenure.faces.console.forms import Form
from tenure.faces.console.stepping import act_of
from tenure.faces.console.words import Words
from tenure.services.keys import Wanted
from tenure.services.languages import Language

_NO_BOX: Final = "permission_unknown"
"""What is wrong with a permission that no page shows: the catalogue has changed since."""
_FIELDS: Final = frozenset({"label", "key_type", "public_key", "code", "cause", "overlap"})
"""The fields that an error can stand beside; every other one is told at the head of the form."""
_QUOTED_MAX: Final = 64
"""How much of an entry is said again: longer than any address or network."""
TRUSTED: Final = "trusted"
ANY: Final = "any"
_BETWEEN: Final = re.compile(r"[\s,;\uff0c\u3001\uff1b]+")
"""What people put between addresses: blanks and commas, full-width and ideographic ones too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What the form has in its fields, or was sent with."""

    label: str
    access: str
    addresses: str
    permissions: frozenset[str]
    renewed: frozenset[str]
    shown_label: str
    shown_addresses: str
    shown_permissions: frozenset[str]

    @classmethod
    def of(cls, form: Form) -> "Filled":
        """Read what was sent."""
        return cls(
            label=form.one("label"),
            access=form.one("access", ANY),
            addresses=form.one("addresses"),
            permissions=frozenset(form.all("permission")),
            renewed=frozenset(form.all("renew")),
            shown_label=form.one("shown_label"),
            shown_addresses=form.one("shown_addresses"),
            shown_permissions=frozenset(form.all("shown_permission")),
        )

    @classmethod
    def as_it_is(cls, key: ApiKey, held: frozenset[str]) -> "Filled":
        """Show *key*, which holds the permissions *held*."""
        addresses = "\n".join(key.allowlist)
        return cls(
            label=key.label,
            access=TRUSTED if key.allowlist else ANY,
            addresses=addresses,
            permissions=held,
            renewed=frozenset(),
            shown_label=key.label,
            shown_addresses=addresses,
            shown_permissions=held,
        )

    def with_address(self, address: str) -> "Filled":
        """Return the same with one more trusted address, which may turn out to be none."""
        entries = dict.fromkeys((*_split(self.addresses), *_split(address[:64])))
        return replace(self, access=TRUSTED, addresses="\n".join(entries))

    @property
    def wanted(self) -> Wanted:
        """The edit this means."""
        entries = entries_of(self.access, self.addresses)
        wishes: dict[str, bool | Literal["renew"]] = {}
        for permission in self.permissions | self.shown_permissions:
            is_ticked, was_ticked = (
                permission in self.permissions,
                permission in self.shown_permissions,
            )
            if is_ticked and permission in self.renewed:
                wishes[permission] = "renew"
            elif is_ticked is not was_ticked:
                wishes[permission] = is_ticked
        return Wanted(
            label=self.label if self.label != self.shown_label else None,
            ip_allowlist=None if entries == _split(self.shown_addresses) else entries,
            permissions=dict(sorted(wishes.items())),
        )

    def hidden(self) -> list[tuple[str, str]]:
        """Return every field by name and value, for a form that sends the same again."""
        return [
            ("label", self.label),
            ("access", self.access),
            ("addresses", self.addresses),
            ("shown_label", self.shown_label),
            ("shown_addresses", self.shown_addresses),
            *(("permission", each) for each in sorted(self.permissions)),
            *(("renew", each) for each in sorted(self.renewed)),
            *(("shown_permission", each) for each in sorted(self.shown_permissions)),
        ]


def entries_of(access: str, addresses: str) -> tuple[str, ...]:
    """Return the allowlist as typed; for trusted IPs without any, an entry that names nothing."""
    return (_split(addresses) or ("",)) if access == TRUSTED else ()


def act(key_id: str, wanted: Wanted) -> str:
    """Return what stands for this very edit of this very key."""
    permissions = sorted((wanted.permissions or {}).items())
    entries = None if wanted.ip_allowlist is None else list(wanted.ip_allowlist)
    return act_of("keys.edit", key_id, wanted.label, entries, permissions)


def beside(error: Invalid, typed: str, words: Words, language: Language) -> Mapping[str, Any]:
    """
    Return what is wrong by the field it stands beside: an address is named as it was *typed*.

    A refusal that names a permission stands beside its box, if there is one; whatever else beside
    the form's head.
    """
    found: dict[str, Any] = {}
    entries = _split(typed)
    for problem in error.problems:
        name, _, part = problem.field.partition(".")
        if name == allowlist.FIELD:
            is_typed = part.isdigit() and int(part) < len(entries)
            entry = entries[int(part)][:_QUOTED_MAX] if is_typed else ""
            found.setdefault("addresses", []).append(words.wrong(problem, language, entry))
        elif name == "permissions" and part and problem.why.name != _NO_BOX:
            found[f"permission.{part}"] = words.wrong(problem, language)
        else:
            found[name if name in _FIELDS else "form"] = words.wrong(problem, language)
    return found


def _split(typed: str) -> tuple[str, ...]:
    return tuple(entry for entry in _BETWEEN.split(typed) if entry)
