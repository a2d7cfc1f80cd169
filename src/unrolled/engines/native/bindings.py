"""The keys under which torch's operators find kernels: they hold all that a kernel depends on, so that another process understands them."""

import json
from weakref import WeakKeyDictionary

import torch

from unrolled.compiler import make_plan
from unrolled.engines.native.library import Binding
from unrolled.engines.problem import Problem
from unrolled.engines.weights import Weights
from unrolled.equations import parse

_MASKED, _NARROW = "masked", "narrow"

_Kind = tuple[int, bool, bool]

_of_key: dict[str, Binding] = {}
_key_of: WeakKeyDictionary[Weights, dict[_Kind, str]] = WeakKeyDictionary()


def bind(problem: Problem) -> str:
    """The key of a problem's kernel with the layout of its weights.

    torch.compile can follow the making of a key, but not of a kernel; that waits until an operator asks for it.
    """
    if torch.compiler.is_compiling():
        return _key(problem)
    known = _key_of.setdefault(problem.weights, {})
    kind = _kind(problem)
    key = known.get(kind)
    if key is None:
        key = known[kind] = _key(problem)
        _of_key.setdefault(key, Binding(problem.plan, problem.weights, *kind[1:]))
    return key


def is_bound(problem: Problem) -> bool:
    """Whether there is a kernel for the problem already."""
    return _kind(problem) in _key_of.get(problem.weights, ())


def _kind(problem: Problem) -> _Kind:
    return id(problem.plan), problem.masks is not None, problem.narrow


def binding_of(key: str) -> Binding:
    """The kernel and layout that a key tells of; made of the key itself where this process has not met the layer."""
    if key not in _of_key:
        weights, kind, output, text = key.split("\n", 3)
        layout, rows = json.loads(weights)
        read = Weights({stored: tuple(blocks) for stored, blocks in layout.items()}, rows)
        _of_key[key] = Binding(make_plan(parse(text, output)), read, _MASKED in kind, _NARROW in kind)
    return _of_key[key]


def _key(problem: Problem) -> str:
    kind = " ".join([*([] if problem.masks is None else [_MASKED]), *([_NARROW] if problem.narrow else [])])
    return "\n".join([problem.weights.text, kind, problem.plan.recurrence.states[0], problem.plan.text])
