"""
The settings of people: where the console is, the platform's own provider, who has to agree.

Part of `settings.Settings`, which is what everybody reads; how they are given stands there.
"""

import ipaddress
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings

from tenure.domain.approvals import SecondApproval


class Inward(BaseSettings):
    """Where people sign in, who else may say who they are, and what takes two of them."""

    console_origin: str = Field(
        "",
        description="Where browsers find the console, https://keys.example.com; default "
        "http://localhost:<port>.",
    )
    oidc_issuer: str = Field("", description="OpenID Connect provider that owners may sign in by.")
    oidc_client_id: str = Field("", description="What the provider calls Tenure.")
    oidc_client_secret_file: Path | None = Field(
        None, description="File with the secret that the provider gave Tenure."
    )
    oidc_second_factor: bool = Field(
        default=False,
        description="Take the provider's word (amr: mfa) for the second factor too.",
    )

    second_approval: SecondApproval = Field(
        SecondApproval.AUTO,
        description="Whether two people agree to what concerns the whole house: auto, always, "
        "never.",
    )

    @field_validator("console_origin")
    @classmethod
    def _is_origin(cls, value: str) -> str:
        if value:
            _require_origin(value)
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def _is_issuer(cls, value: str) -> str:
        if value:
            parts = urlsplit(value)
            _require_origin(f"{parts.scheme}://{parts.netloc}")
            if parts.query or parts.fragment:
                raise ValueError("an issuer has neither query nor fragment")
        return value

    @field_validator("oidc_client_secret_file")
    @classmethod
    def _is_readable(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_file():
            message = f"{path} is not there"
            raise ValueError(message)
        return path

    @model_validator(mode="after")
    def _has_all_of_the_provider(self) -> Self:
        given = (self.oidc_issuer, self.oidc_client_id, self.oidc_client_secret_file)
        if any(given) and not all(given):
            raise ValueError(
                "oidc_issuer, oidc_client_id and oidc_client_secret_file need each other"
            )
        return self


def _require_origin(value: str) -> None:
    """Raise ValueError for what is no origin, or would send secrets over a network in the clear."""
    message = f"{value!r} is no origin such as https://keys.example.com"
    parts = urlsplit(value)
    host = parts.hostname or ""
    try:
        written = f"{parts.scheme}://{host}" + ("" if parts.port is None else f":{parts.port}")
    except ValueError as error:
        raise ValueError(message) from error
    if ":" in host:
        written = written.replace(host, f"[{host}]", 1)
    if parts.scheme not in {"https", "http"} or not host or written != value:
        raise ValueError(message)
    if parts.scheme == "http" and not _is_here(host):
        raise ValueError("must begin with https:// (on localhost alone, http:// will do)")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
