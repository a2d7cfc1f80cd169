"""Ctrl-C and a request to terminate, taken at a moment when everything can be saved."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class Stopped(Exception):  # noqa: N818 -- a request, not an error
    """Raised inside long work, at a safe place, when the user wants the run to stop."""


class Interrupts:
    """While this context is open, the first SIGINT or SIGTERM only sets `requested`; a second SIGINT is an ordinary KeyboardInterrupt."""

    def __init__(self) -> None:
        self.requested = False
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._request) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def check(self, *_: Any) -> None:
        """Raise `Stopped` if a stop was requested; takes and ignores what a progress callback is given."""
        if self.requested:
            raise Stopped

    def _request(self, number: int, frame: FrameType | None) -> None:
        if self.requested and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.requested = True
