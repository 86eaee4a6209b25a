"""The routes of accounts: create, list, look at, freeze and unfreeze."""

from typing import Annotated, TypeAlias

import msgspec
from litestar import Router, get, post
from litestar.di import NamedDependency as Given
from litestar.params import JSONBody, QueryParameter

from tenure.domain.model import Account, AccountKind
from tenure.faces.http import problems, requests, rights
from tenure.faces.http.views import View
from tenure.services.accounts import Accounts

PAGE_MAX = 1_000

After: TypeAlias = Annotated[str | None, QueryParameter(pattern=requests.ACCOUNT_ID)]
Limit: TypeAlias = Annotated[int, QueryParameter(ge=1, le=PAGE_MAX)]


class NewAccount(requests.Body):
    """An account to create; a sub-account names its master."""

    email: Annotated[str, msgspec.Meta(max_length=254, extra_json_schema={"format": "email"})]
    kind: AccountKind
    master_id: Annotated[str, msgspec.Meta(pattern=requests.ACCOUNT_ID)] | None = None


class AccountView(View):
    """An account; `frozen_at_ms` is null while it is not frozen itself."""

    account_id: str
    kind: AccountKind
    email: str
    master_id: str | None
    created_at_ms: int
    frozen_at_ms: int | None


class AccountsView(View):
    """A page of accounts, by id; `next_after` asks for the next one, null after the last."""

    accounts: list[AccountView]
    next_after: str | None


def page(found: list[Account], limit: int) -> AccountsView:
    """Show *found*, read with *limit*, as a page: whether more may follow shows in its length."""
    return AccountsView(
        accounts=[show(account) for account in found],
        next_after=found[-1].account_id if len(found) == limit else None,
    )


def show(account: Account) -> AccountView:
    """Show an account."""
    return AccountView(
        account_id=account.account_id,
        kind=account.kind,
        email=account.email,
        master_id=account.master_id,
        created_at_ms=account.created_at_ms,
        frozen_at_ms=account.frozen_at_ms,
    )


@post(
    "/",
    opt=rights.OPERATORS,
    responses=problems.documented(400, 401, 403, 409, 413, 422, 503),
    sync_to_thread=True,
)
def create_account(
    data: JSONBody[NewAccount], accounts: Given[Accounts], actor: Given[str]
) -> AccountView:
    """Create an account. Kinds: normal, master, sub; a sub-account names its `master_id`."""
    return show(accounts.create(data.email, data.kind, data.master_id, actor))


@get(
    "/",
    opt=rights.OPERATORS,
    responses=problems.documented(401, 403, 422, 503),
    sync_to_thread=True,
)
def list_accounts(
    accounts: Given[Accounts],
    after: After = None,
    limit: Limit = PAGE_MAX,
) -> AccountsView:
    """List accounts by id, a page at a time: those whose id sorts after `after`."""
    return page(accounts.every(after or "", limit), limit)


@get(
    "/{account_id:str}",
    opt=rights.OWNER_READS,
    responses=problems.documented(401, 403, 404, 422, 503),
    sync_to_thread=True,
)
def get_account(account_id: requests.AccountId, accounts: Given[Accounts]) -> AccountView:
    """Look at one account."""
    return show(accounts.get(account_id))


@get(
    "/{account_id:str}/sub-accounts",
    opt=rights.OWNER_READS,
    responses=problems.documented(401, 403, 404, 422, 503),
    sync_to_thread=True,
)
def list_sub_accounts(
    account_id: requests.AccountId,
    accounts: Given[Accounts],
    after: After = None,
    limit: Limit = PAGE_MAX,
) -> AccountsView:
    """List the sub-accounts of a master by id, a page at a time; of another account, none."""
    return page(accounts.subs(account_id, after or "", limit), limit)


@post(
    "/{account_id:str}/freeze",
    status_code=200,
    opt=rights.MASTER_ACTS,
    responses=problems.documented(401, 403, 404, 422, 503),
    sync_to_thread=True,
)
def freeze_account(
    account_id: requests.AccountId, accounts: Given[Accounts], actor: Given[str]
) -> AccountView:
    """Refuse every key of the account, and of its sub-accounts; in force when this answers."""
    return show(accounts.set_frozen(account_id, frozen=True, actor=actor))


@post(
    "/{account_id:str}/unfreeze",
    status_code=200,
    opt=rights.MASTER_ACTS,
    responses=problems.documented(401, 403, 404, 409, 422, 503),
    sync_to_thread=True,
)
def unfreeze_account(
    account_id: requests.AccountId, accounts: Given[Accounts], actor: Given[str]
) -> AccountView:
    """
    Let the account's keys act again; terms ran on.

    409 `on_hold` during a recovery, `house` where the house froze it and no operator asks.
    """
    return show(accounts.set_frozen(account_id, frozen=False, actor=actor))


def routes() -> Router:
    """Return what is answered under `/accounts`."""
    return Router(
        "/accounts",
        route_handlers=[
            create_account,
            list_accounts,
            get_account,
            list_sub_accounts,
            freeze_account,
            unfreeze_account,
        ],
        tags=["accounts"],
    )
