"""
The permissions a venue sells, and which of its routes needs which.

A catalog is data (`catalogs/*.toml`); here it is read, validated whole and asked. Which lifetime a
permission has is the rulebook's business, not the catalog's.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from tenure.domain import documents
from tenure.domain.errors import Invalid, Problem
from tenure.domain.model import READING, KeyType, Permission

PUBLIC = Permission("public")
"""Stands in a route's row where no key is needed; never a permission a key can hold."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_PLACEHOLDER = re.compile(r"\{[^{}]+\}")
_ANY = "{}"
"""Stands for every placeholder, whatever its name: `/a/{x}` and `/a/{y}` are one path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """
    One permission as the venue sells it.

    *wire* names it per surface (`api_restrictions`, `sub_account`, `broker`); *key_types* may hold
    it; ticking it *requires* the permissions named; *warning* is shown beside its box (RULES S11);
    a *one_time* permission lets each signed request act once (SECURITY D13).
    """

    permission: Permission
    label: str
    wire: Mapping[str, str]
    key_types: frozenset[KeyType]
    requires: tuple[Permission, ...] = ()
    warning: str = ""
    one_time: bool = False


@dataclass(frozen=True)
class Catalog:
    """The offers by id, and the route table: (method, path) to the permission it needs."""

    catalog_id: str
    title: str
    offers: Mapping[Permission, Offer]
    routes: Mapping[tuple[str, str], Permission]

    def offer(self, permission: str, field: str = "permission") -> Offer:
        """Return the offer of *permission*; raises Invalid naming *field* where none is sold."""
        found = self.offers.get(Permission(permission))
        if found is None:
            sold = ", ".join(self.offers)
            raise Invalid(field, f"no permission is called {permission[:64]!r}; there are: {sold}")
        return found

    def permission_for(self, method: str, path: str) -> Permission | None:
        """
        Return what *method* on *path* needs, PUBLIC where it needs no key, None if unknown.

        The exact path wins over one with `{placeholders}`, which stand for one segment each and
        never for an empty one; of several such paths the first listed wins.
        """
        found = self.routes.get((method, path))
        if found is not None or not self._templates:
            return found
        segments = path.split("/")
        for template, permissions in self._templates:
            if (
                method in permissions
                and len(template) == len(segments)
                and all(
                    known == given or (known == _ANY and given)
                    for known, given in zip(template, segments, strict=True)
                )
            ):
                return permissions[method]
        return None

    @cached_property
    def _templates(self) -> list[tuple[list[str], dict[str, Permission]]]:
        by_shape: dict[str, dict[str, Permission]] = {}
        for (method, path), permission in self.routes.items():
            if "{" in path:
                by_shape.setdefault(_shape(path), {})[method] = permission
        return [(shape.split("/"), permissions) for shape, permissions in by_shape.items()]


def _shape(path: str) -> str:
    return _PLACEHOLDER.sub(_ANY, path)


def read(text: str) -> Catalog:
    """
    Read a catalog from its TOML *text*.

    Raises Invalid with every problem, each under `line N`; nothing takes effect before all hold.
    """
    document = documents.read(text)
    heads = document.take("catalog")
    catalog_id = heads[0].take_text("id") if heads else "?"
    title = heads[0].take_text("title") if heads else "?"
    if not heads:
        document.problems.append(Problem("line 1", "there is no [catalog] table"))
    offers: dict[Permission, Offer] = {}
    sold = [(_offer(section), section) for section in document.take("permission")]
    for offer, section in sold:
        if offer.permission in offers or offer.permission == PUBLIC:
            section.complain("id", f"permission: `{offer.permission}` is already taken")
        offers[offer.permission] = offer
    for offer, section in sold:
        for required in offer.requires:
            if required not in offers:
                section.complain("requires", f"permission: `{required}` is not in this catalog")
    if READING not in offers:
        document.problems.append(
            Problem("line 1", f"the catalog must sell `{READING}`: every key holds it")
        )
    routes: dict[tuple[str, str], Permission] = {}
    for section in document.take("route"):
        _route(section, offers, routes)
    document.finish("catalog", "permission", "route")
    return Catalog(catalog_id, title, offers, routes)


def _offer(section: documents.Section) -> Offer:
    key_types = section.take_texts("key_types", default=tuple(KeyType))
    for name in key_types:
        if name not in set(KeyType):
            section.complain("key_types", f"permission: `{name}` is not one of hmac, rsa, ed25519")
    return Offer(
        permission=Permission(section.take_text("id")),
        label=section.take_text("label"),
        wire=section.take_mapping("wire"),
        key_types=frozenset(KeyType(name) for name in key_types if name in set(KeyType)),
        requires=tuple(Permission(name) for name in section.take_texts("requires", default=())),
        warning=section.take_text("warning", default=""),
        one_time=section.take_flag("one_time"),
    )


def _route(
    section: documents.Section,
    offers: Mapping[Permission, Offer],
    routes: dict[tuple[str, str], Permission],
) -> None:
    method, path = section.take_text("method"), section.take_text("path")
    permission = Permission(section.take_text("permission"))
    if method not in _METHODS:
        section.complain("method", f"route: `{method}` is not one of {', '.join(sorted(_METHODS))}")
    if not path.startswith("/") or "?" in path or "//" in path:
        section.complain("path", "route: `path` must be an absolute path without a query")
    for segment in path.split("/"):
        if ("{" in segment or "}" in segment) and not _PLACEHOLDER.fullmatch(segment):
            section.complain("path", f"route: `{segment}` must be a placeholder and nothing else")
    if permission != PUBLIC and permission not in offers:
        section.complain(
            "permission", f"route: `{permission}` is neither in this catalog nor `public`"
        )
    if any(known == method and _shape(path) == _shape(other) for known, other in routes):
        section.complain("path", f"route: {method} {path} is already listed")
    routes[method, path] = permission
