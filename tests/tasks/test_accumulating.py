"""Gradient accumulation is one large batch: whatever the lengths and weights of what is in its parts."""

import json

import pytest
import torch

import unrolled as un
from unrolled.training import RunFolder, Silent, loop

WORDS = ["a", "bb", "ccc", "dd", "e", "ffff", "gg", "h"]
LENGTHS = (1, 60, 3, 9, 2, 31, 5)
"""Distinct, so that no two parts of an update have as many steps."""

TEXTS = [" ".join(WORDS[(7 * row + step * step) % len(WORDS)] for step in range(length)) for row, length in enumerate(LENGTHS)]


def table(labels):
    return "text,label\n" + "".join(f"{text},{label}\n" for text, label in zip(TEXTS, labels, strict=True))


CLASSES = table("xyxxxzx")
TAGS = "".join("".join(f"{word}\t{'XYZ'[len(word) % 3]}\n" for word in text.split()) + "\n" for text in TEXTS)
PAIRS = "".join(f"{text}\t{' '.join(text.split()[: 1 + len(text) // 7])}\n" for text in TEXTS)
NUMBERS = "".join(
    json.dumps(
        {"x": [[step % 3, row] for step in range(length)], "y": row, "z": -row * row, "s": [step * row % 5 for step in range(length)]}
    )
    + "\n"
    for row, length in enumerate(LENGTHS)
)

CASES = {
    "classify": (un.train_classifier, "texts.csv", CLASSES, {}),
    "weighted": (un.train_classifier, "texts.csv", CLASSES, {"class_weights": "balanced"}),
    "ordinal": (un.train_classifier, "texts.csv", table("1213231"), {"output": "ordinal", "class_weights": "balanced"}),
    "several labels": (un.train_classifier, "texts.csv", table(["x", "x|y", "z", "y", "x|z", "x", "y|z"]), {"separator": "|"}),
    "tag": (un.train_tagger, "tags.conll", TAGS, {"format": "columns"}),
    "weighted tags": (un.train_tagger, "tags.conll", TAGS, {"format": "columns", "class_weights": "balanced"}),
    "chain": (un.train_tagger, "tags.conll", TAGS, {"format": "columns", "crf": True}),
    "pieces": (un.train_tagger, "tags.conll", TAGS, {"format": "columns", "window": 8}),
    "regress": (un.train_regressor, "series.jsonl", NUMBERS, {"input": "x", "target": "y,z"}),
    "regress steps": (un.train_regressor, "series.jsonl", NUMBERS, {"input": "x", "target": "s", "loss": "normal"}),
    "translate": (un.train_translator, "pairs.tsv", PAIRS, {}),
    "smoothed": (un.train_translator, "pairs.tsv", PAIRS, {"label_smoothing": 0.2, "copy": True}),
}
EXACT = {"hidden": 4, "embedding": 3, "dropout": 0.0, "epochs": 1, "evaluations": 1, "device": "cpu", "display": Silent()}


class Narrowing(un.Callback):
    """What was learnt in float64 is kept as the run will be loaded."""

    def began(self, running):
        self.running = running

    def ended(self, outcome):
        self.running.folder.save_weights(self.running.task.model.float())


@pytest.fixture
def learnt(monkeypatch, tmp_path):
    """Trains, in float64 but where the data are numbers (which are float32), and gives the gradient of every update, and what was logged of the first."""
    adamw = loop.adamw
    clip = torch.nn.utils.clip_grad_norm_

    def run(train, data, **options):
        gradients = []
        numbers = train is un.train_regressor
        monkeypatch.setattr(loop, "adamw", lambda model, options: adamw(model if numbers else model.double(), options))

        def watched(parameters, limit):
            parameters = list(parameters)
            gradients.append([p.grad.clone() for p in parameters])
            return clip(parameters, limit)

        monkeypatch.setattr(loop.nn.utils, "clip_grad_norm_", watched)
        out = tmp_path / "-".join(map(str, options.values()))
        train(data, validation=data, out=out, callbacks=[Narrowing()], **{**EXACT, **options})
        return gradients, RunFolder(out).history.records()[0]

    return run


def assert_alike(one, other):
    """The gradients of the only update, and its record."""
    (found,), logged = one
    (wanted,), record = other
    exact = found[0].dtype == torch.float64
    torch.testing.assert_close(found, wanted, **({"rtol": 1e-9, "atol": 1e-14} if exact else {"rtol": 1e-4, "atol": 1e-6}))
    for name in ("update", "tokens", "loss", "gradient_norm"):
        assert logged[name] == pytest.approx(record[name], rel=1e-9 if exact else 1e-5)


@pytest.mark.parametrize("case", CASES)
def test_the_parts_of_an_update_are_one_large_batch(case, learnt, tmp_path):
    train, name, text, options = CASES[case]
    options = options if train is un.train_translator else {"word_dropout": 0.0, **options}
    data = tmp_path / name
    data.write_text(text)
    whole = learnt(train, data, batch=1000, **options)
    # Each task has parts without padding, too.
    for batch in (1, 2) if case in ("classify", "tag", "regress", "translate") else (2,):
        assert_alike(learnt(train, data, batch=batch, accumulate=1000, **options), whole)


@pytest.mark.parametrize("lines", [False, True])
def test_the_windows_of_an_update_are_one_long_window_in_which_gradients_end_where_they_did(lines, learnt, tmp_path):
    data = tmp_path / "text.txt"
    data.write_text("\n".join(TEXTS))
    options = {"level": "char", "batch": 3, "backprop": 8, "reset_probability": 0.0, "lines": lines}
    parts = learnt(un.train_language_model, data, window=8, accumulate=1000, **options)
    steps = parts[1]["tokens"] // 3
    assert steps % 8
    assert_alike(parts, learnt(un.train_language_model, data, window=steps, **options))
