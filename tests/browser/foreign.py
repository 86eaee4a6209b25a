"""A page of somebody else's, on this machine at another port, that sends forms to the console."""

import contextlib
import html
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from typing_extensions import override


@dataclass(slots=True)
class Foreign:
    """Serves *page*, whatever is asked for, at a *port*."""

    port: int
    page: str = ""

    def posts_to(self, url: str, fields: Mapping[str, str]) -> None:
        """Make its page a form that sends *fields* there as soon as it is opened."""
        inputs = "".join(
            f'<input name="{name}" value="{html.escape(value)}">' for name, value in fields.items()
        )
        self.page = (
            f'<form method="post" action="{html.escape(url)}">{inputs}</form>'
            "<script>document.forms[0].submit()</script>"
        )

    def frames(self, url: str) -> None:
        """Make its page one with another page in it."""
        self.page = f'<h1>Win a prize</h1><iframe src="{html.escape(url)}"></iframe>'


@contextlib.contextmanager
def serving() -> Iterator[Foreign]:
    """Serve it while the block runs."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"<!doctype html><title>Elsewhere</title>{foreign.page}".encode()
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        foreign = Foreign(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield foreign
        finally:
            server.shutdown()
            thread.join()
