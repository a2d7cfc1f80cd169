"""What is remembered, against closed forms, finite differences, and by every engine."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import unrolled as un
from by_hand import CELLS
from engines_here import HERE
from input_batches import LENGTHS, OPTIONS, SIZES, batch_of
from unrolled.errors import ConfigError, ShapeError
from unrolled.inspect.untrained import elman_like
from unrolled.models import (
    EachStep,
    Encoder,
    EncoderDecoder,
    EncoderDecoderOptions,
    InputSizes,
    NextStepOptions,
    Softmax,
    Whole,
    language_model,
)

DOUBLE = torch.float64
LINEAR = un.Cell("linear", "h[t] = W @ x[t] + R @ h[t-1]")


def layer_of(cell, *sizes, seed=0, **options):
    torch.manual_seed(seed)
    layer = un.Recurrent(cell, *sizes, dtype=DOUBLE, **options)
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return layer


def norms_by_differences(function, x, step=1e-6):
    """‖∂function[t, b]/∂x[s, b]‖ as `[T, T, B]` for rows that know nothing of each other, by central differences; `[1, T, B]` for `[B, n]`."""
    columns = []
    for s in range(len(x)):
        squares = 0
        for column in range(x.shape[2]):
            up, down = x.clone(), x.clone()
            up[s, :, column] += step
            down[s, :, column] -= step
            slope = (function(up) - function(down)) / (2 * step)
            squares = squares + slope.square().sum(-1)
        columns.append(squares.sqrt().reshape(-1, x.shape[1]))
    return torch.stack(columns, 1).detach().numpy()


def test_a_linear_recurrence_remembers_powers_of_its_map():
    layer = layer_of(LINEAR, 3, 5)
    W, R = layer.block("W").numpy(), layer.block("R").numpy()
    found = un.inspect.memory(layer, torch.randn(12, 2, 3, dtype=DOUBLE))
    for t in range(12):
        for s in range(12):
            wanted = np.linalg.norm(np.linalg.matrix_power(R, t - s) @ W) if s <= t else 0
            np.testing.assert_allclose(found.state[t, s], wanted, rtol=1e-12)
    assert found.sampled == ""
    assert found.output is None
    np.testing.assert_allclose(found.share.sum(1), 1)


def test_outputs_that_are_joined_are_remembered_together():
    cell = un.Cell("two", "s[t] = 0.5 * s[t-1] + S @ x[t]\nh[t] = tanh(R @ s[t] + Q @ h[t-1])", output=["s", "h"], size={"s": 2})
    layer = layer_of(cell, 3, 4, 2, bidirectional=True)
    x = torch.randn(5, 2, 3, dtype=DOUBLE)
    found = un.inspect.memory(layer, x)
    np.testing.assert_allclose(found.state, norms_by_differences(lambda x: layer(x)[0], x), rtol=2e-6, atol=1e-8)
    assert elman_like(layer)(x)[0].shape == layer(x)[0].shape


@pytest.mark.parametrize("cell", [*CELLS.values()], ids=[*CELLS])
def test_finite_differences_agree_with_lengths_layers_and_directions(cell):
    layer = layer_of(cell, 3, 4, 2, bidirectional=True, initial_state="learned")
    x, lengths = torch.randn(5, 3, 3, dtype=DOUBLE), [5, 0, 3]
    found = un.inspect.memory(layer, x, lengths=lengths)
    np.testing.assert_allclose(found.state, norms_by_differences(lambda x: layer(x, lengths=lengths)[0], x), rtol=2e-6, atol=1e-8)
    assert found.at.tolist() == [[0, -1, 0], [1, -1, 1], [2, -1, 2], [3, -1, -1], [4, -1, -1]]


@pytest.mark.parametrize("options", [{}, {"residual": True, "num_layers": 3}, {"bidirectional": True, "num_layers": 2}])
@pytest.mark.parametrize("engine", HERE)
def test_every_engine_finds_the_same(engine, options):
    layer, x = layer_of("lstm", 3, 4, engine=engine, **options), torch.randn(6, 3, 3, dtype=DOUBLE)
    found = un.inspect.memory(layer, x, [-1, 2], lengths=[6, 4, 1])
    layer.engine = "eager"
    wanted = norms_by_differences(lambda x: layer(x, lengths=[6, 4, 1])[0], x)
    for row, n in enumerate((6, 4, 1)):
        np.testing.assert_allclose(found.state[0, :, row], wanted[n - 1, :, row], rtol=2e-6, atol=1e-8)
        np.testing.assert_allclose(found.state[1, :, row], wanted[2, :, row] if n > 2 else 0, rtol=2e-6, atol=1e-8)


def test_another_layer_and_another_state():
    layer, x = layer_of("lstm", 3, 4, 2, bidirectional=True), torch.randn(5, 2, 3, dtype=DOUBLE)
    found = un.inspect.memory(layer, x, lengths=[5, 4], layer=0, state="c")
    both = lambda x: torch.cat(list(layer(x, lengths=[5, 4], return_states=True)[2][1][:2]), -1)  # noqa: E731
    np.testing.assert_allclose(found.state, norms_by_differences(both, x), rtol=2e-6, atol=1e-8)


@pytest.mark.parametrize("factor", [0.9, 1.0, 1.1])
def test_a_turning_map_forgets_by_its_singular_value_at_every_step(factor):
    layer = un.Recurrent("elman", 4, 6, dtype=DOUBLE)
    with torch.no_grad():
        layer.block("R_h").mul_(factor)
    norms = un.inspect.memory(layer, torch.randn(40, 1, 4, dtype=DOUBLE) * 1e-9, -1).state[0, :, 0]
    np.testing.assert_allclose(norms[:-1] / norms[1:], factor, rtol=1e-9)


@pytest.mark.parametrize(("bias", "kept"), [(30.0, 1.0), (-30.0, 0.0)])
def test_an_lstm_remembers_while_its_forget_gate_is_open(bias, kept):
    layer = layer_of("lstm", 3, 4)
    with torch.no_grad():
        for name in ("R_i", "R_f", "R_o", "R_z", "W_f"):
            layer.block(name).zero_()
        layer.block("b_f").fill_(bias)
    norms = un.inspect.memory(layer, torch.full((50, 1, 3), 0.3, dtype=DOUBLE), -1, state="c").state[0, :, 0]
    np.testing.assert_allclose(norms[:-1] / norms[-1], kept, atol=1e-9)


def test_whole_numbers_are_one_hot_vectors():
    layer, x = layer_of("gru", 6, 4, 2, bidirectional=True), torch.randint(6, (5, 2))
    dense = torch.nn.functional.one_hot(x, 6).double()
    wanted = un.inspect.memory(layer, dense, lengths=[5, 3])
    np.testing.assert_allclose(un.inspect.memory(layer, x, lengths=[5, 3]).state, wanted.state, rtol=1e-12)
    assert wanted.state[4, 0, 0] > 0


@pytest.mark.parametrize("packed", [False, True])
def test_inputs_of_every_layout(packed):
    layer, x = layer_of("gru", 3, 4, batch_first=True), torch.randn(2, 5, 3, dtype=DOUBLE)
    first = un.inspect.memory(layer, x, lengths=[5, 2]).state
    given = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor([5, 2]), batch_first=True) if packed else x[0]
    found = un.inspect.memory(layer, given).state
    np.testing.assert_allclose(found, first if packed else first[:, :, :1], rtol=1e-12)


@pytest.mark.parametrize("embedding", [3, 0])
def test_a_language_model_towards_its_scores(embedding):
    torch.manual_seed(0)
    model = language_model(7, NextStepOptions(hidden=4, layers=2, embedding=embedding, dropout=0.5)).double()
    symbols = torch.randint(7, (5, 2))
    x = torch.nn.functional.one_hot(symbols, 7).double() if not embedding else model.encoder.inputs.words(symbols).detach()
    found = un.inspect.memory(model, symbols)
    model.eval()
    np.testing.assert_allclose(found.state, norms_by_differences(lambda x: model.recurrent(x)[0], x), rtol=2e-6, atol=1e-8)
    np.testing.assert_allclose(found.output, norms_by_differences(lambda x: model.linear(model.recurrent(x)[0]), x), rtol=2e-6, atol=1e-8)
    np.testing.assert_allclose(found.output_share.sum(1), 1)


def test_lines_that_stand_alone_remember_nothing_of_those_before():
    torch.manual_seed(0)
    model = language_model(5, NextStepOptions(cell="gru", hidden=4, embedding=3), line_end=1)
    norms = un.inspect.memory(model, torch.tensor([2, 3, 1, 4, 2]), -1).state[0, :, 0]
    assert (norms > 0).tolist() == [False, False, True, True, True]


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
def test_a_classifier_has_one_output(pooling):
    torch.manual_seed(0)
    encoder = Encoder(SIZES, OPTIONS).double()
    model = Whole(encoder, pooling, Softmax(3)).double()
    inputs = batch_of(poison=False)
    x = encoder.inputs(inputs).detach()
    scores = lambda x: model.linear(model.pooling(encoder.recurrent(x, lengths=inputs.lengths)[0], inputs.lengths))  # noqa: E731
    found = un.inspect.memory(model, inputs, -1)
    assert found.output.shape == found.state.shape == (1, *x.shape[:2])
    np.testing.assert_allclose(found.output, norms_by_differences(scores, x), rtol=2e-6, atol=1e-8)
    assert found.lengths.tolist() == list(LENGTHS)


def test_a_tagger_and_an_encoder_have_an_output_at_every_step_or_none():
    torch.manual_seed(0)
    encoder = Encoder(SIZES, OPTIONS).double()
    model, inputs = EachStep(encoder, Softmax(3)).double(), batch_of()
    x = encoder.inputs(inputs).detach()
    real = torch.arange(len(x))[:, None, None] < inputs.lengths[:, None]
    scores = lambda x: model.linear(encoder.recurrent(x, lengths=inputs.lengths)[0]) * real  # noqa: E731
    np.testing.assert_allclose(un.inspect.memory(model, inputs).output, norms_by_differences(scores, x), rtol=2e-6, atol=1e-8)
    assert un.inspect.memory(encoder, inputs).output is None


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("embedding", [4, 0])
def test_a_network_with_a_window_is_shown_by_what_its_layers_read(embedding, bidirectional):
    torch.manual_seed(0)
    options = replace(OPTIONS, input_window=3, bidirectional=bidirectional, embedding=embedding)
    encoder = Encoder(InputSizes(words=7), options).double()
    model, symbols, lengths = EachStep(encoder, Softmax(3)).double(), torch.randint(7, (5, 2)), torch.tensor([5, 3])
    table = torch.eye(7, dtype=DOUBLE) if embedding == 0 else encoder.inputs.words.weight.detach()
    real = torch.arange(5)[:, None, None] < lengths[:, None]
    x = torch.nn.functional.pad(table[symbols] * real, (0, 0, 0, 0, 1, 1) if bidirectional else (0, 0, 0, 0, 2, 0))
    x = torch.cat([x[:5], x[1:6], x[2:7]], -1) * real
    run = lambda x: encoder.recurrent(x, lengths=lengths)[0]  # noqa: E731
    found = un.inspect.memory(model, symbols, lengths=lengths)
    np.testing.assert_allclose(found.state, norms_by_differences(run, x), rtol=2e-6, atol=1e-8)
    np.testing.assert_allclose(found.output, norms_by_differences(lambda x: model.linear(run(x)) * real, x), rtol=2e-6, atol=1e-8)


def test_an_encoder_decoder_shows_its_encoder():
    torch.manual_seed(0)
    model = EncoderDecoder(6, 5, EncoderDecoderOptions(hidden=4, embedding=3))
    source = torch.randint(6, (4, 2))
    found = un.inspect.memory(model, source, -1, lengths=[4, 2])
    wanted = un.inspect.memory(model.encoder.recurrent.double(), model.encoder.inputs.words.double()(source), -1, lengths=[4, 2])
    np.testing.assert_allclose(found.state, wanted.state, rtol=1e-12)
    assert found.output is None


def test_random_combinations_say_so_and_are_near():
    layer, x = layer_of("gru", 3, 40), torch.randn(6, 1, 3, dtype=DOUBLE)
    exact, sampled = un.inspect.memory(layer, x, -1), un.inspect.memory(layer, x, -1, probes=20)
    assert sampled.sampled == "20 random combinations of 40 units, standard error at most 16%"
    assert not np.allclose(sampled.state, exact.state, rtol=1e-3)
    np.testing.assert_allclose(sampled.state[exact.state > 0], exact.state[exact.state > 0], rtol=4 * 40**-0.5)


def test_long_inputs_are_sampled_and_say_so(monkeypatch):
    monkeypatch.setattr("unrolled.inspect.influence.MOST_WORK", 40_000)
    layer, x = layer_of("elman", 3, 9), torch.randn(120, 1, 3, dtype=DOUBLE)
    found = un.inspect.memory(layer, x)
    assert found.state.shape == (100, 120, 1)
    assert found.sampled == "100 of 120 steps t, evenly spaced; 8 random combinations of 9 units, standard error at most 25%"
    assert un.inspect.memory(layer, x, -1).sampled == ""


def test_matrices_rounded_to_bfloat16_stay_so():
    torch.manual_seed(0)
    layer = un.Recurrent("gru", 3, 4, bfloat16_weights=True)
    rounded = un.Recurrent("gru", 3, 4, dtype=DOUBLE)
    rounded.load_state_dict({k: p.bfloat16() if p.dim() == 2 else p for k, p in layer.state_dict().items()})
    x = torch.randn(5, 1, 3)
    np.testing.assert_allclose(un.inspect.memory(layer, x).state, un.inspect.memory(rounded, x.double()).state, rtol=1e-12)


def test_the_network_stays_as_it_is():
    layer = un.Recurrent("lstm", 3, 4, 2, dropout=0.5, recurrent_dropout=0.5).train()
    random, before = torch.get_rng_state(), [p.clone() for p in layer.parameters()]
    found = un.inspect.memory(layer, torch.randn(5, 2, 3, generator=torch.Generator().manual_seed(0)))
    assert np.isfinite(found.state).all()
    assert layer.training
    assert torch.equal(torch.get_rng_state(), random)
    assert all(p.grad is None and p.requires_grad and torch.equal(p, b) for p, b in zip(layer.parameters(), before, strict=True))


def test_the_summary_tells_where_half_of_it_lies():
    layer = un.Recurrent(un.Cell("sum", "h[t] = W @ x[t] + h[t-1]"), 2, 3)
    assert un.inspect.memory(layer, torch.randn(10, 1, 2)).summary == (
        "Of what moves the state at step 9, half comes from the last 5 steps; the first input has 10.0%."
    )


def test_the_summary_names_what_is_too_small_as_the_page_does():
    layer = layer_of(un.Cell("dying", "h[t] = W @ x[t] + 1e-3 * h[t-1]"), 2, 3)
    assert un.inspect.memory(layer, torch.randn(5, 1, 2), -1).summary.endswith("from the last step; the first input has less than 0.0001%.")


def test_sequences_without_the_chosen_step_remember_nothing():
    layer, x = layer_of("lstm", 3, 4, 2), torch.randn(7, 2, 3)
    found = un.inspect.memory(layer, x, at=6, lengths=[3, 3])
    assert (found.at == -1).all() and not found.state.any() and found.state.shape == (1, 7, 2)
    found = un.inspect.memory(layer, x, lengths=[0, 0])
    assert (found.at == -1).all() and not found.state.any()
    assert found.summary == "There is no step to remember anything."


def test_what_is_not_finite_is_named():
    layer, x = layer_of("gru", 3, 4), torch.randn(7, 2, 3)
    x[4, 1, 2] = torch.nan
    for look in (un.inspect.memory, un.inspect.jacobian_spectrum, un.inspect.gradient_flow, un.inspect.gates, un.inspect.forgetting):
        with pytest.raises(ConfigError, match=r"must be finite, got nan at step 4 of sequence 1"):
            look(layer, x)
    assert np.isfinite(un.inspect.memory(layer, x, lengths=[7, 4]).state).all()


@pytest.mark.parametrize("kind", ["encoder", "whole", "each step", "next step"])
def test_a_network_without_recurrent_layers_has_nothing_to_look_into(kind):
    encoder, inputs = Encoder(SIZES, replace(OPTIONS, layers=0, input_window=2)), batch_of(dtype=torch.float32)
    model = {
        "encoder": encoder,
        "whole": Whole(encoder, "mean", Softmax(3)),
        "each step": EachStep(encoder, Softmax(3)),
        "next step": language_model(7, NextStepOptions(hidden=4, layers=0, embedding=3, input_window=3)),
    }[kind]
    inputs = torch.randint(7, (5, 2)) if kind == "next step" else inputs
    looks = [un.inspect.memory, un.inspect.forgetting, un.inspect.gradient_flow, un.inspect.gates, un.inspect.jacobian_spectrum]
    looks += [un.inspect.every_gate] + ([] if kind == "encoder" else [un.inspect.predictions])
    looks += [lambda model, x: un.inspect.units_that_follow(model, x, np.arange(8).reshape(4, 2))]
    for look in (*looks, *(lambda model, x, look=look: look(model) for look in (un.inspect.recurrent_maps, un.inspect.elman_like))):
        with pytest.raises(ConfigError, match="built with `layers=0`: it has no recurrent layers, and nothing to look into"):
            look(model, inputs)


def test_what_cannot_be_looked_into():
    layer, x = un.Recurrent("lstm", 3, 4), torch.zeros(5, 2, 3)
    with pytest.raises(ConfigError, match="Linear cannot be looked into"):
        un.inspect.memory(torch.nn.Linear(3, 4), x)
    with pytest.raises(ConfigError, match="`at` must lie between -5 and 4"):
        un.inspect.memory(layer, x, 5)
    with pytest.raises(ConfigError, match="`at` must be a whole number"):
        un.inspect.memory(layer, x, 0.5)
    with pytest.raises(ConfigError, match="no state 'f'"):
        un.inspect.memory(layer, x, state="f")
    with pytest.raises(ConfigError, match="no layer 1"):
        un.inspect.memory(layer, x, layer=1)
    with pytest.raises(ShapeError, match="at least one step"):
        un.inspect.memory(layer, x[:0])
    with pytest.raises(ConfigError, match="whole numbers"):
        un.inspect.memory(language_model(5, NextStepOptions(cell="gru", hidden=4, embedding=3)), x)
