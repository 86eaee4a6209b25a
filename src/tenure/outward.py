"""
The settings of what goes out and comes in beside requests: mail, webhooks, notices, leak reports.

Part of `settings.Settings`, which is what everybody reads; how they are given stands there.
"""

import re
import ssl
import zoneinfo
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings

from tenure.domain import mailing
from tenure.domain.contacts import language_of
from tenure.domain.errors import Invalid
from tenure.domain.leaks import LeakAction


class Outward(BaseSettings):
    """Where and how Tenure speaks to others, and what it does about keys that leaked."""

    smtp_url: str = Field(
        "", repr=False, description="Mail relay, smtp://user:password@host:587 or smtps://…:465."
    )
    mail_from: str = Field("", description="Whom e-mails come from: Tenure <keys@example.com>.")
    egress_proxy: str = Field(
        "", repr=False, description="HTTP proxy for webhooks and for fetching GitHub's keys."
    )
    egress_trust_file: Path | None = Field(
        None, description="Certificate authorities (PEM) to trust besides the usual ones."
    )
    webhook_loopback: bool = Field(
        default=False, description="Let webhooks go to this machine itself, without TLS too."
    )
    github_keys_url: str = Field(
        "https://api.github.com/meta/public_keys/secret_scanning",
        description="Where GitHub's keys for leak reports are; empty closes /v1/leaks/github.",
    )
    leak_action: LeakAction = Field(
        LeakAction.REVOKE, description="What a leak report does to an HMAC key."
    )
    leak_action_asymmetric: LeakAction = Field(
        LeakAction.TELL, description="What a leak report does to an RSA or Ed25519 key."
    )
    public_url: str = Field("", description="Where owners see their keys; notices link to it.")
    notice_language: str = Field("en", description="Language of contacts that name none.")
    notice_time_zone: str = Field("UTC", description="Time zone of contacts that name none.")
    notice_file: Path | None = Field(
        None, description="File that messages are written to instead of being sent."
    )

    @field_validator("smtp_url")
    @classmethod
    def _is_relay(cls, url: str) -> str:
        if url:
            mailing.read_relay(url)
        return url

    @field_validator("mail_from")
    @classmethod
    def _is_sender(cls, sender: str) -> str:
        if sender:
            mailing.read_sender(sender)
        return sender

    @field_validator("egress_proxy", "github_keys_url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        if url and not re.fullmatch(r"https?://[!-~]+", url):
            raise ValueError("must begin with http:// or https://")
        return url

    @field_validator("egress_trust_file")
    @classmethod
    def _is_pem(cls, path: Path | None) -> Path | None:
        if path is not None:
            if not path.is_file():
                message = f"{path} is not there"
                raise ValueError(message)
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
            except OSError as error:
                message = f"{path} holds no certificates in PEM"
                raise ValueError(message) from error
        return path

    @field_validator("public_url")
    @classmethod
    def _without_slash(cls, value: str) -> str:
        if value and not value.startswith(("https://", "http://")):
            message = f"{value!r} is no address such as https://example.com/api-keys"
            raise ValueError(message)
        return value.rstrip("/")

    @field_validator("notice_language")
    @classmethod
    def _is_language(cls, value: str) -> str:
        try:
            return language_of(value)
        except Invalid as error:
            raise ValueError(error.message) from error

    @field_validator("notice_time_zone")
    @classmethod
    def _is_time_zone(cls, value: str) -> str:
        try:
            zoneinfo.ZoneInfo(value)
        except (LookupError, ValueError, OSError) as error:
            message = f"{value!r} is no time zone such as Asia/Tokyo or UTC"
            raise ValueError(message) from error
        return value

    @model_validator(mode="after")
    def _has_sender(self) -> Self:
        if self.smtp_url and not self.mail_from:
            raise ValueError("smtp_url needs mail_from")
        return self
