"""The command itself: exit codes, errors as lines, where the server is, and `tenure serve`."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tenure.domain import errors
from tenure.domain.errors import Invalid, Problem, TenureError
from tenure.faces.commands import accounts, client, exits, rules, shown
from tenure.faces.commands.client import Client
from tenure.faces.commands.exits import Exit
from tenure.faces.http import serving
from tenure.settings import Settings
from tests.faces.terminal import tenure

pytestmark = pytest.mark.slow  # Many of them, or many examples each.

Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """Have `tenure serve` do nothing but remember what it would serve with."""
    remembered: list[Settings] = []

    def serve(settings: Settings) -> None:
        remembered.append(settings)

    monkeypatch.setattr(serving, "serve", serve)
    return remembered


def answering(answer: Answer) -> Client:
    """Return a Client whose server answers so."""
    transport = httpx.MockTransport(answer)
    return Client(httpx.Client(base_url="http://tenure.test", transport=transport), "the proof")


def problem(status: int, **members: object) -> Answer:
    body = {"title": "Title", "status": status, "detail": "In a sentence.", **members}
    return lambda _request: httpx.Response(status, json=body)


def raised_by(answer: Answer) -> TenureError:
    with pytest.raises(TenureError) as caught:
        answering(answer).get("/v1/keys/key_1")
    return caught.value


def lines_and_code(error: TenureError) -> tuple[list[str], Exit]:
    return list(exits.lines_of(error)), exits.code_of(error)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Invalid("label", "is too long"), Exit.INVALID),
        (errors.NotFound(), Exit.CONFLICT),
        (errors.Conflict("stale"), Exit.CONFLICT),
        (errors.Conflict("confirmation_required"), Exit.UNCONFIRMED),
        (errors.Unauthenticated(), Exit.REFUSED),
        (errors.Forbidden(), Exit.REFUSED),
        (errors.Unavailable("store"), Exit.UNREACHABLE),
        (TenureError(), Exit.REFUSED),
    ],
)
def test_every_error_has_its_exit_code(error: TenureError, code: Exit) -> None:
    assert exits.code_of(error) is code


def test_every_kind_of_error_is_in_the_table() -> None:
    assert {kind for kind, _ in exits.CODES} == set(TenureError.__subclasses__())


def test_each_field_has_its_line() -> None:
    error = Invalid.of(
        [Problem("label", "is too long"), Problem("ip_allowlist.0", "is no address")]
    )
    assert list(exits.lines_of(error)) == ["label: is too long", "ip_allowlist.0: is no address"]


def test_what_lies_behind_an_error_has_its_line() -> None:
    error = errors.Unavailable("store", "the store is gone", context="disk I/O error")
    assert list(exits.lines_of(error)) == ["the store is gone", "(disk I/O error)"]


def test_a_problem_names_each_field() -> None:
    fields = [{"field": "label", "message": "is missing"}, {"field": "ip", "message": "is no text"}]

    said = lines_and_code(raised_by(problem(422, code="invalid", problems=fields)))

    assert said == (["label: is missing", "ip: is no text"], Exit.INVALID)


@pytest.mark.parametrize(
    ("status", "code", "lines", "ends_with"),
    [
        (400, "malformed", ["malformed: In a sentence."], Exit.INVALID),
        (401, "unauthenticated", ["the server does not know you", "(the proof)"], Exit.REFUSED),
        (403, "forbidden", ["In a sentence."], Exit.REFUSED),
        (404, "not_found", ["In a sentence.", "(GET /v1/keys/key_1)"], Exit.CONFLICT),
        (409, "stale", ["In a sentence."], Exit.CONFLICT),
        (409, "confirmation_required", ["In a sentence."], Exit.UNCONFIRMED),
        (413, "too_large", ["too_large: In a sentence."], Exit.INVALID),
        (503, "store", ["In a sentence."], Exit.UNREACHABLE),
    ],
)
def test_a_problem_ends_as_lines_and_a_code(
    status: int, code: str, lines: list[str], ends_with: Exit
) -> None:
    assert lines_and_code(raised_by(problem(status, code=code))) == (lines, ends_with)


def test_a_fault_of_the_server_names_the_request_for_its_log() -> None:
    (line,), code = lines_and_code(raised_by(problem(500, code="internal", request_id="req_1")))

    assert "request req_1" in line
    assert code is Exit.REFUSED


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"\xff"])
def test_something_else_than_tenure_at_the_address_is_told(body: bytes) -> None:
    (line, behind), code = lines_and_code(
        raised_by(
            lambda _: httpx.Response(200, content=body, headers={"content-type": "text/html"})
        )
    )

    assert "answers, but not as Tenure does" in line
    assert behind == "(200 text/html)"
    assert code is Exit.UNREACHABLE


def test_a_server_that_is_too_slow_is_told() -> None:
    def wait(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("too slow", request=request)

    (line,), code = lines_and_code(raised_by(wait))

    assert "no answer from http://tenure.test within 30 s" in line
    assert code is Exit.UNREACHABLE


def test_where_no_server_is_it_says_how_to_start_one(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        said = tenure("accounts", "list", "--server", address, "--home", str(tmp_path))

    assert said.code == 4
    assert f"no Tenure answers at http://{address}: start one with `tenure serve`" in said.words
    assert "Traceback" not in said.err


@pytest.mark.parametrize("server", ["ftp://127.0.0.1", "http://", "http://[::1", "http://a:b:c"])
def test_an_address_that_cannot_be_one_is_told(server: str) -> None:
    said = tenure("rules", "show", "--server", server)

    assert said.code == 2
    assert said.err.startswith(f"tenure: --server: {server!r} is no URL")


@pytest.mark.parametrize("text", [b"two words", b"tok\nen", "schlüssel".encode(), b"\xff\xfe"])
def test_a_file_without_an_operator_token_in_it_is_told(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "operator-token"
    path.write_bytes(text)

    said = tenure("rules", "show", "--operator-token-file", str(path))

    assert said.code == 2
    assert str(path) in said.words


def test_a_named_operator_token_file_has_to_be_there(tmp_path: Path) -> None:
    said = tenure("rules", "show", "--operator-token-file", str(tmp_path / "absent"))

    assert said.code == 2
    assert "--operator-token-file: " in said.words


def test_every_page_of_accounts_is_asked_for() -> None:
    pages = {
        None: {"accounts": [{"account_id": "acct_1"}], "next_after": "acct_1"},
        "acct_1": {"accounts": [{"account_id": "acct_2"}], "next_after": None},
    }

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=pages[request.url.params.get("after")])

    found = [each["account_id"] for each in accounts.every(answering(answer))]

    assert found == ["acct_1", "acct_2"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (2_592_000_000, "30 days"),
        (86_400_000, "1 day"),
        (43_200_000, "12 hours"),
        (2_700_000, "45 minutes"),
        (1_500, "1500 ms"),
        ("unlimited", "no end"),
        ("not_allowed", "not allowed"),
    ],
)
def test_a_lifetime_in_words(value: int | str, words: str) -> None:
    assert rules.lifetime(value) == words


@pytest.mark.parametrize(
    ("permission", "words"),
    [
        (None, "off"),
        ({"enabled": True, "ends_at_ms": None}, "no end"),
        ({"enabled": True, "ends_at_ms": 1_640_945_100_000}, "until 2021-12-31 10:05"),
        ({"enabled": False, "ends_at_ms": 1_640_945_107_000}, "ended 2021-12-31 10:05:07"),
    ],
)
def test_a_permission_in_a_few_words(permission: dict[str, object] | None, words: str) -> None:
    assert shown.end_of(permission) == words


def test_serving_takes_options_then_the_environment_then_defaults(
    served: list[Settings], tmp_path: Path
) -> None:
    said = tenure(
        *("serve", "--workers", "3", "--home", str(tmp_path), "--trusted-proxies", "10.0.0.1/32"),
        TENURE_WORKERS="5",
        TENURE_LISTEN="127.0.0.1:0",
        TENURE_SANDBOX="1",
        TENURE_STALENESS_MS="7000",
    )

    assert said.code == 0
    (settings,) = served
    assert settings.workers == 3
    assert settings.home == tmp_path
    assert settings.trusted_proxies == ("10.0.0.1/32",)
    assert settings.listen == "127.0.0.1:0"
    assert settings.sandbox
    assert settings.staleness_ms == 7000
    assert settings.keys_per_account == Settings.model_fields["keys_per_account"].default
    assert "PROMETHEUS_MULTIPROC_DIR" not in os.environ, "nobody counts there later"


def test_every_setting_that_will_not_do_is_named_at_once(served: list[Settings]) -> None:
    said = tenure("serve", "--workers", "0", "--listen", "nowhere", "--rulebook", "absent.toml")

    assert said.code == 2
    assert {line.split(":")[1].strip() for line in said.err.splitlines()} == {
        "workers",
        "listen",
        "rulebook",
    }
    assert not served


def test_a_start_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_settings: Settings) -> None:
        raise errors.Unavailable("store", "the store is gone", context="disk I/O error")

    monkeypatch.setattr(serving, "serve", fail)

    said = tenure("serve", "--listen", "127.0.0.1:0")

    assert said.code == 4
    assert said.err == "tenure: the store is gone\ntenure: (disk I/O error)\n"


def test_a_taken_address_is_told_before_anything_starts(
    served: list[Settings], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        said = tenure("serve", "--home", str(tmp_path), "--listen", address)

    assert said.code == 4
    assert f"cannot listen at {address}" in said.words
    assert not served


def test_a_path_that_cannot_be_made_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(settings: Settings) -> None:
        settings.home.mkdir(parents=True)

    monkeypatch.setattr(serving, "serve", make)

    said = tenure("serve", "--home", "/proc/nowhere/home", "--listen", "127.0.0.1:0")

    assert said.code == 2
    assert said.err.startswith("tenure: [Errno")
    assert "/proc/nowhere" in said.err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("workers = ", "is not TOML"),
        ("wrokers = 3", "tenure: wrokers: "),
        (None, "is not there"),
    ],
)
def test_a_settings_file_that_will_not_do_is_told(
    served: list[Settings], tmp_path: Path, text: str | None, told: str
) -> None:
    path = tmp_path / "tenure.toml"
    if text is not None:
        path.write_text(text)

    said = tenure("serve", TENURE_SETTINGS=str(path))

    assert said.code == 2
    assert told in said.words
    assert not served


def test_a_command_that_is_not_there_is_a_wrong_use() -> None:
    said = tenure("keys", "delete")

    assert said.code == 2
    assert "No such command" in said.err


@pytest.mark.parametrize(
    "program", [("-m", "tenure"), ("-c", "from tenure.faces.cli import main; main()")]
)
def test_a_terminal_without_our_signs_gets_stand_ins(
    program: tuple[str, str], tmp_path: Path
) -> None:
    surroundings = {**os.environ, "PYTHONIOENCODING": "ascii", "COLUMNS": "80"}

    done = subprocess.run(
        [sys.executable, *program, "doctor", "--home", str(tmp_path / "schlüssel")],
        capture_output=True,
        text=True,
        env=surroundings,
        check=False,
    )

    assert done.stderr == ""
    assert done.returncode == 1
    assert "schl?ssel" in done.stdout


def test_json_is_one_document_whatever_the_width(capsys: pytest.CaptureFixture[str]) -> None:
    shown.as_json({"long": "x" * 500})
    assert json.loads(capsys.readouterr().out) == {"long": "x" * 500}


def test_nobody_is_at_a_terminal_where_input_is_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(writing)
    with os.fdopen(reading) as pipe:
        monkeypatch.setattr(sys, "stdin", pipe)
        assert not shown.is_a_terminal()


def test_a_path_is_one_segment_whatever_was_typed() -> None:
    typed = ["key_1", "a/b?c", "..", ".", ""]
    assert [client.of_path(text) for text in typed] == ["key_1", "a%2Fb%3Fc", "-", "-", "-"]


def test_the_command_counts_nothing_until_it_is_known_where() -> None:
    """Counters look once, when they are made, for the directory that the processes share."""
    program = "import sys, tenure.faces.cli; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )

    loaded = done.stdout.split()
    assert "tenure.faces.commands.serve" in loaded
    assert not {"tenure.metrics", "prometheus_client"} & set(loaded)
