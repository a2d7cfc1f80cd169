"""Sound as numbers: the log-mel spectrogram of a recording, a step for each frame."""

from dataclasses import asdict, dataclass
from typing import Any

from unrolled.data.dataset import Dataset
from unrolled.data.sound.levelling import levelled
from unrolled.data.sound.spectrogram import MelOptions
from unrolled.data.vocabulary import damaged
from unrolled.errors import ConfigError

TRAINING, RECORDING, SPEAKER = "training", "recording", "speaker"
STANDARDISATIONS = (TRAINING, RECORDING, SPEAKER)
"""By what the bands of a spectrogram are brought to mean 0 and standard deviation 1: the training part, or before it each recording, or all of a group."""

BEST_RATE = 16_000
"""The rate that sound is brought to if nothing is said and it has a higher one."""

FEW, MANY = 40, 80
"""Bands of the mel scale if nothing is said: for the rate of a telephone, and for higher ones."""

TELEPHONE = 8000
"""The rate of a telephone."""


@dataclass(frozen=True)
class SoundCodec:
    """How recordings become numbers `[T, M]`, and `by` what, one of `STANDARDISATIONS`, they are standardised. With `top_db` bands that are more
    decibels below the loudest of a recording are raised to there, and the loudest is 0."""

    mel: MelOptions
    by: str = TRAINING
    top_db: float | None = None

    def __post_init__(self) -> None:
        if self.top_db is not None and not self.mel.mels:
            raise ConfigError("`top_db` is about bands, and with `mels=0` samples are read themselves. Leave one of them out.")

    @classmethod
    def choose(
        cls,
        found: int,
        *,
        rate: int | None = None,
        mels: int | None = None,
        length: float = 25.0,
        step: float = 10.0,
        by: str = TRAINING,
        top_db: float | None = None,
    ) -> "SoundCodec":
        """For recordings of which the first has a rate of `found`; frames have a `length`, and come at each `step`, in milliseconds."""
        rate = rate or min(found, BEST_RATE)
        if by not in STANDARDISATIONS:
            raise ConfigError(f"`standardise` must be one of {', '.join(STANDARDISATIONS)}, got {by!r}.")
        bands = (FEW if rate <= TELEPHONE else MANY) if mels is None else mels
        return cls(MelOptions(rate, bands, length / 1000, step / 1000), by, top_db)

    @property
    def streams(self) -> bool:
        """Whether what is made of a frame depends on none that is still to come."""
        return self.by == TRAINING and self.top_db is None

    @property
    def alone(self) -> bool:
        """Whether each recording is standardised by itself."""
        return self.by == RECORDING

    def level(self, dataset: Dataset) -> Dataset:
        """What was heard of recordings, with those of one group standardised together if that is asked for."""
        return levelled(dataset) if self.by == SPEAKER else dataset

    def describe(self) -> str:
        """What is heard, in a few words."""
        mel = self.mel
        what = f"{mel.mels} mel bands" if mel.mels else f"the {mel.hop} samples themselves"
        return f"sound at {mel.rate:,} samples a second, {what} every {mel.step * 1000:g} ms"

    def to_json(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return {**asdict(self.mel), "by": self.by, "top_db": self.top_db}

    @classmethod
    def from_json(cls, found: object) -> "SoundCodec":
        """What `to_json` gave. `RunError` for something else."""
        try:
            assert isinstance(found, dict)
            whole, parts = (int(found["rate"]), int(found["mels"])), (float(found["length"]), float(found["step"]))
            assert found["by"] in STANDARDISATIONS
            top = None if found["top_db"] is None else float(found["top_db"])
            return cls(MelOptions(*whole, *parts), str(found["by"]), top)
        except (KeyError, AssertionError, TypeError, ValueError, OverflowError, ConfigError) as error:
            raise damaged(
                f"sound must have a rate, mels, a length and a step of frames, and by what it is standardised ({error!r})"
            ) from None
