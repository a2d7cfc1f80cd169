"""Derivatives that are carried forward: dual numbers, `jvp`, `jacfwd`."""

import pytest
import torch
from torch.autograd import forward_ad, gradcheck
from torch.autograd.functional import jacobian
from torch.func import functional_call, grad, jacfwd, jvp, linearize, vmap

from engines_here import HERE
from pairs import assert_same, flat, loss_of, make_pair, parameters_of, state_for
from unrolled.errors import EngineError

pytestmark = [
    pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Attempted to insert a get_attr Node:UserWarning"),
]


def unpacked(result):
    parts = [forward_ad.unpack_dual(r) for r in flat(result)]
    return [p.primal.detach() for p in parts], [p.tangent.detach() for p in parts]


def dual(tensor):
    return forward_ad.make_dual(tensor, tensor.cos())


def test_dual_inputs(free_pair):
    with forward_ad.dual_level():
        assert_same(*(unpacked(layer(dual(free_pair.x))) for layer in free_pair.both))


def test_dual_states(free_pair):
    state = state_for(free_pair)
    with forward_ad.dual_level():
        given = tuple(map(dual, state)) if isinstance(state, tuple) else dual(state)
        assert_same(*(unpacked(layer(free_pair.x, given)) for layer in free_pair.both))


def test_dual_weights(free_pair):
    with forward_ad.dual_level():
        weights = {name: dual(w) for name, w in parameters_of(free_pair.theirs).items()}
        assert_same(*(unpacked(functional_call(layer, weights, (free_pair.x,))) for layer in free_pair.both))


def test_numbers_without_tangents_between_dual_ones(free_pair):
    with forward_ad.dual_level():
        y, _ = free_pair.ours(free_pair.x)
        assert forward_ad.unpack_dual(y).tangent is None
        assert_same(y, free_pair.theirs(free_pair.x)[0])


def test_nothing_is_left_behind(free_pair):
    before = free_pair.ours(free_pair.x)
    with forward_ad.dual_level():
        free_pair.ours(dual(free_pair.x))
    assert_same(free_pair.ours(free_pair.x), before)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_linearize_is_jvp_in_every_direction(kind):
    # Torch's own layers give this for the first direction alone, and only while their weights do not learn.
    pair = make_pair(kind, steps=2)
    at = pair.x, parameters_of(pair.ours)
    ways = [(change(pair.x), {name: change(w) for name, w in at[1].items()}) for change in (torch.cos, torch.sin)]

    def run(x, weights):
        return flat(functional_call(pair.ours, weights, (x,)))

    results, along = linearize(run, *at)
    assert_same([(results, along(*way)) for way in ways], [jvp(run, at, way) for way in ways])


def test_jvp_of_input_and_weights(free_pair):
    weights = parameters_of(free_pair.theirs)
    along = {name: w.cos() for name, w in weights.items()}

    def call(layer):
        return lambda x, w: flat(functional_call(layer, w, (x,)))

    found = [jvp(call(layer), (free_pair.x, weights), (free_pair.x.cos(), along)) for layer in free_pair.both]
    assert_same(*found)
    far = 1e-6
    moved = [
        call(free_pair.ours)(free_pair.x + s * far * free_pair.x.cos(), {n: w + s * far * along[n] for n, w in weights.items()})
        for s in (1, -1)
    ]
    for tangent, up, down in zip(found[0][1], *moved, strict=True):
        torch.testing.assert_close(tangent, (up - down) / (2 * far), atol=1e-8, rtol=1e-6)


def test_jacfwd_of_the_input(free_pair):
    assert_same(*(jacfwd(lambda x, f=layer: flat(f(x)))(free_pair.x) for layer in free_pair.both))


def test_jacobian_by_forward_mode(free_pair):
    found = jacobian(lambda x: free_pair.ours(x)[0], free_pair.x, vectorize=True, strategy="forward-mode")
    assert_same(found, jacobian(lambda x: free_pair.theirs(x)[0], free_pair.x))


def test_forward_over_reverse(free_pair):
    x = free_pair.x
    found = [jvp(grad(lambda x, f=layer: loss_of(f(x))), (x,), (x.cos(),)) for layer in free_pair.both]
    assert_same(*found)
    assert found[0][1].any()


def test_reverse_over_forward(free_pair):
    x = free_pair.x
    found = [grad(lambda x, f=layer: jvp(lambda x: loss_of(f(x)), (x,), (x.cos(),))[1])(x) for layer in free_pair.both]
    assert_same(*found)


def test_dual_numbers_in_a_graph(free_pair):
    found = []
    for layer in free_pair.both:
        x = free_pair.x.clone().requires_grad_()
        with forward_ad.dual_level():
            tangent = forward_ad.unpack_dual(loss_of(layer(forward_ad.make_dual(x, free_pair.x.cos())))).tangent
            found.append(torch.autograd.grad(tangent, [x, *layer.parameters()], allow_unused=True, materialize_grads=True))
    assert_same(*found)


def test_many_tangents_at_once(free_pair):
    x = free_pair.x
    tangents = torch.stack([x.cos(), x.sin(), x])
    found = vmap(lambda t: jvp(lambda x: free_pair.ours(x)[0], (x,), (t,))[1])(tangents)
    assert_same(found, torch.stack([jvp(lambda x: free_pair.theirs(x)[0], (x,), (t,))[1] for t in tangents]))


def test_gradcheck_in_forward_mode(free_pair):
    state = state_for(free_pair)
    given = [t.clone().requires_grad_() for t in (free_pair.x, *(state if isinstance(state, tuple) else (state,)))]

    def call(x, *states):
        return tuple(flat(free_pair.ours(x, states if len(states) > 1 else states[0])))

    options = {"check_forward_ad": True, "check_batched_forward_grad": True, "check_undefined_grad": True}
    assert gradcheck(call, given, fast_mode=True, **options)


def test_float32_where_torchs_own_lstm_cannot(kind, free_engine):
    narrow, wide = (make_pair(kind, free_engine, 2, True, dtype) for dtype in (torch.float32, torch.float64))
    wide.theirs.load_state_dict(narrow.theirs.state_dict())
    x = narrow.x
    got = jvp(lambda x: flat(narrow.ours(x)), (x,), (x.cos(),))
    wanted = jvp(lambda x: flat(wide.theirs(x)), (x.double(),), (x.cos().double(),))
    for some, others in zip(got, wanted, strict=True):
        assert_same(some, [o.float() for o in others])


@pytest.mark.parametrize("engine", [name for name in HERE if name != "eager"])
def test_an_engine_that_is_named_and_cannot_says_so(kind, engine):
    pair = make_pair(kind, engine)
    with forward_ad.dual_level(), pytest.raises(EngineError, match="forward"):
        pair.ours(dual(pair.x))
