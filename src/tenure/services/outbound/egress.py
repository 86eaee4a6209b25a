"""
The one way out over HTTP: what every request to somebody else's server is held to.

The name is resolved once, every address it leads to is judged, and the connection goes to one of
those very addresses, while `Host`, SNI and the certificate's name stay those of the URL: a resolver
that changes its answer between two looks changes nothing (SECURITY T31). No redirects, no
environment variables, one limit on the whole time, and not a byte read of what nobody needs.
"""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar, final

import httpx

from tenure.services.outbound import addresses
from tenure.services.outbound.addresses import Target
from tenure.services.outbound.outcome import Failed
from tenure.settings import Settings

WITHIN_S: Final = 10.0
"""For all of it, from the name's look-up to the answer: a receiver should answer, then work."""
_ADDRESSES_TRIED_MAX: Final = 3
"""A host may have a dead address or two; more are not worth a sender's time."""

Resolve: TypeAlias = Callable[[str, int], list[str]]
"""Takes a host and a port, returns addresses as text; raises OSError."""
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request to make; of the answer's body at most *answer_bytes_max* are read."""

    method: str
    target: Target
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    answer_bytes_max: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; *headers* by lower-case name, *body* empty unless the call asked for it."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)


def trust(more: Path | None) -> ssl.SSLContext:
    """Return what certificates are checked by: the usual authorities, and *more* (PEM)."""
    context = httpx.create_ssl_context(trust_env=False)
    if more is not None:
        context.load_verify_locations(more)
    return context


@final
class Egress:
    """Makes requests to servers outside, or to a proxy that does."""

    def __init__(
        self,
        *,
        proxy: str = "",
        trust_file: Path | None = None,
        allows_loopback: bool = False,
        resolve: Resolve = addresses.look_up,
        within_s: float = WITHIN_S,
    ) -> None:
        """
        *trust_file* (PEM) adds certificate authorities to the usual ones.

        Through a *proxy* no name is resolved here: the proxy does, and has to refuse private
        addresses itself; an address written in a URL is judged here all the same.
        """
        self.allows_loopback = allows_loopback
        self._proxy, self._resolve, self._within_s = proxy or None, resolve, within_s
        self._trust_file = trust_file

    @classmethod
    def of(cls, settings: Settings) -> "Egress":
        """Return the way out that *settings* describe."""
        return cls(
            proxy=settings.egress_proxy,
            trust_file=settings.egress_trust_file,
            allows_loopback=settings.webhook_loopback,
        )

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        return trust(self._trust_file)  # Read when it is first needed: most processes send nothing.

    def leads_outside(self, target: Target) -> bool:
        """Whether *target* leads to public addresses alone, as far as this machine can tell now."""
        if self._proxy is not None:
            return True
        try:
            return bool(asyncio.run(self._in_time(self._hosts(target))))
        except TimeoutError:
            return False

    def make(self, call: Call) -> Answer | Failed:
        """
        Make *call* and return the answer, or why there is none.

        Blocks, for as long as the limit at most; not for use on an event loop.
        """
        try:
            return asyncio.run(self._in_time(self._make(call)))
        except (TimeoutError, httpx.TimeoutException):
            return Failed(reason="no answer in time")
        except httpx.TransportError as error:
            return Failed(reason=_in_our_words(error))

    async def _in_time(self, work: Coroutine[Any, Any, _Answer]) -> _Answer:
        # Around everything: the library's own limits start anew with every byte of a drip.
        async with asyncio.timeout(self._within_s):
            return await work

    async def _make(self, call: Call) -> Answer | Failed:
        hosts = [call.target.host] if self._proxy is not None else await self._hosts(call.target)
        if not hosts:
            return Failed(reason="its name does not lead to a public address: not connected")
        async with httpx.AsyncClient(
            verify=self._trust,
            proxy=self._proxy,
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(self._within_s, connect=self._within_s / len(hosts)),
        ) as client:
            for host in hosts[:-1]:
                with contextlib.suppress(httpx.ConnectError, httpx.ConnectTimeout):
                    return await self._ask(client, call, host)
            return await self._ask(client, call, hosts[-1])

    async def _ask(self, client: httpx.AsyncClient, call: Call, host: str) -> Answer:
        target = call.target
        host = f"[{host}]" if ":" in host else host
        request = client.build_request(
            call.method,
            f"{target.scheme}://{host}:{target.port}{target.target}",
            headers={**call.headers, "host": target.authority},
            content=call.body,
            # Through a proxy the URL names the host itself, and the library goes by that.
            extensions={} if self._proxy is not None else {"sni_hostname": target.host},
        )
        answer = await client.send(request, stream=True)
        try:
            body = await _read(answer, call.answer_bytes_max) if call.answer_bytes_max else b""
        finally:
            await answer.aclose()
        return Answer(status=answer.status_code, headers=answer.headers, body=body)

    async def _hosts(self, target: Target) -> list[str]:
        """Return the addresses to try, none where one of them may not be connected to."""
        texts = [target.host] if target.address else await self._resolved(target.host, target.port)
        try:
            found = addresses.parsed(texts)
        except ValueError:
            return []
        if not addresses.judge(found, allows_loopback=self.allows_loopback):
            return []
        return [str(address) for address in found[:_ADDRESSES_TRIED_MAX]]

    async def _resolved(self, host: str, port: int) -> list[str]:
        # In a thread of its own that nobody waits for: the resolver has no limit of ours, and the
        # loop's own threads would have to end before the loop does.
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[str]] = loop.create_future()

        def settle(texts: list[str]) -> None:
            if not found.done():
                found.set_result(texts)

        def look() -> None:
            texts: list[str] = []
            with contextlib.suppress(OSError, UnicodeError):
                texts = self._resolve(host, port)
            with contextlib.suppress(RuntimeError):  # Too late: the loop has ended.
                loop.call_soon_threadsafe(settle, texts)

        threading.Thread(target=look, name="tenure-resolver", daemon=True).start()
        return await found


async def _read(answer: httpx.Response, most: int) -> bytes:
    """Return the raw body, cut off after *most* bytes: whoever reads it will notice."""
    parts, total = [], 0
    async for part in answer.aiter_raw():
        parts.append(part)
        total += len(part)
        if total >= most:
            break
    return b"".join(parts)[:most]


def _in_our_words(error: httpx.TransportError) -> str:
    """Say what went wrong without the URL, and without anything the other side wrote."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return "no TLS with it"
        cause = cause.__cause__ or cause.__context__
    match error:
        case httpx.ProxyError():
            return "the proxy did not let it through"
        case httpx.ConnectError():
            return "it cannot be reached"
        case httpx.RemoteProtocolError():
            return "its answer was no HTTP"
        case _:
            return "the connection broke"
