"""
What an edit or an issue would do, worked out before and again when it is done.

A plan is a value: the key before and after, the consequences in the owner's order of interest,
and the inputs its stamp names. Preview and commit call the same function; if anything that
matters moved in between, the stamps differ and the commit is refused (RULES R11). How the
consequences are read off is in `consequences`; saving a plan is the business of `services`.
"""

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal, TypeAlias

from tenure.domain import consequences, rules, stamps
from tenure.domain.catalog import Catalog
from tenure.domain.consequences import Consequence, ConsequenceKind
from tenure.domain.errors import Conflict, Gathered, Invalid, Problem, Why
from tenure.domain.model import READING, ApiKey, Grant, Permission
from tenure.domain.rules import Rulebook
from tenure.domain.stamps import STAMP_GOOD_FOR_MS

__all__ = [
    "LABEL_CODE_POINTS_MAX",
    "STAMP_GOOD_FOR_MS",
    "Consequence",
    "ConsequenceKind",
    "Edit",
    "Plan",
    "Wish",
    "label_of",
    "plan_edit",
    "plan_issue",
    "plan_touch",
]

LABEL_CODE_POINTS_MAX = 64
_LABEL_LENGTH = Why("label_length", {"most": LABEL_CODE_POINTS_MAX})

Wish: TypeAlias = bool | Literal["renew"]
"""What an owner asks of one permission: tick, untick, or start its term afresh (RULES R7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """
    What an owner asks for; None and absent permissions are left alone.

    *label* comes from `label_of`, *allowlist* from `allowlist.normalise`: nothing is cleaned here.
    """

    label: str | None = None
    allowlist: tuple[str, ...] | None = None
    permissions: Mapping[Permission, Wish] = field(default_factory=dict)

    def changes_permissions(self, key: ApiKey, now_ms: int) -> bool:
        """Whether this is an *edit of permissions* of *key*: more than a label (RULES R5)."""
        if self.allowlist is not None and self.allowlist != key.allowlist:
            return True
        return any(
            wish == "renew" or wish is not key.holds(permission, now_ms)
            for permission, wish in self.permissions.items()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    The key *before* (None when issuing) and *after*, and what lies between.

    *inputs* is the digest a stamp names. An edit with nothing in it to save has before == after.
    """

    before: ApiKey | None
    after: ApiKey
    consequences: tuple[Consequence, ...]
    inputs: str

    @property
    def changes_anything(self) -> bool:
        """Whether there is anything to record at all (RULES R5)."""
        return self.before != self.after

    @property
    def confirmation_required(self) -> bool:
        """Whether a commit must carry the stamp (RULES R11)."""
        return any(consequence.needs_confirmation for consequence in self.consequences)

    def stamp(self, previewed_at_ms: int) -> str:
        """Return what an owner who saw this plan at *previewed_at_ms* confirms it with."""
        return stamps.stamp_of(self.inputs, previewed_at_ms)

    def require_confirmed(self, stamp: str | None, now_ms: int) -> None:
        """
        Return if this plan may be committed at *now_ms* with *stamp*.

        Raises Conflict: `confirmation_required` if a stamp is needed and none came, `stale` if it
        names other inputs or is over 10 minutes old; both with the plan as it is now.
        """
        if stamp is None:
            if self.confirmation_required:
                raise Conflict(
                    "confirmation_required",
                    "this edit has consequences to confirm: send it again with the stamp",
                    plan=self,
                )
            return
        stamps.require_current(stamp, self.inputs, now_ms, plan=self)


def label_of(text: str) -> str:
    """
    Return *text* as a label: NFC, without blanks around it, 1 to 64 printable code points.

    Raises Invalid for anything else (SECURITY BI-41).
    """
    # Before NFC too: normalising megabytes first would be work for a stranger.
    if len(text) > 4 * LABEL_CODE_POINTS_MAX:
        message = f"is too long: at most {LABEL_CODE_POINTS_MAX} characters"
        raise Invalid("label", message, why=_LABEL_LENGTH)
    label = unicodedata.normalize("NFC", text).strip()
    if not 1 <= len(label) <= LABEL_CODE_POINTS_MAX:
        message = f"must have 1 to {LABEL_CODE_POINTS_MAX} characters"
        raise Invalid("label", message, why=_LABEL_LENGTH)
    if not label.isprintable():
        message = "has characters that cannot be printed; use letters, digits, signs"
        raise Invalid("label", message, why=Why("label_signs"))
    return label


def plan_issue(
    draft: ApiKey, wanted: tuple[str, ...], catalog: Catalog, rulebook: Rulebook
) -> Plan:
    """
    Plan the issue of *draft*, a key without grants, holding `reading` and what is *wanted*.

    Terms start at `draft.issued_at_ms` (RULES R3, R18). Raises Invalid for what is not sold, not
    for this key type, or not allowed by the rule in force (RULES R12).
    """
    now_ms = draft.issued_at_ms
    commit = rules.Commit(
        now_ms=now_ms, was_restricted=draft.is_restricted, is_restricted=draft.is_restricted
    )
    edit = Edit(permissions={Permission(name): True for name in (READING, *wanted)})
    _check_offers(draft, edit, catalog)
    after = replace(draft, grants=_judged(draft, edit.permissions, rulebook, commit))
    _check_requirements(draft, after, edit, catalog, now_ms)
    found = consequences.between(draft, after, edit.permissions, rulebook, now_ms)
    return Plan(before=None, after=after, consequences=found, inputs="")


def plan_edit(key: ApiKey, edit: Edit, catalog: Catalog, rulebook: Rulebook, now_ms: int) -> Plan:
    """
    Plan *edit* of *key* as if committed at *now_ms*; saves nothing.

    Raises Conflict `revoked` for a revoked key (RULES R14), Invalid for what is not sold, not for
    this key type, or not allowed by the rule in force (RULES R12).
    """
    if key.revoked_at_ms is not None:
        raise Conflict("revoked", "this key was revoked, for good; issue another")
    _check_offers(key, edit, catalog)
    allowlist = key.allowlist if edit.allowlist is None else edit.allowlist
    commit = rules.Commit(
        now_ms=now_ms, was_restricted=key.is_restricted, is_restricted=bool(allowlist)
    )
    after = replace(
        key,
        label=key.label if edit.label is None else edit.label,
        allowlist=allowlist,
        grants=_plan_grants(key, edit, rulebook, commit),
    )
    _check_requirements(key, after, edit, catalog, now_ms)
    if after != key:
        after = replace(after, version=key.version + 1, edited_at_ms=now_ms)
    found = consequences.between(key, after, edit.permissions, rulebook, now_ms)
    return Plan(
        before=key,
        after=after,
        consequences=found,
        inputs=_inputs(key, edit, found, rulebook, now_ms),
    )


def plan_touch(key: ApiKey, rulebook: Rulebook, now_ms: int) -> tuple[Consequence, ...]:
    """
    Return what the least edit of permissions at *now_ms* would do to what *key* holds (RULES R6).

    That is: what every such edit does to whatever it does not name, the allowlist left alone.
    """
    commit = rules.Commit(
        now_ms=now_ms, was_restricted=key.is_restricted, is_restricted=key.is_restricted
    )
    after = replace(key, grants=_judged(key, {}, rulebook, commit))
    return consequences.between(key, after, {}, rulebook, now_ms)


def _plan_grants(
    key: ApiKey, edit: Edit, rulebook: Rulebook, commit: rules.Commit
) -> Mapping[Permission, Grant]:
    if not edit.changes_permissions(key, commit.now_ms):
        return key.grants  # A new label, or nothing at all: nobody is judged (R5).
    return _judged(key, edit.permissions, rulebook, commit)


def _judged(
    key: ApiKey, wishes: Mapping[Permission, Wish], rulebook: Rulebook, commit: rules.Commit
) -> Mapping[Permission, Grant]:
    grants: dict[Permission, Grant] = {}
    gathered = Gathered()
    for permission in sorted(key.grants.keys() | wishes.keys()):
        rule = rulebook.in_force(permission, key.key_type, key.account_kind, commit.now_ms)
        grant, wish = key.grants.get(permission), wishes.get(permission)
        is_held = key.holds(permission, commit.now_ms)
        if wish is False:
            continue
        if wish == "renew" or (wish is True and not is_held):
            kept = gathered.look(partial(rules.begin, permission, rule, commit), None)
        else:
            kept = None if grant is None else rules.settle(grant, rule, commit)
        if kept is not None:
            grants[permission] = kept
    gathered.settle()
    return grants


def _check_offers(key: ApiKey, edit: Edit, catalog: Catalog) -> None:
    gathered = Gathered()
    for permission, wish in edit.permissions.items():
        if wish is False and permission in key.grants:
            continue  # Taking away is always possible, also what is no longer sold.
        gathered.look(partial(_check_offer, key, permission, wish, catalog), None)
    gathered.settle()


def _check_offer(key: ApiKey, permission: Permission, wish: Wish, catalog: Catalog) -> None:
    offer = catalog.offer(permission, f"permissions.{permission}"[:128])
    if wish is not False and key.key_type not in offer.key_types:
        types = " or ".join(sorted(offer.key_types))
        raise Invalid(
            f"permissions.{permission}",
            f"only {types} keys may hold it, not {key.key_type}",
            why=Why("permission_types", {"types": tuple(sorted(offer.key_types))}),
        )


def _check_requirements(
    before: ApiKey, after: ApiKey, edit: Edit, catalog: Catalog, now_ms: int
) -> None:
    problems: list[Problem] = []
    for permission in after.grants:
        offer = catalog.offers.get(permission)
        if offer is None or not after.holds(permission, now_ms):
            continue
        is_granted = not before.holds(permission, now_ms)
        is_renewed = edit.permissions.get(permission) == "renew"
        for required in offer.requires:
            # A requirement that merely ended is no reason to undo what was ticked before: only
            # what this very edit turns on or off is looked at, not what a form repeats.
            is_removed = before.holds(required, now_ms) and edit.permissions.get(required) is False
            if (is_granted or is_renewed or is_removed) and not after.holds(required, now_ms):
                message = f"needs `{required}` to be ticked"
                why = Why("permission_needs", {"permission": required})
                problems.append(Problem(f"permissions.{permission}", message, why))
    if problems:
        raise Invalid.of(problems)


def _inputs(
    key: ApiKey,
    edit: Edit,
    found: tuple[Consequence, ...],
    rulebook: Rulebook,
    now_ms: int,
) -> str:
    # What is held is named, so that a lapse between preview and commit makes the stamp stale,
    # swept or not. Instants are left out: a fresh term starts at the commit, not at the preview.
    held = [permission for permission in sorted(key.grants) if key.holds(permission, now_ms)]
    named = [
        key.key_id,
        key.version,
        rulebook.digest,
        [edit.label, edit.allowlist, sorted(edit.permissions.items())],
        held,
        [[item.kind, item.permission, item.is_asked, item.rule_id] for item in found],
    ]
    return hashlib.sha256(json.dumps(named).encode()).hexdigest()
