"""Which engine runs, and why."""

import os
from dataclasses import dataclass

from unrolled.engines.constants import constant
from unrolled.engines.eager import EagerEngine
from unrolled.engines.fused import TorchEngine
from unrolled.engines.native.engine import NativeEngine
from unrolled.engines.problem import Engine, Problem
from unrolled.errors import ConfigError, EngineError

ENGINES: dict[str, Engine] = {engine.name: engine for engine in (NativeEngine(), TorchEngine(), EagerEngine())}
"""All engines, the preferred first."""

VARIABLE = "UNROLLED_ENGINE"


@dataclass(frozen=True)
class Choice:
    """An engine and the reasons, as a sentence."""

    engine: Engine
    why: str


def check_engine(name: str) -> str:
    """The name itself; `ConfigError` when there is no such engine."""
    if name not in ("auto", *ENGINES):
        raise ConfigError(f"There is no engine {name!r}. Choose one of auto, {', '.join(ENGINES)}.")
    return name


def choose(wanted: str, problem: Problem) -> Choice:
    """The engine for a problem.

    `wanted` is an engine's name or `"auto"`, which asks the environment variable UNROLLED_ENGINE and then takes the first engine that
    can, unless it yields to a faster one. An engine that was named and cannot run the problem is an `EngineError`; nothing is replaced silently.
    """
    told = f"engine={check_engine(wanted)!r}"
    if wanted == "auto" and (named := _named()):
        wanted = check_engine(named)
        told = f"{VARIABLE}={wanted}"
    if wanted != "auto":
        engine = ENGINES[wanted]
        if reason := engine.refuses(problem):
            raise EngineError(f"{told} cannot run this: {reason}. Use engine='auto' or engine='eager'.")
        return Choice(engine, f"{told}: {engine.explain(problem)}")
    refused: list[str] = []
    for engine in ENGINES.values():
        reason = engine.refuses(problem) or engine.yields(problem)
        if not reason:
            return Choice(engine, "; ".join([*refused, engine.explain(problem)]))
        refused.append(f"not {engine.name}: {reason}")
    raise EngineError(f"No engine can run this: {'; '.join(refused)}.")


@constant
def _named() -> str:
    """What the environment variable names; torch.compile takes it as it is when it compiles."""
    return os.environ.get(VARIABLE, "")
