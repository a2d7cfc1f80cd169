"""Small files of sequences, and what is learnt from them."""

import random

import numpy as np
import pytest

from unrolled.data.codecs import Encoded
from unrolled.models import Whole


@pytest.fixture
def table(tmp_path):
    """Whether good or bad came last decides."""
    chance = random.Random(4)
    lines = ["text,label"]
    for _ in range(160):
        words = [chance.choice(["good", "bad", "film", "plot", "Actors"]) for _ in range(chance.randint(1, 7))]
        last = next((w for w in reversed(words) if w in ("good", "bad")), "neither")
        lines.append(f"{' '.join(words)},{last}")
    path = tmp_path / "films.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def tags(tmp_path):
    """Names after a title are people."""
    chance = random.Random(5)
    rows = []
    for _ in range(120):
        for _ in range(chance.randint(1, 4)):
            if chance.random() < 0.5:
                rows += ["Dr O", f"{chance.choice(['Ada', 'Bo', 'Cy'])} B-per", f"{chance.choice(['Fox', 'Lee'])} I-per"]
            else:
                rows += [f"{chance.choice(['Ada', 'walks', 'sees'])} O"]
        rows.append("")
    path = tmp_path / "people.conll"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def seen(monkeypatch):
    """The standardised numbers of the batches that were learnt, `[T, B, C]` each, and what they were before they were changed."""
    batches, read = [], []
    learn, prepare = Whole.loss, Encoded.batch

    def batch(self, *which, targets=False):
        found = prepare(self, *which, targets=targets)
        if targets:
            read.append(found["numbers"].numpy().copy())
        return found

    def loss(self, batch, weights=None):
        batches.append((batch["numbers"].numpy().copy(), read[-1]))
        return learn(self, batch, weights)

    monkeypatch.setattr(Encoded, "batch", batch)
    monkeypatch.setattr(Whole, "loss", loss)
    return batches


@pytest.fixture
def waves(tmp_path):
    """Series that rise or fall."""
    rng = np.random.default_rng(0)
    lines = ["@problemName waves", "@dimensions 1", "@classLabel true up down", "@data"]
    for label, sign in (("up", 1), ("down", -1)):
        lines += [",".join(f"{v:.3f}" for v in 5 + sign * np.arange(9) + rng.normal(0, 0.3, 9)) + f":{label}" for _ in range(20)]
    path = tmp_path / "waves.ts"
    path.write_text("\n".join(lines) + "\n")
    return path
