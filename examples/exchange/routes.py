"""
What the sample exchange sells itself: an account, a test order, and what clients load at start-up.

Nothing here asks who may do what: the Guard in front has decided that, so a function here is called
only for a request that may act, and is told as whom. Shapes are the venue's, as its clients read
them; the numbers are made up.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias
from zlib import crc32

from tenure.domain.decide import Allowed

Caller: TypeAlias = Allowed | None
"""As whom the request may act; None on a public route."""
Parameters: TypeAlias = Mapping[str, str]
"""What was sent in query and form body, decoded; where a name is in both, the query's value."""

SYMBOLS: Final = (("BTC", "USDT"), ("ETH", "USDT"), ("ETH", "BTC"))
"""What is traded here: base and quote asset."""
_BALANCES: Final = {"BTC": "1.00000000", "ETH": "10.00000000", "USDT": "50000.00000000"}
_OPENED_AT_MS: Final = 1_499_865_549_590
"""When nothing here was last changed; an instant in the past, ms."""


class Unacceptable(Exception):  # noqa: N818 - `raise Unacceptable(...)` says it
    """The request may act and makes no sense: the venue's *code* and *message*, sent with 400."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def account(caller: Caller, _: Parameters) -> object:
    """
    Return commissions and balances of the caller's account.

    `canTrade` speaks of the account, not of the key: it is true for a key that may only read, too.
    """
    if caller is None:
        raise RuntimeError("the catalog lists GET /api/v3/account as public")
    rate = "0.00100000"
    return {
        "makerCommission": 10,
        "takerCommission": 10,
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {"maker": rate, "taker": rate, "buyer": "0.00", "seller": "0.00"},
        "canTrade": True,
        "canWithdraw": True,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": _OPENED_AT_MS,
        "accountType": "SPOT",
        "balances": [
            {"asset": asset, "free": free, "locked": "0.00000000"}
            for asset, free in _BALANCES.items()
        ],
        "permissions": ["SPOT"],
        # A number where the venue has one; the same account always has the same.
        "uid": crc32(caller.account_id.encode()),
    }


def check_order(_: Caller, parameters: Parameters) -> object:
    """Take an order to check it and do nothing with it: the cheapest probe of a permission."""
    for name in ("symbol", "side", "type"):
        if not parameters.get(name):
            message = f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
            raise Unacceptable(-1102, message)
    if parameters["symbol"] not in {base + quote for base, quote in SYMBOLS}:
        raise Unacceptable(-1121, "Invalid symbol.")
    return {}


def symbols(_: Caller, __: Parameters) -> object:
    """Return what is traded here, as far as clients need it to place an order."""
    return {
        "timezone": "UTC",
        "serverTime": _OPENED_AT_MS,
        "rateLimits": [],
        "exchangeFilters": [],
        "symbols": [_symbol(base, quote) for base, quote in SYMBOLS],
    }


def no_contracts(_: Caller, __: Parameters) -> object:
    """Return that no futures are traded here."""
    return {
        "timezone": "UTC",
        "serverTime": _OPENED_AT_MS,
        "rateLimits": [],
        "exchangeFilters": [],
        "assets": [],
        "symbols": [],
    }


def nothing(_: Caller, __: Parameters) -> object:
    """Return an empty list: enough for a client that asks for coins or margin pairs."""
    return []


ROUTES: Final[Mapping[tuple[str, str], Callable[[Caller, Parameters], object]]] = {
    ("GET", "/api/v3/account"): account,
    ("POST", "/api/v3/order/test"): check_order,
    ("GET", "/api/v3/exchangeInfo"): symbols,
    ("GET", "/sapi/v1/capital/config/getall"): nothing,
    ("GET", "/sapi/v1/margin/allPairs"): nothing,
    ("GET", "/sapi/v1/margin/isolated/allPairs"): nothing,
    ("GET", "/fapi/v1/exchangeInfo"): no_contracts,
    ("GET", "/dapi/v1/exchangeInfo"): no_contracts,
}
"""
By method and path. Which permission each needs stands in Tenure's catalog, not here: a route that
the catalog does not list is refused.
"""


def _symbol(base: str, quote: str) -> object:
    return {
        "symbol": base + quote,
        "status": "TRADING",
        "baseAsset": base,
        "baseAssetPrecision": 8,
        "quoteAsset": quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "MARKET"],
        "icebergAllowed": False,
        "ocoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": "0.01000000",
                "maxPrice": "1000000.00000000",
                "tickSize": "0.01000000",
            },
            {
                "filterType": "LOT_SIZE",
                "minQty": "0.00001000",
                "maxQty": "9000.00000000",
                "stepSize": "0.00001000",
            },
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "NONE",
        "allowedSelfTradePreventionModes": ["NONE"],
    }
