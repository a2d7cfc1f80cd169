"""How many units everything in a cell has, in a layer of so many."""

from collections.abc import Mapping, Sequence

from unrolled.cells import Cell
from unrolled.errors import ConfigError


def part_sizes(cell: Cell, given: int | Sequence[int]) -> tuple[int, ...]:
    """The sizes of the parts of the input, where they were given one by one. `ConfigError` where the cell has others."""
    if isinstance(given, int):
        return ()
    parts = [name for name, _ in cell.recurrence.parts]
    if len(given) != len(parts):
        told = f"reads the parts {', '.join(parts)}" if parts else "reads one input"
        raise ConfigError(f"`input_size` has {len(given)} sizes, but the cell {cell.name!r} {told}. Give one size, or one for each part.")
    return tuple(given)


def sizes_in_layer(cell: Cell, usual: Mapping[str, int], hidden: int, parts: Sequence[int]) -> dict[str, int]:
    """The units of every label: as the cell declares them, else as in `usual`, which has the input's under `"x"`.

    Of the parts of an input those that nothing says the size of share the rest equally. `ConfigError` where something does not come out even.
    """
    recurrence, width = cell.recurrence, usual["x"]
    declared = {label: size.units(hidden, width) for label, size in recurrence.given}
    for label, units in declared.items():
        if units.denominator != 1 or units < 1:
            size = dict(recurrence.given)[label]
            raise ConfigError(
                f"The cell {cell.name!r} declares the size {size}, which is no whole number for {size.of} = {hidden if size.of == 'H' else width}."
            )
        if label == "x" and units != width:
            raise ConfigError(f"The cell {cell.name!r} has a fixed matrix for {units} inputs, but the input has {width}.")
    output = recurrence.size_of(recurrence.output)
    said = dict(recurrence.given).get(output)
    if said is not None and not said.of and recurrence.outputs == 1 and said.part != hidden:
        raise ConfigError(
            f"The cell {cell.name!r} fixes {recurrence.output!r} at {said} units, got hidden_size = {hidden}. Use hidden_size={said}."
        )
    sizes = {**usual, **{label: int(units) for label, units in declared.items()}}
    if recurrence.parts:
        sizes |= _parts(cell, width, parts, {label: sizes[label] for label in (*declared, recurrence.size_of(recurrence.output))})
    for label, area in recurrence.areas:
        rows, columns = sizes[area.rows], sizes[area.columns]
        if rows % area.heads or columns % area.heads:
            raise ConfigError(f"The cell {cell.name!r} has matrices of {area.heads} heads, which must divide {rows} and {columns} units.")
        sizes[label] = rows * columns // area.heads
    return sizes


def _parts(cell: Cell, width: int, given: Sequence[int], known: Mapping[str, int]) -> dict[str, int]:
    parts = cell.recurrence.parts
    told = f"The cell {cell.name!r} reads the parts {', '.join(name for name, _ in parts)} of its input"
    if given:
        sizes = {label: size for (_, label), size in zip(parts, given, strict=True)}
        wrong = any(sizes[label] != size for (_, label), size in zip(parts, given, strict=True))
        if wrong or any(sizes[label] != known.get(label, sizes[label]) for _, label in parts):
            raise ConfigError(f"{told}, whose sizes do not fit its equations, got {', '.join(map(str, given))}.")
        return sizes
    loose = [label for _, label in parts if label not in known]
    rest = width - sum(known.get(label, 0) for _, label in parts)
    if rest < len(loose) or (loose and rest % len(loose)) or (rest and not loose):
        raise ConfigError(
            f"{told}, which cannot share {width} columns. Give `input_size` a size for each part, as in ({', '.join('1' for _ in parts)}), or declare some: `size.{parts[-1][0]} = 1`."
        )
    return dict.fromkeys(loose, rest // len(loose)) if loose else {}
