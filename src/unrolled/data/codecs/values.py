"""Numbers to predict, of sequences or of their steps, standardised."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.codecs.codec import SHOWN
from unrolled.data.codecs.numbers import NumberCodec
from unrolled.data.columns import Places
from unrolled.data.dataset import STEP_VALUES, Dataset
from unrolled.data.examples import Prediction, Target
from unrolled.data.vocabulary import damaged
from unrolled.errors import DataError


@dataclass(frozen=True)
class ValueCodec:
    """K numbers of each sequence or step, brought to mean 0 and standard deviation 1 by what the training part says of them.

    `names` are what they are called, if they have names.
    """

    scale: NumberCodec
    target: Target
    names: tuple[str, ...] = ()

    @classmethod
    def learn(cls, dataset: Dataset, part: Places, target: Target, names: Sequence[str] = ()) -> "ValueCodec":
        """From some of the sequences, the training part; `names` hold if there are K of them."""
        scale = NumberCodec.learn([_values(dataset, part, target)])
        return cls(scale, target, tuple(names) if len(names) == len(scale.mean) else ())

    def widened(self, learnt: "ValueCodec") -> "ValueCodec":
        """This one, by whose scale numbers stay those that the weights mean; the other one where there are others to predict."""
        same = (self.target, self.numbers) == (learnt.target, learnt.numbers)
        return replace(self, names=learnt.names) if same else learnt

    @property
    def numbers(self) -> int:
        """K."""
        return len(self.scale.mean)

    def encode(self, dataset: Dataset) -> "ValueTargets":
        """Standardised numbers. `DataError` for another K."""
        steps = dataset.columns.get(STEP_VALUES)
        found = dataset.values.shape[1] if not self.target.each_step else 0 if steps is None else steps.elements.shape[1]
        if found not in (0, self.numbers):
            names = f" ({', '.join(self.names)})" if self.names else ""
            each = "step" if self.target.each_step else "sequence"
            raise DataError(
                f"The network learnt {self.numbers} number{'' if self.numbers == 1 else 's'} for each {each}{names}, and here there "
                f"{'is' if found == 1 else 'are'} {found}. Pass the same ones as `target`."
            )
        return ValueTargets(dataset, self)

    def restore(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Standardised numbers `[…, K]` as they were."""
        restored: NDArray[np.float64] = values * self.scale.deviation + self.scale.mean
        return restored

    def notice_unknown(self, dataset: Dataset, which: Places) -> None:
        """Any number may come."""

    def absent(self, dataset: Dataset, which: Places) -> str:
        """Numbers are not counted."""
        return ""

    def supposed(self, prediction: Prediction) -> NDArray[Any]:
        """What a prediction says, standardised."""
        assert prediction.values is not None
        standard = (prediction.values - self.scale.mean) / self.scale.deviation
        return standard[:, None] if self.target.each_step else standard[None]

    def describe(self) -> str:
        """How many numbers, their means and standard deviations."""
        each = "step" if self.target.each_step else "sequence"
        moments = zip(self.scale.mean.tolist(), self.scale.deviation.tolist(), strict=True)
        told = "; ".join(f"mean {mean:.4g}, standard deviation {deviation:.4g}" for mean, deviation in list(moments)[:4])
        return f"{self.numbers} number{'' if self.numbers == 1 else 's'} for each {each} ({told}{'; …' if self.numbers > 4 else ''})"

    def show(self, dataset: Dataset, sequence: int) -> str:
        """The numbers of a sequence, or of its first steps."""
        values = _values(dataset, np.array([sequence]), self.target)
        steps = [", ".join(f"{value:.6g}" for value in row) for row in values[:SHOWN].tolist()]
        return "; ".join(steps) + ("; …" if len(values) > SHOWN else "")

    def to_json(self) -> Any:
        """All of it, ready for JSON."""
        return {"scale": self.scale.to_json(), "target": self.target.value, "names": self.names}

    @classmethod
    def from_json(cls, found: object) -> "ValueCodec":
        """What `to_json` gave. `RunError` for something else."""
        try:
            assert isinstance(found, dict)
            return cls(NumberCodec.from_json(found["scale"]), Target(found["target"]), tuple(map(str, found["names"])))
        except (KeyError, AssertionError, TypeError, ValueError) as error:
            raise damaged(f"numbers to predict must have a scale and a target ({error!r})") from None


@dataclass(frozen=True)
class ValueTargets:
    """The numbers of a dataset as a codec has them."""

    dataset: Dataset
    codec: ValueCodec

    def take(self, which: Places) -> NDArray[np.float32]:
        """`[B, K]`, or of steps `[S, K]`; 0 where nothing is said."""
        return self.codec.scale.apply(_values(self.dataset, which, self.codec.target, self.codec.numbers))

    def known(self, which: Places) -> NDArray[np.bool_]:
        """Of which sequences all of them are said, `[B]`."""
        missing = np.isnan(_values(self.dataset, which, self.codec.target, self.codec.numbers)).any(1)
        if not self.codec.target.each_step or not len(which):
            return ~missing
        lengths = self.dataset.lengths[which]
        return np.add.reduceat(missing, np.cumsum(lengths) - lengths) == 0


def _values(dataset: Dataset, which: Places, target: Target, numbers: int = 0) -> NDArray[Any]:
    """The numbers as they are, `[B, K]` or `[S, K]`; NaN where nothing is said."""
    if not target.each_step:
        found = dataset.values[which]
        return found if found.shape[1] or not numbers else np.full((len(which), numbers), np.nan)
    if STEP_VALUES not in dataset.columns:
        return np.full((int(dataset.lengths[which].sum()), numbers), np.nan)
    return dataset.columns[STEP_VALUES].take(which)
