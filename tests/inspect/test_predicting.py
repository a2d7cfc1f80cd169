"""What models expect, against their own scores."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import unrolled as un
from input_batches import OPTIONS, SIZES, batch_of
from squares import Squares
from unrolled.errors import ConfigError, ShapeError
from unrolled.models import (
    EachStep,
    Encoder,
    EncoderDecoder,
    EncoderDecoderOptions,
    LinearChain,
    NextStep,
    NextStepOptions,
    Softmax,
    Whole,
    language_model,
)

DOUBLE = torch.float64


@pytest.mark.parametrize("at_once", [1 << 22, 40])
@pytest.mark.parametrize("line_end", [None, 1])
def test_a_language_model_is_surprised_by_what_it_found_unlikely(line_end, at_once, monkeypatch):
    monkeypatch.setattr("unrolled.inspect.predicting.SCORES_AT_ONCE", at_once)
    torch.manual_seed(0)
    model = language_model(7, NextStepOptions(cell="gru", hidden=4, embedding=3, dropout=0.0), line_end=line_end).double()
    symbols = torch.randint(7, (9, 2))
    found = un.inspect.predictions(model, symbols, lengths=[9, 4], top=3)
    likely = model(symbols)[0].softmax(-1).detach()
    best, choices = likely.topk(3, -1)
    np.testing.assert_array_equal(found.choices[:4], choices[:4])
    np.testing.assert_allclose(found.probabilities[:4], best[:4])
    assert np.isnan(found.surprise[0]).all()
    assert np.isnan(found.surprise[4:, 1]).all()
    for row, n in enumerate((9, 4)):
        wanted = [-np.log2(likely[t - 1, row, symbols[t, row]].item()) for t in range(1, n)]
        np.testing.assert_allclose(found.surprise[1:n, row], wanted)
    assert found.summary == f"{np.nanmean(found.surprise):.2f} bits of surprise on average."


def test_a_language_model_that_reads_a_window():
    torch.manual_seed(0)
    options = NextStepOptions(cell="gru", hidden=4, embedding=3, dropout=0.0, input_window=3)
    model = language_model(7, options, line_end=1).double()
    symbols = torch.randint(7, (9, 2))
    symbols[4, 0] = 1
    likely = model(symbols)[0].softmax(-1).detach()
    found = un.inspect.predictions(model, symbols, top=7)
    np.testing.assert_allclose(found.probabilities, likely.sort(-1, descending=True).values)
    wanted = -likely[:-1].gather(-1, symbols[1:, :, None])[..., 0].log2()
    np.testing.assert_allclose(found.surprise[1:], wanted)


@pytest.mark.parametrize("kind", ["whole", "each step", "next step"])
@pytest.mark.parametrize("known", [False, True])
def test_a_head_without_classes_has_no_probabilities(kind, known):
    torch.manual_seed(0)
    options = replace(OPTIONS, bidirectional=kind != "next step")
    encoder, inputs = Encoder(SIZES, options), batch_of()
    model = Whole(encoder, "max", Squares()) if kind == "whole" else EachStep(encoder, Squares())
    model = NextStep(encoder, Squares()) if kind == "next step" else model
    targets = torch.randn(*(inputs.shape[1:] if kind == "whole" else inputs.shape), 2) if known else None
    with pytest.raises(ConfigError, match="A Squares head predicts numbers, and has no classes with probabilities"):
        un.inspect.predictions(model, inputs, targets)


@pytest.mark.parametrize("crf", [False, True])
def test_a_tagger(crf):
    torch.manual_seed(0)
    model = EachStep(Encoder(SIZES, OPTIONS), LinearChain("ABC") if crf else Softmax(3)).double()
    inputs, tags = batch_of(), torch.randint(3, (4, 4))
    found = un.inspect.predictions(model, inputs, tags)
    model.eval()
    likely = model.probabilities_of(model(inputs)[0], inputs.lengths).detach()
    assert found.choices.shape == (4, 4, 3)
    np.testing.assert_allclose(found.probabilities[:, 0], likely[:, 0].sort(descending=True).values)
    np.testing.assert_allclose(found.surprise[:, 0], -likely[:, 0].gather(-1, tags[:, :1])[:, 0].log2())
    assert np.isnan(found.surprise[:, 1]).all()


def test_a_classifier():
    torch.manual_seed(0)
    model, inputs = Whole(Encoder(SIZES, OPTIONS), "mean", Softmax(3)).double(), batch_of()
    found = un.inspect.predictions(model, inputs, torch.tensor([0, 2, 1, 1]), top=2)
    model.eval()
    likely = model(inputs).softmax(-1).detach()
    np.testing.assert_allclose(found.probabilities, likely.topk(2, -1).values[None])
    np.testing.assert_allclose(found.surprise[0], -likely[torch.arange(4), torch.tensor([0, 2, 1, 1])].log2())
    assert un.inspect.predictions(model, inputs).summary == "Nothing is known of what should come."
    with pytest.raises(ShapeError, match=r"`targets` must have shape \[B\]"):
        un.inspect.predictions(model, inputs, torch.zeros(3))


@pytest.mark.parametrize("attention", ["none", "additive"])
@pytest.mark.parametrize("feeding", [False, True])
def test_an_encoder_decoder_step_by_step(attention, feeding):
    torch.manual_seed(0)
    options = EncoderDecoderOptions(hidden=4, embedding=3, attention=attention, input_feeding=feeding and attention != "none", dropout=0.5)
    model = EncoderDecoder(6, 5, options).double()
    source, target = torch.randint(6, (4, 2)), torch.tensor([[2, 3], [4, 1], [1, 9]])
    found = un.inspect.predictions(model, source, target, [4, 2])
    model.eval()
    clean = torch.tensor([[2, 3], [4, 1], [1, 0]])
    likely = model(source, torch.tensor([4, 2]), clean, torch.tensor([3, 2])).softmax(-1).detach()
    np.testing.assert_allclose(found.probabilities[:2], likely[:2].sort(descending=True).values)
    np.testing.assert_allclose(found.surprise[:, 0], -likely[:, 0].gather(-1, target[:, :1])[:, 0].log2())
    assert np.isnan(found.surprise[2, 1])
    if attention == "none":
        assert found.attention is None
    else:
        assert found.attention.shape == (3, 2, 4)
        np.testing.assert_allclose(found.attention.sum(-1), 1)
        assert not found.attention[:, 1, 2:].any()
    with pytest.raises(ConfigError, match="needs a source"):
        un.inspect.predictions(model, source)


def test_a_layer_predicts_nothing():
    with pytest.raises(ConfigError, match="A Recurrent predicts nothing"):
        un.inspect.predictions(un.Recurrent("gru", 3, 4), torch.zeros(2, 1, 3))
