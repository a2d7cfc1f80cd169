"""Runs that are killed, or whose disk is full, at chosen moments, and then gone on with: they must end as one does that is left alone."""

import errno
import hashlib
import os
import random
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from breaking.children import DIED, FINE, REFUSED, Ended, once
from unrolled import files
from unrolled.tasks import find_recipe, run_training
from unrolled.training import RunFolder, Silent, history, loop
from unrolled.training.checkpoint import load_tensors
from unrolled.training.run_folder import CHECKPOINT, CONFIG, METRICS, WATCH, WEIGHTS

LIMIT = 60.0
OPTIONS = {"hidden": 4, "embedding": 3, "batch": 3, "window": 20, "epochs": 2, "evaluations": 4, "dropout": 0.3, "checkpoint_seconds": 0.0}
OPTIONS |= {"watch": True, "watch_every": 4, "average": 0.9, "engine": "eager"}

MOMENTS = ("folder", "before a replace", "after a replace", "half a file", "half a line", "update")
"""What a run can be stopped at: each happens several times."""

Stop = Callable[[], object]


class Moments:
    """Counts the moments of a run in this process, and does something at one of them."""

    def __init__(self, kind: str = "", number: int = 0, stop: Stop = lambda: None) -> None:
        self.seen = dict.fromkeys(MOMENTS, 0)
        self._kind, self._number, self._stop = kind, number, stop
        self._patch()

    def _due(self, kind: str) -> bool:
        self.seen[kind] += 1
        return (kind, self.seen[kind]) == (self._kind, self._number)

    def _at(self, kind: str) -> None:
        if self._due(kind):
            self._stop()

    def _patch(self) -> None:
        replace, fsync, append, adamw, new = os.replace, os.fsync, files.append_to, loop.adamw, RunFolder.require_new

        def replacing(*arguments: Any) -> None:
            self._at("before a replace")
            replace(*arguments)
            self._at("after a replace")

        def syncing(handle: int) -> None:
            size = os.fstat(handle).st_size
            if self._due("half a file"):
                if os.path.isfile(f"/proc/self/fd/{handle}"):
                    os.ftruncate(handle, size // 2)
                self._stop()
            fsync(handle)

        def appending(path: Path, content: bytes) -> None:
            if self._due("half a line"):
                append(path, content[: len(content) // 2])
                self._stop()
            append(path, content)

        def optimising(*arguments: Any) -> torch.optim.Optimizer:
            optimiser = adamw(*arguments)
            optimiser.register_step_post_hook(lambda *_: self._at("update"))
            return optimiser

        def requiring(folder: RunFolder) -> None:
            new(folder)
            self._at("folder")

        os.replace, os.fsync, history.append_to, loop.adamw = replacing, syncing, appending, optimising
        RunFolder.require_new = requiring  # type: ignore[method-assign]


def kill() -> None:
    """As the system does it."""
    os.kill(os.getpid(), signal.SIGKILL)


def full() -> None:
    """What a write says then."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def run(text: Path, folder: Path) -> None:
    """Begin the run, or go on with it where it has begun."""
    begun = (folder / CONFIG).exists()
    data, options = ((), {}) if begun else (str(text), OPTIONS)
    run_training(find_recipe("lm"), data, RunFolder(folder), options, Silent(), resume=begun)


def digest(folder: Path) -> str:
    """Of the weights and of everything else that training changes, without the clock."""
    content = hashlib.sha256((folder / WEIGHTS).read_bytes())
    for name, tensor in sorted(load_tensors(folder / CHECKPOINT)[0].items()):
        content.update(name.encode() + tensor.flatten().view(torch.uint8).numpy().tobytes())
    return content.hexdigest()


def stopped(text: Path, place: Path, each: int, seed: int) -> Iterator[tuple[str, Ended]]:
    """The kind of every stop, and how it went: fine is a run that ends, after it was stopped, as the one that was left alone.

    Every moment is taken at its first and last times and at random ones between, `each` times in all.
    """
    chance, alone, counted = random.Random(seed), place / "alone", place / "counted"

    def count() -> None:
        moments = Moments()
        run(text, alone)
        counted.write_text(" ".join(str(moments.seen[kind]) for kind in MOMENTS))

    run(text, place / "warm-up")  # what a first run loads is then there in every process that is forked
    ended = once(count, LIMIT)
    if ended[0] != FINE:
        yield "left alone", ended
        return
    wanted = digest(alone)
    times = dict(zip(MOMENTS, map(int, counted.read_text().split()), strict=True))
    for kind, most in times.items():
        ends = [1, most, 2, most - 1]
        numbers = [*ends, *(chance.randint(1, most) for _ in range(each))][:each]
        for number in numbers:
            at = place / f"{kind.replace(' ', '-')}-{number}"
            for what, stop, expected in (("killed", kill, DIED), ("disk full", full, REFUSED)):
                if kind == "update" and stop is full:
                    continue
                yield f"{what}: {kind}", _stopped(text, at, wanted, lambda n=number, k=kind, s=stop: Moments(k, n, s), expected)  # type: ignore[misc]
    for number in range(each):
        size = chance.randint(0, 3000)
        yield "disk full: largest file", _stopped(text, place / f"size-{number}", wanted, lambda s=size: _limit(s), REFUSED)  # type: ignore[misc]
        update = chance.randint(1, times["update"])
        yield (
            "power lost: update",
            _stopped(text, place / f"power-{number}", wanted, lambda n=update: Moments("update", n, kill), DIED, chance),
        )  # type: ignore[misc]


def _limit(size: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))


def _stopped(
    text: Path, folder: Path, wanted: str, arrange: Callable[[], object], expected: str, power: random.Random | None = None
) -> Ended:
    def first() -> None:
        arrange()
        run(text, folder)

    ended = once(first, LIMIT)
    if ended[0] not in (expected, FINE):
        return ended
    if power:
        _lose_power(folder, power)
    ended = once(lambda: run(text, folder), LIMIT)
    if ended[0] != FINE:
        return "stuck", ended[1]
    return (FINE, "") if digest(folder) == wanted else ("other end", str(folder))


def _lose_power(folder: Path, chance: random.Random) -> None:
    """What was added and not synchronised is gone; what was put in place was on the disk."""
    for name in (METRICS, WATCH):
        if (folder / name).exists():
            os.truncate(folder / name, chance.randint(0, (folder / name).stat().st_size))
