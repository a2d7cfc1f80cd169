import functools
import itertools
import math
from typing import NamedTuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.data.batches import Batch
from unrolled.decoding import BeamOptions, beam_search, draw, select
from unrolled.errors import ConfigError, ShapeError
from unrolled.models import COPIES, EncoderDecoder, EncoderDecoderOptions

SYMBOLS, END, STEPS = 4, 1, 3


class Place(NamedTuple):
    """What was written before, as one number, and as a list of symbols: so that a wrong order of states shows."""

    path: torch.Tensor
    unused: None
    deep: tuple[tuple[torch.Tensor, ...], ...]


@functools.cache
def drawn(seed, symbols, length, source, path):
    """Log-probabilities, and weights of a source's steps."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + source * 7919 + path)
    logs = (2 * torch.randn(symbols, generator=generator, dtype=torch.float64)).log_softmax(-1)
    weights = torch.zeros(STEPS, dtype=torch.float64)
    weights[:length] = (3 * torch.randn(length, generator=generator, dtype=torch.float64)).softmax(-1)
    return logs, weights


class Random:
    """Random log-probabilities and weights for everything that may have been written, other ones for each source."""

    def __init__(self, sources, seed=0, symbols=SYMBOLS):
        self.seed, self.symbols, self.calls, self.rows = seed, symbols, 0, []
        self.memory = (torch.arange(sources)[None],)
        self.lengths = torch.tensor([1 + row % STEPS for row in range(sources)])

    def begin(self):
        sources = self.memory[0].shape[1]
        return Place(torch.zeros(1, sources, dtype=torch.long), None, ((torch.zeros(2, sources, 1),),))

    def given(self, source, path):
        return drawn(self.seed, self.symbols, int(self.lengths[source]), source, path)

    def step(self, symbols, state, memory):
        self.calls += 1
        self.rows.append(len(symbols))
        each = len(symbols) // memory[0].shape[1]
        sources = memory[0][0].repeat_interleave(each)
        path = state.path * (self.symbols + 1) + symbols + 1
        deep = state.deep[0][0] + 1
        assert (deep == deep[0, 0, 0]).all()
        parts = [self.given(int(s), int(p)) for s, p in zip(sources, path[0], strict=True)]
        logs, weights = (torch.stack(part) for part in zip(*parts, strict=True))
        return logs, Place(path, None, ((deep,),)), weights

    def log_probability(self, source, written):
        """Of what was written with its end, and the weights of all steps."""
        path, total, seen = END + 1, 0.0, []
        for symbol in (*written, END):
            logs, weights = self.given(source, path)
            total += float(logs[symbol])
            seen.append(weights)
            path = path * (self.symbols + 1) + symbol + 1
        return total, torch.stack(seen)

    def ranked(self, source, every, options):
        """Sequences, best first: (symbols, score, log-probability)."""
        entries = []
        for written in every:
            log, seen = self.log_probability(source, written)
            covered = seen[:, : int(self.lengths[source])].sum(0).numpy()
            score = log / ((5 + len(written) + 1) / 6) ** options.length_penalty
            entries.append((written, score + options.coverage_penalty * np.log(np.minimum(covered, 1)).sum(), log))
        return sorted(entries, key=lambda entry: -entry[1])

    def brute_force(self, source, limit, options, prefix=()):
        """Every sequence there is, ranked."""
        others = [s for s in range(self.symbols) if s != END and s not in options.forbidden]
        lengths = range(max(limit - len(prefix), 0) + 1)
        return self.ranked(source, [(*prefix, *rest) for more in lengths for rest in itertools.product(others, repeat=more)], options)


def check(found, expected, tolerance=1e-9):
    assert [tuple(h.symbols.tolist()) for h in found] == [written for written, _, _ in expected]
    np.testing.assert_allclose([h.score for h in found], [score for _, score, _ in expected], rtol=tolerance)
    np.testing.assert_allclose([h.log_probability for h in found], [log for _, _, log in expected], rtol=tolerance)


PENALTIES = [(0.0, 0.0), (0.6, 0.0), (1.5, 0.2), (-1.0, 0.0), (0.8, 2.0)]


@pytest.mark.parametrize(("length", "coverage"), PENALTIES)
@pytest.mark.parametrize("forbidden", [(), (0,)])
def test_a_width_that_covers_everything_finds_the_best_of_all(length, coverage, forbidden):
    options = BeamOptions(width=200, best=12, length_penalty=length, coverage_penalty=coverage, forbidden=forbidden)
    model, limits = Random(4), [3, 1, 0, 4]
    found = beam_search(model.step, model.begin(), model.memory, limits, options, lengths=model.lengths)
    for source, limit in enumerate(limits):
        check(found[source], model.brute_force(source, limit, options)[:12])


@pytest.mark.parametrize(("length", "coverage"), PENALTIES)
def test_prefixes_begin_what_is_found_and_count(length, coverage):
    options = BeamOptions(width=100, best=5, length_penalty=length, coverage_penalty=coverage, forbidden=(0,))
    prefixes, limits = [(2,), (), (3, 0, 2, 2)], [3, 3, 2]
    model = Random(3, seed=1)
    found = beam_search(model.step, model.begin(), model.memory, limits, options, lengths=model.lengths, prefixes=prefixes)
    for source, prefix in enumerate(prefixes):
        check(found[source], model.brute_force(source, limits[source], options, prefix)[:5])


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 1000),
    width=st.integers(1, 5),
    length=st.sampled_from([0.0, 0.7, 1.2, -1.5]),
    coverage=st.sampled_from([0.0, 0.4]),
    limits=st.lists(st.integers(0, 7), min_size=1, max_size=6),
)
def test_a_batch_finds_what_each_source_finds_alone_and_what_a_plain_loop_finds(seed, width, length, coverage, limits):
    options = BeamOptions(width=width, best=max(1, width - 1), length_penalty=length, coverage_penalty=coverage)
    model = Random(len(limits), seed)
    found = beam_search(model.step, model.begin(), model.memory, limits, options, lengths=model.lengths)
    for source, limit in enumerate(limits):
        memory, begin = select((model.memory, model.begin()), torch.tensor([source]))
        lengths = model.lengths[source : source + 1]
        alone = beam_search(model.step, begin, memory, [limit], options, lengths=lengths)[0]
        check(found[source], [(tuple(h.symbols.tolist()), h.score, h.log_probability) for h in alone])
        check(found[source], plain_loop(model, source, limit, options))


def plain_loop(model, source, limit, options):
    """Beam search with lists, which never stops early."""
    beam, ended = [((), 0.0)], []
    for t in range(limit + 1):
        more = []
        for written, log in beam:
            path = END + 1
            for symbol in written:
                path = path * (model.symbols + 1) + symbol + 1
            logs, _ = model.given(source, path)
            more += [((*written, s), log + float(logs[s])) for s in range(model.symbols) if s == END or t < limit]
        more.sort(key=lambda entry: -entry[1])
        new = [written[:-1] for written, _ in more[: options.width] if written[-1] == END]
        ended += new
        if options.width == 1 and new:
            break
        beam = [entry for entry in more if entry[0][-1] != END][: options.width]
    return model.ranked(source, ended, options)[: options.best]


def test_width_1_takes_the_likeliest_symbol_until_the_end():
    model = Random(5, seed=4)
    greedy = beam_search(model.step, model.begin(), model.memory, [9] * 5, BeamOptions(length_penalty=1.3))
    for source in range(5):
        memory, state = select((model.memory, model.begin()), torch.tensor([source]))
        logs, state, _ = model.step(torch.tensor([END]), state, memory)
        symbols = draw(lambda s, at, m=memory: model.step(s, at, m)[:2], logs, state, 9, temperature=0)
        expected = list(itertools.takewhile(lambda s: s != END, (int(s) for s in symbols)))
        assert greedy[source][0].symbols.tolist() == expected
        assert math.isclose(greedy[source][0].log_probability, model.log_probability(source, expected)[0])


def test_weights_are_those_of_the_steps_of_the_sequence():
    model = Random(3, seed=2)
    for source, found in enumerate(beam_search(model.step, model.begin(), model.memory, [4, 5, 6], BeamOptions(width=3, best=3))):
        for hypothesis in found:
            expected = model.log_probability(source, hypothesis.symbols.tolist())[1]
            torch.testing.assert_close(hypothesis.weights, expected)


class Fixed:
    """The same log-probabilities at every step and for every source; no weights."""

    def __init__(self, chances):
        self.logs, self.calls, self.rows = torch.tensor(chances, dtype=torch.float64).log(), 0, []

    def step(self, symbols, state, memory):
        self.calls += 1
        self.rows.append(len(symbols))
        return self.logs.expand(len(symbols), -1), state, None


def test_it_stops_when_nothing_better_can_come():
    sure = Fixed([0.05, 0.9, 0.05])
    found = beam_search(sure.step, (), None, [1000], BeamOptions(width=3))
    assert sure.calls == 1 and found[0][0].symbols.tolist() == [] and found[0][0].weights is None
    # With a divisor that grows, what is open may still catch up: 0.9 must be out of reach of 0.05^n at every length allowed.
    reach = Fixed([0.05, 0.9, 0.05])
    beam_search(reach.step, (), None, [1000], BeamOptions(width=3, length_penalty=1.0))
    assert 1 < reach.calls < 10


def test_what_is_reached_at_the_limit_alone_is_waited_for():
    # Ending at once has 0.56, and going on 0.44, all else is sure: log 0.44 / 1.5 with the limit of 3 symbols is the better score.
    tables = torch.tensor([[0.44, 0.56], [1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]).log()

    def step(symbols, state, memory):
        return tables[int(state[0][0, 0])].expand(len(symbols), -1), (state[0] + 1,), None

    found = beam_search(step, (torch.zeros(1, 1),), None, [3], BeamOptions(width=2, length_penalty=1.0))[0][0]
    assert len(found.symbols) == 3 and math.isclose(found.score, math.log(0.44) / 1.5, rel_tol=1e-6)


def test_greedy_search_waits_for_no_penalty():
    # The first source may end at once, and would gain by going on as long as the others must.
    tables = torch.tensor([[0.45, 0.55], [1.0, 0.0]]).log()

    def step(symbols, state, memory):
        each = len(symbols) // memory[0].shape[1]
        return tables[memory[0][0].clamp(max=1).repeat_interleave(each)], state, None

    for width, length in ((1, 0), (2, 10)):
        found = beam_search(step, (), (torch.arange(6)[None],), [10] * 6, BeamOptions(width=width, length_penalty=5.0))
        assert [len(each[0].symbols) if each else None for each in found[:2]] == [length, None]


def test_a_long_sequence_can_win_by_the_length_penalty():
    model = Fixed([0.7, 0.3])
    options = BeamOptions(width=2, length_penalty=2.0)
    found = beam_search(model.step, (), None, [30], options)[0][0]
    scores = [(n * math.log(0.7) + math.log(0.3)) / ((6 + n) / 6) ** 2 for n in range(31)]
    assert len(found.symbols) == int(np.argmax(scores)) > 0
    assert math.isclose(found.score, max(scores))


def test_sources_that_are_done_are_no_longer_computed():
    model = Random(8, seed=3)
    beam_search(model.step, model.begin(), model.memory, [0, 0, 0, 0, 0, 0, 6, 6], BeamOptions(width=2))
    assert model.rows[0] == 16 and max(model.rows[1:]) <= 4


def test_fewer_where_fewer_are_possible():
    model = Fixed([0.5, 0.5])
    assert [len(h.symbols) for h in beam_search(model.step, (), None, [2], BeamOptions(width=5, best=5))[0]] == [0, 1, 2]
    model = Fixed([0.0, 1.0])
    assert len(beam_search(model.step, (), None, [2], BeamOptions(width=5, best=5))[0]) == 1
    only_end = Fixed([1.0])
    assert len(beam_search(only_end.step, (), None, [2], BeamOptions(width=5, best=5, end=0))[0]) == 1


def test_no_sources():
    model = Random(0)
    assert beam_search(model.step, model.begin(), model.memory, [], BeamOptions(width=3)) == [] and not model.calls


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"width": 0}, "`beam`"),
        ({"width": -2}, "`beam`"),
        ({"best": 2}, "`nbest`"),
        ({"best": 0}, "`nbest`"),
        ({"coverage_penalty": -0.1}, "`coverage_penalty`"),
        ({"length_penalty": math.nan}, "`length_penalty`"),
        ({"length_penalty": 1e5}, "`length_penalty`"),
        ({"forbidden": (3, 1)}, "forbidden"),
        ({"forbidden": (-2,)}, "`forbidden"),
        ({"end": -1}, "`end=-1`"),
    ],
)
def test_searches_that_cannot_be(options, said):
    with pytest.raises(ConfigError, match=said):
        BeamOptions(**options)


def test_what_does_not_fit_the_sources():
    model = Random(2)
    for more in ({"prefixes": [(2,)]}, {"lengths": torch.tensor([1])}):
        with pytest.raises(ShapeError, match=next(iter(more))):
            beam_search(model.step, model.begin(), model.memory, [3, 3], **more)
    for prefix in ((END,), (2, -1)):
        with pytest.raises(ConfigError, match="A prefix"):
            beam_search(model.step, model.begin(), model.memory, [3, 3], prefixes=[(2,), prefix])


@pytest.mark.parametrize(
    "limits", [[3, -1], [2.5, 1.0], [math.nan, 1], [math.inf, 1], [10**40, 1], [[1], [2]], ["a", "b"], torch.tensor([1.0, 2.0])]
)
def test_limits_that_are_none(limits):
    model = Random(2)
    with pytest.raises(ShapeError, match="`limits`"):
        beam_search(model.step, model.begin(), model.memory, limits)


@pytest.mark.parametrize(
    "state", [torch.zeros(2), torch.zeros(1, 3), (torch.zeros(1, 2), [torch.zeros(1, 2), torch.zeros(1, 1)]), (1.0,), "ab"]
)
@pytest.mark.parametrize("argument", ["state", "memory", "step"])
def test_states_and_memories_that_are_not_those_of_the_sources(argument, state):
    given = {"state": None, "memory": None, argument: state}
    logs = torch.full((2, 3), 1 / 3).log()
    with pytest.raises(ShapeError, match=f"`{argument}`"):
        beam_search(lambda *_: (logs, given.get("step"), None), given["state"], given["memory"], [4, 4])


def at_step(number, change, weighted=False):
    """A step whose log-probabilities, and weights, are changed from the call of that number on."""
    model, calls = Random(3), []

    def step(symbols, state, memory):
        logs, state, weights = model.step(symbols, state, memory)
        calls.append(1)
        if len(calls) < number:
            return logs, state, weights
        return (logs, state, change(weights)) if weighted else (change(logs), state, weights)

    return model, step


def put(value, symbol=2, row=-1):
    """Puts a value into one place."""

    def change(numbers):
        numbers = numbers.clone()
        numbers[row, symbol] = value
        return numbers

    return change


NONSENSE = {
    "nan": (put(math.nan), "got nan for symbol 2 in row"),
    "nan alone": (lambda logs: torch.full_like(logs, math.nan), "got nan for symbol 0 in row 0"),
    "infinity": (put(math.inf), "got inf for symbol 2"),
    "logits": (lambda logs: logs + 30, "Put logits through `log_softmax`"),
    "whole numbers": (lambda logs: logs.long() * 0 + 1, "got torch.int64 of shape"),
    "no symbols": (lambda logs: logs[:, :0], r"the symbols up to 1 at least.*of shape \[\d+, 0\]"),
    "one symbol": (lambda logs: logs[:, :1], "the symbols up to 1 at least"),
    "one row": (lambda logs: logs[:1], "N = "),
    "a step more": (lambda logs: logs[None], "of shape"),
    "nothing": (lambda logs: None, "got tuple"),
}


@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("kind", NONSENSE)
def test_a_step_that_gives_no_log_probabilities_is_named(kind, number, width):
    change, message = NONSENSE[kind]
    model, step = at_step(number, change)
    with pytest.raises(ShapeError, match=f"`step` must give .*{message}"):
        beam_search(step, model.begin(), model.memory, [40] * 3, BeamOptions(width=width, best=width))


@pytest.mark.parametrize("change", [put(math.nan), put(-math.inf), lambda weights: weights[None], lambda weights: weights[:1]])
def test_a_step_that_gives_no_weights_is_named(change):
    model, step = at_step(2, change, weighted=True)
    with pytest.raises(ShapeError, match=r"`step` must give (finite )?weights"):
        beam_search(step, model.begin(), model.memory, [40] * 3, BeamOptions(width=3, coverage_penalty=0.5))


@pytest.mark.parametrize("given", [None, torch.zeros(3, 4), (torch.zeros(3, 4), None), ([0.0], None, None)])
def test_a_step_that_gives_something_else_is_named(given):
    with pytest.raises(ShapeError, match="`step` must give log-probabilities, the state and weights"):
        beam_search(lambda *_: given, None, None, [4] * 3)


def test_symbols_that_a_step_does_not_know_are_named():
    model = Random(1)
    for more in ({"options": BeamOptions(forbidden=(SYMBOLS,))}, {"options": BeamOptions(end=SYMBOLS)}, {"prefixes": [(SYMBOLS,)]}):
        with pytest.raises(ShapeError, match=f"the symbols up to {SYMBOLS} at least"):
            beam_search(model.step, model.begin(), model.memory, [3], **more)


@pytest.mark.parametrize("width", [1, 2, 50])
@pytest.mark.parametrize("penalties", [(0.0, 0.0), (2.0, 0.0), (-2.0, 0.0), (20.0, 1.0)])
@pytest.mark.parametrize("first", [1, 2])
def test_where_nothing_can_come_nothing_is_found(first, penalties, width):
    """Minus infinity for all symbols, or for the end alone."""
    options = BeamOptions(width=width, best=width, length_penalty=penalties[0], coverage_penalty=penalties[1])
    for change in (lambda logs: torch.full_like(logs, -math.inf), lambda logs: logs.index_fill(1, torch.tensor(END), -math.inf)):
        model, step = at_step(first, change)
        found = beam_search(step, model.begin(), model.memory, [6, 0, 3], options)
        assert [len(each) for each in found] == ([0] * 3 if first == 1 else [int(bool(each)) for each in found])


@pytest.mark.parametrize("width", [1, 2, 7])
def test_equal_probabilities_end_and_are_found_once_each(width):
    step = Fixed([0.25] * 4).step
    found = beam_search(step, None, None, [3, 0], BeamOptions(width=width, best=width))
    for limit, each in zip((3, 0), found, strict=True):
        written = [tuple(h.symbols.tolist()) for h in each]
        assert len({*written}) == len(written) >= min(width, 1 + 3 * bool(limit))
        assert all(math.isclose(h.log_probability, (len(w) + 1) * math.log(0.25)) for h, w in zip(each, written, strict=True))


def test_all_symbols_but_the_end_may_be_forbidden():
    model = Random(2)
    found = beam_search(model.step, model.begin(), model.memory, [5, 5], BeamOptions(width=9, best=9, forbidden=(0, 2, 3)))
    assert [[h.symbols.tolist() for h in each] for each in found] == [[[]], [[]]]


NETWORKS = [
    {"attention": "none", "cell": "lstm", "layers": 2},
    {"attention": "additive", "input_feeding": True},
    {"attention": "general", "copy": True, "cell": "lstm"},
    {"attention": "additive", "bidirectional": False, "input_window": 3},
]


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize("options", NETWORKS)
@pytest.mark.parametrize("width", [1, 4])
def test_networks_give_what_was_found_the_same_probability_and_rows_do_not_mix(options, width):
    torch.manual_seed(0)
    network = EncoderDecoder(7, 6, EncoderDecoderOptions(hidden=5, embedding=3, **options)).double().eval()
    for weight in network.parameters():
        torch.nn.init.normal_(weight)
    source, lengths = torch.randint(7, (5, 4)), torch.tensor([5, 0, 2, 3])
    copies = torch.where(source > 4, 6 + torch.arange(5)[:, None], source) if network.decoder.gate is not None else None
    memory = network.encode(source, lengths, copies)
    search = BeamOptions(width=width, best=width, length_penalty=0.5)
    found = beam_search(network.step, network.begin(memory), memory, 2 * lengths + 2, search, lengths=lengths)
    for row in range(4):
        for hypothesis in found[row]:
            target = torch.cat([hypothesis.symbols, torch.tensor([END])])[:, None]
            at = slice(row, row + 1)
            fields = {"words": source[:, at]} | ({} if copies is None else {COPIES: copies[:, at]})
            logs = network.log_probabilities(Batch(fields, lengths[at], target, torch.tensor([len(target)])))
            assert math.isclose(float(logs.detach().sum()), hypothesis.log_probability, rel_tol=1e-9)
            assert options["attention"] == "none" or not hypothesis.weights[:, lengths[row] :].any()
        assert len(found[row]) == width
