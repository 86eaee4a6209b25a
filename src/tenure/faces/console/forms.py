"""
Reading a form: each field once, as text, bounded; what is not a form is refused.

What a field means is the business of the page that asked for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from litestar import Request
from litestar.di import NamedDependency as Given
from litestar.params import SkipValidation
from typing_extensions import override

from tenure.domain.errors import Invalid

FIELDS_MAX: Final = 200
FIELD_CHARACTERS_MAX: Final = 65_536


@dataclass(frozen=True, slots=True)
class Form:
    """What was filled in, by field; its `repr` shows none of it."""

    fields: Mapping[str, tuple[str, ...]]

    def one(self, name: str, default: str = "") -> str:
        """Return the value of a field, *default* where it was not sent; twice is refused."""
        values = self.fields.get(name, ())
        if len(values) > 1:
            raise Invalid(name, "comes twice")
        return values[0] if values else default

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a field, such as the boxes that are ticked."""
        return self.fields.get(name, ())

    def has(self, name: str) -> bool:
        """Whether the field was sent at all: a button that was pressed, a box that is ticked."""
        return name in self.fields

    @override
    def __repr__(self) -> str:
        """Show nothing: there may be a password in it."""
        return "Form(***)"


GivenForm: TypeAlias = Given[SkipValidation[Form]]


async def form_of(request: Request[Any, Any, Any]) -> Form:
    """Return what was filled in; raises Invalid for more than any page of ours asks."""
    given = await request.form()
    fields: dict[str, list[str]] = {}
    for name, value in given.multi_items():
        if not isinstance(value, str) or len(value) > FIELD_CHARACTERS_MAX:
            raise Invalid(str(name)[:64], "is too long, or no text")
        fields.setdefault(str(name), []).append(value)
    if sum(map(len, fields.values())) > FIELDS_MAX:
        raise Invalid("form", "has too many fields")
    return Form({name: tuple(values) for name, values in fields.items()})
