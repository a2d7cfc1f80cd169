"""The keys under which torch's operators find kernels: they hold all that a kernel depends on, so that another process understands them."""

import json
from weakref import WeakKeyDictionary

import torch

from unrolled.compiler import make_plan
from unrolled.engines.native.library import Binding
from unrolled.engines.problem import Problem
from unrolled.engines.weights import WeightLayout
from unrolled.equations import from_source

_MASKED, _NARROW = "masked", "narrow"

_OPERATORS = "operators-4"
"""Raised when the arguments of the operators change: the graphs that torch keeps on disk call them as they were, and are found by key."""

_Variant = tuple[int, bool, bool]

_of_key: dict[str, Binding] = {}
_key_of: WeakKeyDictionary[WeightLayout, dict[_Variant, str]] = WeakKeyDictionary()


def bind(problem: Problem) -> str:
    """The key of a problem's kernel with the layout of its weights.

    torch.compile can follow the making of a key, but not of a kernel; that waits until an operator asks for it.
    """
    if torch.compiler.is_compiling():
        return _key(problem)
    known = _key_of.setdefault(problem.weights.layout, {})
    variant = _variant(problem)
    key = known.get(variant)
    if key is None:
        key = known[variant] = _key(problem)
        _of_key.setdefault(key, Binding(problem.plan, problem.weights.layout, *variant[1:]))
    return key


def is_bound(problem: Problem) -> bool:
    """Whether there is a kernel for the problem already."""
    return _variant(problem) in _key_of.get(problem.weights.layout, ())


def _variant(problem: Problem) -> _Variant:
    """What else than its weights a problem's kernel depends on."""
    return id(problem.plan), problem.masks is not None, problem.narrow


def binding_of(key: str) -> Binding:
    """The kernel and layout that a key tells of; made of the key itself where this process has not met the layer."""
    if key not in _of_key:
        weights, options, source = key.split("\n", 2)
        blocks, rows = json.loads(weights)
        read = WeightLayout({stored: tuple(names) for stored, names in blocks.items()}, rows)
        _of_key[key] = Binding(make_plan(from_source(source)), read, _MASKED in options, _NARROW in options)
    return _of_key[key]


def _key(problem: Problem) -> str:
    options = " ".join([_OPERATORS, *([] if problem.masks is None else [_MASKED]), *([_NARROW] if problem.narrow else [])])
    return "\n".join([problem.weights.layout.text, options, problem.plan.source])
