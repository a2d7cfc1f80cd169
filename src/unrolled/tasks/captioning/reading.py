"""Pictures and videos with their sentences, read and encoded: what is learnt, what is held out, and the codecs of both."""

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b

import numpy as np

from unrolled.data.codecs import InputCodec
from unrolled.data.codecs.text import WORD, TextCodec
from unrolled.data.codecs.transcripts import TranscriptCodec
from unrolled.data.columns import Places
from unrolled.data.dataset import Dataset, gather
from unrolled.data.examples import Example, Target
from unrolled.data.formats.bad_rows import ERROR
from unrolled.data.formats.captions import read_captions
from unrolled.data.pictures.clips import Clip
from unrolled.data.splits import deal, divide, input_keys
from unrolled.data.words import notice_clauses
from unrolled.errors import ConfigError, DataError, UnrolledWarning
from unrolled.tasks.captioning.captions import CaptionCodecs, Captions, Sentences
from unrolled.tasks.captioning.options import CNN, FEATURES, CaptionDataOptions, CaptioningOptions
from unrolled.tasks.captioning.rivals import Remembered
from unrolled.tasks.captioning.seeing import Eyes, View
from unrolled.tasks.sequences.reading import SPLIT
from unrolled.tasks.trained import Progress

_SHOWN = 60


@dataclass(frozen=True)
class Gathered:
    """Pictures as they are seen, with their sentences, what they are called, the rows and columns of what is seen of each, which of them are videos, and
    what was looked at."""

    dataset: Dataset
    sentences: Sentences
    names: list[str]
    grids: list[tuple[int, int]]
    videos: list[bool | None]
    clips: list[Clip]

    def captions(self, codecs: CaptionCodecs) -> Captions:
        """The same with what codecs make of it."""
        return Captions(self.dataset, self.sentences, self.names, self.grids, self.clips, codecs)

    def are_moving(self) -> bool:
        """Whether they are videos; features of which nothing is known are, if one has several steps. `DataError` for pictures among videos."""
        if {True, False} <= {*self.videos}:
            picture, video = (self.names[self.videos.index(moving)] for moving in (False, True))
            raise DataError(f"There are pictures and videos, such as {picture} and {video}. Pass either pictures or videos.")
        return True in self.videos or (False not in self.videos and int(self.dataset.lengths.max()) > 1)


@dataclass(frozen=True)
class CaptionData:
    """The data of a run: what is learnt and what is held out, each some of the pictures of a source."""

    codecs: CaptionCodecs
    captions: Captions
    learnt: Places
    measured: Captions
    held: Places
    fingerprint: str

    def summary(self) -> str:
        """What is input, what is target, and how much there is of it."""
        what = "videos" if self.codecs.moving else "pictures"
        pairs = self.captions.pairs_of(self.learnt)
        first = int(self.learnt.min())
        sentence = self.captions.sentences[first][0]
        size = f"{len(self.learnt):,} {what} with {len(pairs):,} sentences to learn, {len(self.held):,} {what} held out."
        target = self.codecs.target.text
        seen = (
            self.codecs.inputs.describe()
            if self.codecs.view.encoder == CNN
            else f"{self.codecs.inputs.describe()} of {self.codecs.view.encoder}"
        )
        return f"{size} Input: {seen}. Target: {target.size:,} symbols ({target.level}). The first: {self.captions.names[first]} → {shortened(sentence)!r}."


def shortened(sentence: str) -> str:
    """As much of a sentence as a message shows."""
    return sentence if len(sentence) <= _SHOWN else f"{sentence[: _SHOWN - 1]}…"


def read_caption_data(
    options: CaptioningOptions, progress: Progress, known: CaptionCodecs | None = None, *, widen: bool = True
) -> CaptionData:
    """Read what the options name, and set apart what is held out."""
    data, reading = options.data, options.reading
    if not data.sources:
        raise ConfigError("There is no DATA to train on. Pass a table of pictures with sentences: see docs/captions.md.")
    eyes = Eyes(View(data.encoder, data.crop, data.fps), moving=None if known is None else known.moving, choose=data.frame_codec)
    found = gather_captions(read_captions(data.sources, reading, features=data.encoder == FEATURES), eyes, reading.bad_rows, progress)
    eyes.moving = found.are_moving() if known is None else known.moving
    other = None
    if data.validation:
        examples = read_captions(data.validation, reading, features=data.encoder == FEATURES)
        other = gather_captions(examples, eyes, reading.bad_rows, progress)
    eyes.report()
    everything = np.arange(len(found.sentences))
    learnt, held = (everything, everything[:0]) if other else _divided(found.dataset, data, options.training.seed)
    if other:
        _notice_twice(found, other)
    elif data.held_out and not len(held):
        told = "Nothing is held out, as there is one picture or video, or all are the same, so nothing will be measured."
        warnings.warn(f"{told} Name pictures to measure on as `validation`.", UnrolledWarning, stacklevel=2)
    codecs = _learn(found, learnt, eyes, options, known, widen)
    captions = found.captions(codecs)
    measured = other.captions(codecs) if other else captions
    held = np.arange(len(other.sentences)) if other else held
    parts = (found.dataset.fingerprint, found.sentences, other and (other.dataset.fingerprint, other.sentences))
    fingerprint = blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return CaptionData(codecs, captions, learnt, measured, held, fingerprint)


def gather_captions(examples: Iterable[Example], eyes: Eyes, bad_rows: str | None = ERROR, progress: Progress | None = None) -> Gathered:
    """What is seen of some pictures, with their sentences."""
    sentences, names, grids, videos = list[tuple[str, ...]](), list[str](), list[tuple[int, int]](), list[bool | None]()
    clips = list[Clip]()

    def noted() -> Iterator[Example]:
        for number, sight in enumerate(eyes.each(examples, bad_rows), 1):
            example = sight.example
            assert sight.clip is not None
            clips.append(sight.clip)
            sentences.append(example.texts or ())
            names.append(example.name or example.place)
            grids.append(sight.grid)
            videos.append(sight.moving)
            if progress and number % 20 == 0:
                progress(f"looking: {number:,} pictures", 0, 1)
            yield replace(example, texts=None)

    # What is seen already needs no eyes any more.
    dataset = gather(noted(), "char", perceive=lambda seen: seen)
    return Gathered(dataset, tuple(sentences), names, grids, videos, clips)


def _learn(
    found: Gathered, learnt: Places, eyes: Eyes, options: CaptioningOptions, known: CaptionCodecs | None, widen: bool
) -> CaptionCodecs:
    data = options.data
    sentences = [sentence for i in learnt.tolist() for sentence in found.sentences[i]]
    plain = TranscriptCodec(TextCodec.learn((), "char"), data.lower)
    texts = [plain.plain(sentence) for sentence in sentences]
    if data.level == WORD:
        notice_clauses(texts, "Pass `level='char'`, or `level='subword'`.")
    target = TranscriptCodec(TextCodec.learn(texts, data.level, data.vocabulary, least=data.min_count), data.lower)
    if not target.text.vocabulary.names:
        raise DataError("The sentences to learn have no symbol at all. Pass pictures with what is in them.")
    inputs = InputCodec.learn(found.dataset, learnt, None, eyes.frames)
    if known is not None:
        if known.view != eyes.view:
            raise ConfigError(
                "`from_run` names a run that looks at pictures in another way. Give `encoder` and the sizes of pictures as there."
            )
        inputs, target = known.inputs.widened(inputs, widen=widen), known.target.widened(target, widen=widen)
    remembered = Remembered.learn(found.dataset, found.sentences, learnt, target, options.training.seed)
    return CaptionCodecs(eyes.view, inputs, target, bool(eyes.moving), remembered)


def _divided(dataset: Dataset, data: CaptionDataOptions, seed: int) -> tuple[Places, Places]:
    """What is learnt, and what is held out; equal pictures are on one side."""
    chance = np.random.default_rng([SPLIT, seed])
    if not data.fold:
        return divide(dataset, Target.TEXTS, data.held_out, chance)
    number, folds = data.fold
    held = deal(dataset, Target.TEXTS, folds, chance) == number - 1
    return np.flatnonzero(~held), np.flatnonzero(held)


def _notice_twice(found: Gathered, other: Gathered) -> None:
    """Say it if pictures to measure on are learnt as well, by what is seen and not by their names, or other parts of their videos are."""
    known, files = dict(zip(input_keys(found.dataset), found.names, strict=True)), {clip.path.resolve() for clip in found.clips}
    keys = list(input_keys(other.dataset))
    twice = [(name, known[key]) for key, name in zip(keys, other.names, strict=True) if key in known]
    some = zip(keys, other.names, other.clips, strict=True)
    parts = [name for key, name, clip in some if key not in known and clip.path.resolve() in files]
    if parts:
        told = f"{len(parts):,} of the {len(other.names):,} videos to measure on are of files of which other parts are learnt, such as {parts[0]}"
        warnings.warn(f"{told}. Have all parts of a file in one of the two.", UnrolledWarning, stacklevel=3)
    if twice:
        told = (
            f"{len(twice):,} of the {len(other.names):,} pictures to measure on are learnt, too: {twice[0][0]} is the same as {twice[0][1]}"
        )
        warnings.warn(f"{told}. Take them out of one of the two.", UnrolledWarning, stacklevel=3)
