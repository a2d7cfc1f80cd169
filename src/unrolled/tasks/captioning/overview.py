"""What there is to learn from in pictures with sentences."""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from unrolled.tasks.captioning.reading import CaptionData, shortened
from unrolled.tasks.overview import Overview
from unrolled.tasks.sequences.split import repeats


def overview_of(data: CaptionData) -> Overview:
    """All pictures, how many sentences each has, how long these are, and which come more than once, by what is seen of pictures."""
    captions, measured = data.captions, data.measured
    repeated, in_both = repeats(captions.encoded.dataset, data.learnt, measured.encoded.dataset, data.held)
    several = [captions, *([measured] if measured is not captions else [])]
    counts = [len(some) for part in several for some in part.sentences]
    # The end of a sentence is a symbol of its own.
    lengths = np.concatenate([part.lengths for part in several]) - 1
    different = Counter(sentence for part in several for some in part.sentences for sentence in some)
    sentence, times = different.most_common(1)[0]
    notes = (
        f"Sentences of a picture: {_range(counts)}. Tokens of a sentence: {_range(lengths.tolist())}.",
        *_told(repeated, "comes again on the same side", "come again on the same side"),
        *_told(in_both, "is learnt and measured", "are learnt and measured"),
        f"{len(different):,} different sentences; the one that comes most often, {times:,} time{'' if times == 1 else 's'}: {shortened(sentence)!r}.",
    )
    dataset = captions.encoded.dataset
    return Overview(
        data.summary(), dataset.lengths, ("pictures",), ("sentences",), (), {}, len(data.learnt), len(data.held), repeated, in_both, notes
    )


def _range(counts: Iterable[int]) -> str:
    least, middle, most = np.percentile(list(counts), (0, 50, 100), method="lower").astype(int).tolist()
    return f"{least:,}" if least == most else f"{least:,} to {most:,}, half at most {middle:,}"


def _told(count: int, one: str, several: str) -> tuple[str, ...]:
    return (f"{count:,} {f'picture {one}' if count == 1 else f'pictures {several}'}.",) if count else ()
