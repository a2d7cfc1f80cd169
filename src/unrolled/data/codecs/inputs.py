"""What a network reads of sequences: tokens and numbers, each with its codec, as the fields of batches."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch

from unrolled.data.batches import Batch, Spellings, padded
from unrolled.data.codecs.codec import NAMED, SHOWN, TargetCodec, Targets
from unrolled.data.codecs.frames import FrameCodec
from unrolled.data.codecs.numbers import NumberCodec
from unrolled.data.codecs.sound import SoundCodec
from unrolled.data.codecs.tokens import TokenCodec
from unrolled.data.columns import Places, places
from unrolled.data.dataset import FRAMES, NUMBERS, TAGS, TOKENS, Dataset
from unrolled.data.examples import Target
from unrolled.data.pictures.clips import Clip, rate_of
from unrolled.data.vocabulary import damaged
from unrolled.data.words import word_shape
from unrolled.errors import ConfigError, DataError

WHOLE = slice(None)

_AT_ONCE = 1 << 16
"""Steps whose numbers are looked at together."""


@dataclass(frozen=True)
class InputCodec:
    """The codecs of `tokens` and of `numbers`, None where steps have none; `channels` are the names of the numbers, if they have some.

    `sound` is how recordings became numbers, where they are recordings, and `frames` how pictures and videos are seen.
    """

    tokens: TokenCodec | None
    numbers: NumberCodec | None
    channels: tuple[str, ...] = ()
    sound: SoundCodec | None = None
    frames: FrameCodec | None = None

    @classmethod
    def learn(
        cls, dataset: Dataset, part: Places, sound: SoundCodec | None = None, frames: FrameCodec | None = None, **options: Any
    ) -> "InputCodec":
        """From some of the sequences, the training part, which were heard and seen so; `options` are those of `TokenCodec.learn`."""
        seen = dataset.token_counts(part)
        tokens = TokenCodec.learn(seen, **options) if seen else None
        numbers = (
            NumberCodec.learn(dataset.columns[NUMBERS].take(some) for some in _chunks(part, dataset.lengths)) if dataset.numbers else None
        )
        if frames is not None and frames.encoder is None:
            frames = frames.learn(dataset.columns[FRAMES].elements, places(dataset.starts, part))
        return cls(tokens, numbers, dataset.channels, sound, frames)

    def widened(self, learnt: "InputCodec", *, widen: bool = True) -> "InputCodec":
        """This one with the tokens of another one besides; numbers are brought to the scale that this one knows. `ConfigError` where steps are others."""
        ours, theirs = ((codec.tokens is not None, len(codec.numbers.mean) if codec.numbers else 0) for codec in (self, learnt))
        if ours != theirs or (self.frames is None) != (learnt.frames is None):
            told = " and ".join(f"{'tokens' if t else 'no tokens'} and {c} channels" for t, c in (ours, theirs))
            raise ConfigError(f"`from_run` names a run whose steps are not those of DATA: {told}. Begin from one that learnt such data.")
        if (self.sound and self.sound.mel) != (learnt.sound and learnt.sound.mel):
            raise ConfigError(
                "`from_run` names a run that hears sound in another way. Give `rate`, `mels`, `frame_length` and `frame_step` as there."
            )
        if self.frames and learnt.frames:
            self.frames.require_alike(learnt.frames)
        tokens = self.tokens.widened(learnt.tokens, widen=widen) if self.tokens and learnt.tokens else None
        return replace(self, tokens=tokens)

    @property
    def sizes(self) -> dict[str, Any]:
        """What there is to read, as `unrolled.models.InputSizes` has it."""
        found: dict[str, Any] = {} if self.pixels is None else {"frames": self.pixels.size}
        if self.tokens is not None:
            known = {"words": self.tokens.words, "characters": self.tokens.characters, "shapes": self.tokens.shapes}
            found |= {name: vocabulary.size for name, vocabulary in known.items() if vocabulary is not None}
        return found if self.numbers is None else {**found, "numbers": len(self.numbers.mean)}

    @property
    def pixels(self) -> FrameCodec | None:
        """How frames are read as pixels; None where there are none, or features of them are read."""
        return None if self.frames is None or self.frames.encoder is not None else self.frames

    def seconds(self, clip: Clip | None = None) -> float:
        """Those from one step of a sequence, or of a `clip`, to the next: frames of sound and of videos; 1 where frames are counted, NaN without times."""
        if self.frames is not None:
            own = self.frames.rate if clip is None else None if clip.shape else rate_of(clip.path)
            return 1 / (self.frames.rate_for(own) or 1.0)
        return math.nan if self.sound is None else self.sound.mel.step

    def require_same_steps(self, dataset: Dataset) -> None:
        """`DataError` if sequences have other kinds of steps, or other channels, than this was learnt from."""
        expected = (self.tokens is not None, len(self.numbers.mean) if self.numbers else 0, self.pixels is not None)
        got = (TOKENS in dataset.columns, dataset.numbers, FRAMES in dataset.columns)
        if len(dataset) and got != expected:
            wanted, came = (
                f"{'tokens' if t else 'no tokens'} and {c} channels of numbers{' and frames' * f}" for t, c, f in (expected, got)
            )
            cure = (
                "like those that it learnt from" if self.sound is None else "of sound: files, or samples with their rate, (samples, rate)"
            )
            raise DataError(f"The network reads steps with {wanted}, got {came}. Pass sequences {cure}.")
        if self.channels and dataset.channels and self.channels != dataset.channels:
            told = f"The channels must be {', '.join(self.channels)}, got {', '.join(dataset.channels)}."
            raise DataError(f"{told} Pass `channels={list(self.channels)}`.")

    def describe(self) -> str:
        """What is read, in a few words."""
        parts = []
        if self.tokens is not None:
            also = " with their characters" if self.tokens.characters else ""
            parts.append(f"{self.tokens.words.size:,} {'characters' if self.tokens.level == 'char' else 'words'}{also}")
        if self.frames is not None:
            parts.append(self.frames.describe())
        if self.sound is not None:
            parts.append(self.sound.describe())
        elif self.numbers is not None and self.frames is None:
            names = f" ({', '.join(self.channels[:NAMED])}{', …' if len(self.channels) > NAMED else ''})" if self.channels else ""
            count = len(self.numbers.mean)
            parts.append(f"{count:,} number{'' if count == 1 else 's'} a step{names}")
        return " and ".join(parts)

    def show(self, dataset: Dataset, sequence: int) -> str:
        """The first steps of a sequence."""
        steps, more = int(dataset.lengths[sequence]), ", …"
        if self.tokens is not None:
            most = 40 if self.tokens.level == "char" else 8
            text = ("" if self.tokens.level == "char" else " ").join(dataset.tokens(sequence, most))
            return repr(f"{text} …" if steps > most else text)
        if self.sound is not None:
            return f"{steps * self.sound.mel.step:.2f} s of sound"
        if self.frames is not None:
            return f"{steps} frame{'' if steps == 1 else 's'}"
        start, most = int(dataset.starts[sequence]), SHOWN if dataset.numbers <= SHOWN else 1
        rows = dataset.columns[NUMBERS].elements.read(start, start + min(steps, most)).tolist()
        told = (", ".join(f"{value:.4g}" for value in row[:SHOWN]) + (more if len(row) > SHOWN else "") for row in rows)
        return ", ".join(f"[{row}]" for row in told) + (more if steps > most else "")

    def to_json(self) -> Any:
        """All of it, ready for JSON."""
        return {
            "tokens": self.tokens and self.tokens.to_json(),
            "numbers": self.numbers and self.numbers.to_json(),
            "channels": self.channels,
            **({} if self.sound is None else {"sound": self.sound.to_json()}),
            **({} if self.frames is None else {"frames": self.frames.to_json()}),
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "InputCodec":
        """What `to_json` gave. `RunError` for something else."""
        try:
            tokens, numbers, channels = found["tokens"], found["numbers"], tuple(map(str, found["channels"]))
        except (KeyError, TypeError) as error:
            raise damaged(f"inputs must have tokens, numbers and channels ({error!r})") from None
        known = None if tokens is None else TokenCodec.from_json(tokens)
        sound = SoundCodec.from_json(found["sound"]) if "sound" in found else None
        frames = FrameCodec.from_json(found["frames"]) if "frames" in found else None
        return cls(known, None if numbers is None else NumberCodec.from_json(numbers), channels, sound, frames)


class Encoded:
    """A dataset with what codecs make of it: batches of its sequences."""

    def __init__(self, dataset: Dataset, inputs: InputCodec, target: TargetCodec) -> None:
        inputs.require_same_steps(dataset)
        self.dataset, self.inputs, self.target = dataset, inputs, target
        self.targets: Targets = target.encode(dataset)

    def __len__(self) -> int:
        return len(self.dataset)

    @cached_property
    def decisions(self) -> Places:
        """How many losses the steps of each sequence have, `[N]`: as many as there are steps, but for those of which no tag is said."""
        if self.target.target is not Target.TAGS:
            return self.dataset.lengths
        said = self.dataset.columns[TAGS].take(np.arange(len(self))) >= 0
        return np.add.reduceat(said, self.dataset.starts[:-1]) if len(said) else self.dataset.lengths

    def in_pieces(self, window: int) -> "Encoded":
        """The same steps in sequences of at most `window` steps."""
        return Encoded(self.dataset.in_pieces(window), self.inputs, self.target)

    def batch(self, which: Places, span: slice = WHOLE, *, targets: bool = False) -> Batch:
        """What is read of some sequences, of each the steps in `span`; with the `targets` of all of them if these are asked for."""
        steps, lengths = self._steps(which, span)
        fields: dict[str, Any] = {}
        tokens = self.inputs.tokens
        if tokens is not None:
            places = self.dataset.columns[TOKENS].elements.take(steps)
            fields["words"] = padded(self._words[places], lengths)
            if tokens.characters is not None:
                fields["spellings"] = self._spellings(places, lengths)
            if tokens.shapes is not None:
                fields["shapes"] = padded(self._shapes[places], lengths)
        if self.inputs.numbers is not None:
            fields["numbers"] = padded(self.inputs.numbers.apply(self.dataset.columns[NUMBERS].elements.take(steps)), lengths)
        if self.inputs.pixels is not None:
            fields["frames"] = padded(self.inputs.pixels.apply(self.dataset.columns[FRAMES].elements.take(steps)), lengths)
        return Batch(fields, torch.from_numpy(lengths), self.targets_of(which) if targets else None)

    def targets_of(self, which: Places) -> torch.Tensor:
        """The targets of some sequences, `[B, …]`, or of their steps, `[T, B, …]`, 0 past each end."""
        found = self.targets.take(which)
        return padded(found, self.dataset.lengths[which]) if self.target.target.each_step else torch.from_numpy(np.ascontiguousarray(found))

    def word_counts(self, which: Places) -> Places:
        """How often each word comes in some sequences, by its id; nothing where steps are not words."""
        if self.inputs.tokens is None:
            return np.zeros(0, np.int64)
        words = self._words[self.dataset.columns[TOKENS].take(which)]
        return np.bincount(words, minlength=self.inputs.tokens.words.size)

    def _steps(self, which: Places, span: slice) -> tuple[Places, Places]:
        starts = self.dataset.starts
        if span == WHOLE:
            return places(starts, which), self.dataset.lengths[which]
        ranges = [np.arange(starts[i], starts[i + 1])[span] for i in which]
        return np.concatenate([*ranges, np.zeros(0, np.int64)]), np.array([len(r) for r in ranges], np.int64)

    @cached_property
    def _words(self) -> Places:
        assert self.inputs.tokens is not None
        return self.inputs.tokens.ids(self.dataset.table)

    @cached_property
    def _shapes(self) -> Places:
        assert self.inputs.tokens is not None and self.inputs.tokens.shapes is not None
        return self.inputs.tokens.shapes.ids(map(word_shape, self.dataset.table))

    @cached_property
    def _letters(self) -> tuple[Places, Places]:
        """The characters of all tokens, one token after the other, and where each begins."""
        assert self.inputs.tokens is not None
        return self.inputs.tokens.spellings(self.dataset.table)

    def _spellings(self, tokens: Places, lengths: Places) -> Spellings:
        letters, begins = self._letters
        distinct, which = _distinct(tokens, len(begins) - 1)
        starts, sizes = begins[distinct], np.diff(begins)[distinct]
        places = np.repeat(starts - (np.cumsum(sizes) - sizes), sizes) + np.arange(sizes.sum())
        return Spellings(padded(letters[places], sizes), torch.from_numpy(sizes), padded(which, lengths))


def _distinct(numbers: Places, below: int) -> tuple[Places, Places]:
    """The different ones of some numbers in order, and which of these each is: `np.unique` without its sorting."""
    present = np.zeros(below, np.bool_)
    present[numbers] = True
    distinct, order = np.flatnonzero(present), np.empty(below, np.int64)
    order[distinct] = np.arange(len(distinct))
    return distinct, order[numbers]


def _chunks(part: Places, lengths: Places) -> list[Places]:
    """Some sequences at a time, of about `_AT_ONCE` steps together."""
    if not len(part):
        return []
    number = lengths[part].cumsum() // _AT_ONCE
    return np.split(part, np.flatnonzero(np.diff(number)) + 1)
