"""
What a venue's own words are called in the reader's language.

The names in a catalog are the venue's. A shipped one has a translation in the texts; one that the
venue changed means something by that, and no translation knows what: it stands as it was written.
"""

from tenure.domain.catalog import Catalog
from tenure.domain.model import Permission
from tenure.services import languages
from tenure.services.languages import Language


def permission(catalog: Catalog, name: str, language: Language) -> str:
    """Return how the permission called *name* is labelled; what is no longer sold, by its id."""
    offer = catalog.offers.get(Permission(name))
    return name if offer is None else translated(offer.label, f"label.{name}", language)


def warning(catalog: Catalog, name: str, language: Language) -> str:
    """Return the warning that stands beside a permission's box (RULES S11), or nothing."""
    offer = catalog.offers.get(Permission(name))
    return "" if offer is None else translated(offer.warning, f"warning.{name}", language)


def rule(rule_id: str, title: str, language: Language) -> str:
    """Return the title of a rule: a shipped one's has a translation, a venue's own stands."""
    return translated(title, f"announcement.{rule_id}.title", language)


def translated(own: str, text_id: str, language: Language) -> str:
    """Return the translation of the venue's *own* words, if they are those that *text_id* has."""
    english = languages.language(languages.ENGLISH, "UTC").texts
    return language.texts[text_id] if english.get(text_id) == own else own
