"""The keys under which torch's operators find kernels: they hold all that a kernel depends on, so that another process understands them."""

import json
from weakref import WeakKeyDictionary

import torch

from unrolled.compiler import make_plan
from unrolled.engines.native.library import Binding
from unrolled.engines.problem import Problem
from unrolled.engines.weights import Weights
from unrolled.equations import parse

_MASKED, _PLAIN = "masked", "plain"

_of_key: dict[str, Binding] = {}
_key_of: WeakKeyDictionary[Weights, dict[tuple[int, bool], str]] = WeakKeyDictionary()


def bind(problem: Problem) -> str:
    """The key of a problem's kernel with the layout of its weights.

    torch.compile can follow the making of a key, but not of a kernel; that waits until an operator asks for it.
    """
    if torch.compiler.is_compiling():
        return _key(problem)
    known = _key_of.setdefault(problem.weights, {})
    masked = problem.masks is not None
    key = known.get((id(problem.plan), masked))
    if key is None:
        key = known[id(problem.plan), masked] = _key(problem)
        _of_key.setdefault(key, Binding(problem.plan, problem.weights, masked))
    return key


def is_bound(problem: Problem) -> bool:
    """Whether there is a kernel for the problem already."""
    return (id(problem.plan), problem.masks is not None) in _key_of.get(problem.weights, ())


def binding_of(key: str) -> Binding:
    """The kernel and layout that a key tells of; made of the key itself where this process has not met the layer."""
    if key not in _of_key:
        weights, kind, output, text = key.split("\n", 3)
        layout, rows = json.loads(weights)
        read = Weights({stored: tuple(blocks) for stored, blocks in layout.items()}, rows)
        _of_key[key] = Binding(make_plan(parse(text, output)), read, kind == _MASKED)
    return _of_key[key]


def _key(problem: Problem) -> str:
    kind = _PLAIN if problem.masks is None else _MASKED
    return "\n".join([problem.weights.text, kind, problem.plan.recurrence.states[0], problem.plan.text])
