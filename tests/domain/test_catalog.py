"""Catalogs: the one that is shipped, what is refused in others, and which route needs what."""

import pytest

from tenure.domain import catalog
from tenure.domain.catalog import PUBLIC, Catalog
from tenure.domain.errors import Invalid
from tenure.domain.model import READING, KeyType, Permission
from tests.builders import FUTURES, TRADING, shipped, the_catalog

HEAD = '[catalog]\nid = "x"\ntitle = "X"\n'
READS = '[[permission]]\nid = "reading"\nlabel = "Read"\n'
SMALL = HEAD + READS


def with_routes(*rows: tuple[str, str, str]) -> Catalog:
    """Return a small catalog with routes of *rows*: method, path, permission."""
    more = "".join(
        f'[[permission]]\nid = "{name}"\nlabel = "{name}"\n'
        for name in sorted({permission for _, _, permission in rows} - {"reading", "public"})
    )
    routes = "".join(
        f'[[route]]\nmethod = "{method}"\npath = "{path}"\npermission = "{permission}"\n'
        for method, path, permission in rows
    )
    return catalog.read(SMALL + more + routes)


def complaints(text: str) -> list[str]:
    """Return what `read` complains of, each with its line."""
    with pytest.raises(Invalid) as refused:
        catalog.read(text)
    return [f"{problem.field}: {problem.message}" for problem in refused.value.problems]


def test_the_shipped_catalog_sells_the_announcements_permissions() -> None:
    assert list(the_catalog().offers) == [
        "reading",
        "spot_margin_trading",
        "margin_loan_repay_transfer",
        "futures",
        "european_options",
        "portfolio_margin",
        "universal_transfer",
        "internal_transfer",
        "withdrawals",
        "fix_trading",
        "fix_reading",
    ]


@pytest.mark.parametrize(
    ("permission", "names"),
    [
        ("reading", ("Enable Reading", "enableReading", None, None)),
        (
            "spot_margin_trading",
            ("Enable Spot & Margin Trading", "enableSpotAndMarginTrading", "canTrade", "canTrade"),
        ),
        (
            "margin_loan_repay_transfer",
            (
                "Enable Margin Loan, Repay & Transfer",
                "enableMargin",
                "canMarginLoanRepay",
                "marginTrade",
            ),
        ),
        ("futures", ("Enable Futures", "enableFutures", "canFuturesTrade", "futuresTrade")),
        (
            "european_options",
            (
                "Enable European Options",
                "enableVanillaOptions",
                "canVanillaOptions",
                "canVanillaOptions",
            ),
        ),
        ("portfolio_margin", ("Portfolio Margin", "enablePortfolioMarginTrading", None, None)),
        (
            "universal_transfer",
            (
                "Permits Universal Transfer",
                "permitsUniversalTransfer",
                "canUniversalTransfer",
                "canUniversalTransfer",
            ),
        ),
        ("internal_transfer", ("Internal Transfer", "enableInternalTransfer", None, None)),
        ("withdrawals", ("Enable Withdrawals", "enableWithdrawals", None, None)),
        ("fix_trading", ("FIX API trading", "enableFixApiTrade", "canFixApiTrading", None)),
        ("fix_reading", ("FIX API reading", "enableFixReadOnly", "canFixApiReading", None)),
    ],
)
def test_one_permission_has_the_five_names_of_wire(
    permission: str, names: tuple[str | None, ...]
) -> None:
    """WIRE section 3 is this table."""
    offer = the_catalog().offer(permission)

    surfaces = ("api_restrictions", "sub_account", "broker")
    assert (offer.label, *(offer.wire.get(surface) for surface in surfaces)) == names
    assert set(offer.wire) <= {*surfaces, "api_restrictions_end"}


def test_only_trading_shows_its_end_on_the_wire() -> None:
    """WIRE section 2: it is the one permission whose end has a member of its own."""
    ends = {p: offer.wire.get("api_restrictions_end") for p, offer in the_catalog().offers.items()}

    assert {p: name for p, name in ends.items() if name is not None} == {
        TRADING: "tradingAuthorityExpirationTime"
    }


def test_only_ed25519_keys_may_use_fix() -> None:
    narrow = {p for p, offer in the_catalog().offers.items() if offer.key_types != set(KeyType)}

    assert narrow == {"fix_trading", "fix_reading"}
    for permission in narrow:
        assert the_catalog().offer(permission).key_types == {KeyType.ED25519}


def test_margin_carries_a_risk_warning() -> None:
    """S11."""
    assert "risk" in the_catalog().offer(TRADING).warning
    assert the_catalog().offer(READING).warning == ""


def test_what_is_not_sold_is_refused_naming_what_is() -> None:
    with pytest.raises(Invalid) as refused:
        the_catalog().offer("staking", "permissions.staking")

    assert refused.value.field == "permissions.staking"
    assert "'staking'" in refused.value.message
    assert "spot_margin_trading" in refused.value.message


def test_a_long_name_is_not_echoed_whole() -> None:
    with pytest.raises(Invalid) as refused:
        the_catalog().offer("x" * 10_000)

    assert len(refused.value.message) < 500


@pytest.mark.parametrize(
    ("method", "path", "permission"),
    [
        ("GET", "/api/v3/ping", PUBLIC),
        ("GET", "/api/v3/account", READING),
        ("POST", "/api/v3/order/test", TRADING),
        ("POST", "/fapi/v1/order", FUTURES),
        ("POST", "/api/v3/ping", None),
        ("get", "/api/v3/ping", None),
        ("GET", "/api/v3/ping/", None),
        ("GET", "/api/v3", None),
        ("GET", "", None),
    ],
)
def test_the_shipped_routes_need_what_they_say(
    method: str, path: str, permission: Permission | None
) -> None:
    assert the_catalog().permission_for(method, path) == permission


def test_a_placeholder_stands_for_one_segment_and_not_for_none() -> None:
    routes = with_routes(("GET", "/orders/{id}/fills", "reading"))

    assert routes.permission_for("GET", "/orders/17/fills") == READING
    for path in ("/orders//fills", "/orders/17", "/orders/17/18/fills", "/orders/17/fill"):
        assert routes.permission_for("GET", path) is None
    assert routes.permission_for("POST", "/orders/17/fills") is None


def test_the_exact_path_wins_over_a_placeholder() -> None:
    routes = with_routes(
        ("GET", "/orders/{id}", "one"),
        ("GET", "/orders/open", "all"),
        ("PUT", "/orders/{x}", "put"),
    )

    assert routes.permission_for("GET", "/orders/open") == "all"
    assert routes.permission_for("GET", "/orders/17") == "one"
    assert routes.permission_for("PUT", "/orders/open") == "put"


def test_of_two_paths_with_placeholders_the_first_listed_wins() -> None:
    routes = with_routes(
        ("GET", "/a/{x}/c", "one"), ("GET", "/a/b/{y}", "two"), ("PUT", "/a/b/{y}", "put")
    )

    assert routes.permission_for("GET", "/a/b/c") == "one"
    assert routes.permission_for("GET", "/a/b/d") == "two"
    assert routes.permission_for("PUT", "/a/b/c") == "put"


def test_a_small_catalog_is_read_whole() -> None:
    small = catalog.read(
        HEAD
        + '[[permission]]\nid = "reading"\nlabel = "Read"\n'
        + '[[permission]]\nid = "trade"\nlabel = "Trade"\nkey_types = ["rsa", "ed25519"]\n'
        + 'requires = ["reading"]\nwarning = "Careful."\none_time = true\n'
        + '[permission.wire]\napi_restrictions = "canDo"\n'
    )
    offer = small.offer("trade")

    assert (small.catalog_id, small.title) == ("x", "X")
    assert offer == catalog.Offer(
        permission=Permission("trade"),
        label="Trade",
        wire={"api_restrictions": "canDo"},
        key_types=frozenset({KeyType.RSA, KeyType.ED25519}),
        requires=(READING,),
        warning="Careful.",
        one_time=True,
    )
    assert small.permission_for("GET", "/anything") is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (READS, "line 1: there is no [catalog] table"),
        (HEAD, "line 1: the catalog must sell `reading`: every key holds it"),
        (SMALL + READS, "line 8: permission: `reading` is already taken"),
        (
            SMALL + '[[permission]]\nid = "public"\nlabel = "P"\n',
            "line 8: permission: `public` is already taken",
        ),
        (
            SMALL + 'requires = ["staking"]\n',
            "line 7: permission: `staking` is not in this catalog",
        ),
        (SMALL + "requires = 5\n", "line 7: permission: `requires` must be a list of texts"),
        (SMALL + "requires = [[1]]\n", "line 7: permission: `requires` must be a list of texts"),
        (
            SMALL + 'key_types = ["dsa"]\n',
            "line 7: permission: `dsa` is not one of hmac, rsa, ed25519",
        ),
        (SMALL + "key_types = []\n", "line 7: permission: `key_types` must name at least one"),
        (SMALL + "colour = 1\n", "line 7: permission: `colour` is not known here"),
        (SMALL + "one_time = 1\n", "line 7: permission: `one_time` must be true or false"),
        (HEAD + "extra = 1\n" + READS, "line 4: catalog: `extra` is not known here"),
        (SMALL + "[[routes]]\n", "line 7: table `routes` is not known here"),
    ],
)
def test_a_slip_is_named_with_its_line(text: str, problem: str) -> None:
    assert complaints(text) == [problem]


@pytest.mark.parametrize(
    ("method", "path", "permission", "problem"),
    [
        ("get", "/a", "reading", "line 8: route: `get` is not one of DELETE, GET, HEAD, PATCH, "),
        ("GET", "a", "reading", "line 9: route: `path` must be an absolute path without a query"),
        ("GET", "/a?b", "reading", "line 9: route: `path` must be an absolute path without a"),
        ("GET", "/a//b", "reading", "line 9: route: `path` must be an absolute path without a"),
        ("GET", "/a/{b}c", "reading", "line 9: route: `{b}c` must be a placeholder and nothing"),
        ("GET", "/a/{b", "reading", "line 9: route: `{b` must be a placeholder and nothing else"),
        ("GET", "/a/b}", "reading", "line 9: route: `b}` must be a placeholder and nothing else"),
        ("GET", "/a/{}", "reading", "line 9: route: `{}` must be a placeholder and nothing else"),
        ("GET", "/a", "trade", "line 10: route: `trade` is neither in this catalog nor `public`"),
    ],
)
def test_a_slip_in_a_route_is_named_with_its_line(
    method: str, path: str, permission: str, problem: str
) -> None:
    row = f'[[route]]\nmethod = "{method}"\npath = "{path}"\npermission = "{permission}"\n'
    (found,) = complaints(SMALL + row)

    assert found.startswith(problem)


@pytest.mark.parametrize("paths", [("/a", "/a"), ("/a/{b}", "/a/{c}")])
def test_a_route_is_listed_once_whatever_its_placeholders_are_called(
    paths: tuple[str, str],
) -> None:
    with pytest.raises(Invalid, match="is already listed"):
        with_routes(*(("GET", path, "reading") for path in paths))

    both = with_routes(("GET", paths[0], "reading"), ("PUT", paths[1], "reading"))
    assert len(both.routes) == 2


def test_every_slip_is_named_at_once() -> None:
    assert len(complaints(SMALL + "colour = 1\nrequires = 5\nkey_types = []\n")) == 3


def test_the_shipped_file_is_what_is_read() -> None:
    assert catalog.read(shipped("catalogs/exchange.toml")) == the_catalog()
