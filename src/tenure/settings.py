"""
Every setting, with its unit, its default and its reason; read once, frozen, passed on.

From the command line, else the environment (`TENURE_…`), else a TOML file named by
`TENURE_SETTINGS`. Half a configuration is refused: an unknown name in the file, a path that is not
there, a network that trusts everybody.
"""

import datetime
import ipaddress
import os
import tomllib
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from typing_extensions import override

from tenure.domain.documents import instant_ms
from tenure.domain.errors import Invalid, Problem
from tenure.inward import Inward
from tenure.outward import Outward

_IPV4_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


class Settings(Outward, Inward):
    """What one Tenure process group runs with."""

    model_config = SettingsConfigDict(
        env_prefix="TENURE_",
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,  # A log that shows the error must not show the operator token.
    )

    home: Path = Field(Path("var"), description="Directory of the store, keyring and key files.")
    database: str = Field(
        "", repr=False, description="Database URL; default sqlite:///<home>/tenure.db."
    )
    listen: str = Field("127.0.0.1:8080", description="Address and port to listen on.")
    workers: int = Field(2, ge=1, le=60, description="Worker processes that decide and answer.")
    rulebook: Path | None = Field(
        None, description="Rulebook TOML: a file, or the name of a shipped one; default 2021-07-09."
    )
    catalog: Path | None = Field(None, description="Catalog TOML; default: the shipped one.")
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Networks whose forwarded headers count; default none."
    )
    sandbox: bool = Field(default=False, description="Rehearsal mode with a movable clock.")
    sandbox_start: datetime.datetime | None = Field(
        None, description="Where a new sandbox's clock starts; default now."
    )
    operator_token: str = Field(
        "", repr=False, description="The first operator token; default: made."
    )
    sealing_key_file: Path | None = Field(
        None, description="Key that seals secrets; default <home>/sealing-key."
    )
    staleness_ms: int = Field(
        5_000, ge=500, le=60_000, description="Older evidence than this refuses everything (ms)."
    )
    forward_auth_source: Literal["original", "forwarded"] = Field(
        "original",
        description="Where the gateway puts method and URI: X-Original-… or X-Forwarded-….",
    )
    binance_decoded_retry: bool = Field(
        default=True, description="Accept signatures over the decoded text too (python-binance)."
    )
    binance_lapsed_code: Literal[-2015, -1002] = Field(
        -2015, description="Code for a lapsed permission; -1002 keeps ccxt from retrying."
    )
    keys_per_account: int = Field(30, ge=1, le=1_000_000, description="Keys an account may have.")
    addresses_per_key: int = Field(30, ge=1, le=1_000, description="Entries an allowlist may have.")

    checkpoint_every_ms: int = Field(
        60_000, ge=1_000, le=86_400_000, description="A checkpoint is signed this often (ms)."
    )
    checkpoint_file: Path | None = Field(
        None, description="File, or directory, elsewhere that checkpoints are copied to."
    )
    checkpoint_url: str = Field(
        "", repr=False, description="Web address that checkpoints are POSTed to."
    )

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("trusted_proxies")
    @classmethod
    def _not_everybody(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        read_proxies(networks)
        return networks

    @field_validator("binance_lapsed_code", mode="before")
    @classmethod
    def _number(cls, value: object) -> object:
        # The environment has texts only, and a Literal of numbers takes none of them.
        return int(value) if isinstance(value, str) and value in {"-2015", "-1002"} else value

    @field_validator("database")
    @classmethod
    def _shared(cls, value: str) -> str:
        if value.partition("?")[0] in {"sqlite://", "sqlite:///", "sqlite:///:memory:"}:
            message = "a database in memory is no other process's: name a file, or PostgreSQL"
            raise ValueError(message)
        return value

    @field_validator("listen")
    @classmethod
    def _address_and_port(cls, value: str) -> str:
        host, colon, port = value.rpartition(":")
        if not (host and colon and port.isascii() and port.isdigit() and int(port) < 2**16):
            message = f"{value!r} is no address and port, such as 127.0.0.1:8080"
            raise ValueError(message)
        return value

    @field_validator("checkpoint_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if value and not value.startswith(("https://", "http://")):
            message = "is no web address: https://…"
            raise ValueError(message)
        return value

    @field_validator("rulebook")
    @classmethod
    def _named(cls, path: Path | None) -> Path | None:
        return None if path is None else rulebook_path(str(path))

    @field_validator("catalog")
    @classmethod
    def _is_there(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_file():
            message = f"{path} is not there"
            raise ValueError(message)
        return path

    @model_validator(mode="after")
    def _whole(self) -> "Settings":
        if self.sandbox_start is not None and not self.sandbox:
            message = "sandbox_start needs --sandbox"
            raise ValueError(message)
        if self.sandbox_start is not None and self.sandbox_start.tzinfo is None:
            message = "sandbox_start needs its zone: 2021-07-01T12:00:00Z"
            raise ValueError(message)
        if self.operator_token and len(self.operator_token) < 16:  # noqa: PLR2004 - 96 bits as base64
            message = "operator_token is too short to be secret: 16 characters or more"
            raise ValueError(message)
        return self

    @property
    def database_url(self) -> str:
        """The database, with its default worked out."""
        return self.database or f"sqlite:///{(self.home / 'tenure.db').absolute()}"

    @property
    def sealing_key_path(self) -> Path:
        """The sealing key's file, with its default worked out."""
        return self.sealing_key_file or self.home / "sealing-key"

    @property
    def operator_token_path(self) -> Path:
        """Where the first start writes an operator token if none is set."""
        return self.home / "operator-token"

    @property
    def console_at(self) -> str:
        """The console's origin, with its default worked out."""
        return self.console_origin or f"http://localhost:{self.port}"

    @property
    def owners_url(self) -> str:
        """Where notices lead owners; empty where nobody said where that is."""
        if self.public_url or not self.console_origin:
            return self.public_url
        return f"{self.console_origin}/console"

    @property
    def sandbox_start_ms(self) -> int | None:
        """Where a new sandbox's clock starts (ms, UTC), or None for now."""
        return instant_ms(self.sandbox_start) if self.sandbox_start else None

    @property
    def host(self) -> str:
        """The address to listen on, without brackets."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port to listen on."""
        return int(self.listen.rpartition(":")[2])

    @override
    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Command line, then environment, then the TOML file: no other source."""
        del dotenv_settings, file_secret_settings
        path = os.environ.get("TENURE_SETTINGS")
        file = (TomlConfigSettingsSource(settings_cls, Path(path)),) if path else ()
        return init_settings, env_settings, *file


def read_proxies(
    networks: Iterable[str],
) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """
    Read the networks of `trusted_proxies`, an address being a network of one.

    Raises ValueError for what is no network, and where together they would trust everybody, in
    whatever pieces: then every caller could claim any address (SECURITY D14).
    """
    read = tuple(ipaddress.ip_network(text) for text in networks)
    v4 = [network for network in read if isinstance(network, ipaddress.IPv4Network)]
    v6 = [network for network in read if isinstance(network, ipaddress.IPv6Network)]
    if 0 in {
        *(network.prefixlen for network in ipaddress.collapse_addresses(v4)),
        *(network.prefixlen for network in ipaddress.collapse_addresses(v6)),
    }:
        raise ValueError("these networks trust everybody; name the gateways")
    for network in v6:
        if network.overlaps(_IPV4_MAPPED):
            # Callers arrive unwrapped, so it would not trust whom it seems to.
            message = f"{network} takes in IPv4-mapped addresses: name IPv4 networks as such"
            raise ValueError(message)
    return read


def rulebook_path(name: str) -> Path:
    """
    Return the rulebook file *name*, or where there is none the shipped one that is called so.

    Raises ValueError that lists the shipped ones.
    """
    if Path(name).is_file():
        return Path(name)
    shipped = Path(str(resources.files("tenure"))) / "rulebooks"
    names = sorted(path.stem for path in shipped.glob("*.toml"))
    if name in names:
        return shipped / f"{name}.toml"
    message = f"{name} is not there, nor the name of a shipped rulebook: {', '.join(names)}"
    raise ValueError(message)


def load(**given: object) -> Settings:
    """
    Read the settings; *given* are those of the command line, None meaning not given.

    Raises Invalid naming every setting that will not do.
    """
    file = os.environ.get("TENURE_SETTINGS")
    if file and not Path(file).is_file():
        raise Invalid("TENURE_SETTINGS", f"{file} is not there")
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]  # pydantic checks them
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Invalid("TENURE_SETTINGS", f"{file} is not TOML: {error}") from error
    except ValidationError as error:
        raise Invalid.of(
            [
                Problem(
                    ".".join(str(part) for part in problem["loc"]) or "settings",
                    problem["msg"].removeprefix("Value error, "),
                )
                for problem in error.errors()
            ]
        ) from error
