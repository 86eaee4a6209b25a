"""`tenure accounts`, `keys` and `rules`, against a server that really runs."""

from pathlib import Path

import pytest

from tenure.domain.model import KeyType
from tests import signers
from tests.faces.terminal import Server

pytestmark = pytest.mark.slow  # A server starts, which takes some seconds.


def test_an_account_that_was_created_is_listed(server: Server) -> None:
    made = server.tenure("accounts", "create", "listed@example.com", "--kind", "master")
    listed = server.tenure("accounts", "list")

    assert made.code == 0
    account_id = made.out.split()[1]
    assert account_id.startswith("acct_")
    assert f"{account_id} master listed@example.com" in " ".join(listed.out.split())


def test_a_sub_account_shows_its_master(server: Server) -> None:
    master = server.tenure(
        "accounts", "create", "master@example.com", "--kind", "master", "--json"
    ).json()["account_id"]
    sub = server.tenure(
        "accounts", "create", "sub@example.com", "--kind", "sub", "--master", master
    )

    assert f"master   {master}" in sub.out
    assert f"of {master}" in server.tenure("accounts", "list").out


def test_the_sub_accounts_of_a_master_are_listed(server: Server) -> None:
    def create(email: str, *words: str) -> str:
        made = server.tenure("accounts", "create", email, *words, "--json")
        return str(made.json()["account_id"])

    master = create("parent@example.com", "--kind", "master")
    child = create("child@example.com", "--kind", "sub", "--master", master)
    listed = server.tenure("accounts", "subs", master, "--json").json()["accounts"]

    assert [each["account_id"] for each in listed] == [child]
    assert child in server.tenure("accounts", "subs", master).out
    assert "It has no sub-accounts." in server.tenure("accounts", "subs", child).out
    assert server.tenure("accounts", "subs", "acct_none").code == 5


def test_the_accounts_are_listed_as_json(server: Server) -> None:
    account_id = server.account("json@example.com")

    accounts = server.tenure("accounts", "list", "--json").json()["accounts"]

    assert [each["email"] for each in accounts if each["account_id"] == account_id] == [
        "json@example.com"
    ]


def test_each_field_of_an_account_that_will_not_do_is_named(server: Server) -> None:
    said = server.tenure("accounts", "create", "sub-of-nobody@example.com", "--kind", "sub")

    assert said.code == 2
    assert said.err.startswith("tenure: master_id: ")
    assert said.out == ""


def test_an_email_is_taken_once(server: Server) -> None:
    server.account("taken@example.com")

    said = server.tenure("accounts", "create", "taken@example.com")

    assert said.code == 5
    assert "tenure: an account with this e-mail exists" in said.err


def test_a_frozen_account_shows_since_when_until_it_is_unfrozen(server: Server) -> None:
    account_id = server.account("frozen@example.com")

    frozen = server.tenure("accounts", "freeze", account_id)
    unfrozen = server.tenure("accounts", "unfreeze", account_id)

    assert "frozen   2021-12-01 10:0" in frozen.out
    assert "frozen   no" in unfrozen.out


def test_the_secret_key_is_shown_when_the_key_is_made_and_never_again(server: Server) -> None:
    account_id = server.account("secret@example.com")

    made = server.tenure("keys", "create", account_id, "--label", "bot")

    secret_key = made.out.split()[-1]
    assert len(secret_key) == 64
    assert "shown now and never again" in made.out
    key_id = made.out.split()[1]
    for again in (("keys", "show", key_id), ("keys", "list", account_id)):
        for form in ((), ("--json",)):
            assert secret_key not in server.tenure(*again, *form).out


def test_a_new_key_tells_when_trading_will_end_and_what_the_venue_warns_of(server: Server) -> None:
    account_id = server.account("told@example.com")

    made = server.tenure(
        "keys", "create", account_id, "--label", "bot", "--tick", "spot_margin_trading, futures"
    )

    words = " ".join(made.out.split())
    assert '! "Enable Spot & Margin Trading" will be on until 2021-12-31 10:0' in words
    assert '- "Enable Futures" will be on, without an end.' in words
    assert "Warning: Margin trading carries a high risk" in made.words


def test_a_key_with_trusted_addresses_keeps_trading_without_an_end(server: Server) -> None:
    key_id = server.key(
        "trusted@example.com", "--tick", "spot_margin_trading", "--ip", "203.0.113.7"
    )

    shown = server.tenure("keys", "show", key_id)

    assert "spot_margin_trading  no end" in shown.out
    assert "IPs      203.0.113.7" in shown.out


@pytest.mark.parametrize("key_type", [KeyType.RSA, KeyType.ED25519])
def test_a_public_key_is_read_from_a_file_or_from_standard_input(
    server: Server, tmp_path: Path, key_type: KeyType
) -> None:
    account_id = server.account(f"{key_type}@example.com")
    pem = signers.public_key(key_type) or ""
    path = tmp_path / "key.pem"
    path.write_text(pem)
    words = ("keys", "create", account_id, "--label", "bot", "--type", str(key_type))

    from_file = server.tenure(*words, "--public-key-file", str(path), "--json").json()
    typed = server.tenure(*words, "--public-key-file", "-", "--json", typed=pem).json()

    assert from_file["public_key"] == typed["public_key"]
    assert "secret_key" not in from_file
    assert "secret" not in server.tenure(*words, "--public-key-file", str(path)).out


def test_a_public_key_that_cannot_be_read_is_told(server: Server, tmp_path: Path) -> None:
    account_id = server.account("unread@example.com")
    binary = tmp_path / "key.der"
    binary.write_bytes(b"\x30\x2a\xff")
    words = ("keys", "create", account_id, "--label", "bot", "--type", "ed25519")

    for path in (tmp_path / "absent.pem", binary):
        said = server.tenure(*words, "--public-key-file", str(path))
        assert said.code == 2
        assert f"--public-key-file: {path} cannot be read" in said.words
    assert "tenure: public_key: " in server.tenure(*words).err


def test_a_table_is_readable_on_80_columns_and_breaks_no_id(server: Server) -> None:
    account_id = server.account("a-rather-long-address-of-somebody@subdomain.example.com")
    ticks = "spot_margin_trading,margin_loan_repay_transfer,futures"
    made = server.tenure(
        "keys", "create", account_id, "--label", "bot " * 16, "--tick", ticks, "--json"
    ).json()

    for words in (("accounts", "list"), ("keys", "list", account_id), ("rules", "show")):
        said = server.tenure(*words)
        assert max(len(line) for line in said.out.splitlines()) <= 80, words
    assert account_id in server.tenure("accounts", "list").out
    assert made["key_id"] in server.tenure("keys", "list", account_id).out
    assert made["api_key"] in server.tenure("keys", "show", made["key_id"]).out


def test_an_account_without_keys_says_so(server: Server) -> None:
    said = server.tenure("keys", "list", server.account("empty@example.com"))
    assert said.out == "This account has no key yet.\n"


def test_a_rotated_key_has_another_secret_and_the_same_permissions(server: Server) -> None:
    key_id = server.key("rotated@example.com", "--tick", "spot_margin_trading")
    before = server.look(key_id)

    first = server.tenure("keys", "rotate", key_id, "--json").json()
    second = server.tenure("keys", "rotate", key_id)

    assert first["secret_key"] != second.out.split()[-1]
    assert first["permissions"] == before["permissions"]
    assert first["version"] == before["version"] + 1


def test_revoking_is_for_good_and_may_be_said_twice(server: Server) -> None:
    key_id = server.key("revoked@example.com")

    first, second = (server.tenure("keys", "revoke", key_id) for _ in range(2))

    assert f"{key_id} was revoked 2021-12-01 10:0" in first.out
    assert second.out == first.out
    assert "status   revoked" in server.tenure("keys", "show", key_id).out
    assert server.tenure("keys", "rotate", key_id).code == 5
    assert server.tenure("keys", "revoke", key_id, "--json").json()["status"] == "revoked"


@pytest.mark.parametrize("key_id", ["key_000000000000000000000000", "", "..", "a b?c"])
def test_a_key_that_is_not_there_is_not_found(server: Server, key_id: str) -> None:
    said = server.tenure("keys", "show", key_id)

    assert said.code == 5
    assert said.err.startswith("tenure: There is no such thing")


def test_the_rulebook_is_shown_in_words(server: Server) -> None:
    said = server.tenure("rules", "show")

    assert "rule                 2021-07-09\n" in said.out
    assert "in force from        2021-07-09 00:00:00 UTC" in said.out
    assert "without trusted IPs  30 days" in said.out
    assert "with trusted IPs     no end" in said.out
    assert "without trusted IPs  not allowed" in said.out


def test_the_rulebook_is_shown_as_json(server: Server) -> None:
    rules = server.tenure("rules", "show", "--json").json()["rules"]
    assert [rule["id"] for rule in rules] == ["2021-07-09", "2021-07-09-withdrawals"]


def test_who_brings_a_wrong_operator_token_is_told_where_it_was_from(server: Server) -> None:
    said = server.tenure("rules", "show", TENURE_OPERATOR_TOKEN="not-the-operator-token")

    assert said.code == 1
    assert "that of TENURE_OPERATOR_TOKEN" in said.words


def test_a_named_file_wins_over_the_environment(server: Server) -> None:
    said = server.tenure(
        "rules",
        "show",
        "--operator-token-file",
        str(server.home / "operator-token"),
        TENURE_OPERATOR_TOKEN="not-the-operator-token",
    )
    assert said.code == 0


def test_who_brings_no_operator_token_is_told_where_it_was_looked_for(
    server: Server, tmp_path: Path
) -> None:
    said = server.tenure("rules", "show", TENURE_HOME=str(tmp_path))

    assert said.code == 1
    assert "no operator token was sent" in said.words
    assert str(tmp_path / "operator-token") in said.words


def test_the_scheme_of_a_servers_address_may_be_left_out(server: Server) -> None:
    short = server.url.removeprefix("http://")
    assert server.tenure("rules", "show", "--server", short).code == 0
