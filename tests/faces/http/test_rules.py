"""The routes of the rulebook and the catalog."""

from tenure.domain.rules import rule_state
from tests.builders import the_catalog, the_rulebook
from tests.faces.http.managed import Managed


def test_every_rule_is_shown_as_it_is_stored(shared: Managed) -> None:
    shown = shared.tell("GET", "/v1/rules")["rules"]
    assert shown == [rule_state(rule) for rule in the_rulebook().rules]
    assert shown[0]["unrestricted"] == 2_592_000_000
    assert shown[1]["unrestricted"] == "not_allowed"


def test_the_catalog_is_shown_whole(shared: Managed) -> None:
    shown, known = shared.tell("GET", "/v1/catalog"), the_catalog()
    assert (shown["id"], shown["title"]) == (known.catalog_id, known.title)
    assert [offer["id"] for offer in shown["permissions"]] == list(known.offers)
    assert {(route["method"], route["path"]): route["permission"] for route in shown["routes"]} == (
        known.routes
    )
    fix = next(offer for offer in shown["permissions"] if offer["id"] == "fix_trading")
    assert fix == {
        "id": "fix_trading",
        "label": known.offer("fix_trading").label,
        "wire": known.offer("fix_trading").wire,
        "key_types": ["ed25519"],
        "requires": list(known.offer("fix_trading").requires),
        "warning": known.offer("fix_trading").warning,
        "one_time": known.offer("fix_trading").one_time,
        "kept_in_quarantine": known.offer("fix_trading").kept_in_quarantine,
    }
    kept = {
        (route["method"], route["path"]) for route in shown["routes"] if route["kept_in_quarantine"]
    }
    assert kept == known.kept_in_quarantine
