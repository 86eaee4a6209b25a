"""Acts with binance-connector, as its users do; see `acting` for what an act is."""

from binance.error import ClientError
from binance.spot import Spot

from tests.clients.scripts import acting

CALLS = {
    "restrictions": Spot.api_key_permissions,
    "account": Spot.account,
    "order_test": Spot.new_order_test,
    "account_status": Spot.account_status,
    "trading_status": Spot.api_trading_status,
    "time": Spot.time,
    "system_status": Spot.system_status,
    "exchange_info": Spot.exchange_info,
    "show_addresses": Spot.sub_account_api_get_ip_restriction,
    "add_addresses": Spot.sub_account_update_ip_restriction,
    "remove_addresses": Spot.sub_account_api_delete_ip,
    "signed": lambda client, route, **given: client.sign_request(*route.split(), payload=given),
}


def do(act: acting.Act) -> acting.Outcome:
    """Make a client and do one call with it."""
    client = Spot(
        act["api_key"],
        act.get("secret_key"),
        base_url=act["base_url"],
        private_key=act.get("private_key"),
        show_header=True,
    )
    acting.come_from(client.session, act.get("source_address"))
    try:
        shown = CALLS[act["call"]](client, **act["parameters"])
    except ClientError as error:
        return acting.raised(
            error, error.status_code, error.error_code, error.error_message, error.header
        )
    return acting.came_back(shown["data"], shown["header"])


if __name__ == "__main__":
    acting.serve(do)
