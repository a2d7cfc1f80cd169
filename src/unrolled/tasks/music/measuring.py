"""What is measured of a network for music while it learns."""

from collections.abc import Iterable

from unrolled.data.codecs.music import FRAMES
from unrolled.models import NextStep
from unrolled.tasks.music.reading import MusicData
from unrolled.tasks.music.scores import measure, told
from unrolled.training.criterion import LOSS, Criterion
from unrolled.training.task import Measures, Tick


class MusicMeasuring:
    """The likelihood of all held-out pieces."""

    criteria = (LOSS, Criterion("accuracy"))

    def __init__(self, model: NextStep, data: MusicData) -> None:
        self.model, self.data, self.size = model, data, sum(map(len, data.held))
        self.unit = "nats per frame" if data.codec.view == FRAMES else "nats per event"

    def require(self) -> None:
        """Nothing is needed."""

    def measure(self, tick: Tick, *, exactly: bool) -> Measures:
        """The loss, and what follows from it."""
        return measure(self.model, self.data.codec, self.data.held, tick).measures()

    def describe(self, measures: Measures) -> str:
        """In words."""
        return told(self.data.codec.view, measures)

    def remarks(self, measures: Measures, best: float | None) -> Iterable[str]:
        """Nothing."""
        return ()
