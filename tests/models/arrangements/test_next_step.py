from itertools import pairwise

import pytest
import torch
from torch.nn.functional import cross_entropy, linear

from by_hand import COMMON
from input_batches import CHANNELS
from unrolled.cells import BUILT_IN, find_cell
from unrolled.data.batches import Batch
from unrolled.errors import ConfigError
from unrolled.layers import Recurrent
from unrolled.models import Encoder, EncoderOptions, InputSizes, NextStep, NextStepOptions, Softmax, language_model

SYMBOLS, END = 11, 1


def model_of(cell="lstm", hidden=8, layers=2, *, embedding=0, dropout=0.0, line_end=None, **options):
    torch.manual_seed(0)
    asked = NextStepOptions(cell=cell, hidden=hidden, layers=layers, embedding=embedding, dropout=dropout, **options)
    return language_model(SYMBOLS, asked, line_end=line_end)


@pytest.mark.parametrize("cell", COMMON)
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
    embedded.load_state_dict({**one_hot.state_dict(), "encoder.inputs.words.weight": torch.eye(SYMBOLS)})
    symbols = torch.randint(SYMBOLS, (7, 3))
    assert one_hot.encoder.inputs.words.weight is None
    torch.testing.assert_close(one_hot(symbols)[0], embedded(symbols)[0])


def test_logits_are_the_output_layer_of_the_recurrent_layer():
    model = model_of(embedding=5).eval()
    symbols = torch.randint(SYMBOLS, (4, 2))
    torch.nn.init.normal_(model.linear.bias)
    y, _ = model.recurrent(model.encoder.inputs.words.weight[symbols])
    torch.testing.assert_close(model(symbols)[0], y @ model.linear.weight.T + model.linear.bias)


def test_tied_weights_are_one_tensor():
    model = model_of(embedding=8, tied=True)
    assert model.linear.weight is model.encoder.inputs.words.weight
    assert sum(p.shape == (SYMBOLS, 8) for p in model.parameters()) == 1
    loose = model_of(embedding=8)
    assert loose.linear.weight is not loose.encoder.inputs.words.weight
    model(torch.zeros(2, 1, dtype=torch.long))[0].sum().backward()
    assert model.encoder.inputs.words.weight.grad.abs().min() > 0


@pytest.mark.parametrize(("embedding", "tied"), [(24, False), (150, False), (200, True)])
def test_symbols_begin_with_values_of_variance_one_in_every_gate(embedding, tied):
    torch.manual_seed(0)
    model = language_model(300, NextStepOptions(hidden=200, embedding=embedding, tied=tied))
    x = model.encoder.inputs(Batch({"words": torch.arange(300)[:, None]}))[:, 0]
    for gate in "ifzo":
        values = x @ model.recurrent.block(f"W_{gate}").T
        assert values.var().item() == pytest.approx(1, abs=0.15)
    # Tied vectors make the scores too, which begin small.
    assert model.encoder.inputs.words.weight.std().item() == pytest.approx(
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
    likely = model(torch.randint(SYMBOLS, (5, 4)))[0].softmax(-1)
    assert likely.max() < 3 / SYMBOLS
    assert not model.linear.bias.any()


def test_a_cell_takes_the_place_of_the_one_in_the_options():
    model = language_model(SYMBOLS, NextStepOptions(hidden=3, embedding=2), find_cell("gru"))
    assert model.recurrent.cell.name == "gru"


def test_the_input_window_is_a_map_of_the_last_symbols():
    """The first of the layers, which reads windows, by hand."""
    model = model_of("elman", layers=1, embedding=5, input_window=3).double()
    words, cell = model.encoder.inputs.words.weight, model.recurrent
    symbols = torch.randint(SYMBOLS, (6, 2))
    padded = torch.cat([torch.zeros(2, 2, 5, dtype=torch.float64), words[symbols]])
    h, expected = torch.zeros(2, 8, dtype=torch.float64), []
    for t in range(6):
        x = torch.cat([padded[t], padded[t + 1], padded[t + 2]], -1)
        h = torch.tanh(linear(x, cell.block("W_h"), cell.block("b_h")) + linear(h, cell.block("R_h")))
        expected.append(linear(h, model.linear.weight, model.linear.bias))
    torch.testing.assert_close(model(symbols)[0], torch.stack(expected))


def test_a_feed_forward_network_knows_the_symbols_of_its_window_alone():
    model = model_of(layers=0, embedding=5, input_window=3)
    symbols = torch.randint(SYMBOLS, (9, 2))
    other = symbols.clone()
    other[2] = (other[2] + 1) % SYMBOLS
    changed = (model(symbols)[0] != model(other)[0]).any(-1)
    assert changed.T.tolist() == [[2 <= t < 5 for t in range(9)]] * 2
    assert model.recurrent is None


@pytest.mark.parametrize("options", [{"layers": 0}, {"layers": 0, "input_window": 2}, {"input_window": 4, "initial_state": "learned"}])
def test_what_streams_begin_with_is_what_nothing_begins_with(options):
    model = model_of(embedding=5, **options)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter)
    symbols = torch.randint(SYMBOLS, (5, 3))
    torch.testing.assert_close(model(symbols, model.begin(3)), model(symbols))


def test_what_comes_next_is_not_read_ahead_of():
    with pytest.raises(ConfigError, match="`bidirectional=False`"):
        NextStep(Encoder(InputSizes(SYMBOLS), EncoderOptions()), Softmax(SYMBOLS))
    for options in ({}, {"input_window": 3}, {"input_window": 4, "layers": 0}):
        model = model_of(embedding=3, **options)
        symbols = torch.randint(SYMBOLS, (6, 2))
        other = symbols.clone()
        other[3:] = (other[3:] + 1) % SYMBOLS
        assert torch.equal(model(symbols)[0][:3], model(other)[0][:3])
        assert not torch.equal(model(symbols)[0][3], model(other)[0][3])


def test_tied_weights_need_words():
    encoder = Encoder(InputSizes(numbers=CHANNELS), EncoderOptions(bidirectional=False, hidden=4))
    with pytest.raises(ConfigError, match="`tied` needs `embedding` equal to `hidden`, got 0 and 4"):
        NextStep(encoder, Softmax(SYMBOLS), tied=True)


def test_padding_has_no_part_in_the_loss():
    torch.manual_seed(4)
    model, lengths = model_of(), torch.tensor([3, 0, 2])
    words, targets = (torch.randint(SYMBOLS, (3, 3)) for _ in range(2))
    total, count = model.loss(Batch({"words": words}, lengths, targets))
    alone = [model.loss(Batch({"words": words[:n, row : row + 1]}, targets=targets[:n, row : row + 1]))[0] for row, n in ((0, 3), (2, 2))]
    torch.testing.assert_close(total, sum(alone))
    assert count == 5


def test_the_loss_is_the_cross_entropy_of_what_came():
    model = model_of(embedding=5).double()
    torch.nn.init.normal_(model.linear.weight)
    words, targets = torch.randint(SYMBOLS, (2, 7, 3)).unbind()
    batch, weights = Batch({"words": words}, targets=targets), torch.rand(SYMBOLS, dtype=torch.float64)
    scores, _ = model(batch)
    each = -scores.log_softmax(-1).gather(-1, targets[..., None])[..., 0]
    torch.testing.assert_close(model.losses_of(scores, targets), each)
    torch.testing.assert_close(model.loss_of(scores, targets), each.sum())
    torch.testing.assert_close(model.loss_of(scores, targets, weights=weights), (each * weights[targets]).sum())
    loss, count = model.loss(batch)
    torch.testing.assert_close(loss, each.sum())
    assert count == 21
    torch.testing.assert_close(model.loss(batch, weights)[0], (each * weights[targets]).sum())
    torch.testing.assert_close(model.probabilities_of(scores), scores.softmax(-1))


def alone(model, symbols):
    """The scores and the last state of each row, every line of which is run by itself."""
    scores, finals = [], []
    for row in symbols.T:
        edges = sorted({0, *(row == END).nonzero().flatten().tolist(), len(row)})
        pieces = [model(row[a:b, None]) for a, b in pairwise(edges)]
        scores.append(torch.cat([each for each, _ in pieces]))
        finals.append(pieces[-1][1])
    return torch.cat(scores, 1), tuple(torch.cat(f, 1) for f in zip(*finals, strict=True))


def text_with_lines():
    generator = torch.Generator().manual_seed(1)
    symbols = torch.randint(SYMBOLS, (23, 4), generator=generator)
    symbols[torch.rand(23, 4, generator=generator) < 0.2] = END
    symbols[symbols[:, 2] == END, 2] = 3  # One row never ends.
    symbols[[0, 7, 8, 22], 1] = END
    return symbols, torch.randint(SYMBOLS, (23, 4), generator=generator)


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"embedding": 5, "initial_state": "learned"},
        {"cell": "gru", "residual": True},
        {"input_window": 2},
        {"embedding": 5, "initial_state": "learned", "input_window": 4},
        {"embedding": 5, "layers": 0, "input_window": 7},
    ],
)
def test_lines_give_what_each_gives_alone_however_windows_cut_them(options):
    models = [model_of(line_end=end, **options).double() for end in (END, None)]
    for model in models:
        torch.manual_seed(3)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.5)
    symbols, targets = text_with_lines()
    wanted, final = alone(models[1], symbols)
    cross_entropy(wanted.flatten(0, 1), targets.flatten()).backward()
    for window in (1, 2, 5, 9, 23):
        models[0].zero_grad()
        state, pieces = None, []
        for part in symbols.split(window):
            scores, state = models[0](part, state)
            pieces.append(scores)
        found = torch.cat(pieces)
        torch.testing.assert_close(found, wanted, atol=1e-10, rtol=0)
        torch.testing.assert_close(state, final, atol=1e-10, rtol=0)
        cross_entropy(found.flatten(0, 1), targets.flatten()).backward()
        for mine, reference in zip(*(model.parameters() for model in models), strict=True):
            torch.testing.assert_close(mine.grad, reference.grad, atol=1e-10, rtol=0)


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize("options", [{}, {"embedding": 5, "input_window": 3}, {"embedding": 5, "initial_state": "learned"}])
def test_lines_of_rows_of_different_lengths_go_on_from_their_last_real_steps(options):
    model = model_of(line_end=END, **options).double()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    symbols, _ = text_with_lines()
    first, second = torch.tensor([9, 4, 0, 9]), torch.tensor([14, 3, 11, 0])
    parts = [symbols[:9], symbols[9:]]
    for part, lengths in zip(parts, (first, second), strict=True):
        part[torch.arange(len(part))[:, None] >= lengths] = END
    scores, state = model(Batch({"words": parts[0]}, first))
    more, last = model(Batch({"words": parts[1]}, second), state)
    for row in range(4):
        whole = torch.cat([parts[0][: first[row], row], parts[1][: second[row], row]])[:, None]
        expected, end = model(whole)
        cut = int(first[row])
        torch.testing.assert_close(scores[:cut, row], expected[:cut, 0])
        torch.testing.assert_close(more[: second[row], row], expected[cut:, 0])
        torch.testing.assert_close(tuple(s[:, row : row + 1] for s in last), end)
        for found, length in ((scores, cut), (more, int(second[row]))):
            torch.testing.assert_close(found[length:, row], model.linear.bias.expand(len(found) - length, -1))
