"""The engine `native` under all that autograd and torch.nn may ask of a layer."""

import copy

import pytest
import torch
from torch.nn.utils import parametrize, prune

import unrolled as un
from by_hand import CELLS
from engines_here import needs_native
from slopes import assert_slopes, weighted
from unrolled.engines.native import operators

pytestmark = needs_native

DOUBLE = torch.float64
STEPS, BATCH, INPUTS, UNITS = 4, 3, 2, 5
OPTIONS = {"lengths": [3, 0, 4], "resets": torch.rand(STEPS, BATCH, generator=torch.Generator().manual_seed(3)) < 0.4}


def layer_of(cell="lstm", inputs=INPUTS, units=UNITS, *arguments, **options):
    torch.manual_seed(0)
    layer = un.Recurrent(CELLS[cell], inputs, units, *arguments, **{"engine": "native", "dtype": DOUBLE, **options})
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return layer


def dense(steps=STEPS, batch=BATCH):
    torch.manual_seed(1)
    return torch.randn(steps, batch, INPUTS, dtype=DOUBLE)


def both(layer, question):
    """The answer of the engine native, compared with that of eager."""
    answers = []
    for engine in ("eager", "native"):
        layer.engine = engine
        torch.manual_seed(9)
        answers.append(question(layer))
    for got, wanted in zip(answers[1], answers[0], strict=True):
        if wanted is None:
            assert got is None
        else:
            torch.testing.assert_close(got, wanted, rtol=1e-10, atol=1e-10)
    return answers[1]


def gradients(layer):
    return [p.grad for p in layer.parameters()]


@pytest.mark.parametrize("name", ["lstm", "gru-reset-before", "lstm-norm", "light"])
def test_first_and_second_derivatives_equal_finite_differences(name):
    layer = layer_of(name, 2, 3, bidirectional=True)
    resets = torch.tensor([[False, True], [True, False], [False, True]])
    x = torch.randn(3, 2, 2, dtype=DOUBLE, requires_grad=True)
    state = tuple(torch.randn(2, 2, 3, dtype=DOUBLE, requires_grad=True) for _ in layer.cell.states)

    def total():
        y, final = layer(x, state, lengths=[3, 2], resets=resets)
        assert "last call: engine native" in layer.explain()
        return weighted(y, *final)

    assert_slopes(total, [x, *state, *layer.parameters()], order=2)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_a_gradient_that_is_differentiated_again(dropout):
    layer = layer_of("gru", num_layers=2, recurrent_dropout=dropout, initial_state="learned")

    def penalty(layer):
        x = dense().requires_grad_()
        y, (h,) = layer(x, **OPTIONS)
        (slope,) = torch.autograd.grad(weighted(y, h), x, create_graph=True)
        loss = (slope**2).sum() + y.mean()
        return [slope, *torch.autograd.grad(loss, [x, *layer.parameters()])]

    both(layer, penalty)
    assert "second derivatives go through eager" in layer.explain()


def test_two_passes_backward_through_one_graph_are_equal():
    layer = layer_of("lstm", num_layers=2, bidirectional=True)
    x = dense().requires_grad_()
    y, (h, c) = layer(x, **OPTIONS)
    inputs = [x, *layer.parameters()]
    first = torch.autograd.grad(weighted(y, h, c), inputs, retain_graph=True)
    other = torch.autograd.grad(y.sum(), inputs, retain_graph=True)
    again = torch.autograd.grad(weighted(y, h, c), inputs)
    assert all(map(torch.equal, first, again))
    assert not any(map(torch.equal, first, other))
    with pytest.raises(RuntimeError, match="second time"):
        y.sum().backward()


@pytest.mark.parametrize("frozen", ["R", "W", "b", "R_z", "b_z"])
def test_frozen_parameters(frozen):
    layer = layer_of("gru", num_layers=2)
    for name, parameter in layer.named_parameters():
        parameter.requires_grad_(not name.startswith(frozen))

    def question(layer):
        layer.zero_grad()
        y, (h,) = layer(dense())
        weighted(y, h).backward()
        return [y, *gradients(layer)]

    found = both(layer, question)[1:]
    assert [g is None for g in found] == [not p.requires_grad for p in layer.parameters()]


def test_only_the_input_or_only_a_state_wants_a_gradient():
    layer = layer_of("lstm").requires_grad_(False)

    def question(layer, which):
        x, state = dense(), tuple(torch.randn(1, BATCH, UNITS, dtype=DOUBLE) for _ in range(2))
        wanted = (x, *state)[which].requires_grad_()
        y, (h, c) = layer(x, state)
        return [y, *torch.autograd.grad(weighted(y, h, c), wanted)]

    for which in range(3):
        both(layer, lambda layer, which=which: question(layer, which))


@pytest.mark.parametrize("used", ["output", "final", "cell state", "one step", "nothing of the second layer"])
def test_results_of_which_only_some_are_used(used):
    layer = layer_of("lstm", num_layers=2)

    def question(layer):
        x = dense().requires_grad_()
        y, (h, c) = layer(x, lengths=[3, 0, 4])
        total = {"output": y.sum(), "final": h.sum(), "cell state": (c**2).sum(), "one step": (y[1] ** 2).sum()}.get(used, h[0].sum())
        return torch.autograd.grad(total, [x, *layer.parameters()], allow_unused=True, materialize_grads=True)

    both(layer, question)


def test_every_state_at_every_step():
    layer = layer_of("lstm", bidirectional=True)

    def question(layer):
        x = dense().requires_grad_()
        y, state, every = layer(x, return_states=True, **OPTIONS)
        return [y, *every, *torch.autograd.grad(weighted(every[1], state[0]), [x, *layer.parameters()])]

    both(layer, question)


def test_whole_numbers_get_no_gradient():
    layer = layer_of("gru", 7)

    def question(layer, kind):
        layer.zero_grad()
        y, (h,) = layer(torch.randint(7, (STEPS, BATCH)).to(kind), **OPTIONS)
        weighted(y, h).backward()
        return [y, h, *gradients(layer)]

    for kind in (torch.int64, torch.int32, torch.uint8):
        both(layer, lambda layer, kind=kind: question(layer, kind))


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_without_gradients(mode):
    layer = layer_of("lstm", num_layers=2)
    with mode():
        x = dense()
        y, state = layer(x)
        again, _ = layer(x, state)
    assert not y.requires_grad
    torch.testing.assert_close(layer(dense())[0], y)
    assert torch.equal(y.is_inference() * torch.ones(1), (mode is torch.inference_mode) * torch.ones(1))
    if mode is torch.inference_mode:
        with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
            layer(x)
    assert not torch.equal(y, again)


@pytest.mark.parametrize("changed", ["x", "parameter", "state", "resets", "lengths"])
def test_what_is_written_to_before_the_pass_backward_is_noticed(changed):
    layer = layer_of("elman")
    x, state, resets = dense().requires_grad_(), torch.zeros(1, BATCH, UNITS, dtype=DOUBLE), torch.zeros(STEPS, BATCH, dtype=torch.bool)
    x, lengths = x * 1, torch.tensor([3, 0, 4])
    y, _ = layer(x, state, resets=resets, lengths=lengths)
    with torch.no_grad():
        {"x": x, "parameter": layer.R_h_l0, "state": state, "resets": resets, "lengths": lengths}[changed].zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_an_output_may_be_written_to():
    """Nothing of the output is read on the way back."""
    layer = layer_of("elman")
    y, _ = layer(dense())
    y = y.relu_()
    y.sum().backward()
    assert layer.R_h_l0.grad.isfinite().all()


@pytest.mark.parametrize("shape", ["transposed", "expanded", "strided", "expanded flow", "one value for all"])
def test_tensors_that_are_not_contiguous(shape):
    layer = layer_of("lstm")

    def question(layer):
        base = torch.randn(BATCH, STEPS, INPUTS, dtype=DOUBLE).requires_grad_()
        x = base.transpose(0, 1)
        state = tuple(torch.randn(1, UNITS, BATCH, dtype=DOUBLE).transpose(1, 2) for _ in range(2))
        resets = OPTIONS["resets"].T.contiguous().T
        lengths = torch.tensor([3, 9, 0, 9, 4, 9])[::2]
        if shape == "expanded":
            x, state = x[:, :1].expand(-1, BATCH, -1), tuple(s[:, :1].expand(-1, BATCH, -1) for s in state)
            resets = resets[:1].expand(STEPS, -1)
        if shape == "strided":
            x = torch.stack([x, x + 1], -1).flatten(-2)[..., ::2]
        y, (h, c) = layer(x, state, lengths=lengths, resets=resets)
        flow = torch.randn(UNITS, BATCH, STEPS, dtype=DOUBLE).permute(2, 1, 0)
        if shape == "expanded flow":
            flow = flow[:1, :, :1].expand(y.shape)
        if shape == "one value for all":
            flow = torch.ones((), dtype=DOUBLE).expand(y.shape)
        y.backward(flow, retain_graph=True)
        return [y, h, c, base.grad, *gradients(layer)]

    layer.zero_grad()
    layer.engine = "eager"
    both(layer, lambda layer: [layer.zero_grad(), *question(layer)])


def test_numbers_that_are_not_contiguous():
    layer = layer_of("gru", 7)
    both(layer, lambda layer: layer(torch.randint(7, (BATCH, STEPS)).T, lengths=torch.tensor([3, 9, 0, 9, 4, 9])[::2])[:1])


@pytest.mark.parametrize(("steps", "batch"), [(0, 3), (4, 0), (0, 0)])
@pytest.mark.parametrize("options", [{}, {"lengths": True}])
def test_nothing_to_do(steps, batch, options):
    layer = layer_of("lstm", num_layers=2, bidirectional=True, initial_state="learned")

    def question(layer):
        layer.zero_grad()
        x = dense(steps, batch).requires_grad_()
        more = {"lengths": torch.zeros(batch, dtype=torch.long), "resets": torch.ones(steps, batch, dtype=torch.bool)} if options else {}
        y, (h, c) = layer(x, **more)
        weighted(y, h, c).backward()
        return [y, h, c, *(torch.zeros_like(p) if p.grad is None else p.grad for p in (x, *layer.parameters()))]

    both(layer, question)


def test_pruned_and_parametrised_parameters():
    class Doubled(torch.nn.Module):
        def forward(self, value):
            return 2 * value

    layer = un.LSTM(INPUTS, UNITS, dtype=DOUBLE, engine="native")
    prune.l1_unstructured(layer, "weight_hh_l0", 0.5)
    parametrize.register_parametrization(layer, "weight_ih_l0", Doubled())
    torch.nn.utils.parametrizations.weight_norm(layer, "bias_ih_l0", dim=None)

    def question(layer):
        layer.zero_grad()
        y, (h, c) = layer(dense(), **OPTIONS)
        weighted(y, h, c).backward()
        return [y, *gradients(layer)]

    both(layer, question)
    assert not layer.weight_hh_l0_orig.grad[layer.weight_hh_l0 == 0].any()


@pytest.mark.parametrize("engine", ["native", "auto"])
def test_parameters_given_by_functional_call(engine):
    layer = layer_of("gru", engine=engine)
    given = {name: (2 * p.detach()).repeat_interleave(2, -1)[..., ::2].requires_grad_() for name, p in layer.named_parameters()}
    doubled = copy.deepcopy(layer)
    with torch.no_grad():
        for p in doubled.parameters():
            p.mul_(2)
    y, _ = torch.func.functional_call(layer, given, (dense(),), OPTIONS)
    wanted, _ = doubled(dense(), **OPTIONS)
    torch.testing.assert_close(y, wanted)
    (y**2).sum().backward()
    (wanted**2).sum().backward()
    for name, p in doubled.named_parameters():
        torch.testing.assert_close(given[name].grad, p.grad)
    assert all(p.grad is None for p in layer.parameters())


def test_the_transforms_of_torch_func_take_another_engine():
    layer = layer_of("gru", engine="auto")
    parameters = {n: p.detach() for n, p in layer.named_parameters()}
    total = lambda given, x: torch.func.functional_call(layer, given, (x,))[0].sum()  # noqa: E731
    found = torch.func.grad(total)(parameters, dense())
    assert "engine eager (not native: the transforms of torch.func" in layer.explain().splitlines()[-1]
    layer(dense())[0].sum().backward()
    assert "engine native" in layer.explain().splitlines()[-1]
    for name, p in layer.named_parameters():
        torch.testing.assert_close(found[name], p.grad)


@pytest.mark.parametrize("lengths", [None, [3, 0, 4]])
def test_what_reaches_no_output_has_a_gradient_of_zeros(lengths):
    """So that weight decay moves it by the same on every engine."""
    blind = un.Cell("blind", "s[t] = tanh(V @ x[t] + U @ s[t-1] + c)\nh[t] = tanh(R @ h[t-1] + b)", output="h")
    layer = un.Recurrent(blind, INPUTS, UNITS, dtype=DOUBLE)
    begun = tuple(torch.ones(1, BATCH, UNITS, dtype=DOUBLE, requires_grad=True) for _ in range(2))

    def found(layer):
        for tensor in (x := dense().requires_grad_(), *begun, *layer.parameters()):
            tensor.grad = None
        layer(x, begun, lengths=lengths)[0].sum().backward()
        return [x.grad, begun[1].grad, *(getattr(layer, f"{name}_l0").grad for name in ("V", "U", "c"))]

    assert not any(gradient.any() for gradient in both(layer, found))


def test_copies_stand_for_themselves():
    layer = layer_of("lstm")
    before, _ = layer(dense())
    other = copy.deepcopy(layer)
    with torch.no_grad():
        other.R_i_l0.zero_()
    changed, _ = other(dense())
    assert not torch.equal(changed, before)
    assert torch.equal(layer(dense())[0], before)
    changed.sum().backward()
    assert all(p.grad is None for p in layer.parameters())


@pytest.mark.parametrize("reentrant", [False, True])
def test_checkpointing(reentrant):
    layer = layer_of("lstm", num_layers=2, recurrent_dropout=0.5)

    def flat(x):
        y, state = layer(x, **OPTIONS)
        return y, *state

    def question(layer, wrap):
        layer.zero_grad()
        torch.manual_seed(3)
        x = dense().requires_grad_()
        y, h, c = wrap(flat, x)
        weighted(y, h, c).backward()
        return [y, x.grad, *gradients(layer)]

    wanted = question(layer, lambda function, x: function(x))
    found = question(layer, lambda function, x: torch.utils.checkpoint.checkpoint(function, x, use_reentrant=reentrant))
    assert all(map(torch.equal, found, wanted))


def test_saved_tensors_may_be_moved_away():
    """What is packed and unpacked between the passes comes back as other tensors."""
    layer = layer_of("lstm")
    wanted = torch.autograd.grad(weighted(layer(dense(), **OPTIONS)[0]), list(layer.parameters()))
    with torch.autograd.graph.save_on_cpu(), torch.autograd.graph.saved_tensors_hooks(torch.clone, torch.clone):
        y, _ = layer(dense(), **OPTIONS)
    total = weighted(y)
    for _ in range(2):
        found = torch.autograd.grad(total, list(layer.parameters()), retain_graph=True)
        assert all(map(torch.equal, found, wanted))


def test_a_hook_sees_each_gradient_once():
    layer, seen = layer_of("gru", num_layers=2), []
    for name, p in layer.named_parameters():
        p.register_post_accumulate_grad_hook(lambda p, name=name: seen.append(name))
    layer(dense())[0].sum().backward()
    assert sorted(seen) == sorted(n for n, _ in layer.named_parameters())


def test_nothing_is_made_for_what_nothing_flows_back_to(monkeypatch):
    """Zeros for the tape, of which nobody can make use, would be as large as the tape."""
    inside, seen = operators.backward, []

    def backward(given, tape, d_outs, d_finals, *wanted):
        seen.append([f.numel() for f in (*d_outs, *d_finals)])
        return inside(given, tape, d_outs, d_finals, *wanted)

    monkeypatch.setattr(operators, "backward", backward)
    layer = layer_of("lstm")
    layer(dense())[0].sum().backward()
    assert seen == [[STEPS * BATCH * UNITS, 0, 0]]


def test_frozen_parameters_get_no_gradient_and_cost_none(monkeypatch):
    asked, backward = [], operators.backward
    monkeypatch.setattr(operators, "backward", lambda *arguments: asked.append(found := backward(*arguments)) or found)
    layer = layer_of("lstm-peephole")
    for name, parameter in layer.named_parameters():
        parameter.requires_grad_(name in {"R_f_l0", "b_i_l0", "W_o_l0"})

    def question(layer):
        layer.zero_grad()
        weighted(layer(dense())[0]).backward()
        return gradients(layer)

    assert sum(g is not None for g in both(layer, question)) == 3
    assert sum(t.numel() for t in asked[0][: len(gradients(layer))]) == UNITS * UNITS + UNITS + UNITS * INPUTS
    layer.requires_grad_(False)
    x = dense().requires_grad_()
    both(layer, lambda layer: torch.autograd.grad(weighted(layer(x)[0]), x))
