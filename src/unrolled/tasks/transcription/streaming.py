"""Sound that is written down while it comes, in memory that does not grow."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from unrolled.data.batches import Batch
from unrolled.data.codecs.lexicon import BETWEEN
from unrolled.data.sound.recordings import Resampler
from unrolled.data.sound.spectrogram import new_frames
from unrolled.errors import ConfigError, DataError
from unrolled.models import NUMBERS, Unaligned
from unrolled.tasks.trained import not_finite
from unrolled.tasks.transcription.trained import TrainedTranscriber

LEFT = 512
"""Symbols of the text so far that are kept to set the next ones as text."""


@dataclass(frozen=True)
class Heard:
    """What is new once some more sound was heard: a piece of the `text`, and the `seconds` of sound up to which that is all there is to say."""

    text: str
    seconds: float


class Listener:
    """Hears samples of one channel, and writes what was said in them as soon as it is known.

    The network must read forwards alone, and its bands be standardised by the training part: all that it says then depends on nothing that
    is still to come, and the text is the greedy one of the whole recording, however this is divided. `ConfigError` for another one.

    Args:
        transcriber: the trained network.
        rate: samples a second of what comes; that of the network if nothing is said.
    """

    def __init__(self, transcriber: TrainedTranscriber, rate: int | None = None) -> None:
        sound = transcriber.codecs.inputs.sound
        if sound is None:
            raise ConfigError("This network reads numbers and no sound, so that nothing can be heard. Use `predict` with a file.")
        if not isinstance(transcriber.model, Unaligned):
            raise ConfigError("`stream` needs a network of CTC, and this one hears all before it writes. Train without `attention`.")
        if not transcriber.model.encoder.streams:
            raise ConfigError(
                "`stream` needs a network that reads forwards alone, and this one is bidirectional. Train with `bidirectional=False`."
            )
        if not sound.streams:
            told = "the loudest moment" if sound.top_db is not None else f"the mean of a {sound.by}"
            raise ConfigError(f"`stream` cannot know {told} before the end. Train with `standardise='training'` and without `top_db`.")
        self.transcriber, self._model, self._numbers = transcriber, transcriber.model, transcriber.codecs.inputs.numbers
        self._resampler, self._mel = Resampler(rate or sound.mel.rate, sound.mel.rate), new_frames(sound.mel)
        self._waiting = np.zeros((0, sound.mel.channels), np.float32)
        self._state: Any = transcriber.model.encoder.begin(1)
        self._last = transcriber.codecs.target.blank
        self._ids, self._written, self._outputs, self._begun = list[int](), "", 0, False

    def feed(self, samples: NDArray[np.float32]) -> Heard:
        """Hear some more samples, from -1 to 1."""
        self._begun = self._begun or len(samples) > 0
        frames = self._mel.feed(self._resampler.feed(samples))
        return self._heard(frames, last=False)

    def finish(self) -> Heard:
        """Hear that there are no more. `DataError` if there was not one."""
        if not self._begun:
            raise DataError("What came has no samples, so that there is nothing to hear. Send raw 16-bit samples of one channel.")
        rest = self._resampler.feed(np.zeros(0, np.float32), last=True)
        frames = np.concatenate([self._mel.feed(rest), self._mel.finish()])
        return self._heard(frames, last=True)

    @torch.inference_mode()
    def _heard(self, frames: NDArray[np.float32], *, last: bool) -> Heard:
        waiting = np.concatenate([self._waiting, frames])
        factor = self.transcriber.options.model.subsampling
        count = len(waiting) if last else len(waiting) // factor * factor
        self._waiting = waiting[count:]
        if count:
            assert self._numbers is not None
            steps = torch.from_numpy(self._numbers.apply(waiting[:count]))[:, None].to(self.transcriber.device)
            scores, self._state = self._model(Batch({NUMBERS: steps}), self._state)
            if not bool(scores.isfinite().all()):
                raise not_finite("this sound")
            self._take(scores[:, 0].argmax(-1).tolist())
        return Heard(self._news(last=last), self._outputs * self.transcriber.step)

    def _take(self, classes: list[int]) -> None:
        """The symbols among the classes of the next outputs."""
        blank = self.transcriber.codecs.target.blank
        for symbol in classes:
            if symbol not in (self._last, blank):
                self._ids.append(symbol)
            self._last = symbol
        self._outputs += len(classes)

    def _news(self, *, last: bool) -> str:
        """What the text has more than was written."""
        text = self._text(last=last)
        new, self._written = text[len(self._written) :], text
        if len(self._ids) > LEFT:
            self._ids = self._ids[-LEFT // 2 :]
            self._written = self._text(last=last)
        return new

    def _text(self, *, last: bool) -> str:
        """The text so far, to its last whole sign; with a lexicon that of whole words, as phones are no part of one."""
        codec, ids = self.transcriber.codecs.target, np.array(self._ids, np.int64)
        if codec.lexicon is None:
            # A sign may lack bytes that are still to come.
            return codec.decode(ids) if last else codec.decode(ids).rstrip("\N{REPLACEMENT CHARACTER} ")
        strings = codec.text.strings(ids)
        whole = len(strings) if last else max((at for at, name in enumerate(strings) if name == BETWEEN), default=0)
        return "".join(f"{word} " for word in codec.decode(ids[:whole]).split())
