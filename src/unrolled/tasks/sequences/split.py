"""What to know of what is measured beside what is learnt."""

from unrolled.data.codecs import TargetCodec
from unrolled.data.columns import Places
from unrolled.data.dataset import Dataset
from unrolled.data.splits import input_keys


def about_split(target: TargetCodec, sequences: Dataset, learnt: Places, measured: Dataset, held: Places) -> str:
    """Sentences, each after a blank: how many sequences come again, how many groups there are, and which labels are not measured.

    Those of `sequences` that are `learnt` are meant, and those of `measured`, the same ones or others, that are `held` out.
    """
    said, (again, both) = list[str](), repeats(sequences, learnt, measured, held)
    if both:
        said.append(f"Of those held out {both:,} are learnt, too.")
    elif again:
        said.append(f"{again:,} repeat others, on the same side.")
    if sequences.groups is not None and measured is sequences:
        said.append(
            f"Groups: {len({*sequences.groups[learnt].tolist()}):,} to learn, {len({*sequences.groups[held].tolist()}):,} held out."
        )
    if absent := target.absent(measured, held):
        said.append(f"None is held out of {absent}.")
    return "".join(f" {sentence}" for sentence in said)


def repeats(sequences: Dataset, learnt: Places, measured: Dataset, held: Places) -> tuple[int, int]:
    """How many of all `sequences` repeat others, and how many of those `measured` that are `held` out are `learnt`, too."""
    keys = [*input_keys(sequences)]
    others = keys if measured is sequences else [*input_keys(measured, sequences.table)]
    known = {keys[place] for place in learnt.tolist()}
    return len(keys) - len({*keys}), sum(others[place] in known for place in held.tolist())
