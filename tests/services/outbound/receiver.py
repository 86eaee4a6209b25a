"""A webhook receiver as somebody else runs it: real HTTPS on this machine, well behaved or not."""

import contextlib
import http.server
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from typing_extensions import override

from tests.services.outbound import certificates

NAME = "receiver.test"
METADATA = "http://169.254.169.254/latest/meta-data/"


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it arrived; *headers* by lower-case name."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """The running server; *received* grows as requests come in, *seen_names* are the SNI's."""

    port: int
    trust_file: Path | None
    received: list[Received] = field(default_factory=list)
    seen_names: list[str | None] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    retry_after: list[str] = field(default_factory=list)
    documents: dict[str, bytes] = field(default_factory=dict)
    """What else there is, by its path."""

    def url(self, path: str = "/ok", name: str = NAME) -> str:
        """Return where *path* is, under the *name* the certificate is for."""
        scheme = "http" if self.trust_file is None else "https"
        return f"{scheme}://{name}:{self.port}{path}"


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    receiver: Receiver
    tls: ssl.SSLContext | None = None

    @override
    def finish_request(self, request: object, client_address: object) -> None:
        # The handshake in the request's own thread, or one that hangs would hold up all.
        assert isinstance(request, socket.socket)
        if self.tls is not None:
            try:
                request = self.tls.wrap_socket(request, server_side=True)
            except OSError:
                return  # Somebody who does not trust it, or speaks no TLS.
        with request:
            super().finish_request(request, client_address)

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: callers here hang up on purpose."""


class _Answering(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        receiver.received.append(Received(self.path, headers, body))
        behave = getattr(self, "_" + self.path.partition("?")[0].strip("/").replace("-", "_"), None)
        if self.path in receiver.documents:
            self._say(200, receiver.documents[self.path])
        elif behave is not None:
            behave()
        else:
            self._say(int(self.path.strip("/")) if self.path.strip("/").isdigit() else 404)

    def _say(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _ok(self) -> None:
        self._say(HTTPStatus.NO_CONTENT)

    def _busy(self) -> None:
        self._say(503, retry_after=self.server.receiver.retry_after[0])

    def _moved(self) -> None:
        self._say(302, location=METADATA)

    def _moved_here(self) -> None:
        self._say(307, location="/ok")

    def _hang(self) -> None:
        self.server.receiver.stopping.wait()

    def _drip(self) -> None:
        # Always another byte, never an end: each keeps a limit on silence from being reached.
        self.wfile.write(b"HTTP/1.1 200 OK\r\nx-drip: ")
        while not self.server.receiver.stopping.wait(0.02):
            self.wfile.write(b".")

    def _drip_body(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
        while not self.server.receiver.stopping.wait(0.02):
            self.wfile.write(b".")

    def _garbage(self) -> None:
        self.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")

    def _long(self) -> None:
        self._say(200, b"x" * 100_000)


@contextlib.contextmanager
def receiving(directory: Path, *names: str, tls: bool = True) -> Iterator[Receiver]:
    """Run a receiver on 127.0.0.1 while the block runs, its certificate for *names*."""
    trust = certificates.make(directory, *(names or (NAME, "127.0.0.1"))) if tls else None
    with _Server(("127.0.0.1", 0), _Answering) as server:
        receiver = Receiver(
            port=server.server_address[1], trust_file=trust.trust_file if trust else None
        )
        server.receiver = receiver
        if trust is not None:
            server.tls = trust.server
            trust.server.sni_callback = lambda _socket, name, _context: receiver.seen_names.append(
                name
            )
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield receiver
        finally:
            receiver.stopping.set()
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def proxying(*, lets_through: bool = True) -> Iterator[tuple[str, list[str]]]:
    """
    Run an HTTP proxy for CONNECT; yield its URL, and the lines it was asked by.

    It resolves every name to 127.0.0.1, as a proxy outside would to an address of its own choosing.
    """
    asked: list[str] = []

    class Tunnel(socketserver.StreamRequestHandler):
        @override
        def handle(self) -> None:
            line = self.rfile.readline().decode().strip()
            asked.append(line)
            while self.rfile.readline().strip():
                pass
            if not lets_through:
                self.wfile.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
                return
            port = int(line.split()[1].rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port)) as onward:
                self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
                back = threading.Thread(target=_pump, args=(onward, self.connection))
                back.start()
                _pump(self.connection, onward)
                back.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Tunnel) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()
            thread.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(65_536):
            sink.sendall(part)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
