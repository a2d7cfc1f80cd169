"""Ctrl-C and a request to terminate, taken at a moment when everything can be saved."""

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any

_STOPS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
_HANG_UP = getattr(signal, "SIGHUP", signal.SIGINT)


class Stopped(Exception):  # noqa: N818 -- a request, not an error
    """Raised inside long work, at a safe place, when the user wants the run to stop."""


class Interrupts:
    """While this context is open, the first SIGINT, SIGTERM or SIGHUP (a closed terminal) only sets `requested`; a second SIGINT is an ordinary
    KeyboardInterrupt. A SIGHUP that is ignored, as it is under nohup, stays so."""

    def __init__(self) -> None:
        self.requested = False
        self._previous: dict[int, Any] = {}
        self._terminals: list[int] = []

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():
            kept = _HANG_UP if signal.getsignal(_HANG_UP) is signal.SIG_IGN else None
            taken = [number for number in _STOPS if number != kept]
            self._terminals = [stream for stream in (1, 2) if os.isatty(stream)]
            self._previous = {number: signal.signal(number, self._request) for number in taken}
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
        if number not in (signal.SIGINT, signal.SIGTERM):
            self._leave_terminals()
        self.requested = True

    def _leave_terminals(self) -> None:
        """Where a terminal is closed, what is written to it would be an error before everything is saved."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in self._terminals:
            os.dup2(nowhere, stream)
        os.close(nowhere)
