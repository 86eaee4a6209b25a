"""
The permissions a venue sells, and which of its routes needs which.

A catalog is data (`catalogs/*.toml`); here it is read, validated whole and asked. Which lifetime a
permission has is the rulebook's business, not the catalog's.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote

from tenure.domain import documents
from tenure.domain.errors import Invalid, Problem, Why
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
    a *one_time* permission lets each signed request act once (SECURITY D13). What it lets a key do
    is *kept_in_quarantine* where nothing can be lost by it; reading always is.
    """

    permission: Permission
    label: str
    wire: Mapping[str, str]
    key_types: frozenset[KeyType]
    requires: tuple[Permission, ...] = ()
    warning: str = ""
    one_time: bool = False
    kept_in_quarantine: bool = False


@dataclass(frozen=True)
class Catalog:
    """
    The offers by id, and the route table: (method, path) to the permission it needs.

    Routes that only reduce risk, such as cancelling an order, are *kept_in_quarantine*.
    """

    catalog_id: str
    title: str
    offers: Mapping[Permission, Offer]
    routes: Mapping[tuple[str, str], Permission]
    kept_in_quarantine: frozenset[tuple[str, str]] = frozenset()

    def offer(self, permission: str, field: str = "permission") -> Offer:
        """Return the offer of *permission*; raises Invalid naming *field* where none is sold."""
        found = self.offers.get(Permission(permission))
        if found is None:
            sold = ", ".join(self.offers)
            message = f"no permission is called {permission[:64]!r}; there are: {sold}"
            raise Invalid(field, message, why=Why("permission_unknown"))
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
        row = self._row(method, path)
        return None if row is None else self.routes[row]

    def keeps(self, permission: str | None, route: tuple[str, str] | None) -> bool:
        """
        Whether a key in quarantine may still use *permission* on *route*, its method and path.

        Reading always, and what only reduces risk. *route* None is one that nobody named; one that
        needs another permission, or is another one once its path is decoded, is not that route.
        """
        offer = self.offers.get(Permission(permission or ""))
        if offer is not None and offer.kept_in_quarantine:
            return True
        if route is None or permission is None:
            return False
        method, path = route
        return all(self._is_kept(method, spelled, permission) for spelled in {path, unquote(path)})

    def _is_kept(self, method: str, path: str, permission: str) -> bool:
        row = self._row(method, path)
        return row in self.kept_in_quarantine and self.permission_for(method, path) == permission

    def _row(self, method: str, path: str) -> tuple[str, str] | None:
        """Return the row of the route table that *method* and *path* find, None where none is."""
        if (method, path) in self.routes:
            return method, path
        segments = path.split("/")
        for template, listed in self._templates:
            if (
                method in listed
                and len(template) == len(segments)
                and all(
                    known == given or (known == _ANY and given)
                    for known, given in zip(template, segments, strict=True)
                )
            ):
                return method, listed[method]
        return None

    @cached_property
    def _templates(self) -> list[tuple[list[str], dict[str, str]]]:
        by_shape: dict[str, dict[str, str]] = {}
        for method, path in self.routes:
            if "{" in path:
                by_shape.setdefault(_shape(path), {})[method] = path
        return [(shape.split("/"), listed) for shape, listed in by_shape.items()]


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
    kept: set[tuple[str, str]] = set()
    for section in document.take("route"):
        row = _route(section, offers, routes)
        if section.take_flag("kept_in_quarantine"):
            kept.add(row)
    document.finish("catalog", "permission", "route")
    return Catalog(catalog_id, title, offers, routes, frozenset(kept))


def _offer(section: documents.Section) -> Offer:
    key_types = section.take_texts("key_types", default=tuple(KeyType))
    for name in key_types:
        if name not in set(KeyType):
            section.complain("key_types", f"permission: `{name}` is not one of hmac, rsa, ed25519")
    permission = Permission(section.take_text("id"))
    is_kept = section.take_flag("kept_in_quarantine")
    return Offer(
        permission=permission,
        label=section.take_text("label"),
        wire=section.take_mapping("wire"),
        key_types=frozenset(KeyType(name) for name in key_types if name in set(KeyType)),
        requires=tuple(Permission(name) for name in section.take_texts("requires", default=())),
        warning=section.take_text("warning", default=""),
        one_time=section.take_flag("one_time"),
        kept_in_quarantine=is_kept or permission == READING,
    )


def _route(
    section: documents.Section,
    offers: Mapping[Permission, Offer],
    routes: dict[tuple[str, str], Permission],
) -> tuple[str, str]:
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
    return method, path
