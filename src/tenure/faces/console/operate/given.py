"""What an operators' route may be handed by name, besides what every route may."""

from typing import Annotated, TypeAlias

from litestar.di import NamedDependency as Given
from litestar.params import PathParameter, SkipValidation

from tenure.domain.rulebooks import RULE_ID
from tenure.services.operating import Operating
from tenure.services.telling import Telling

GivenOperating: TypeAlias = Given[SkipValidation[Operating]]
GivenTelling: TypeAlias = Given[SkipValidation[Telling]]
RuleId: TypeAlias = Annotated[str, PathParameter(pattern=f"^{RULE_ID}$")]
ApprovalId: TypeAlias = Annotated[str, PathParameter(pattern="^appr_[0-9a-z]{24}$")]
Seq: TypeAlias = Annotated[int, PathParameter(ge=1, le=2**62)]
