"""Pictures of what is remembered."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from unrolled.inspect.curves import Forgetting
from unrolled.inspect.draw.style import CYCLE, MARK, MOST_NAMED, bound, drawn, name_steps, new_axes, positive
from unrolled.inspect.memories import Memory
from unrolled.labels import literal

RARE = 16
"""A distance that fewer pairs of steps have than one in so many of the most frequent one is not drawn."""


@drawn
def memory(memories: Mapping[str, Memory], symbols: Sequence[str] = ()) -> Figure:
    """The share of each input in what moves the state at the last chosen step of the first sequence, for networks by their names.

    Of the first network also the share in what moves its scores, if it has any.
    """
    figure, axes = new_axes("step", "share of what moves it", log=True, wide=len(symbols) > MOST_NAMED)
    for number, (name, found) in enumerate(memories.items()):
        axes.plot(positive(found.share[-1, :, 0]), label=f"state, {literal(name)}", linestyle="--" if number else "-")
        if not number and found.output_share is not None:
            axes.plot(positive(found.output_share[-1, :, 0]), label=f"output, {literal(name)}", color=CYCLE[2], linewidth=1)
    bound(axes)
    step = int(next(iter(memories.values())).at[-1, 0])
    axes.axvline(step, **MARK)
    name_steps(axes, symbols)
    axes.legend()
    return figure


@drawn
def forgetting(curves: Mapping[str, Forgetting]) -> Figure:
    """What is left of an input after so many steps, for networks by their names: medians, between the quartiles.

    Distances are left out that less than a sixteenth of what was looked at reaches: the quartiles of few jump about.
    """
    figure, axes = new_axes("steps since the input", "‖∂h[t] / ∂x[s]‖", log=True)
    for number, (name, found) in enumerate(curves.items()):
        seen = found.count * RARE >= found.count.max(initial=0)
        (low, middle, high), distance = map(positive, found.quartiles[:, seen]), found.distance[seen]
        axes.plot(distance, middle, label=literal(name), linestyle="--" if number else "-")
        axes.fill_between(distance, low, high, color=CYCLE[number % len(CYCLE)], alpha=0.18, linewidth=0)
    bound(axes)
    axes.legend()
    return figure
