"""
The OpenAPI document: described from the routes themselves, so that it cannot lag behind them.

The framework writes paths and parameters; the shapes are msgspec's own account of what it reads
and writes, which knows what the framework's leaves out: bounds, and that unknown fields are
refused. A copy is kept in docs/reference/openapi.json.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

import msgspec
from litestar import Litestar, Router
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, License, SecurityScheme, Tag
from litestar.routes import HTTPRoute

from tenure.domain.rights import Right
from tenure.faces.http import problems, requests, rights
from tenure.services import acts

MEDIA_TYPE = "application/vnd.oai.openapi+json"
OPERATOR = "operatorToken"
SIGNED = "signedRequest"
RIGHT = "x-right"
"""Says of each operation who may call it: see docs/reference/rights.md."""

IDEMPOTENCY_KEY = {
    "name": acts.FIELD,
    "in": "header",
    "required": False,
    "description": (
        "A name of the caller's for this very request: sent again under it, it changes nothing "
        "again and is answered 409 `repeated` with what it did. For another request it is 422."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": acts.KEY_CHARACTERS_MAX},
}

_TAGS = {
    "accounts": "Who keys are issued to.",
    "keys": "The life of an API key.",
    "notices": "What owners are told, and when permissions end.",
    "contacts": "Where owners are told things.",
    "decisions": "May this signed request act?",
    "journal": "Every change, in order.",
    "leaks": "When API keys leak: reports of them, bulk revocation, quarantine.",
    "log": "The journal as a transparency log: checkpoints, and proofs.",
    "rules": "What the venue wrote down: rulebook and catalog.",
    "probes": "Tenure about itself.",
    "sandbox": "Rehearsals; these routes exist only in a sandbox.",
}
_DONE = {"200": "Done; this is how things stand.", "201": "Created; this is how it stands."}


class Document:
    """The document of some routers, made when it is first asked for."""

    def __init__(self, routers: Sequence[Router], dependencies: Mapping[str, Provide]) -> None:
        """*dependencies* are what the framework injects, and so no caller's to send."""
        self._routers, self._dependencies = routers, dependencies

    @cached_property
    def json(self) -> bytes:
        """The document as JSON."""
        return msgspec.json.format(msgspec.json.encode(self.tree, order="sorted"))

    @cached_property
    def tree(self) -> dict[str, Any]:
        """The document as plain values."""
        # An application of its own: the framework's would serve the document at more addresses
        # than the one we want, and an HTML page for every other.
        app = Litestar(
            self._routers,
            dependencies=self._dependencies,
            openapi_config=_config(),
            logging_config=None,
            debug=False,
        )
        tree: dict[str, Any] = msgspec.to_builtins(app.openapi_schema.to_schema())
        _, shapes = msgspec.json.schema_components(
            [problems.Problem, *chain.from_iterable(map(_shapes_of, _handlers(app)))],
            ref_template="#/components/schemas/{name}",
        )
        tree["components"]["schemas"] = shapes
        declared = {handler.handler_name: rights.of(handler) for handler in _handlers(app)}
        for path, operations in tree["paths"].items():
            for operation in operations.values():
                _mend(operation)
                _declare(operation, declared[operation["operationId"]])
            _once(path, operations)
        return tree


def _config() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Tenure",
        version="1",
        summary="An API-key authority for trading platforms.",
        description=(
            "Errors are RFC 9457 problem details with a stable `code`. Instants are integer "
            "milliseconds UTC. Every answer names its request in `x-request-id`."
        ),
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        tags=[Tag(name=name, description=said) for name, said in _TAGS.items()],
        components=Components(
            security_schemes={
                OPERATOR: SecurityScheme(
                    type="http", scheme="bearer", description="The operator token."
                ),
                SIGNED: SecurityScheme(
                    type="apiKey",
                    security_scheme_in="header",
                    name="Signature-Input",
                    description=(
                        "A request signed by one of the account's API keys: HTTP Message "
                        "Signatures (RFC 9421), with `Signature` and, where there is a body, "
                        "`Content-Digest`. To read, the key has to hold `reading`; to act, "
                        "`spot_margin_trading`."
                    ),
                ),
            }
        ),
        use_handler_docstrings=True,
        operation_id_creator=lambda route, _method, _path: route.handler_name,
    )


def _handlers(app: Litestar) -> Iterator[HTTPRouteHandler]:
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                if handler.resolve_include_in_schema():
                    yield handler


def _shapes_of(route: HTTPRouteHandler) -> Iterator[Any]:
    if route.parsed_data_field is not None:
        yield route.parsed_data_field.annotation
    answer = route.parsed_fn_signature.return_type
    is_of_parts = answer.is_union or answer.is_non_string_sequence
    for part in answer.inner_types if is_of_parts else (answer,):
        if part.is_subclass_of(msgspec.Struct):
            yield part.annotation


def _mend(operation: dict[str, Any]) -> None:
    """Put right what the framework says of a route by default, and what is not so here."""
    operation.pop("deprecated")
    operation["summary"] = operation["operationId"].replace("_", " ").capitalize()
    for status, response in [*operation["responses"].items()]:
        response.pop("headers", None)
        if status in _DONE:
            response["description"] = _DONE[status]
        elif problems.MEDIA_TYPE not in response["content"]:
            del operation["responses"][status]  # The framework's own errors are never sent.
    for parameter in operation.get("parameters", []):
        for name in ("allowEmptyValue", "allowReserved", "deprecated"):
            parameter.pop(name, None)
        parameter["schema"] = _without_null(parameter["schema"])
    if "requestBody" in operation:
        media = operation["requestBody"]["content"]["application/json"]
        given, media["schema"] = media["schema"], _without_null(media["schema"])
        operation["requestBody"]["required"] = given == media["schema"]


def _declare(operation: dict[str, Any], right: Right | None) -> None:
    if right is None:
        raise LookupError(f"{operation['operationId']} does not say who may call it")
    operation[RIGHT] = str(right)
    ways = [] if right is Right.OPEN else [OPERATOR, SIGNED] if right.is_for_owners else [OPERATOR]
    operation["security"] = [{way: list[str]()} for way in ways]


def _once(path: str, operations: Mapping[str, dict[str, Any]]) -> None:
    """Say of what is recorded that it may be asked for under a key of the caller's."""
    for method, operation in operations.items():
        if requests.is_recorded(method.upper(), path) and operation[RIGHT] != Right.OPEN:
            operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    # None stands for what was not sent, which the framework writes as a null that can be sent.
    match schema.get("oneOf"):
        case [dict() as only, {"type": "null"}]:
            return only
        case _:
            return schema
