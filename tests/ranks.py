"""Two processes that stay, are joined by gloo, and run what they are asked to."""

import multiprocessing
import pickle
import time
import traceback
from datetime import timedelta
from typing import Any, NamedTuple

import torch
import torch.distributed as dist

WORLD = 2
START, LIMIT = 160, 100  # seconds: on a busy machine the processes take long to load torch, which is not the task's time
BEGUN = "begun"


class Failed(NamedTuple):
    """What a task ended with instead of a value."""

    kind: str
    text: str


class Silent(Failed):
    """There was no answer."""


class Ranks:
    """The two processes. They begin with the first task, and anew after one that failed, as they may wait for each other."""

    def __init__(self, folder: Any) -> None:
        self._folder, self._begun = folder, 0
        self._processes: list[Any] = []
        self._pipes: list[Any] = []

    def run(self, task: Any, *arguments: Any) -> list[Any]:
        """What `task(rank, *arguments)` gives in each of the two, or why it failed. The function must be importable.

        Raises:
            TimeoutError: neither answered, which tells nothing of the task.
        """
        if not self._processes:
            self._begin()
        for pipe in self._pipes:
            pipe.send_bytes(pickle.dumps((task, arguments)))
        return self._answers(task.__name__, LIMIT)

    def end(self) -> None:
        """Stop both."""
        for process in self._processes:
            process.kill()
            process.join()
        self._processes, self._pipes = [], []

    def _begin(self) -> None:
        self._begun += 1
        context = multiprocessing.get_context("spawn")
        for rank in range(WORLD):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(rank, f"file://{self._folder}/met{self._begun}", theirs), daemon=True)
            process.start()
            theirs.close()
            self._processes.append(process)
            self._pipes.append(ours)
        if self._answers("to begin", START) != [BEGUN] * WORLD:
            raise TimeoutError("to begin: one process did not")

    def _answers(self, asked: str, seconds: float) -> list[Any]:
        until = time.monotonic() + seconds
        found = [self._answer(pipe, until) for pipe in self._pipes]
        if any(isinstance(f, Failed) for f in found):
            self.end()
        if all(isinstance(f, Silent) for f in found):
            raise TimeoutError(f"{asked}: {found[0].text}")
        return found

    def _answer(self, pipe: Any, until: float) -> Any:
        try:
            if not pipe.poll(max(0, until - time.monotonic())):
                return Silent("TimeoutError", "no answer in time")
            return pickle.loads(pipe.recv_bytes())
        except EOFError:
            return Silent("EOFError", "the process has ended")


def _serve(rank: int, meeting: str, pipe: Any) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=WORLD, timeout=timedelta(seconds=LIMIT / 2))
    pipe.send_bytes(pickle.dumps(BEGUN))
    while True:
        try:
            task, arguments = pickle.loads(pipe.recv_bytes())
        except EOFError:
            return
        try:
            found = task(rank, *arguments)
        except Exception as error:
            found = Failed(type(error).__name__, traceback.format_exc())
        pipe.send_bytes(pickle.dumps(found))
