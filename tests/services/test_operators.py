"""Who holds the operator token: how it is made, kept, and asked for."""

import hashlib
import stat
from pathlib import Path

import pytest

from tenure.domain.errors import Unauthenticated
from tenure.services.operators import Operators
from tests.fakes import FakeClock

GIVEN = "a token of the operator's own choice"


def _made(home: Path) -> tuple[Path, str]:
    path = home / "operator-token"
    assert Operators.prepare("", path, FakeClock()) == path
    return path, path.read_text("ascii").strip()


def test_the_first_start_writes_a_token_that_only_its_owner_reads(tmp_path: Path) -> None:
    path, token = _made(tmp_path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(token) == 43  # 256 bits in base64.
    assert Operators("", path).authenticate(f"Bearer {token}").name == "operator"


def test_later_starts_leave_the_token_as_it_is(tmp_path: Path) -> None:
    path, token = _made(tmp_path)

    assert _made(tmp_path) == (path, token)


def test_a_start_that_was_cut_off_is_made_good(tmp_path: Path) -> None:
    (tmp_path / "operator-token").touch(mode=0o644)

    path, token = _made(tmp_path)

    assert len(token) == 43
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_given_token_is_used_and_no_file_is_written(tmp_path: Path) -> None:
    path = tmp_path / "operator-token"

    assert Operators.prepare(GIVEN, path, FakeClock()) is None

    assert not path.exists()
    operators = Operators(GIVEN, path)
    assert operators.authenticate(f"bearer  {GIVEN}").name == "operator"


def test_a_given_token_counts_instead_of_the_one_in_the_file(tmp_path: Path) -> None:
    path, token = _made(tmp_path)

    with pytest.raises(Unauthenticated):
        Operators(GIVEN, path).authenticate(f"Bearer {token}")


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        GIVEN,
        f"Basic {GIVEN}",
        f"Bearer {GIVEN}x",
        f"Bearer {GIVEN[:-1]}",
        f"Bearer {GIVEN.upper()}",
        "Bearer \N{PILE OF POO}\udcff",
        f"Bearer {hashlib.sha256(GIVEN.encode()).hexdigest()}",
    ],
)
def test_anybody_else_is_asked_who_he_is(tmp_path: Path, header: str | None) -> None:
    with pytest.raises(Unauthenticated, match="Say who you are"):
        Operators(GIVEN, tmp_path / "operator-token").authenticate(header)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer x"])
def test_without_any_token_nobody_is_an_operator(tmp_path: Path, header: str | None) -> None:
    with pytest.raises(Unauthenticated):
        Operators("", tmp_path / "operator-token").authenticate(header)


def test_the_token_itself_is_not_kept(tmp_path: Path) -> None:
    operators = Operators(GIVEN, tmp_path / "operator-token")

    assert GIVEN not in repr(vars(operators))


def test_a_file_that_holds_no_text_is_no_token(tmp_path: Path) -> None:
    path = tmp_path / "operator-token"
    path.write_bytes(b"\xff\xfe")

    with pytest.raises(Unauthenticated):
        Operators("", path).authenticate("Bearer x")
