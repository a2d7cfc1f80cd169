"""One layer, or copies of it, in several threads at once."""

import copy
import threading
from concurrent.futures import ThreadPoolExecutor

import torch
from torch.func import functional_call

from pairs import INPUTS, assert_same, descend, error_of, flat, gradients, loss_of, make_pair, parameters_of

THREADS, ROUNDS = 4, 2


def at_once(function, *columns):
    """The function's results for each row of arguments, each in a thread of its own, several times over."""
    start = threading.Barrier(THREADS)

    def run(*arguments):
        start.wait(60)
        return [function(*arguments) for _ in range(ROUNDS)]

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, *columns))


def inputs_of(pair):
    """An input of another length and batch size for each thread."""
    torch.manual_seed(4)
    return [torch.randn(3 + 2 * n, 1 + n, INPUTS, dtype=pair.x.dtype) for n in range(THREADS)]


def flows(layer, x):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(loss_of(layer(x)), [x, *layer.parameters()])


def test_forward(pair):
    xs = inputs_of(pair)

    def run(x):
        with torch.no_grad():
            return flat(pair.ours(x))

    for x, rounds in zip(xs, at_once(run, xs), strict=True):
        wanted = [t.detach() for t in flat(pair.theirs(x))]
        for found in rounds:
            assert_same(found, wanted)


def test_forward_and_backward(pair):
    xs = inputs_of(pair)
    for x, rounds in zip(xs, at_once(lambda x: flows(pair.ours, x), xs), strict=True):
        wanted = flows(pair.theirs, x)
        for found in rounds:
            assert_same(found, wanted)


def test_gradients_of_all_threads_are_added_up(pair):
    xs = inputs_of(pair)
    at_once(lambda x: loss_of(pair.ours(x)).backward(), xs)
    for x in xs:
        (ROUNDS * loss_of(pair.theirs(x))).backward()
    assert_same(*({name: p.grad for name, p in layer.named_parameters()} for layer in pair.both))


def test_some_threads_with_and_some_without_gradients(one_pair):
    xs = inputs_of(one_pair)

    def run(x):
        if len(x) % 4 == 1:
            with torch.no_grad():
                return flat(one_pair.ours(x))
        return flows(one_pair.ours, x)

    for x, rounds in zip(xs, at_once(run, xs), strict=True):
        wanted = [t.detach() for t in flat(one_pair.theirs(x))] if len(x) % 4 == 1 else flows(one_pair.theirs, x)
        for found in rounds:
            assert_same(found, wanted)


def test_backward_in_another_thread_than_forward(one_pair):
    wanted = gradients(one_pair.theirs, one_pair.x)
    x = one_pair.x.clone().requires_grad_()
    value = loss_of(one_pair.ours(x))
    thread = threading.Thread(target=value.backward)
    thread.start()
    thread.join(60)
    assert_same((x.grad, {name: p.grad for name, p in one_pair.ours.named_parameters()}), wanted[1:])


def test_copies_that_learn(one_pair):
    xs = inputs_of(one_pair)
    copies = [copy.deepcopy(one_pair.ours) for _ in xs]
    at_once(descend, copies, xs)
    for layer, x in zip(copies, xs, strict=True):
        alone = copy.deepcopy(one_pair.theirs)
        for _ in range(ROUNDS):
            descend(alone, x)
        assert_same(parameters_of(layer), parameters_of(alone))


def test_replicas_with_weights_of_their_own(one_pair):
    xs, factors = inputs_of(one_pair), [0.25, 0.5, 0.75, 1.0]

    def replica(factor):
        made = one_pair.ours._replicate_for_data_parallel()
        for name, p in one_pair.ours.named_parameters():
            setattr(made, name, factor * p.detach())
        return made

    for x, factor, rounds in zip(xs, factors, at_once(lambda x, layer: flat(layer(x)), xs, map(replica, factors)), strict=True):
        wanted = flat(functional_call(one_pair.theirs, {name: factor * p for name, p in parameters_of(one_pair.theirs).items()}, (x,)))
        for found in rounds:
            assert_same(found, wanted)


def test_forward_backward_and_step_at_once(pair):
    """Steps of size nothing: torch refuses to go back over weights that were written to, and what it does not refuse must be right."""
    xs = inputs_of(pair)
    wanted = {len(x): flows(pair.theirs, x) for x in xs}
    before = parameters_of(pair.ours)

    def run(x):
        def learn():
            found.extend(flows(pair.ours, x))
            for p in pair.ours.parameters():
                p.grad = torch.zeros_like(p)
            torch.optim.SGD(pair.ours.parameters(), 0.0).step()

        found = []
        return error_of(learn), found

    for x, rounds in zip(xs, at_once(run, xs), strict=True):
        for error, found in rounds:
            assert error is None or "modified by an inplace operation" in str(error)
            if found:
                assert_same(tuple(found), wanted[len(x)])
    assert_same(parameters_of(pair.ours), before)


def test_streams(kind, engine):
    pair = make_pair(kind, engine, 2)
    xs = inputs_of(pair)

    def run(x):
        state, ys = None, []
        with torch.no_grad():
            for x_t in x:
                y, state = pair.ours.step(x_t, state)
                ys.append(y)
        return torch.stack(ys)

    for x, rounds in zip(xs, at_once(run, xs), strict=True):
        wanted = pair.theirs(x)[0].detach()
        for found in rounds:
            assert_same(found, wanted)


def test_a_first_call_in_many_threads(one_pair):
    layers, xs = [copy.deepcopy(one_pair.ours) for _ in range(THREADS)], inputs_of(one_pair)
    for x, rounds in zip(xs, at_once(flows, layers, xs), strict=True):
        assert_same(rounds[0], flows(one_pair.theirs, x))


def test_one_graph_that_several_threads_go_back_through(one_pair):
    graphs = []
    for layer in one_pair.both:
        x = one_pair.x.repeat(40, 20, 1).requires_grad_()
        graphs.append((loss_of(layer(x)), [x, *layer.parameters()]))
    ours, wanted = (lambda _, g=graph: torch.autograd.grad(*g, retain_graph=True) for graph in graphs)
    expected = wanted(0)
    for rounds in at_once(ours, range(THREADS)):
        for found in rounds:
            assert_same(found, expected)
