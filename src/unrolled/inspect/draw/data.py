"""What there is to learn from: how long sequences are, and how often labels come."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from unrolled.inspect.draw.style import HEIGHT, WIDE, WIDTH, drawn, new_figure, shown

_BINS, _BARS, _WIDEST = 40, 20, 24


@drawn
def data(lengths: np.ndarray, labels: Mapping[str, int]) -> Figure:
    """Lengths of sequences, `[N]`, beside the labels, if there are some, the most frequent ones first."""
    figure = new_figure(WIDE if labels else WIDTH, HEIGHT)
    axes = figure.add_subplot(1, 2 if labels else 1, 1)
    narrow = np.ptp(lengths) < _BINS
    axes.hist(lengths, bins=(np.arange(lengths.min(), lengths.max() + 2) - 0.5).tolist() if narrow else _BINS)
    axes.set_xlabel("steps of a sequence")
    axes.set_ylabel("sequences")
    if labels:
        ranked = sorted(labels.items(), key=lambda label: -label[1])[:_BARS]
        beside = figure.add_subplot(1, 2, 2)
        beside.barh(range(len(ranked)), [count for _, count in ranked])
        beside.set_yticks(range(len(ranked)), [shown(name[:_WIDEST]) for name, _ in ranked])
        beside.invert_yaxis()
        beside.set_xlabel("times" if len(labels) == len(ranked) else f"times, of the {len(ranked)} most frequent of {len(labels):,} labels")
    return figure
