"""Where settings come from, which of two wins, and what is refused instead of being guessed."""

import datetime
from pathlib import Path

import pydantic
import pytest

from tenure import settings
from tenure.domain.errors import Invalid
from tenure.domain.leaks import LeakAction
from tenure.settings import Settings
from tests.builders import ms
from tests.services.outbound import certificates


@pytest.fixture(autouse=True)
def _no_other_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Forget what the shell that runs the tests has set."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"TENURE_{name.upper()}", raising=False)
    monkeypatch.delenv("TENURE_SETTINGS", raising=False)


def _file(monkeypatch: pytest.MonkeyPatch, content: str | bytes) -> None:
    raw = content if isinstance(content, bytes) else content.encode()
    Path("settings.toml").write_bytes(raw)
    monkeypatch.setenv("TENURE_SETTINGS", "settings.toml")


def _refused(**given: object) -> dict[str, str]:
    """Return what is wrong with each setting."""
    with pytest.raises(Invalid) as raised:
        settings.load(**given)
    return {problem.field: problem.message for problem in raised.value.problems}


def test_without_anything_tenure_runs_here_alone_and_trusts_nobody() -> None:
    found = settings.load()

    assert found.home == Path("var")
    assert found.database_url == f"sqlite:///{Path('var/tenure.db').absolute()}"
    assert (found.host, found.port) == ("127.0.0.1", 8080)
    assert found.trusted_proxies == ()
    assert found.sealing_key_path == Path("var/sealing-key")
    assert found.operator_token_path == Path("var/operator-token")
    assert found.staleness_ms == 5_000
    assert (found.sandbox, found.sandbox_start_ms) == (False, None)


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _file(monkeypatch, 'workers = 3\nkeys_per_account = 3\nlisten = "127.0.0.1:3"\n')
    monkeypatch.setenv("TENURE_WORKERS", "4")
    monkeypatch.setenv("TENURE_KEYS_PER_ACCOUNT", "4")

    found = settings.load(workers=5, home=None)

    assert (found.workers, found.keys_per_account, found.port) == (5, 4, 3)
    assert found.home == Path("var"), "None is not given"


TEXTS = {
    "home": "elsewhere",
    "database": "postgresql://tenure@db/tenure",
    "listen": "[::1]:9",
    "workers": "7",
    "rulebook": "a.toml",
    "catalog": "a.toml",
    "trusted_proxies": "10.0.0.7, 10.1.0.0/16 2001:db8::/32",
    "sandbox": "true",
    "sandbox_start": "2021-07-01T12:00:00Z",
    "operator_token": "sixteen letters.",
    "sealing_key_file": "key",
    "staleness_ms": "500",
    "forward_auth_source": "forwarded",
    "binance_decoded_retry": "false",
    "binance_lapsed_code": "-1002",
    "keys_per_account": "1",
    "addresses_per_key": "1",
    "smtp_url": "smtp://user:p%40ss@mail.example:25",
    "mail_from": "Tenure <keys@example.com>",
    "egress_proxy": "http://proxy.example:3128",
    "webhook_loopback": "true",
    "github_keys_url": "https://mirror.example/keys",
    "leak_action": "quarantine",
    "leak_action_asymmetric": "revoke",
    "public_url": "https://example.com/api-keys/",
    "notice_language": "zh-CN",
    "notice_time_zone": "Asia/Tokyo",
    "notice_file": "notices.jsonl",
    "console_origin": "https://keys.example.com",
    "oidc_issuer": "https://id.example.com/realms/main",
    "oidc_client_id": "tenure",
    "oidc_client_secret_file": "a.toml",
    "oidc_second_factor": "true",
    "second_approval": "always",
    "checkpoint_every_ms": "1000",
    "checkpoint_file": "elsewhere.txt",
    "checkpoint_url": "https://log.example/checkpoints",
}
"""Something for every setting, as the environment would say it; one needs a real file."""


def test_every_setting_can_be_in_the_environment_and_in_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("a.toml").touch()
    trusted = certificates.make(Path.cwd(), "a.test").trust_file
    texts = TEXTS | {"egress_trust_file": str(trusted)}
    missing = set(Settings.model_fields) - set(texts)
    assert not missing, "a new setting is tried here, too"
    with monkeypatch.context() as environment:
        for name, text in texts.items():
            environment.setenv(f"TENURE_{name.upper()}", text)
        by_environment = settings.load()

    values = {
        **by_environment.model_dump(mode="json"),
        "sandbox_start": datetime.datetime(2021, 7, 1, 12, tzinfo=datetime.UTC),
    }
    lines = [f"{name} = {_toml(value)}" for name, value in values.items()]
    _file(monkeypatch, "\n".join(lines))

    assert settings.load() == by_environment
    assert by_environment.trusted_proxies == ("10.0.0.7", "10.1.0.0/16", "2001:db8::/32")
    assert by_environment.database_url == "postgresql://tenure@db/tenure"
    assert (by_environment.host, by_environment.port) == ("::1", 9)
    assert by_environment.sandbox_start_ms == ms("2021-07-01 12:00")
    assert by_environment.binance_lapsed_code == -1002
    assert by_environment.sealing_key_path == Path("key")
    assert by_environment.leak_action is LeakAction.QUARANTINE


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case datetime.datetime():
            return value.isoformat()
        case int():
            return str(value)
        case list():
            return f"[{', '.join(_toml(each) for each in value)}]"
        case _:
            return f'"{value}"'


@pytest.mark.parametrize("url", ["log.example", "ftp://log.example/", "file:///checkpoints"])
def test_checkpoints_go_to_the_web_or_nowhere(url: str) -> None:
    with pytest.raises(Invalid, match="is no web address"):
        settings.load(checkpoint_url=url)


def test_settings_do_not_change_once_they_are_read() -> None:
    found = settings.load()

    with pytest.raises(pydantic.ValidationError):
        found.workers = 3


def test_an_unknown_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A typo must not pass for a default."""
    assert "colour" in _refused(colour="red")

    _file(monkeypatch, "worker = 3\n")
    assert "worker" in _refused()


def test_every_problem_is_named_at_once() -> None:
    assert set(_refused(workers=0, listen="nowhere", staleness_ms=1)) == {
        "workers",
        "listen",
        "staleness_ms",
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [("workers = \n", "is not TOML"), (b"\xff\xfe", "is not TOML"), ("workers = 'two'", "integer")],
)
def test_a_file_that_makes_no_sense_is_refused(
    monkeypatch: pytest.MonkeyPatch, content: str | bytes, message: str
) -> None:
    _file(monkeypatch, content)

    (found,) = _refused().values()

    assert message in found


def test_a_file_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENURE_SETTINGS", "forgotten.toml")

    assert _refused() == {"TENURE_SETTINGS": "forgotten.toml is not there"}


@pytest.mark.parametrize(
    "networks",
    [
        "0.0.0.0/0",
        "::/0",
        "10.0.0.7 0.0.0.0/0",
        "0.0.0.0/1,128.0.0.0/1",
        "::/1 8000::/1",
        "0.0.0.0/1,128.0.0.0/2,192.0.0.0/2",
    ],
)
def test_trusting_everybody_is_refused_in_whatever_pieces(networks: str) -> None:
    """Then every caller could claim any address (SECURITY D14)."""
    assert "trust everybody" in _refused(trusted_proxies=networks)["trusted_proxies"]


@pytest.mark.parametrize("networks", ["::ffff:0:0/96", "::/64", "::ffff:10.0.0.7"])
def test_a_proxy_is_not_named_by_a_mapped_address(networks: str) -> None:
    assert "IPv4-mapped" in _refused(trusted_proxies=networks)["trusted_proxies"]


@pytest.mark.parametrize("networks", ["everybody", "10.0.0.7/8", "10.0.0", "proxy.internal", "*"])
def test_a_proxy_is_named_by_its_address_or_network(networks: str) -> None:
    assert "trusted_proxies" in _refused(trusted_proxies=networks)


@pytest.mark.parametrize(
    "listen", ["", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "h:65536", "h:²"]
)
def test_what_is_listened_on_is_an_address_and_a_port(listen: str) -> None:
    assert "no address and port" in _refused(listen=listen)["listen"]


@pytest.mark.parametrize("name", ["catalog", "egress_trust_file"])
def test_a_file_that_is_named_is_there(name: str) -> None:
    assert _refused(**{name: "forgotten.toml"}) == {name: "forgotten.toml is not there"}


@pytest.mark.parametrize("name", ["forgotten.toml", "Gate", "gate.toml", "../rulebooks/gate"])
def test_a_rulebook_is_a_file_or_the_name_of_a_shipped_one(name: str) -> None:
    shipped = "2021-07-09, binance-2023, bybit, coinex, gate, mexc, upbit"
    assert _refused(rulebook=name) == {
        "rulebook": f"{name} is not there, nor the name of a shipped rulebook: {shipped}"
    }


def test_a_shipped_rulebook_goes_by_its_name_and_a_file_of_that_name_goes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = settings.load(rulebook="gate").rulebook
    assert found is not None
    assert found.name == "gate.toml"
    assert found.is_file()

    monkeypatch.chdir(tmp_path)
    (tmp_path / "gate").write_text("")
    assert settings.load(rulebook="gate").rulebook == Path("gate")


@pytest.mark.parametrize("name", ["rulebook", "catalog"])
def test_a_directory_is_no_file(name: str) -> None:
    assert "is not there" in _refused(**{name: "."})[name]


@pytest.mark.parametrize(
    "database", ["sqlite://", "sqlite:///:memory:", "sqlite:///", "sqlite://?timeout=5"]
)
def test_a_database_in_memory_is_refused(database: str) -> None:
    """Every process would have one of its own."""
    assert "in memory" in _refused(database=database)["database"]


def test_where_a_sandbox_starts_needs_a_sandbox_and_a_zone() -> None:
    assert "needs --sandbox" in str(_refused(sandbox_start="2021-07-01T12:00:00Z"))
    assert "needs its zone" in str(_refused(sandbox=True, sandbox_start="2021-07-01T12:00:00"))

    start = "2021-07-01T14:00:00.5+02:00"
    assert settings.load(sandbox=True, sandbox_start=start).sandbox_start_ms == (
        ms("2021-07-01 12:00") + 500
    )


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("smtp_url", "mail.example", "no relay"),
        ("mail_from", "Tenure", "no sender"),
        ("egress_proxy", "socks5://proxy", "must begin with http:// or https://"),
        ("github_keys_url", "keys.json", "must begin with http:// or https://"),
        ("leak_action", "ignore", "'revoke', 'quarantine' or 'tell'"),
    ],
)
def test_what_cannot_be_used_later_is_refused_now(name: str, text: str, message: str) -> None:
    assert message in _refused(**{name: text})[name]


def test_a_relay_needs_a_sender() -> None:
    assert "smtp_url needs mail_from" in str(_refused(smtp_url="smtp://mail.example"))


def test_an_operator_token_that_is_too_short_to_be_secret_is_refused() -> None:
    assert "16 characters" in str(_refused(operator_token="fifteen letters"))


def test_neither_an_error_nor_the_settings_show_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are logged."""
    secret = "hunter2 hunter2 hunter2"
    monkeypatch.setenv("TENURE_OPERATOR_TOKEN", secret)
    monkeypatch.setenv("TENURE_DATABASE", f"postgresql://tenure:{secret}@db/tenure")
    monkeypatch.setenv("TENURE_SMTP_URL", f"smtp://tenure:{secret}@mail")
    monkeypatch.setenv("TENURE_MAIL_FROM", "keys@example.com")
    monkeypatch.setenv("TENURE_EGRESS_PROXY", "http://tenure:hunter2@proxy:3128")
    assert "hunter2" not in repr(settings.load())

    with pytest.raises(Invalid) as raised:
        settings.load(operator_token="hunter2")
    assert "hunter2" not in f"{raised.value}{raised.value.__cause__}"
    for name in ("smtp_url", "egress_proxy"):
        with pytest.raises(Invalid) as raised:
            settings.load(**{name: "gopher://tenure:hunter2@mail"})
        assert "hunter2" not in f"{raised.value}{raised.value.__cause__}"


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("workers", 1, 60),
        ("staleness_ms", 500, 60_000),
        ("keys_per_account", 1, 1_000_000),
        ("addresses_per_key", 1, 1_000),
    ],
)
def test_every_number_has_its_limits(name: str, least: int, most: int) -> None:
    for value in (least, most):
        assert getattr(settings.load(**{name: value}), name) == value
    for value in (least - 1, most + 1):
        assert name in _refused(**{name: value})


@pytest.mark.parametrize(
    "origin",
    [
        *("https://keys.example.com", "https://keys.example.com:8443", "http://localhost:8080"),
        *("http://127.0.0.1:8080", "http://[::1]:8080", "https://[2001:db8::1]"),
    ],
)
def test_the_console_has_an_origin(origin: str) -> None:
    found = settings.load(console_origin=origin)

    assert found.console_at == origin
    assert found.owners_url == f"{origin}/console"


@pytest.mark.parametrize(
    "origin",
    [
        *("keys.example.com", "http://keys.example.com", "https://keys.example.com/", "https://"),
        *("https://keys.example.com/console", "https://user@keys.example.com", "ftp://localhost"),
        *("https://keys.example.com:x", "https://Keys.example.com", "https://a.example?x", "*"),
        *("http://localhost.evil.example", "http://10.0.0.1", "https://a.example:99999"),
    ],
)
def test_what_is_no_origin_or_goes_in_the_clear_is_refused(origin: str) -> None:
    with pytest.raises(Invalid) as raised:
        settings.load(console_origin=origin)
    assert raised.value.field == "console_origin"


def test_without_an_origin_the_console_is_on_this_machine_and_notices_lead_nowhere() -> None:
    found = settings.load(listen="0.0.0.0:9000")

    assert found.console_at == "http://localhost:9000"
    assert found.owners_url == ""
    assert settings.load(public_url="https://a.example/keys").owners_url == "https://a.example/keys"


@pytest.mark.parametrize(
    "given",
    [
        {"oidc_issuer": "https://id.example.com"},
        {"oidc_client_id": "tenure"},
        {"oidc_issuer": "https://id.example.com", "oidc_client_id": "tenure"},
        {"oidc_client_secret_file": "absent"},
        {"oidc_issuer": "http://id.example.com"},
        {"oidc_issuer": "https://id.example.com/?x=1"},
        {"oidc_issuer": "id.example.com"},
    ],
)
def test_half_a_provider_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        settings.load(**given)
