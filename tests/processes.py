"""Other processes of the same machine: small programs that wait for a word and answer in lines."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator


class Process:
    """A Python program that runs *code*; its `sys.argv[1:]` are *arguments*."""

    def __init__(self, code: str, *arguments: object) -> None:
        """Start it."""
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, *(str(argument) for argument in arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def tell(self, line: str = "") -> None:
        """Send it a line, which it reads with `input()`."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def hear(self) -> str:
        """Return the next line it prints, `` when it has ended."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")

    def end(self) -> int:
        """Let it read no further, and return its exit code once it has ended."""
        self._process.communicate(timeout=60)
        return self._process.returncode

    def kill(self) -> None:
        """End it at once, wherever it is."""
        self._process.kill()
        self._process.communicate()


@contextlib.contextmanager
def running(code: str, *arguments: object) -> Iterator[Process]:
    """Run *code* beside a block; it ends with the block, at the latest."""
    process = Process(code, *arguments)
    try:
        yield process
    finally:
        process.kill()
