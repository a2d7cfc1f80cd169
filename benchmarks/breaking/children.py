"""Work in forked processes, which may hang, die or be killed without harm to this one."""

import contextlib
import io
import multiprocessing
import os
import resource
import traceback
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from unrolled.errors import UnrolledError

C = TypeVar("C")

FINE, REFUSED, TRACEBACK, HUNG, DIED = "fine", "refused", "traceback", "hung", "died"
Ended = tuple[str, str]
"""One of the words above, and what was said."""

_ROOM = 3 << 30
"""Bytes that a process may map beyond those of the one that it was forked from."""


def each(cases: Sequence[C], act: Callable[[C], Any], limit: float) -> Iterator[Ended]:
    """How `act` ends for each case, one after the other in one process, in which nothing is seen of what it prints.

    A case that takes longer than `limit` seconds has hung, and one that ends the process has died; the next ones have a new process.
    """
    context, done = multiprocessing.get_context("fork"), 0
    while done < len(cases):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(theirs, act, cases[done:]))
        process.start()
        theirs.close()
        try:
            while done < len(cases):
                done += 1
                if not ours.poll(limit):
                    yield HUNG, f"longer than {limit:g} s"
                    break
                yield ours.recv()
        except EOFError:
            yield DIED, ""
        finally:
            process.kill()
            process.join()
            ours.close()


def once(act: Callable[[], Any], limit: float) -> Ended:
    """How one thing ends in a process of its own."""
    return next(each([None], lambda _: act(), limit))


def _work(out: Connection, act: Callable[[C], Any], cases: Sequence[C]) -> None:
    with open("/proc/self/statm") as file:
        mapped = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + _ROOM, mapped + _ROOM))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    for case in cases:
        out.send(_ended(act, case))


def _ended(act: Callable[[C], Any], case: C) -> Ended:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            act(case)
        except UnrolledError as error:
            return REFUSED, str(error)
        except SystemExit as ended:
            return (REFUSED if ended.code else FINE), said.getvalue()
        except BaseException:
            return TRACEBACK, traceback.format_exc()
    return FINE, said.getvalue()
