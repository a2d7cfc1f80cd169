"""Contenders timed in turn, in one process."""

import gc
import math
import random
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from side_by_side.material import Contender
from side_by_side.method import FEWEST_ROUNDS, FILL, LONGEST_REPEATS, LONGEST_REST, QUIET, REST, WARM_UPS


@dataclass
class Samples:
    """Seconds of a call, one for each round, and over all of them calls, processor, system and clock seconds, and page faults."""

    seconds: list[float] = field(default_factory=list)
    calls: int = 0
    processor: float = 0.0
    system: float = 0.0
    clock: float = 0.0
    page_faults: int = 0

    @property
    def cores(self) -> float:
        """Cores in use, on average."""
        return self.processor / self.clock if self.clock else 0.0

    @property
    def in_system(self) -> float:
        """The share of processor time that the system takes, as for pages of memory."""
        return self.system / self.processor if self.processor else 0.0

    @property
    def faults(self) -> float:
        """Page faults of a call, on average."""
        return self.page_faults / self.calls if self.calls else 0.0


def time_calls(call: Callable[[], object], before: Callable[[], None], count: int) -> float:
    """The mean seconds of a call; `before` is not counted."""
    total = 0.0
    for _ in range(count):
        before()
        begun = time.perf_counter()
        call()
        total += time.perf_counter() - begun
    return total / count


def take_turns(
    contenders: Sequence[Contender], rounds: int, seconds: float | None, warm_up: float, seed: int, stopped: Callable[[], bool]
) -> dict[str, Samples]:
    """Samples of each contender; `seconds` ends the rounds early (after a few), `stopped` at once."""
    repeats = {c.name: _warm_up(c, warm_up) for c in contenders}
    samples = {c.name: Samples() for c in contenders}
    order, drawn = list(contenders), random.Random(seed)
    begun = time.perf_counter()
    with _no_collection():
        for done in range(rounds):
            if seconds is not None and done >= FEWEST_ROUNDS and time.perf_counter() - begun > seconds:
                break
            drawn.shuffle(order)
            for contender in order:
                if stopped():
                    return samples
                _sample(contender, repeats[contender.name], samples[contender.name])
    return samples


@contextmanager
def _no_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def rest() -> None:
    """Wait until no thread of this process works any more; the system counts a thread's time in steps of some milliseconds."""
    begun = time.perf_counter()
    while time.perf_counter() - begun < LONGEST_REST:
        before = time.process_time()
        time.sleep(REST)
        if time.process_time() - before < QUIET:
            break


def _warm_up(contender: Contender, seconds: float) -> int:
    """How many calls make a sample, after calls that take long enough for memory and clock to have settled."""
    begun, taken = time.perf_counter(), list[float]()
    while len(taken) < WARM_UPS or time.perf_counter() - begun < seconds:
        taken.append(time_calls(contender.call, contender.before, 1))
    return min(math.ceil(FILL / min(taken)), LONGEST_REPEATS)


def _sample(contender: Contender, repeats: int, samples: Samples) -> None:
    rest()
    time_calls(contender.call, contender.before, 1)
    before, clock = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    samples.seconds.append(time_calls(contender.call, contender.before, repeats))
    after = resource.getrusage(resource.RUSAGE_SELF)
    samples.calls += repeats
    samples.clock += time.perf_counter() - clock
    samples.system += after.ru_stime - before.ru_stime
    samples.processor += after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    samples.page_faults += after.ru_minflt - before.ru_minflt
