"""What is pointwise in a plan as C that goes once over all numbers, for engines that leave the products to others."""

from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp

from unrolled.compiler.native.expressions import to_c
from unrolled.compiler.native.names import Names, defined_names
from unrolled.compiler.native.writing import listed, runtime, wrapped
from unrolled.compiler.plan import Assignment

_RUNTIME = ("vectors.h", "functions.h", "threads.h", "pointwise.h")


@dataclass(frozen=True)
class Block:
    """What a stage assigns, and which of it others read. Before that, symbols are computed of others over all units, as pairs in `over`."""

    over: tuple[tuple[sp.Symbol, sp.Symbol], ...]
    assignments: tuple[Assignment, ...]
    asked: frozenset[sp.Symbol]


@dataclass(frozen=True)
class Pass:
    """Values of one size, computed together by the function `name`: what it reads and writes at every place, and the parameters, and what
    depends on them alone, that it reads `again` and again."""

    name: str
    reads: tuple[sp.Symbol, ...]
    again: tuple[sp.Symbol, ...]
    writes: tuple[sp.Symbol, ...]


@dataclass(frozen=True)
class Passes:
    """The C source of all passes, and those of each block. `still` are the assignments of each block that depend on parameters alone, and are
    in no pass."""

    source: str
    passes: tuple[tuple[Pass, ...], ...]
    still: tuple[tuple[Assignment, ...], ...]


def make_passes(blocks: Sequence[Block], still: frozenset[sp.Symbol]) -> Passes:
    """The passes of blocks, in the order in which they run; the symbols in `still` are the same at all steps."""
    texts: list[str] = []
    passes, apart = [], []
    for block in blocks:
        still |= {symbol for symbol, operand in block.over if operand in still}
        alone = []
        for assignment in block.assignments:
            if assignment.expression.free_symbols <= still:
                alone.append(assignment)
                still |= {assignment.symbol}
        moving = [a for a in block.assignments if a.symbol not in still]
        groups = [g for g in _together(moving, still) if any(a.symbol in block.asked for a in g)]
        passes.append(tuple(_write(group, block.asked, still, texts) for group in groups))
        apart.append(tuple(alone))
    return Passes("\n".join([runtime(_RUNTIME), *map(wrapped, texts)]), tuple(passes), tuple(apart))


def _together(assignments: Sequence[Assignment], still: frozenset[sp.Symbol]) -> list[list[Assignment]]:
    """Assignments that have to do with one another, so that all that they read has one size."""
    groups: list[tuple[set[sp.Symbol], list[Assignment]]] = []
    for assignment in assignments:
        symbols = {assignment.symbol, *assignment.expression.free_symbols} - still
        joined = [g for g in groups if g[0] & symbols]
        groups = [g for g in groups if not g[0] & symbols]
        groups.append((symbols.union(*(g[0] for g in joined)), [*(a for g in joined for a in g[1]), assignment]))
    return [group for _, group in groups]


def _write(assignments: Sequence[Assignment], asked: frozenset[sp.Symbol], still: frozenset[sp.Symbol], texts: list[str]) -> Pass:
    """One pass, whose C is put after the others."""
    number, computed = len(texts), [a.symbol for a in assignments]
    read = sorted(set().union(*(a.expression.free_symbols for a in assignments)).difference(computed), key=str)
    reads, again = tuple(s for s in read if s not in still), tuple(s for s in read if s in still)
    writes = tuple(s for s in computed if s in asked)
    names = Names(taken={*defined_names(runtime(_RUNTIME)), "from", "to", "some"})
    lines = [f"const vec {names(s)} = load_some(from[{k}] + at, some);" for k, s in enumerate((*reads, *again))]
    lines += [f"const vec {names(a.symbol)} = {to_c(a.expression, names)};" for a in assignments]
    lines += [f"store_some(to[{k}] + at, {names(s)}, some);" for k, s in enumerate(writes)]
    head = f"INLINE void compute_{number}(const real *const *from, real *const *to, long at, long some)"
    undefined = "".join(f"#undef {name}\n" for name in names.given)
    body = "\n".join(f"    {line}" for line in lines)
    texts.append(f"/* {listed(writes)}. */\n{undefined}{head}\n{{\n{body}\n}}\n\nPASS({number}, {len(read)}, {len(writes)})\n")
    return Pass(f"pass_{number}", reads, again, writes)
