"""Acts with python-binance, as its users do; see `acting` for what an act is."""

from binance.client import Client
from binance.exceptions import BinanceAPIException

from tests.clients.scripts import acting


def signed(client: Client, route: str, **given: str) -> object:
    """Ask what the client has no method for, by what all its methods go through."""
    method, path = route.split()
    _, _, version, path = path.split("/", 3)
    return client._request_margin_api(  # noqa: SLF001 - it has no other way
        method.lower(), path, signed=True, version=int(version[1:]), data=given
    )


CALLS = {
    "restrictions": Client.get_account_api_permissions,
    "account": Client.get_account,
    "order_test": Client.create_test_order,
    "account_status": Client.get_account_status,
    "trading_status": Client.get_account_api_trading_status,
    "time": Client.get_server_time,
    "system_status": Client.get_system_status,
    "exchange_info": Client.get_exchange_info,
    "show_addresses": Client.margin_v1_get_sub_account_sub_account_api_ip_restriction,
    "add_addresses": Client.margin_v2_post_sub_account_sub_account_api_ip_restriction,
    "remove_addresses": Client.margin_v1_delete_sub_account_sub_account_api_ip_restriction_ip_list,
    "signed": signed,
}


def do(act: acting.Act) -> acting.Outcome:
    """Make a client, which pings by itself, and do one call with it."""

    class Here(Client):  # type: ignore[misc]  # untyped: the client is not installed here
        # Set on the class: the constructor has already asked the venue when it returns.
        API_URL = f"{act['base_url']}/api"
        MARGIN_API_URL = f"{act['base_url']}/sapi"

    client = Here(act["api_key"], act.get("secret_key"), private_key=act.get("private_key"))
    acting.come_from(client.session, act.get("source_address"))
    try:
        result = CALLS[act["call"]](client, **act["parameters"])
    except BinanceAPIException as error:
        return acting.raised(
            error, error.status_code, error.code, error.message, error.response.headers
        )
    return acting.came_back(result, client.response.headers)


if __name__ == "__main__":
    acting.serve(do)
