"""Where forms may come from, what cookies are like, and what every answer carries."""

import pytest

from tenure.faces.console.headers import CONTENT_SECURITY
from tenure.faces.console.origins import Origin
from tests.faces.console.visiting import ORIGIN, Visited

HERE = Origin("https://keys.example.com")
SAME = {"origin": HERE.text, "sec-fetch-site": "same-origin"}


@pytest.mark.parametrize(
    ("headers", "is_from_here"),
    [
        (SAME, True),
        ({"origin": HERE.text}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({}, False),
        ({"origin": "null"}, False),
        ({"origin": "null", "sec-fetch-site": "same-origin"}, False),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "https://keys.example.com.evil.example"}, False),
        ({"origin": "https://sub.keys.example.com", "sec-fetch-site": "same-site"}, False),
        ({"origin": "http://keys.example.com"}, False),
        ({"origin": HERE.text, "sec-fetch-site": "cross-site"}, False),
        ({"origin": HERE.text, "sec-fetch-site": "none"}, False),
    ],
)
def test_what_changes_something_comes_from_a_page_of_ours(
    headers: dict[str, str], *, is_from_here: bool
) -> None:
    assert HERE.is_from_here("POST", headers) is is_from_here
    assert HERE.is_from_here("GET", headers)


def test_over_tls_a_cookie_is_bound_to_this_host_alone() -> None:
    assert HERE.session_cookie.startswith("__Host-")
    assert HERE.form_cookie.startswith("__Host-")
    assert HERE.provider_cookie.startswith("__Host-")
    assert HERE.is_secure
    assert not Origin("http://localhost:8080").session_cookie.startswith("__Host-")


def test_this_machine_by_number_is_sent_to_its_name(visited: Visited) -> None:
    reply = visited.nobody().get("/console/keys", host="127.0.0.1:8080")
    assert reply.headers["location"] == f"{ORIGIN}/console/keys"
    assert Origin(ORIGIN).elsewhere("[::1]:8080")
    assert not Origin(ORIGIN).elsewhere("127.0.0.1:9090")
    assert not HERE.elsewhere("127.0.0.1:443")


@pytest.mark.parametrize("path", ["/console/keys", "/console/nowhere", "/console/static/icon.svg"])
def test_every_answer_forbids_scripts_frames_and_guessing(visited: Visited, path: str) -> None:
    headers = visited.nobody().get(path).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY
    assert "unsafe" not in CONTENT_SECURITY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-request-id"].startswith("req_")
    assert "strict-transport-security" not in headers  # Not over plain HTTP on this machine.


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
        {"origin": "http://sub.localhost:8080", "sec-fetch-site": "same-site"},
        {"origin": "null"},
    ],
)
def test_a_foreign_form_changes_nothing(visited: Visited, headers: dict[str, str]) -> None:
    account = visited.house.account()
    key = visited.house.issue(account)
    owner = visited.owner(account)
    path = f"/console/keys/{key.key_id}/revoke"
    fields = owner.fill(owner.get(path), {"code": owner.code()})

    assert owner.post(path, fields, **headers).status == 403
    assert visited.house.worker.keys.get(key.key_id).revoked_at_ms is None


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "multipart/form-data"])
def test_what_is_no_form_of_ours_is_refused(visited: Visited, kind: str) -> None:
    account = visited.house.account()
    key = visited.house.issue(account)
    owner = visited.owner(account)
    path = f"/console/keys/{key.key_id}/revoke"
    headers = {"content-type": kind, "origin": ORIGIN}

    assert owner.send("POST", path, headers=headers, body=b'{"code": "123456"}').status in {
        403,
        422,
    }
    assert visited.house.worker.keys.get(key.key_id).revoked_at_ms is None


def test_without_the_forms_own_secret_nothing_changes(visited: Visited) -> None:
    account = visited.house.account()
    key = visited.house.issue(account)
    owner = visited.owner(account)
    path = f"/console/keys/{key.key_id}/revoke"
    fields = owner.fill(owner.get(path), {"code": owner.code()})
    owner.cookies["tenure-form"] = "0" * 128

    assert owner.post(path, fields).status == 403
    assert visited.house.worker.keys.get(key.key_id).revoked_at_ms is None
