"""Texts that need as many outputs as their recordings give."""

import json
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn import functional

from unrolled.cells import find_cell
from unrolled.errors import DataError, UnrolledWarning
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.recipes.transcribe import Transcribing
from unrolled.tasks.transcription.reading import with_room

FACTOR = 4


def can_be_said(text, outputs):
    """Whether torch finds a way to put the text among so many outputs."""
    logs = torch.zeros(outputs, 1, 27).log_softmax(-1)
    targets = torch.tensor([[ord(letter) - ord("a") + 1 for letter in text]])
    return bool(functional.ctc_loss(logs, targets, (outputs,), (len(text),), reduction="none").isfinite())


def test_texts_that_just_fit_are_kept():
    texts, lengths = zip(*[(text, steps) for text in ("ab", "abc", "aab", "aaa") for steps in range(4, 24)], strict=True)
    needed = [len(text) + sum(a == b for a, b in pairwise(text)) for text in texts]
    utterances = SimpleNamespace(lengths=np.array(lengths), needed=np.array(needed), places=[f"row {n}" for n in range(len(texts))])
    expected = [n for n in range(len(texts)) if can_be_said(texts[n], -(-lengths[n] // FACTOR))]
    assert 20 < len(expected) < len(texts) - 4
    with pytest.warns(UnrolledWarning, match=rf"row 0: .* left out, {len(texts) - len(expected)} recordings"):
        assert with_room(utterances, np.arange(len(texts)), FACTOR).tolist() == expected
    assert with_room(utterances, np.array(expected[::-1]), FACTOR).tolist() == expected[::-1]
    with pytest.raises(DataError, match="so it is with all recordings"):
        with_room(utterances, np.arange(1), FACTOR)


def test_what_is_played_faster_leaves_room_for_its_text(tmp_path):
    rows = [{"x": np.random.default_rng(n).standard_normal((21 + n, 3)).tolist(), "text": "abcabc"} for n in range(4)]
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, rows)))
    recipe = Transcribing()
    flat = {"sources": [str(tmp_path / "x.jsonl")], "input": "x", "target": "text", "held_out": 0.0, "hidden": 4, "layers": 1}
    configuration = Configuration.from_flat("transcribe", recipe.options, {**flat, "speed": 0.5, "subsampling": FACTOR})
    data = recipe.read(configuration, lambda *told: None)
    learner = recipe.task(recipe.build(configuration, data.codecs, find_cell("gru")), data, configuration).learner
    torch.manual_seed(0)
    changed = [learner.change(learner.get(np.arange(4))) for _ in range(8)]
    outputs = torch.cat([-(-batch.lengths // FACTOR) for batch in changed])
    assert outputs.min() == 6 == len("abcabc") and outputs.max() > 8
