"""A mail relay as somebody else runs it: a real SMTP server on this machine, told how to behave."""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from aiosmtpd.handlers import Debugging
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from typing_extensions import override

USER, PASSWORD = "tenure", "s3cr3t p@ss:word"


@dataclass(frozen=True, slots=True)
class Handed:
    """A message as it was handed over, and how."""

    sender: str
    recipients: list[str]
    content: bytes
    has_tls: bool
    is_known: bool


@dataclass(slots=True, kw_only=True)
class Behaviour(Debugging):
    """The replies to RCPT, to the message, and to a password; what came is in *handed*."""

    recipient: str = ""
    sender: str = ""
    message: str = ""
    handed: list[Handed] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)
    hangs_up: bool = False

    async def handle_MAIL(  # noqa: N802 - the library's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Take the sender, or say what was told to be said."""
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self.sender or "250 OK"

    async def handle_RCPT(  # noqa: N802 - the library's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Take the recipient, or say what was told to be said."""
        envelope.rcpt_tos.append(address)
        return self.recipient or "250 OK"

    @override
    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep the message, or say what was told to be said."""
        if self.message:
            return self.message
        content = envelope.content
        assert isinstance(content, bytes)
        assert server.transport is not None
        self.handed.append(
            Handed(
                envelope.mail_from or "",
                envelope.rcpt_tos,
                content,
                server.transport.get_extra_info("sslcontext") is not None,
                bool(session.authenticated),
            )
        )
        return "250 OK"

    async def handle_QUIT(  # noqa: N802 - the library's name
        self, server: SMTP, _session: Session, _envelope: Envelope
    ) -> str:
        """Say good-bye, or hang up without a word."""
        if self.hangs_up:
            assert server.transport is not None
            server.transport.abort()  # type: ignore[attr-defined]  # a stream's transport has it
        return "221 Bye"

    def authenticate(
        self,
        _server: SMTP,
        _session: Session,
        _envelope: Envelope,
        _mechanism: str,
        given: object,
    ) -> AuthResult:
        """Know the one user."""
        assert isinstance(given, LoginPassword)
        self.logins.append((given.login, given.password))
        is_right = (given.login, given.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=is_right, handled=False)


@contextlib.contextmanager
def relaying(
    behaviour: Behaviour,
    *,
    starttls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
    needs_login: bool = False,
    takes_utf8: bool = True,
) -> Iterator[int]:
    """Run a relay while the block runs; yield its port."""
    loop = asyncio.new_event_loop()

    def talk() -> SMTP:
        return SMTP(
            behaviour,
            loop=loop,
            hostname="relay.test",
            authenticator=behaviour.authenticate,
            auth_required=needs_login,
            auth_require_tls=starttls is not None,
            tls_context=starttls,
            require_starttls=starttls is not None,
            enable_SMTPUTF8=takes_utf8,
        )

    server = loop.run_until_complete(loop.create_server(talk, "127.0.0.1", 0, ssl=tls))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end(server: asyncio.Server) -> None:
    server.close()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    await server.wait_closed()
