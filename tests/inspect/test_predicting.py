"""What models expect, against their own scores."""

import numpy as np
import pytest
import torch

import unrolled as un
from input_batches import OPTIONS, SIZES, batch_of
from unrolled.errors import ConfigError, ShapeError
from unrolled.models import Classifier, Encoder, EncoderDecoder, EncoderDecoderOptions, LanguageModel, LinearChain, Softmax, Tagger

DOUBLE = torch.float64


@pytest.mark.parametrize("at_once", [1 << 22, 40])
@pytest.mark.parametrize("line_end", [None, 1])
def test_a_language_model_is_surprised_by_what_it_found_unlikely(line_end, at_once, monkeypatch):
    monkeypatch.setattr("unrolled.inspect.predicting.SCORES_AT_ONCE", at_once)
    torch.manual_seed(0)
    model = LanguageModel(7, "gru", 4, embedding=3, line_end=line_end).double()
    symbols = torch.randint(7, (9, 2))
    found = un.inspect.predictions(model, symbols, lengths=[9, 4], top=3)
    chances = model(symbols)[0].softmax(-1).detach()
    best, choices = chances.topk(3, -1)
    np.testing.assert_array_equal(found.choices[:4], choices[:4])
    np.testing.assert_allclose(found.probabilities[:4], best[:4])
    assert np.isnan(found.surprise[0]).all()
    assert np.isnan(found.surprise[4:, 1]).all()
    for row, n in enumerate((9, 4)):
        wanted = [-np.log2(chances[t - 1, row, symbols[t, row]].item()) for t in range(1, n)]
        np.testing.assert_allclose(found.surprise[1:n, row], wanted)
    assert found.summary == f"{np.nanmean(found.surprise):.2f} bits of surprise on average."


@pytest.mark.parametrize("crf", [False, True])
def test_a_tagger(crf):
    torch.manual_seed(0)
    model = Tagger(Encoder(SIZES, OPTIONS), "ABC", LinearChain("ABC") if crf else None).double()
    inputs, tags = batch_of(), torch.randint(3, (4, 4))
    found = un.inspect.predictions(model, inputs, tags)
    model.eval()
    chances = model.probabilities(model(inputs)[0], inputs.lengths).detach()
    assert found.choices.shape == (4, 4, 3)
    np.testing.assert_allclose(found.probabilities[:, 0], chances[:, 0].sort(descending=True).values)
    np.testing.assert_allclose(found.surprise[:, 0], -chances[:, 0].gather(-1, tags[:, :1])[:, 0].log2())
    assert np.isnan(found.surprise[:, 1]).all()


def test_a_classifier():
    torch.manual_seed(0)
    model, inputs = Classifier(Encoder(SIZES, OPTIONS), "mean", Softmax(3)).double(), batch_of()
    found = un.inspect.predictions(model, inputs, torch.tensor([0, 2, 1, 1]), top=2)
    model.eval()
    chances = model(inputs).softmax(-1).detach()
    np.testing.assert_allclose(found.probabilities, chances.topk(2, -1).values[None])
    np.testing.assert_allclose(found.surprise[0], -chances[torch.arange(4), torch.tensor([0, 2, 1, 1])].log2())
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
    chances = model(source, torch.tensor([4, 2]), clean, torch.tensor([3, 2])).softmax(-1).detach()
    np.testing.assert_allclose(found.probabilities[:2], chances[:2].sort(descending=True).values)
    np.testing.assert_allclose(found.surprise[:, 0], -chances[:, 0].gather(-1, target[:, :1])[:, 0].log2())
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
