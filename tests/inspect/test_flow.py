"""Where the gradient goes, against autograd through a loop written here and against theory."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch

import unrolled as un
from input_batches import OPTIONS, SIZES, batch_of
from squares import Squares
from unrolled.errors import ConfigError, ShapeError
from unrolled.inspect import fresh
from unrolled.inspect.flow import GradientFlow
from unrolled.inspect.wording import listed, sentence
from unrolled.models import (
    Binary,
    EachStep,
    Encoder,
    LinearChain,
    MultiLabel,
    NextStep,
    NextStepOptions,
    Softmax,
    Whole,
    language_model,
)

DOUBLE = torch.float64


def model_of(line_end=None, **options):
    torch.manual_seed(0)
    return language_model(6, NextStepOptions(hidden=4, layers=2, embedding=3, dropout=0.0, **options), line_end=line_end).double()


def by_stepping(layer, x, loss):
    """The norms of the gradient of `loss(outputs)` by every state `[L, T, B]`, each step of each layer by itself."""
    states, outputs = layer.begin(x.shape[1]), []
    kept = [[[] for _ in range(layer.num_layers)] for _ in layer.cell.states]
    for x_t in x:
        parts = [[] for _ in states]
        y = x_t
        for number in range(layer.num_layers):
            place = layer.problem((number, 0), y[None], tuple(s[number] for s in states), None, None, every_state=True)
            after = un.engines.ENGINES["eager"].run(place).final
            for k, s in enumerate(after):
                parts[k].append(s * 1)
                kept[k][number].append(parts[k][-1])
            y = parts[0][-1]
        states = [torch.stack(p) for p in parts]
        outputs.append(y)
    flat = [s for state in kept for layer_ in state for s in layer_]
    found = torch.autograd.grad(loss(torch.stack(outputs)), flat, allow_unused=True, materialize_grads=True)
    return torch.stack([g.norm(dim=-1) for g in found]).unflatten(0, (len(kept), layer.num_layers, len(x))).numpy()


@pytest.mark.parametrize("at", [-1, 1, None])
def test_a_language_model_predicts_what_comes_next(at):
    model, symbols = model_of(), torch.randint(6, (7, 2))
    flow = un.inspect.gradient_flow(model, symbols, at=at)

    def loss(y):
        losses = torch.nn.functional.cross_entropy(model.linear(y).flatten(0, 1), symbols[1:].flatten(), reduction="none").view(6, 2)
        return losses.sum() if at is None else losses[at].sum()

    x = model.encoder.inputs.words(symbols[:-1]).detach().requires_grad_()
    wanted = by_stepping(model.recurrent, x, loss)
    np.testing.assert_allclose(np.stack([flow.states["h"][:, 0], flow.states["c"][:, 0]]), wanted, rtol=1e-9)
    (gradient,) = torch.autograd.grad(loss(model.recurrent(x)[0]), x)
    np.testing.assert_allclose(flow.inputs, gradient.norm(dim=-1), rtol=1e-9)
    np.testing.assert_allclose(flow.loss.sum(), loss(model.recurrent(x)[0]).item(), rtol=1e-12)
    np.testing.assert_allclose(flow.total, np.hypot(flow.states["h"], flow.states["c"]))


def test_each_row_of_a_bidirectional_batch_equals_the_row_alone():
    torch.manual_seed(0)
    layer = un.Recurrent("lstm", 3, 4, 2, bidirectional=True, dtype=DOUBLE)
    x, lengths = torch.randn(6, 4, 3, dtype=DOUBLE), [6, 1, 0, 4]
    whole = un.inspect.gradient_flow(layer, x, lengths=lengths, at=None)
    assert not whole.total[..., 2].any()
    for row in (0, 1, 3):
        n = lengths[row]
        alone = un.inspect.gradient_flow(layer, x[:n, row], at=None)
        np.testing.assert_allclose(whole.total[:, :, :n, row], alone.total[..., 0], rtol=1e-12)
        np.testing.assert_allclose(whole.inputs[:n, row], alone.inputs[:, 0], rtol=1e-12)
        assert not whole.total[:, :, n:, row].any()
        assert (alone.total > 0).all()


@pytest.mark.parametrize("factor", [0.9, 1.0, 1.1])
def test_the_slope_of_a_turning_map_is_its_singular_value(factor):
    layer = un.Recurrent("elman", 4, 6, dtype=DOUBLE)
    with torch.no_grad():
        layer.block("R_h").mul_(factor)
    flow = un.inspect.gradient_flow(layer, torch.randn(40, 1, 4, dtype=DOUBLE) * 1e-9)
    np.testing.assert_allclose(flow.rate, [[factor]], rtol=1e-9)
    assert flow.verdict == {
        0.9: "On its way back, the gradient halves every 6.6 steps.",
        1.0: "On its way back, the gradient is kept within a factor of 2 over 40 steps: 1 per step.",
        1.1: "On its way back, the gradient explodes: 1.1 per step.",
    }[factor]  # fmt: skip


def test_a_verdict_on_several_places_names_them():
    torch.manual_seed(0)
    layer = un.Recurrent("gru", 3, 4, 2, bidirectional=True)
    said = un.inspect.gradient_flow(layer, torch.randn(5, 1, 3)).verdict
    assert re.fullmatch(
        r"On its way back, the gradient .* in layer 0 forwards, cannot be told: there are too few steps in layer 0 in reverse and in layer 1 in "
        r"reverse, and .* in layer 1 forwards\.",
        said,
    )


def test_places_of_which_the_same_is_said_stand_together():
    said = {"in layer 0": "is gone after one step", "in layer 1": "explodes: 2 per step", "in layer 2": "is gone after one step"}
    assert sentence("It", said) == "It is gone after one step in layer 0 and in layer 2, and explodes: 2 per step in layer 1."
    assert sentence("It", dict.fromkeys(said, "dies")) == "It dies."
    said = {"forwards": "halves every 3 steps", "in reverse": "halves every 4 steps"}
    assert sentence("It", said) == "It halves every 3 steps forwards, and every 4 steps in reverse."
    assert listed(["a", "b", "c"]) == "a, b and c"


@pytest.mark.parametrize("crf", [False, True])
def test_a_tagger_learns_from_its_tags(crf):
    torch.manual_seed(0)
    encoder, inputs = Encoder(SIZES, OPTIONS).double(), batch_of()
    model = EachStep(encoder, LinearChain("ABC") if crf else Softmax(3)).double()
    tags = torch.randint(3, inputs.shape)
    flow = un.inspect.gradient_flow(model, inputs, tags, at=None)
    model.eval()
    x = encoder.inputs(inputs).detach().requires_grad_()
    loss = model.loss_of(model.linear(encoder.recurrent(x, lengths=inputs.lengths)[0]), tags, inputs.lengths)
    np.testing.assert_allclose(flow.inputs, torch.autograd.grad(loss, x)[0].norm(dim=-1), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(flow.loss.sum(), loss.item(), rtol=1e-9)


@pytest.mark.parametrize("head", [Softmax(3), Binary()])
def test_a_classifier_learns_from_its_label(head):
    torch.manual_seed(0)
    encoder, inputs = Encoder(SIZES, OPTIONS).double(), batch_of()
    model = Whole(encoder, "mean", head).double()
    labels = torch.tensor([1, 0, 1, 0])
    flow = un.inspect.gradient_flow(model, inputs, labels)
    model.eval()
    x = encoder.inputs(inputs).detach().requires_grad_()
    y, _ = encoder.recurrent(x, lengths=inputs.lengths)
    loss = head.loss(model.linear(model.pooling(y, inputs.lengths)), labels)
    np.testing.assert_allclose(flow.inputs, torch.autograd.grad(loss, x)[0].norm(dim=-1), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(flow.loss.sum(), loss.item(), rtol=1e-9)
    assert flow.at is None


def test_steps_with_any_number_of_classes_at_once():
    torch.manual_seed(0)
    encoder, inputs = Encoder(SIZES, OPTIONS).double(), batch_of()
    model, tags = EachStep(encoder, MultiLabel(3)).double(), torch.randint(2, (*inputs.shape, 3))
    flow = un.inspect.gradient_flow(model, inputs, tags, at=-1)
    x = encoder.inputs(inputs).detach().requires_grad_()
    scores, last = model.linear(encoder.recurrent(x, lengths=inputs.lengths)[0]), ([3, 0, 2], [0, 2, 3])
    loss = torch.nn.functional.binary_cross_entropy(scores[last].sigmoid(), tags[last].double(), reduction="sum")
    np.testing.assert_allclose(flow.inputs, torch.autograd.grad(loss, x)[0].norm(dim=-1), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(flow.loss.sum(), loss.item(), rtol=1e-9)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("at", [1, -1, None])
def test_numbers_for_steps_flow_back_too(bidirectional, at):
    torch.manual_seed(0)
    encoder, inputs = Encoder(SIZES, replace(OPTIONS, bidirectional=bidirectional, layers=2)).double(), batch_of()
    model = (EachStep if bidirectional else NextStep)(encoder, Squares()).double()
    real = torch.arange(4)[:, None] < inputs.lengths
    numbers = torch.randn(4, 4, 2, dtype=DOUBLE).masked_fill(~real[..., None], torch.nan)
    flow = un.inspect.gradient_flow(model, inputs, numbers, at=at)
    x = encoder.inputs(inputs).detach().requires_grad_()
    scores = model.linear(encoder.recurrent(x, lengths=inputs.lengths)[0])
    chosen = {1: ([1, 1], [0, 3]), -1: ([3, 0, 2], [0, 2, 3]), None: real}[at]
    loss = torch.nn.functional.mse_loss(scores[chosen], numbers[chosen], reduction="sum")
    np.testing.assert_allclose(flow.inputs, torch.autograd.grad(loss, x)[0].norm(dim=-1), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(flow.loss.sum(), loss.item(), rtol=1e-9)
    with pytest.raises(ConfigError, match="needs `targets`"):
        un.inspect.gradient_flow(model, inputs)


def test_numbers_for_sequences_flow_back_too():
    torch.manual_seed(0)
    encoder, inputs = Encoder(SIZES, OPTIONS).double(), batch_of()
    model, numbers = Whole(encoder, "last", Squares()).double(), torch.randn(4, 2, dtype=DOUBLE)
    flow = un.inspect.gradient_flow(model, inputs, numbers)
    x = encoder.inputs(inputs).detach().requires_grad_()
    y, _ = encoder.recurrent(x, lengths=inputs.lengths)
    losses = (model.linear(model.pooling(y, inputs.lengths)) - numbers).square().sum(-1)
    np.testing.assert_allclose(flow.inputs, torch.autograd.grad(losses.sum(), x)[0].norm(dim=-1), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(flow.loss, losses.detach(), rtol=1e-9)
    assert flow.at is None


def test_symbols_of_any_whole_numbers():
    model, symbols = model_of(), torch.randint(6, (7, 2))
    wanted = un.inspect.gradient_flow(model, symbols)
    np.testing.assert_array_equal(un.inspect.gradient_flow(model, symbols.int()).total, wanted.total)
    np.testing.assert_array_equal(un.inspect.gradient_flow(model, symbols[:-1], symbols[1:].int()).total, wanted.total)


def test_targets_past_an_end_are_never_looked_at():
    model, symbols, lengths = model_of(), torch.randint(6, (7, 2)), [6, 2]
    wanted = un.inspect.gradient_flow(model, symbols, lengths=[7, 3], at=None)
    targets = symbols[1:].masked_fill(torch.arange(6)[:, None] >= torch.tensor(lengths), 99)
    found = un.inspect.gradient_flow(model, symbols[:-1], targets, lengths=lengths, at=None)
    np.testing.assert_array_equal(found.total, wanted.total)
    np.testing.assert_array_equal(found.loss, wanted.loss)


def test_a_language_model_with_a_window_predicts_what_comes_next():
    model, symbols = model_of(input_window=3, line_end=1), torch.tensor([[2, 3, 1, 4, 2, 5], [4, 1, 0, 3, 1, 2]]).T
    flow = un.inspect.gradient_flow(model, symbols, at=None)
    scores, _ = model(symbols[:-1])
    losses = torch.nn.functional.cross_entropy(scores.flatten(0, 1), symbols[1:].flatten(), reduction="none").view(5, 2)
    np.testing.assert_allclose(flow.loss, losses.sum(0).detach(), rtol=1e-9)
    alone = un.inspect.gradient_flow(model, symbols[2:, :1], at=None)
    np.testing.assert_allclose(flow.total[:, :, 2:, 0], alone.total[..., 0], rtol=1e-9)


def test_a_loss_of_ones_own():
    layer, x = un.Recurrent("gru", 3, 4, dtype=DOUBLE), torch.randn(5, 2, 3, dtype=DOUBLE)
    half = un.inspect.gradient_flow(layer, x, loss=lambda y: y.square().sum(-1) / 2)
    np.testing.assert_allclose(half.total, un.inspect.gradient_flow(layer, x).total)
    y, _ = layer(x)
    np.testing.assert_allclose(half.total[0, 0, -1], y[-1].norm(dim=-1).detach())
    with pytest.raises(ShapeError, match=r"`loss` must have shape \[T, B\]"):
        un.inspect.gradient_flow(layer, x, loss=lambda y: y)


def test_what_is_missing_or_impossible():
    torch.manual_seed(0)
    model = EachStep(Encoder(SIZES, OPTIONS), Softmax(2))
    with pytest.raises(ConfigError, match="`EachStep` needs `targets`"):
        un.inspect.gradient_flow(model, batch_of(dtype=torch.float32))
    with pytest.raises(ConfigError, match="`at` must lie between -5 and 4"):
        un.inspect.gradient_flow(un.Recurrent("gru", 3, 4), torch.zeros(5, 1, 3), at=5)


def test_a_language_model_needs_two_symbols():
    with pytest.raises(ShapeError, match="at least two symbols, got 1"):
        un.inspect.gradient_flow(model_of(), torch.tensor([3]))


def test_sequences_without_steps_say_nothing():
    layer, x = un.Recurrent("gru", 3, 4, 2, bidirectional=True), torch.randn(7, 2, 3)
    for look in (un.inspect.gradient_flow, un.inspect.jacobian_spectrum, un.inspect.forgetting):
        assert "cannot be told: there are too few steps" in look(layer, x, lengths=[0, 0]).verdict


def test_a_flow_over_few_steps_says_over_how_many():
    layer = un.Recurrent("elman", 4, 6, dtype=DOUBLE)
    layer.block("R_h").mul_(1.2)
    x = torch.randn(40, 1, 4, dtype=DOUBLE) * 1e-9
    assert (
        un.inspect.gradient_flow(layer, x, at=7).verdict == "On its way back, the gradient explodes: 1.2 per step, seen over only 8 steps."
    )
    assert un.inspect.gradient_flow(layer, x).verdict == "On its way back, the gradient explodes: 1.2 per step."


def test_a_flow_is_judged_while_it_matters():
    back = np.concatenate([0.5 ** np.arange(10.0), 1e-4 * 0.95 ** np.arange(90.0)])
    total = back[::-1, None][None, None]
    flow = GradientFlow({"h": total}, total[0, 0], np.ones(1), np.array([99]), np.array([100]))
    np.testing.assert_allclose(flow.rate, [[0.5]])
    np.testing.assert_allclose(replace(flow, at=None).rate, [[0.5]])


def test_a_fresh_copy_has_learnt_nothing():
    model = model_of(tied=False)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(9.0)
    random = torch.get_rng_state()
    new, other = fresh(model), fresh(model, seed=1)
    assert torch.equal(torch.get_rng_state(), random)
    assert all((p == 9).all() for p in model.parameters())
    assert not any((p == 9).any() for p in new.parameters())
    assert not new.linear.bias.any()
    torch.testing.assert_close(new.recurrent.block("b_f", 1), torch.ones(4, dtype=DOUBLE))
    torch.testing.assert_close(new.encoder.inputs.words.weight.std().item(), (7 / 6) ** 0.5, atol=0.3, rtol=0)
    assert not torch.equal(new.encoder.inputs.words.weight, other.encoder.inputs.words.weight)
    torch.testing.assert_close(fresh(model).state_dict(), new.state_dict())


@pytest.mark.parametrize("crf", [False, True])
@pytest.mark.parametrize("layers", [1, 0])
def test_a_network_of_labels_can_begin_anew(crf, layers):
    model = EachStep(Encoder(SIZES, replace(OPTIONS, layers=layers)), LinearChain("ABC") if crf else Softmax(3))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(9.0)
    assert not any((p == 9).any() for p in fresh(model).parameters())


def test_what_cannot_begin_anew():
    class Own(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(2))

    with pytest.raises(ConfigError, match="A Own cannot begin anew"):
        fresh(Own())
