"""The OpenAPI document: current, complete, valid, and true of what is answered."""

import json
from typing import Any

import pytest

from tests.faces.http.managed import BODIES, DOCUMENT_PATH, Managed, operations

PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
REFRESH = "run: .venv/bin/python -m tests.faces.http.managed"


@pytest.fixture(scope="module")
def document(shared: Managed) -> Any:  # noqa: ANN401 - JSON
    """Return the document as it is served."""
    return shared.tell("GET", "/openapi.json")


def test_the_copy_in_the_documentation_is_current(document: object) -> None:
    assert json.loads(DOCUMENT_PATH.read_text("utf-8")) == document, REFRESH


def test_it_is_openapi_3_1_as_json(shared: Managed, document: Any) -> None:  # noqa: ANN401 - JSON
    reply = shared.ask("GET", "/openapi.json", headers={})
    assert reply.headers["content-type"] == "application/vnd.oai.openapi+json"
    assert document["openapi"].startswith("3.1.")


def test_every_error_is_documented_as_a_problem(document: object) -> None:
    for name, said in operations(document):
        statuses = {int(status) for status in said["responses"]}
        errors = {status for status in statuses if status >= 400}
        for status in errors:
            assert said["responses"][str(status)]["content"] == PROBLEM, name
        assert statuses - errors <= {200, 201}
        expected = {401} if said["security"] else set()
        expected |= {400, 413, 422} if name in BODIES else set()
        expected |= {404} if "{" in name else set()
        assert expected <= errors, name


def test_bodies_refuse_what_they_do_not_know(document: Any) -> None:  # noqa: ANN401 - JSON
    shapes = document["components"]["schemas"]
    for name, said in operations(document):
        if "requestBody" in said:
            body = said["requestBody"]
            shape = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            assert shapes[shape]["additionalProperties"] is False, name
            assert body["required"] is not name.endswith("/rotate")


def test_every_reference_leads_somewhere(document: Any) -> None:  # noqa: ANN401 - JSON
    shapes = document["components"]["schemas"]
    pieces = json.dumps(document).split('"#/components/schemas/')[1:]
    named = {piece.partition('"')[0] for piece in pieces}
    assert named <= shapes.keys()
    assert len(named) > 20


def test_every_route_says_what_it_does_under_a_name_of_its_own(document: object) -> None:
    said = [operation for _, operation in operations(document)]
    assert len({operation["operationId"] for operation in said}) == len(said)
    assert all(operation["description"] and operation["tags"] for operation in said)


def test_the_document_is_made_once(shared: Managed) -> None:
    first, second = (shared.ask("GET", "/openapi.json") for _ in range(2))
    assert first.body == second.body
