"""`torch.func.vmap` beside a loop over torch.nn's layer, for which torch has no batching rule."""

import pytest
import torch
from torch.func import functional_call, grad, stack_module_state, vmap

from engines_here import HERE
from pairs import assert_same, flat, loss_of, make_pair, parameters_of, state_for
from unrolled.errors import EngineError

MANY = 3


def many(tensor):
    return torch.stack([tensor * (n + 1) / MANY for n in range(MANY)])


def stacked(results, dim=0):
    return [torch.stack(column, dim) for column in zip(*map(flat, results), strict=True)]


def test_over_inputs(free_pair):
    xs = many(free_pair.x)
    wanted = stacked([free_pair.theirs(x) for x in xs])
    assert_same(flat(vmap(free_pair.ours)(xs)), wanted)


def test_along_the_batch_of_the_input(free_pair):
    x = free_pair.x
    wanted = stacked([free_pair.theirs(x[:, b]) for b in range(x.shape[1])], 1)
    assert_same(flat(vmap(free_pair.ours, in_dims=1, out_dims=1)(x)), wanted)


def test_over_states(free_pair):
    state = state_for(free_pair)
    states = tuple(map(many, state)) if isinstance(state, tuple) else many(state)
    each = list(zip(*states, strict=True)) if isinstance(state, tuple) else list(states)
    wanted = stacked([free_pair.theirs(free_pair.x, s) for s in each])
    assert_same(flat(vmap(free_pair.ours, in_dims=(None, 0))(free_pair.x, states)), wanted)


def test_over_weights(free_pair):
    ensemble = {name: many(w) for name, w in parameters_of(free_pair.theirs).items()}
    wanted = stacked([functional_call(free_pair.theirs, {k: w[n] for k, w in ensemble.items()}, (free_pair.x,)) for n in range(MANY)])
    assert_same(flat(vmap(lambda w: functional_call(free_pair.ours, w, (free_pair.x,)))(ensemble)), wanted)


def test_over_one_weight_alone(free_pair):
    hidden = many(free_pair.theirs.weight_hh_l0.detach())
    wanted = stacked([functional_call(free_pair.theirs, {"weight_hh_l0": w}, (free_pair.x,)) for w in hidden])
    assert_same(flat(vmap(lambda w: functional_call(free_pair.ours, {"weight_hh_l0": w}, (free_pair.x,)))(hidden)), wanted)


def test_over_weights_and_inputs_of_a_stacked_ensemble(kind, free_engine):
    pairs = [make_pair(kind, free_engine, 2, True, steps=4) for _ in range(MANY)]
    for n, pair in enumerate(pairs):
        with torch.no_grad():
            for layer in pair.both:
                for p in layer.parameters():
                    p.mul_(n + 0.5)
    parameters, buffers = stack_module_state([p.ours for p in pairs])
    xs = many(pairs[0].x)
    wanted = stacked([p.theirs(x) for p, x in zip(pairs, xs, strict=True)])
    run = vmap(lambda w, b, x: functional_call(pairs[0].ours, (w, b), (x,)))
    assert_same(flat(run(parameters, buffers, xs)), wanted)


def test_in_another_vmap(free_pair):
    xs = torch.stack([many(free_pair.x), many(free_pair.x.flip(0))])
    wanted = [torch.stack(rows) for rows in zip(*(stacked([free_pair.theirs(x) for x in row]) for row in xs), strict=True)]
    assert_same(flat(vmap(vmap(free_pair.ours))(xs)), wanted)


def test_in_chunks(free_pair):
    xs = many(free_pair.x)
    assert_same(flat(vmap(free_pair.ours, chunk_size=2)(xs)), stacked([free_pair.theirs(x) for x in xs]))


def test_gradients_of_each_sample(free_pair):
    x = free_pair.x

    def gradient(layer):
        return grad(lambda w, row: loss_of(functional_call(layer, w, (row,))))

    weights = parameters_of(free_pair.theirs)
    rows = [gradient(free_pair.theirs)(weights, x[:, b]) for b in range(x.shape[1])]
    wanted = {name: torch.stack([row[name] for row in rows]) for name in weights}
    assert_same(vmap(gradient(free_pair.ours), in_dims=(None, 1))(weights, x), wanted)


def test_gradients_through_a_vmap(free_pair):
    found = []
    for layer, run in zip(free_pair.both, (vmap(free_pair.ours), lambda xs: stacked([free_pair.theirs(x) for x in xs])), strict=True):
        xs = many(free_pair.x).requires_grad_()
        results = run(xs)
        y = results[0]
        y.square().sum().backward()
        found.append([xs.grad, *(p.grad for p in layer.parameters())])
    assert_same(*found)


def test_after_calls_without(free_pair):
    xs = many(free_pair.x)
    with torch.no_grad():
        plain = [free_pair.ours(x) for x in xs]
        assert_same(flat(vmap(free_pair.ours)(xs)), stacked(plain))
        assert_same(free_pair.ours(xs[0]), plain[0])


def test_dropout_draws_for_each_or_once_for_all(kind, free_engine):
    pair = make_pair(kind, free_engine, 2, dropout=0.5)
    xs = torch.stack([pair.x] * MANY)
    for randomness, equal in (("same", True), ("different", False)):
        y = vmap(pair.ours, randomness=randomness)(xs)[0]
        assert torch.allclose(y[0], y[1]) is equal
    with pytest.raises(RuntimeError, match="random"):
        vmap(pair.ours)(xs)


@pytest.mark.parametrize("engine", [name for name in HERE if name != "eager"])
def test_an_engine_that_is_named_and_cannot_says_so(kind, engine):
    pair = make_pair(kind, engine)
    with pytest.raises(EngineError, match=r"torch\.func|vmap"):
        vmap(pair.ours)(many(pair.x))
