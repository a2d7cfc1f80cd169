"""What a network that writes about pictures must beat: one sentence for all, and the sentence of the most similar picture that was learnt."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.data.columns import Places
from unrolled.data.dataset import FRAMES, NUMBERS, Dataset
from unrolled.data.packed import packed, unpacked
from unrolled.data.vocabulary import damaged
from unrolled.errors import DataError
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


@dataclass(frozen=True)
class Remembered:
    """Of the training part: the best `constant` sentence; `vectors` `[N, D]` of pictures, each of length 1, with a sentence of each; and `digests` `[S]` of all sentences."""

    constant: str
    vectors: Vectors
    sentences: tuple[str, ...]
    digests: NDArray[np.uint64]

    @classmethod
    def learn(cls, dataset: Dataset, sentences: Sequence[Sequence[str]], part: Places, cut: Cut, seed: int) -> "Remembered":
        """From the pictures of a part and their sentences; of many pictures some are drawn."""
        chosen = part if len(part) <= MOST else np.sort(np.random.default_rng(seed).permutation(part)[:MOST])
        some = [sentences[i] for i in chosen.tolist()]
        every = {_digest(cut(sentence)) for i in part.tolist() for sentence in sentences[i]}
        vectors = looks(dataset, chosen)
        return cls(_constant(some, cut), vectors, tuple(one[0] for one in some), np.array(sorted(every), np.uint64))

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

    def to_json(self) -> Any:
        """All of it, ready for JSON."""
        vectors = {"columns": self.vectors.shape[1], "vectors": packed(self.vectors.astype("<f2"))}
        return {"constant": self.constant, **vectors, "sentences": self.sentences, "digests": packed(self.digests.astype("<u8"))}

    @classmethod
    def from_json(cls, found: Any) -> "Remembered":
        """What `to_json` gave. `RunError` for something else."""
        try:
            sentences, columns = tuple(map(str, found["sentences"])), int(found["columns"])
            vectors = unpacked(found["vectors"], "<f2").astype(np.float32).reshape(len(sentences), columns)
            return cls(str(found["constant"]), vectors, sentences, unpacked(found["digests"], "<u8").astype(np.uint64))
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(f"what is remembered must have a constant, columns, vectors, sentences and digests ({error!r})") from None


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


def _constant(sentences: Sequence[Sequence[str]], cut: Cut) -> str:
    """Of the sentences that are most like all others the one with the highest BLEU beside all."""
    tokens = [[cut(sentence) for sentence in some] for some in sentences]
    candidates = dict.fromkeys(sentences[picture][place] for picture, place in central(tokens, CANDIDATES))
    return max(candidates, key=lambda one: bleus([cut(one)] * len(tokens), tokens, ORDERS[-1:])[0])


def _digest(tokens: Tokens) -> int:
    return int.from_bytes(blake2b("\n".join(tokens).encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
