"""What a network that writes about pictures must beat: one sentence for all, and the sentence of the most similar picture that was learnt."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.codecs.transcripts import TranscriptCodec
from unrolled.data.columns import Places
from unrolled.data.dataset import FRAMES, NUMBERS, Dataset
from unrolled.data.packed import packed, unpacked
from unrolled.data.splits import input_keys
from unrolled.data.vocabulary import damaged
from unrolled.errors import DataError
from unrolled.tasks.captioning.cutting import cutter
from unrolled.tasks.measures.captions import ORDERS, Cut, Tokens, bleus, central

THUMBNAIL = 8
"""The side of the small pictures by which pixels are compared."""

MOMENTS = 3
"""Frames of a video that are compared: the first, one in the middle, and the last."""

MOST = 5000
"""Most pictures that are remembered, and most that one sentence for all is chosen by."""

CANDIDATES = 30
"""Sentences of which the best one is chosen."""

Vectors = NDArray[np.float32]
Digests = NDArray[np.uint64]


@dataclass(frozen=True)
class Remembered:
    """Of the training part: the best `constant` sentence; `vectors` `[N, D]` of pictures, each of length 1, with a sentence of each; `digests` `[S]` of all
    sentences, and those of all `pictures` `[P]`; and how many symbols the `longest` sentence has."""

    constant: str
    vectors: Vectors
    sentences: tuple[str, ...]
    digests: Digests
    pictures: Digests
    longest: int

    @classmethod
    def learn(cls, dataset: Dataset, sentences: Sequence[Sequence[str]], part: Places, target: TranscriptCodec, seed: int) -> "Remembered":
        """From the pictures of a part and their sentences, as a codec writes them; of many pictures some are drawn."""
        cut, chosen = cutter(target), part if len(part) <= MOST else np.sort(np.random.default_rng(seed).permutation(part)[:MOST])
        some = [sentences[i] for i in chosen.tolist()]
        every = [sentence for i in part.tolist() for sentence in sentences[i]]
        keys = [*input_keys(dataset)]
        return cls(
            best_constant(some, cut),
            looks(dataset, chosen),
            tuple(one[0] for one in some),
            _sorted(_digest(cut(sentence)) for sentence in every),
            _sorted(_first(keys[i]) for i in part.tolist()),
            max(len(target.ids(sentence)) for sentence in every),
        )

    def nearest(self, vectors: Vectors) -> list[str]:
        """The sentence of the most similar picture, for vectors `[M, D]`. `DataError` for others than were learnt."""
        if vectors.shape[1] != self.vectors.shape[1]:
            told = f"Pictures must be compared by {self.vectors.shape[1]} numbers, got {vectors.shape[1]}"
            raise DataError(f"{told}. Pass pictures, or features, like those that were learnt.")
        return [self.sentences[i] for i in (vectors @ self.vectors.T).argmax(1).tolist()]

    def learnt(self, tokens: Tokens) -> bool:
        """Whether a sentence of these tokens was learnt."""
        wanted = np.uint64(_digest(tokens))
        place = int(np.searchsorted(self.digests, wanted))
        return place < len(self.digests) and bool(self.digests[place] == wanted)

    def seen(self, dataset: Dataset) -> Places:
        """Which pictures of a dataset were learnt, by what is seen of them."""
        return np.flatnonzero(np.isin(np.array([_first(key) for key in input_keys(dataset)], np.uint64), self.pictures))

    def to_json(self) -> Any:
        """All of it, ready for JSON."""
        vectors = {"columns": self.vectors.shape[1], "vectors": packed(self.vectors.astype("<f2"))}
        digests = {name: packed(getattr(self, name).astype("<u8")) for name in ("digests", "pictures")}
        return {"constant": self.constant, **vectors, "sentences": self.sentences, **digests, "longest": self.longest}

    @classmethod
    def from_json(cls, found: Any) -> "Remembered":
        """What `to_json` gave. `RunError` for something else."""
        try:
            sentences, columns = tuple(map(str, found["sentences"])), int(found["columns"])
            vectors = unpacked(found["vectors"], "<f2").astype(np.float32).reshape(len(sentences), columns)
            digests, pictures = (unpacked(found[name], "<u8").astype(np.uint64) for name in ("digests", "pictures"))
            return cls(str(found["constant"]), vectors, sentences, digests, pictures, int(found["longest"]))
        except (KeyError, TypeError, ValueError) as error:
            told = "a constant, columns, vectors, sentences, digests, pictures and the longest"
            raise damaged(f"what is remembered must have {told} ({error!r})") from None


def looks(dataset: Dataset, which: Places) -> Vectors:
    """What some pictures look like, `[N, D]`, each of length 1: the mean of their numbers, or small pictures of their first, middle and last frame."""
    rows = [_look(dataset, int(i)) for i in which]
    found = np.stack(rows) if rows else np.zeros((0, 1), np.float32)
    found = found - found.mean(1, keepdims=True)
    norms = np.linalg.norm(found, axis=1, keepdims=True)
    shown: Vectors = (found / np.where(norms > 0, norms, 1)).astype(np.float32)
    return shown


def _look(dataset: Dataset, picture: int) -> Vectors:
    first, last = dataset.starts[picture : picture + 2].tolist()
    if NUMBERS in dataset.columns:
        mean: Vectors = dataset.columns[NUMBERS].elements.read(first, last).mean(0)
        return mean
    frames = dataset.columns[FRAMES].elements.take(np.linspace(first, last - 1, MOMENTS).astype(np.int64))
    return np.concatenate([_small(frame.astype(np.float32)).ravel() for frame in frames])


def _small(frame: Vectors) -> Vectors:
    """The means of the parts of a frame `[H, W, C]`, `THUMBNAIL` a side at most."""
    for axis in (0, 1):
        size = frame.shape[axis]
        edges = np.linspace(0, size, min(THUMBNAIL, size) + 1).astype(np.int64)
        counts = np.diff(edges).reshape([-1, 1, 1] if axis == 0 else [1, -1, 1])
        frame = (np.add.reduceat(frame, edges[:-1], axis) / counts).astype(np.float32)
    return frame


def best_constant(sentences: Sequence[Sequence[str]], cut: Cut) -> str:
    """Of the sentences that are most like all others the one with the highest BLEU beside all."""
    tokens = [[cut(sentence) for sentence in some] for some in sentences]
    candidates = dict.fromkeys(sentences[picture][place] for picture, place in central(tokens, CANDIDATES))
    return max(candidates, key=lambda one: bleus([cut(one)] * len(tokens), tokens, ORDERS[-1:])[0])


def _digest(tokens: Tokens) -> int:
    return _first(blake2b("\n".join(tokens).encode("utf-8", "surrogatepass"), digest_size=8).digest())


def _first(key: bytes) -> int:
    """The first 64 bits of a digest as a number."""
    return int.from_bytes(key[:8], "little")


def _sorted(digests: Iterable[int]) -> Digests:
    return np.array(sorted({*digests}), np.uint64)
