"""A network that was trained on streams must know how to begin: many starts, each beside the same text read by one that goes on."""

import pytest
import torch
from torch.nn.functional import cross_entropy

import unrolled as un
from heard import Heard
from unrolled.data.corpus import prepare
from unrolled.data.text import find_sources, read_text
from unrolled.tasks.texts.measuring import TextMeasuring
from unrolled.training import Silent

STARTS, LEARNT, HELD_OUT = 64, 40_000, 8_000


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """A text with tables and prose, as files to learn and to hold out."""
    folder = tmp_path_factory.mktemp("texts")
    text = "".join(chunk.text for chunk in read_text(find_sources(["builtin:python-docs"])))
    for name, part in (("learnt", text[:LEARNT]), ("held-out", text[-HELD_OUT:])):
        (folder / name).write_text(part, encoding="utf-8")
    return folder / "learnt", folder / "held-out"


@torch.inference_mode()
def losses(model, ids):
    """The loss of each token of `[T + 1, B]` but the first, each column begun without a state."""
    return cross_entropy(model(ids[:-1])[0].flatten(0, 1), ids[1:].flatten(), reduction="none").view(len(ids) - 1, -1)


VARIANTS = [(2, {}), (0, {"backprop": 48, "initial_state": "learned"}), (1, {"tied": True, "embedding": 256})]
"""A seed each: what any of them does without resets shows."""


@pytest.mark.parametrize(("seed", "options"), VARIANTS)
def test_wherever_it_begins_it_finds_its_way(texts, tmp_path, seed, options):
    """After few updates, where large cells that only long streams build up are tempting. Without resets and with embeddings that the recurrent
    part drowns, 3 to 8 starts of 64 stay several nats above."""
    text, validation = texts
    limits = {"epochs": 1, "batch": 8, "window": 32, "evaluations": 1, "hidden": 256, "learning_rate": 0.01, "warmup": 30}
    run = un.train_language_model(text, validation=(validation,), out=tmp_path / "run", seed=seed, display=Silent(), **limits, **options)
    ids = torch.from_numpy(run.codec.encode("\n" + validation.read_text(encoding="utf-8")))
    part = (len(ids) - 1) // STARTS
    going = losses(run.model, ids[: STARTS * part + 1, None]).view(STARTS, part).t()
    begun = losses(run.model, torch.stack([ids[i * part : (i + 1) * part + 1] for i in range(STARTS)], 1))
    late = (begun - going)[part // 2 :].mean(0)
    assert late.max() < 0.3
    assert (begun - going)[:8].mean() < 0.25
    assert going.mean() < 2.5


def test_streams_are_reset_while_they_are_learnt_unless_one_asks_for_none(texts, tmp_path):
    """What is learnt of the initial states tells: without resets they are read once an epoch."""
    moved = {}
    limits = {"epochs": 1, "batch": 8, "window": 16, "evaluations": 1, "hidden": 16, "initial_state": "learned"}
    for name, options in {"default": {}, "often": {"reset_probability": 0.3}, "never": {"reset_probability": 0.0}}.items():
        run = un.train_language_model(texts[0], validation=(texts[1],), out=tmp_path / name, display=Silent(), **limits, **options)
        moved[name] = float(run.model.recurrent.c_0_l0.detach().norm())
        assert f"reset_probability = {options.get('reset_probability', 0.02)}" in (tmp_path / name / "config.toml").read_text()
    assert moved["often"] > moved["default"] > 1.5 * moved["never"]


def test_a_run_that_is_worse_than_guessing_by_frequency_says_so_and_what_to_try(texts, tmp_path):
    limits = {"epochs": 1, "hidden": 8, "evaluations": 2}
    said = {}
    for name, rate in (("useless", 1e-9), ("useful", 0.02)):
        display = Heard()
        run = un.train_language_model(texts[0], validation=(texts[1],), out=tmp_path / name, display=display, learning_rate=rate, **limits)
        said[name] = display.said
        found = run.evaluate(texts[1])
        assert (found.parts, found.lost) == (1, int(name == "useless"))
        assert (found.nats >= found.unigram) == (name == "useless")
    *_, differs, warning = said["useless"]
    assert (
        warning.startswith("WARNING: what was learnt is of no use") and "`reset_probability`" in warning and "by its frequency" in warning
    )
    assert "read in one part, from its beginning" in differs and "into 7, read side by side" in differs
    assert "of 7 parts are no better" in "".join(said["useless"])
    assert not any("WARNING" in line for line in said["useful"])
    assert "no better" not in said["useful"][-2]


def test_a_last_loss_far_from_that_on_the_way_is_remarked(texts, tmp_path):
    run = un.train_language_model(texts[0], validation=(texts[1],), out=tmp_path / "run", display=Silent(), epochs=1, hidden=8)
    measuring = TextMeasuring(run.model, prepare(texts[0], validation=texts[1]))
    measures = {"held_out": 2.2, "unigram": 3.3, "parts": 1, "lost": 0, "unknown": 0, "accuracy": 0.4}
    assert [(criterion.name, criterion.read(measures)) for criterion in measuring.criteria] == [("loss", 2.2), ("accuracy", 0.4)]
    assert [line for line in measuring.remarks(measures, 2.15) if "WARNING" in line] == []
    (warning,) = [line for line in measuring.remarks(measures, 2.0) if "WARNING" in line]
    assert "2.2000 nats per character now and 2.0000 on the way are far apart" in warning
    assert [line for line in measuring.remarks(measures, 2.5) if "WARNING" in line]
    assert not [line for line in measuring.remarks({**measures, "held_out": 2e-4}, 1e-4) if "WARNING" in line]
    assert list(measuring.remarks(measures, None)) == []
    (useless,) = measuring.remarks({**measures, "held_out": float("nan")}, None)
    assert "of no use" in useless
    assert list(measuring.remarks({**measures, "parts": 7}, 2.19)) == []  # As it was measured on the way.
