"""
The platform's own identity provider, asked over HTTP: where it is, what it signs with, who came.

OpenID Connect by the code flow. What an answer says is believed once its signature and every claim
have been checked (Authlib and joserfc check none of them unasked, SECURITY section 7); whose
account that is, and how the browser got here, is in `oidc`.
"""

import base64
import json
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from tenure.clock import Clock
from tenure.domain.errors import Unauthenticated, Unavailable
from tenure.domain.model import Secret
from tenure.services.people.room import Room

ALGORITHMS: Final = ("RS256", "PS256", "ES256")
"""What an ID token may be signed with: never a shared secret, never nothing."""
TIMEOUT_S: Final = 10.0
ANSWER_BYTES_MAX: Final = 1_048_576
KEPT_NS: Final = 3_600 * 1_000_000_000
"""What the provider says of itself, and its keys, are asked again after an hour."""
AGAIN_NS: Final = 60 * 1_000_000_000
"""And after a minute where a key is unknown: it may have been made since."""
FAILED_KEPT_NS: Final = 5 * 1_000_000_000
"""Where it could not be asked, it is not asked again at once."""
AT_ONCE_MAX: Final = 2
"""How many threads may wait for the provider, which may hang: passwords go on; see `room`."""
LEEWAY_S: Final = 60
"""How far the provider's clock may be from ours."""

_DISCOVERY: Final = "/.well-known/openid-configuration"
_ASKED_FOR: Final = "openid email"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Who may say who owners are, and what it calls Tenure; *origin* is where the console is."""

    issuer: str
    client_id: str
    client_secret: Secret
    origin: str
    second_factor: bool = False
    proxy: str = ""
    trust_file: Path | None = None

    @property
    def comes_back_to(self) -> str:
        """Where the provider sends browsers back to: what it has to be told of Tenure."""
        return f"{self.origin}/console/oidc/back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the browser was sent away with; all of it random, none of it used twice."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who came, by the provider's word; *methods* are what it says it asked for (RFC 8176)."""

    subject: str
    email: str
    is_verified: bool
    methods: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Known:
    settings: Mapping[str, Any]
    keys: KeySet
    asked_ns: int


class Speaking:
    """Speaks with one provider; what it says of itself is kept for an hour."""

    def __init__(self, provider: Provider, clock: Clock, room: Room) -> None:
        """One per worker, for all its threads; *room* is that of all who are coming in."""
        self._provider, self._clock = provider, clock
        self._room, self._lock = Room(AT_ONCE_MAX, within=room), threading.Lock()
        self._known: _Known | None = None
        self._failed_ns: int | None = None

    def address(self, asked: Asked) -> str:
        """Return where to send a browser; raises Unavailable `oidc` or `busy`."""
        settings = self._about().settings
        return str(
            prepare_grant_uri(
                _endpoint(settings, "authorization_endpoint"),
                client_id=self._provider.client_id,
                response_type="code",
                redirect_uri=self._provider.comes_back_to,
                scope=_ASKED_FOR,
                state=asked.state,
                nonce=asked.nonce,
                code_challenge=create_s256_code_challenge(asked.verifier),  # type: ignore[no-untyped-call]  # its stubs forgot it
                code_challenge_method="S256",
            )
        )

    def identity(self, code: str, asked: Asked) -> Identity:
        """
        Return who came back with *code*.

        Raises Unauthenticated where the provider does not stand by it, Unavailable as `address`.
        """
        id_token = self._exchanged(code, asked)
        claims = self._claims(id_token, asked.nonce)
        methods = claims.get("amr")
        return Identity(
            subject=str(claims["sub"]),
            email=str(claims.get("email") or ""),
            is_verified=claims.get("email_verified") is True,
            methods=frozenset(map(str, methods)) if isinstance(methods, list) else frozenset(),
        )

    def _exchanged(self, code: str, asked: Asked) -> str:
        settings = self._about().settings
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._provider.comes_back_to,
            "code_verifier": asked.verifier,
        }
        headers, secret = {}, self._provider.client_secret.reveal()
        methods = settings.get("token_endpoint_auth_methods_supported")
        if isinstance(methods, list) and "client_secret_basic" not in methods:
            form |= {"client_id": self._provider.client_id, "client_secret": secret}
        else:
            # Each part form-encoded before they are put together (RFC 6749, 2.3.1).
            pair = f"{quote(self._provider.client_id, safe='')}:{quote(secret, safe='')}"
            headers = {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        with self._room.turn():
            answer = self._ask("POST", _endpoint(settings, "token_endpoint"), form, headers)
        id_token = answer.get("id_token")
        if not isinstance(id_token, str):
            raise _refused("no ID token in the answer")
        return id_token

    def _claims(self, id_token: str, nonce: str) -> Mapping[str, Any]:
        """Return what *id_token* says, checked: signature, issuer, audience, ages, nonce."""
        try:
            found = self._verified(id_token)
            claims = CodeIDToken(
                found.claims,
                found.header,
                {
                    "iss": {"essential": True, "value": self._provider.issuer},
                    "aud": {"essential": True, "value": self._provider.client_id},
                    "exp": {"essential": True},
                    "iat": {"essential": True},
                    "sub": {"essential": True},
                },
                {"nonce": nonce, "client_id": self._provider.client_id},
            )
            claims.validate(now=self._clock.wall_ms() // 1_000, leeway=LEEWAY_S)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise _refused(str(error)) from error
        if not found.claims.get("sub") or not isinstance(found.claims["sub"], str):
            raise _refused("no subject")
        return found.claims

    def _verified(self, id_token: str) -> jwt.Token:
        known = self._about()
        try:
            return jwt.decode(id_token, known.keys, algorithms=ALGORITHMS)
        except (JoseError, ValueError, KeyError):
            # Its key may have been made since; a stranger makes us ask once a minute at most.
            if self._clock.elapsed_ns() - known.asked_ns < AGAIN_NS:
                raise
            return jwt.decode(id_token, self._about(AGAIN_NS).keys, algorithms=ALGORITHMS)

    def _about(self, kept_ns: int = KEPT_NS) -> _Known:
        known = self._fresh(kept_ns)
        if known is not None:
            return known
        # While one thread asks, another waits for what it gets.
        with self._room.turn(), self._lock:
            return self._fresh(kept_ns) or self._ask_about()

    def _fresh(self, kept_ns: int) -> _Known | None:
        known, now_ns = self._known, self._clock.elapsed_ns()
        if known is not None and now_ns - known.asked_ns < kept_ns:
            return known
        if self._failed_ns is not None and now_ns - self._failed_ns < FAILED_KEPT_NS:
            raise _unavailable("it could not be asked a moment ago")
        return None

    def _ask_about(self) -> _Known:
        now_ns = self._clock.elapsed_ns()
        try:
            settings = self._ask("GET", self._provider.issuer.rstrip("/") + _DISCOVERY)
            if settings.get("issuer") != self._provider.issuer:
                raise _unavailable("it calls itself otherwise than oidc_issuer")
            try:
                keys = KeySet.import_key_set(
                    self._ask("GET", _endpoint(settings, "jwks_uri"))  # type: ignore[arg-type]  # it checks
                )
            except (JoseError, ValueError, KeyError, TypeError) as error:
                raise _unavailable("its keys cannot be read") from error
        except Unavailable:
            self._failed_ns = self._clock.elapsed_ns()
            raise
        self._known, self._failed_ns = _Known(settings, keys, now_ns), None
        return self._known

    def _ask(
        self,
        method: str,
        url: str,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Mapping[str, Any]:
        """Return the JSON that *url* answers with; raises Unavailable, Unauthenticated for 4xx."""
        try:
            with (
                httpx.Client(
                    timeout=TIMEOUT_S,
                    trust_env=False,
                    proxy=self._provider.proxy or None,
                    verify=_trust(self._provider.trust_file),
                ) as client,
                client.stream(method, url, data=form, headers=headers) as response,
            ):
                body = _read(response)
        except httpx.HTTPError as error:
            raise _unavailable(str(error)) from error
        if method == "POST" and response.is_client_error:
            raise _refused(f"{url} answered {response.status_code}")
        try:
            answer = json.loads(body) if response.is_success else None
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise _unavailable(f"{url} answered {response.status_code}, and no JSON object")
        return answer


def _read(response: httpx.Response) -> bytes:
    body = b""
    for piece in response.iter_bytes():
        body += piece
        if len(body) > ANSWER_BYTES_MAX:
            raise _unavailable("it answers without an end")
    return body


def _trust(more: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if more is not None:
        context.load_verify_locations(more)
    return context


def _endpoint(settings: Mapping[str, Any], name: str) -> str:
    url = settings.get(name)
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        raise _unavailable(f"it names no {name}")
    return url


def _refused(context: str) -> Unauthenticated:
    return Unauthenticated(
        "the provider did not say who you are: try again", code="provider", context=context
    )


def _unavailable(context: str) -> Unavailable:
    return Unavailable("oidc", "the provider cannot be asked just now", context=context)
