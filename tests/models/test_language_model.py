from itertools import pairwise

import pytest
import torch
from torch.nn.functional import cross_entropy

from unrolled.cells import BUILT_IN
from unrolled.errors import ConfigError
from unrolled.layers import Recurrent
from unrolled.models import LanguageModel

SYMBOLS, END = 11, 1


def model_of(cell="lstm", hidden=8, layers=2, *, embedding=0, **options):
    torch.manual_seed(0)
    return LanguageModel(SYMBOLS, cell, hidden, layers, embedding=embedding, **options)


@pytest.mark.parametrize("cell", BUILT_IN)
@pytest.mark.parametrize("embedding", [0, 5])
def test_every_step_has_a_logit_for_every_symbol_and_the_state_carries(cell, embedding):
    model = model_of(cell, embedding=embedding)
    symbols = torch.randint(SYMBOLS, (7, 3))
    whole, last = model(symbols)
    assert whole.shape == (7, 3, SYMBOLS)
    assert [s.shape for s in last] == [(2, 3, 8)] * len(BUILT_IN[cell].states)
    first, state = model(symbols[:3])
    second, end = model(symbols[3:], state)
    torch.testing.assert_close(torch.cat([first, second]), whole)
    torch.testing.assert_close(end, last)
    whole.square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("cell", ["elman", "lstm"])
def test_one_hot_input_equals_an_embedding_of_unit_vectors(cell):
    one_hot, embedded = model_of(cell), model_of(cell, embedding=SYMBOLS)
    embedded.load_state_dict({**one_hot.state_dict(), "embedding.weight": torch.eye(SYMBOLS)})
    symbols = torch.randint(SYMBOLS, (7, 3))
    assert one_hot.embedding is None
    torch.testing.assert_close(one_hot(symbols)[0], embedded(symbols)[0])


def test_logits_are_the_output_layer_of_the_recurrent_layer():
    model = model_of(embedding=5).eval()
    symbols = torch.randint(SYMBOLS, (4, 2))
    torch.nn.init.normal_(model.output.bias)
    y, _ = model.recurrent(model.embedding.weight[symbols])
    torch.testing.assert_close(model(symbols)[0], y @ model.output.weight.T + model.output.bias)


def test_tied_weights_are_one_tensor():
    model = model_of(embedding=8, tied=True)
    assert model.output.weight is model.embedding.weight
    assert sum(p.shape == (SYMBOLS, 8) for p in model.parameters()) == 1
    loose = model_of(embedding=8)
    assert loose.output.weight is not loose.embedding.weight
    model(torch.zeros(2, 1, dtype=torch.long))[0].sum().backward()
    assert model.embedding.weight.grad.abs().min() > 0


@pytest.mark.parametrize(("embedding", "tied"), [(24, False), (150, False), (200, True)])
def test_symbols_begin_with_values_of_variance_one_in_every_gate(embedding, tied):
    torch.manual_seed(0)
    model = LanguageModel(300, "lstm", 200, embedding=embedding, tied=tied)
    x = model.vectors(torch.arange(300)[:, None])[:, 0]
    for gate in "ifzo":
        values = x @ model.recurrent.block(f"W_{gate}").T
        assert values.var().item() == pytest.approx(1, abs=0.15)
    # Tied vectors make the scores too, which begin small.
    assert model.embedding.weight.std().item() == pytest.approx(
        200**-0.5 if tied else ((embedding + 200) / (2 * embedding)) ** 0.5, rel=0.05
    )


@pytest.mark.parametrize("embedding", [0, 5])
def test_tied_weights_of_different_sizes_are_an_error(embedding):
    with pytest.raises(ConfigError, match=f"got {embedding} and 8"):
        model_of(embedding=embedding, tied=True)


@pytest.mark.parametrize("layers", [1, 2])
def test_dropout_in_training_alone(layers):
    model = model_of(layers=layers, dropout=0.5)
    symbols = torch.randint(SYMBOLS, (7, 3))
    assert not torch.equal(model(symbols)[0], model(symbols)[0])
    model.eval()
    assert torch.equal(model(symbols)[0], model(symbols)[0])
    plain = model_of(layers=layers)
    torch.testing.assert_close(model(symbols)[0], plain(symbols)[0])


def test_dropout_leaves_the_input_vectors_whole():
    model = model_of("elman", layers=1, embedding=5, dropout=0.9)
    symbols = torch.randint(SYMBOLS, (7, 3))
    states = [model(symbols)[1][0] for _ in range(2)]
    assert torch.equal(*states)


def test_options_reach_the_recurrent_layer():
    options = {"recurrent_dropout": 0.25, "initial_state": "learned", "residual": True, "engine": "eager", "dropout": 0.1}
    layer = model_of(**options).recurrent
    assert isinstance(layer, Recurrent)
    assert {name: getattr(layer, name) for name in options} == options
    assert (layer.num_layers, layer.hidden_size, layer.input_size) == (2, 8, SYMBOLS)
    assert hasattr(layer, "h_0_l0")


def test_the_first_prediction_is_nearly_uniform():
    model = model_of(hidden=32)
    chances = model(torch.randint(SYMBOLS, (5, 4)))[0].softmax(-1)
    assert chances.max() < 3 / SYMBOLS
    assert not model.output.bias.any()


def alone(model, symbols):
    """The logits and the last state of each row, every line of which is run by itself."""
    logits, finals = [], []
    for row in symbols.T:
        edges = sorted({0, *(row == END).nonzero().flatten().tolist(), len(row)})
        pieces = [model(row[a:b, None]) for a, b in pairwise(edges)]
        logits.append(torch.cat([each for each, _ in pieces]))
        finals.append(pieces[-1][1])
    return torch.cat(logits, 1), tuple(torch.cat(f, 1) for f in zip(*finals, strict=True))


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize("window", [1, 2, 5, 9, 23])
@pytest.mark.parametrize("options", [{}, {"embedding": 5, "initial_state": "learned"}, {"cell": "gru", "residual": True}])
def test_lines_give_what_each_gives_alone_however_windows_cut_them(options, window):
    models = [model_of(line_end=end, **options).double() for end in (END, None)]
    for model in models:
        torch.manual_seed(3)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.5)
    generator = torch.Generator().manual_seed(1)
    symbols = torch.randint(SYMBOLS, (23, 4), generator=generator)
    symbols[torch.rand(23, 4, generator=generator) < 0.2] = END
    symbols[symbols[:, 2] == END, 2] = 3  # One row never ends.
    symbols[[0, 7, 8, 22], 1] = END
    targets = torch.randint(SYMBOLS, (23 * 4,), generator=generator)
    state, pieces = None, []
    for part in symbols.split(window):
        logits, state = models[0](part, state)
        pieces.append(logits)
    found, wanted = torch.cat(pieces), alone(models[1], symbols)
    torch.testing.assert_close(found, wanted[0], atol=1e-10, rtol=0)
    torch.testing.assert_close(state, wanted[1], atol=1e-10, rtol=0)
    for logits in (found, wanted[0]):
        cross_entropy(logits.flatten(0, 1), targets).backward()
    for mine, reference in zip(*(model.parameters() for model in models), strict=True):
        torch.testing.assert_close(mine.grad, reference.grad, atol=1e-10, rtol=0)
