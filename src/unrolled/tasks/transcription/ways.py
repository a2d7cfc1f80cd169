"""The two ways to write down what is said: what a recipe, its measures and its results ask of either."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from unrolled.data.batches import Batch
from unrolled.data.columns import Places
from unrolled.decoding.alignment import Stretch
from unrolled.models import EncoderDecoder, Unaligned
from unrolled.tasks.transcription.options import DecodingOptions, TranscribeOptions
from unrolled.tasks.transcription.reading import Codecs, Utterances

Network = Unaligned | EncoderDecoder
"""What writes down what is said."""

N = TypeVar("N", bound=Network)


@dataclass(frozen=True)
class Found:
    """A text of `symbols`, the `score` by which it is ranked, its `log_probability`, what finds out where its symbols stand among the outputs, and the
    `weights` `[S, T]` with which each symbol looked at these, if they are looked at."""

    symbols: tuple[int, ...]
    score: float
    log_probability: float
    place: Callable[[], list[Stretch]]
    weights: NDArray[np.float64] | None = None


NOTHING = Found((), -np.inf, -np.inf, list)
"""What is written where no text could be."""

Find = Callable[[Utterances, Places], Iterator[list[Found]]]
"""Finds the best texts of each of some utterances, best first."""


class Way(ABC, Generic[N]):
    """A network with the codecs of what it hears and writes. `silent` says what to try if it writes nothing at all."""

    silent: str

    def __init__(self, model: N, codecs: Codecs, options: TranscribeOptions) -> None:
        self.model, self.codecs, self.options = model, codecs, options

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return next(self.model.parameters()).device

    @abstractmethod
    def batch(self, utterances: Utterances, which: Places) -> Batch:
        """Some utterances with their texts as the network learns them."""

    @abstractmethod
    def fits(self, utterances: Utterances, which: Places) -> NDArray[np.bool_]:
        """The texts of which of them can be learnt."""

    @abstractmethod
    def find(self, decoding: DecodingOptions) -> Find:
        """What finds texts. `ConfigError` for options that this way does not have."""

    @abstractmethod
    def moved(self, utterances: Utterances, found: Found) -> NDArray[np.float32]:
        """How much each step of the only utterance counts for each symbol of its text, `[S, T]`, the most of each 1."""
