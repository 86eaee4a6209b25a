"""Keys and plans as JSON shapes; the routes' tests show them whole."""

import msgspec
import pytest
from typing_extensions import override

from tenure.domain.model import Secret
from tenure.domain.plans import Plan
from tenure.domain.rules import Rulebook
from tenure.faces.http import views
from tenure.services.keys import Issued
from tests.builders import TRADING, a_key, revoked, the_catalog
from tests.fakes import FakeClock

SECRET = "canary-s3cr3t"


def show(moment: str) -> views.Show:
    """Return what shows keys at *moment*."""
    return views.Show(the_catalog(), FakeClock(moment))


def issued(secret: Secret | None) -> Issued:
    key = a_key(TRADING)
    plan = Plan(before=None, after=key, consequences=(), inputs="")
    return Issued(plan=plan, rulebook=Rulebook(), secret_key=secret)


@pytest.mark.parametrize(
    ("moment", "enabled"), [("2021-12-30 23:59:59.999", True), ("2021-12-31 00:00", False)]
)
def test_enabled_changes_at_the_very_instant(moment: str, enabled: bool) -> None:  # noqa: FBT001 - a table's column
    key = a_key(TRADING, issued="2021-12-01 00:00")
    assert show(moment).key(key).permissions[TRADING].enabled is enabled


def test_a_revoked_key_shows_its_status_beside_what_it_held() -> None:
    key = revoked(a_key(TRADING), at="2021-07-02 00:00")
    view = show("2021-07-03 00:00").key(key)
    assert view.status == "revoked"
    assert view.permissions[TRADING].enabled


def test_a_secret_is_shown_in_its_field_and_never_by_repr() -> None:
    view = show("2021-12-01 00:00").issued(issued(Secret(SECRET)))
    assert view.secret_key == SECRET
    assert SECRET not in repr(view)


def test_a_key_without_a_secret_has_no_such_field() -> None:
    view = show("2021-12-01 00:00").issued(issued(None))
    assert "secret_key" not in msgspec.to_builtins(view)


def test_all_keys_of_a_list_are_shown_as_of_one_instant() -> None:
    class Ticking(FakeClock):
        @override
        def now_ms(self) -> int:
            self.advance(1)
            return self.now

    clock = Ticking("2021-12-30 23:59:59.998")
    keys = [a_key(TRADING, issued="2021-12-01 00:00", number=number) for number in (1, 2, 3)]
    shown = views.Show(the_catalog(), clock).keys(keys, {}).keys
    assert [view.permissions[TRADING].enabled for view in shown] == [True] * 3
