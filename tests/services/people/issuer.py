"""
A small OpenID Connect provider on this machine, which checks what a provider has to check.

Codes are good once, for the redirect address and the PKCE verifier they were given for, and for a
client that knows its secret. What its tokens say can be made wrong, one thing at a time.
"""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from typing_extensions import override

CLIENT_ID, CLIENT_SECRET = "tenure", "s3cret/with:signs"
AGE_S = 300


@dataclass(slots=True)
class Issuer:
    """
    What the provider is and knows; *wrong* claims take the place of the right ones.

    While *answering* is not set it hangs.
    """

    url: str = ""
    now_s: int = 0
    subject: str = "user-1"
    email: str = "owner0@example.com"
    claims: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    key: Any = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "k1"}))
    published: list[Any] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    answering: threading.Event = field(default_factory=threading.Event)

    def discovery(self) -> dict[str, Any]:
        """Return what it says of itself."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            **self.settings,
        }

    def keys(self) -> dict[str, Any]:
        """Return its public keys."""
        return {"keys": [key.as_dict(private=False) for key in self.published or [self.key]]}

    def visit(self, address: str) -> str:
        """Sign somebody in who was sent to *address*; return where the browser is sent back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["client_id"] == CLIENT_ID
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"]})
        return f"{asked['redirect_uri']}?{back}"

    def exchanged(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """Exchange a code."""
        if not self._knows(form, authorization):
            return 401, {"error": "invalid_client"}
        asked = self.codes.pop(form.get("code", ""), None)
        if asked is None or form.get("redirect_uri") != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        verifier = form.get("code_verifier", "")
        if create_s256_code_challenge(verifier) != asked["code_challenge"]:  # type: ignore[no-untyped-call]  # its stubs forgot it
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": self.signed(asked)}

    def signed(self, asked: dict[str, str]) -> str:
        """Return an ID token."""
        claims: dict[str, Any] = {
            "iss": self.url,
            "sub": self.subject,
            "aud": CLIENT_ID,
            "iat": self.now_s,
            "exp": self.now_s + AGE_S,
            "nonce": asked["nonce"],
            "email": self.email,
            "email_verified": True,
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": self.algorithm, "kid": self.key.kid}
        if self.algorithm == "none":
            parts = [json.dumps(part).encode() for part in ({"alg": "none"}, claims)]
            return ".".join(
                [*(base64.urlsafe_b64encode(p).decode().rstrip("=") for p in parts), ""]
            )
        return jwt.encode(header, claims, self.key, algorithms=[self.algorithm])

    def _knows(self, form: dict[str, str], authorization: str) -> bool:
        if authorization:
            pair = base64.b64decode(authorization.removeprefix("Basic ")).decode().split(":")
            return [unquote(part) for part in pair] == [CLIENT_ID, CLIENT_SECRET]
        return (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)


def another_rsa_key(kid: str = "k1") -> RSAKey:
    """Return a key that is not the provider's."""
    return RSAKey.generate_key(2048, {"kid": kid})


def an_ec_key() -> ECKey:
    """Return a key on the curve P-256."""
    return ECKey.generate_key("P-256", {"kid": "e1"})


def the_secret_as_key() -> OctKey:
    """Return the client's secret as a key, as somebody who only knows that would sign."""
    return OctKey.import_key(CLIENT_SECRET * 2, {"kid": "k1"})


@contextmanager
def serving() -> Iterator[Issuer]:
    """Serve one while the block runs."""
    issuer = Issuer()
    issuer.answering.set()

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            issuer.asked.append(path)
            issuer.answering.wait(60)
            known = {"/.well-known/openid-configuration": issuer.discovery, "/keys": issuer.keys}
            if path in issuer.answers:
                self.answer(*issuer.answers[path])
            elif path in known:
                self.answer(200, json.dumps(known[path]()).encode())
            else:
                self.answer(404, b"")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            issuer.asked.append(self.path)
            form = {name: values[0] for name, values in parse_qs(body).items()}
            if self.path in issuer.answers:
                self.answer(*issuer.answers[self.path])
                return
            status, said = issuer.exchanged(form, self.headers.get("authorization", ""))
            self.answer(status, json.dumps(said).encode())

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    issuer.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield issuer
    finally:
        issuer.answering.set()
        server.shutdown()
        thread.join()
        server.server_close()
