"""The C functions of a kernel that lay out and pack its matrices."""

from unrolled.compiler.native.groups import ProductGroup
from unrolled.compiler.native.phases import Sizes
from unrolled.compiler.native.places import Places
from unrolled.equations.recurrence import INPUT

_USE = "    const Call *call = run->call;\n    SIZES"
_PACK = f"static void pack_{{}}(Run *run, long part, long parts)\n{{{{\n{_USE}\n    (void)part, (void)parts;"


def write_packing(groups: list[ProductGroup], places: Places, sizes: Sizes) -> str:
    """The memory of all panels, and how they are filled."""
    forward, backward = ([g for g in groups if g.transposed == transposed] for transposed in (False, True))
    return "\n".join([_pack_forward(forward, places, sizes), _pack_backward(backward, places, sizes)])


def _pack_forward(groups: list[ProductGroup], places: Places, sizes: Sizes) -> str:
    """Matrices whose panels may be kept from call to call; not those in which numbers are looked up, which can be large and little read."""
    rooms, allocate, fill = [], [], []
    for group in groups:
        depth = places.size(sizes.depth(group.terms[0], transposed=False))
        shape, read = f"{group.gates}, {places.size(group.label)}, {depth}", group.terms[0][1] == INPUT
        # Where few weights are read again, packing all would be more work than reading them as they lie.
        wanted = f"worth_packing(run, {int(group.many_steps)})"
        wanted = f"call->ids ? {depth} <= 4 * run->slots : {wanted}" if read else wanted
        rooms.append(f"    room += {'call->ids ? 0 : ' if read else ''}panel_room({shape});")
        allocate.append(f"    lay_panel(run, PANEL_{group.name}, {wanted}, {'call->ids ? &none : ' if read else ''}&kept, {shape});")
        call = f"run->seen[PANEL_{group.name}], {_matrices(group, places)}, {shape}, {group.wide}, part, parts"
        fill.append(f"    if ({group.panel})\n        pack({group.panel}, {call});")
    measure = ["/* The bytes of all that may be kept. */", "static size_t forward_room(const Call *call)", "{", "    SIZES"]
    measure += ["    size_t room = 0;", *rooms, "    return room;", "}\n"]
    head = f"static void allocate_forward(Run *run)\n{{\n{_USE}\n    char *kept = call->kept, *none = NULL;\n    (void)kept, (void)none;"
    return "\n".join([*measure, head, *allocate, "}\n", _PACK.format("forward"), *fill, "}\n"])


def _pack_backward(groups: list[ProductGroup], places: Places, sizes: Sizes) -> str:
    allocate, fill = [], []
    for group in groups:
        depths = [places.size(sizes.depth(term, transposed=True)) for term in group.terms]
        units, total, panel = places.size(group.label), f"({' + '.join(depths)})", group.panel
        allocate.append(f"    {panel} = reserve(&run->memory, (size_t)(PADDED({units}) * {total}) * sizeof(weight));")
        rows = f"(const long[]){{{', '.join(depths)}}}, {len(depths)}"
        fill.append(f"    pack_transposed({panel}, {_matrices(group, places)}, {rows}, {units}, {total}, {group.wide}, part, parts);")
    head = f"static void allocate_backward(Run *run)\n{{\n{_USE}"
    return "\n".join([head, *allocate, "}\n", _PACK.format("backward"), *fill, "}\n"])


def _matrices(group: ProductGroup, places: Places) -> str:
    return f"(const real *[]){{{', '.join(places.parameter(m) for m, _ in group.terms)}}}"
