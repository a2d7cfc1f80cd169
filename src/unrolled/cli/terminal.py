"""What is written to a terminal or a pipe, and read from it, whatever its encoding."""

import codecs
import io
import signal
import sys
from types import FrameType

_ERRORS = "unrolled.replace"

TERMINATED = 143
"""The status of a process that was asked to end, as shells have it."""


def prepare() -> None:
    """Pipes and files are UTF-8. At a terminal, what it cannot show becomes ?, which is said once. A request to terminate clears up as an error does."""
    codecs.register_error(_ERRORS, _Replacing())
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            if stream.isatty():
                stream.reconfigure(errors="replace" if stream is sys.stdin else _ERRORS)
            else:
                stream.reconfigure(encoding="utf-8")
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _end)


class _Replacing:
    """Gives ? for what cannot be written; the first time it says so."""

    def __init__(self) -> None:
        self.said = False

    def __call__(self, error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeEncodeError):
            raise error
        if not self.said:
            self.said = True
            sys.stderr.write(
                f"This terminal writes {error.encoding}, which lacks some characters: ? stands for them. Write to a file for all.\n"
            )
        return "?" * (error.end - error.start), error.end


def _end(number: int, frame: FrameType | None) -> None:
    sys.exit(TERMINATED)
