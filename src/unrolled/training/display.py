"""What is shown while one waits: a live line in a terminal, a plain line now and then elsewhere, or nothing."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

PLAIN_SECONDS = 10.0

Words = Callable[[str], str]
"""Says a line in the words of whoever reads it: the command line speaks of flags, where Python has arguments."""


@dataclass(frozen=True)
class Status:
    """How a run stands. `done` is the part of it that is done; losses are in nats; `left` is in seconds."""

    done: float
    update: int
    loss: float
    held_out: float | None
    tokens_per_second: float
    gradient_norm: float
    left: float

    def __str__(self) -> str:
        held_out = "" if self.held_out is None else f"  held-out {self.held_out:.3f}"
        rate = f"{self.tokens_per_second:,.0f} tokens/s"
        return f"update {self.update}  loss {self.loss:.3f}{held_out}  {rate}  gradient {self.gradient_norm:.2f}  {_clock(self.left)} left"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


class Display(Protocol):
    """Where progress goes. It is a context: what it shows is put away at its end."""

    def __enter__(self) -> "Display": ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...

    def work(self, what: str, done: int, total: int) -> None:
        """Some work of known size goes on."""

    def status(self, status: Status) -> None:
        """Training goes on."""

    def say(self, text: str) -> None:
        """A line that stays."""


class Silent:
    """Shows nothing."""

    def __enter__(self) -> "Silent":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return None

    def work(self, what: str, done: int, total: int) -> None:
        """Nothing."""

    def status(self, status: Status) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Nothing."""


class Lines(Silent):
    """Plain lines, one every ten seconds at most while something goes on."""

    def __init__(self, console: "Console", words: Words = str) -> None:
        self._console, self._words = console, words
        self._last = time.monotonic()

    def work(self, what: str, done: int, total: int) -> None:
        """A line if it takes long."""
        self._now_and_then(f"{what}: {done / max(total, 1):.0%}")

    def status(self, status: Status) -> None:
        """A line now and then."""
        self._now_and_then(f"{status.done:4.0%}  {status}")

    def say(self, text: str) -> None:
        """The line."""
        self._console.print(self._words(text), markup=False, highlight=False, soft_wrap=True)

    def _now_and_then(self, text: str) -> None:
        if time.monotonic() - self._last >= PLAIN_SECONDS:
            self._last = time.monotonic()
            self.say(text)


class Live(Lines):
    """Bars in a terminal."""

    def __init__(self, console: "Console", words: Words = str) -> None:
        super().__init__(console, words)
        bars = import_module("rich.progress")
        columns = (
            bars.TextColumn("{task.description}"),
            bars.BarColumn(20),
            bars.TextColumn("{task.percentage:>3.0f}%"),
            bars.TextColumn("{task.fields[detail]}"),
        )
        self._progress: Progress = bars.Progress(*columns, console=console, transient=True)
        self._bars: dict[str, TaskID] = {}

    def __enter__(self) -> "Live":
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._progress.stop()

    def work(self, what: str, done: int, total: int) -> None:
        """A bar until it is done."""
        self._show(what, done / max(total, 1), "")

    def status(self, status: Status) -> None:
        """The bar of the training."""
        self._show("training", status.done, str(status))

    def _show(self, what: str, done: float, detail: str) -> None:
        if what not in self._bars:
            self._bars[what] = self._progress.add_task(what, total=1.0, detail=detail)
        self._progress.update(self._bars[what], completed=done, detail=detail)
        if done >= 1:
            self._progress.remove_task(self._bars.pop(what))


def display_here(words: Words = str) -> Display:
    """A live display if the standard error is a terminal, else plain lines there, each in other `words` if these are given."""
    console: Console = import_module("rich.console").Console(stderr=True)
    return Live(console, words) if console.is_terminal else Lines(console, words)
