"""Texts and times among steps of symbols and blanks, beside every way there is."""

from itertools import combinations, product

import numpy as np
import pytest

from unrolled.decoding.alignment import align, follow, greedy
from unrolled.decoding.prefixes import PrefixOptions, WordList, prefix_search
from unrolled.errors import ConfigError

BLANK = 1


def drawn(seed, steps=5, classes=4):
    scores = np.random.default_rng(seed).standard_normal((steps, classes)) * 2
    return scores - np.log(np.exp(scores).sum(1, keepdims=True))


def collapsed(path):
    return tuple(s for i, s in enumerate(path) if s != BLANK and (i == 0 or path[i - 1] != s))


def every_text(logs):
    """The probability of each text, summed over all paths, and its best path."""
    found, best = {}, {}
    for path in product(range(logs.shape[1]), repeat=len(logs)):
        p = sum(logs[t, k] for t, k in enumerate(path))
        text = collapsed(path)
        found[text] = found.get(text, 0) + np.exp(p)
        if p > best.get(text, (-np.inf,))[0]:
            best[text] = (p, path)
    return found, best


@pytest.mark.parametrize("seed", range(4))
def test_a_wide_beam_finds_the_most_probable_texts(seed):
    logs = drawn(seed)
    every, _ = every_text(logs)
    expected = sorted(every.items(), key=lambda item: -item[1])[:5]
    found = prefix_search(logs, BLANK, PrefixOptions(width=500, best=5))
    assert [text.symbols for text in found] == [text for text, _ in expected]
    assert np.allclose([text.log_probability for text in found], np.log([p for _, p in expected]), atol=2e-3)


class Favouring:
    """A language model that knows one symbol best, less so after it, and ends as it likes."""

    def __init__(self, symbol):
        self.symbol = symbol

    def begin(self):
        return ()

    def logs(self, state):
        p = np.full(4, 0.1)
        p[self.symbol] = 0.2 if state and state[-1] == self.symbol else 0.7
        return np.log(p)

    def end(self, state):
        return -0.5 * len(state)

    def advance(self, states, symbols):
        return [(*state, symbol) for state, symbol in zip(states, symbols, strict=True)]


@pytest.mark.parametrize("weight", [0.0, 0.7])
def test_a_language_model_and_a_bonus_have_their_say(weight):
    logs, model = drawn(5, steps=4), Favouring(2)
    every, _ = every_text(logs)

    def score(text):
        fluent = sum(model.logs(text[:i])[s] for i, s in enumerate(text)) + model.end(text)
        return np.log(every[text]) + weight * fluent + 0.3 * len(text)

    best = sorted(every, key=lambda text: -score(text))[:4]
    found = prefix_search(logs, BLANK, PrefixOptions(500, 4, weight, 0.3), model)
    assert [text.symbols for text in found] == best
    assert np.allclose([text.score for text in found], [score(text) for text in best], atol=2e-3)


def test_a_word_list_lets_only_its_words_through():
    logs, words = drawn(3, steps=5), WordList([[0], [3, 0]], 2)
    every, _ = every_text(logs)

    def fits(text):
        parts = "".join(map(str, text)).split("2")
        return text == () or all(part in ("0", "30") for part in parts)

    best = sorted(filter(fits, every), key=lambda text: -every[text])[:3]
    found = [text.symbols for text in prefix_search(logs, BLANK, PrefixOptions(500, 3), words=words)]
    assert found == best


def test_forbidden_symbols_are_never_said():
    logs = np.log(np.array([[0.9, 0.05, 0.05], [0.9, 0.05, 0.05]]))
    assert prefix_search(logs, BLANK, PrefixOptions(8))[0].symbols == (0,)
    assert all(0 not in text.symbols for text in prefix_search(logs, BLANK, PrefixOptions(8, 3, forbidden=(0,))))


@pytest.mark.parametrize("seed", range(4))
def test_times_are_those_of_the_best_path(seed):
    logs = drawn(seed)
    _, best = every_text(logs)
    for text in ((0,), (2, 2), (0, 3, 2)):
        _, path = best[text]
        runs = [
            [
                t
                for t, s in enumerate(path)
                if s != BLANK and sum(p != BLANK and (i == 0 or path[i - 1] != p) for i, p in enumerate(path[: t + 1])) == n
            ]
            for n in range(1, len(text) + 1)
        ]
        found = align(logs, text, BLANK)
        assert [(one.symbol, one.begin, one.end) for one in found] == [(s, run[0], run[-1] + 1) for s, run in zip(text, runs, strict=True)]
        assert [one.log_probability for one in found] == [max(logs[t, s] for t in run) for s, run in zip(text, runs, strict=True)]


def test_a_text_that_does_not_fit_has_no_times():
    assert align(drawn(0, steps=3), (2, 2, 3), BLANK) == []
    # More places than a byte can count, each symbol sure at every other step.
    text = [2 + at % 3 for at in range(200)]
    sure = np.full((400, 5), -9.0)
    sure[range(400), [symbol for each in text for symbol in (each, BLANK)]] = 0.0
    assert [(one.symbol, one.begin, one.end) for one in align(sure, text, BLANK)] == [(s, 2 * at, 2 * at + 1) for at, s in enumerate(text)]
    assert align(drawn(0), (), BLANK) == []


def test_greedy_takes_repeated_symbols_once():
    classes = [2, 2, 1, 2, 0, 0, 3]
    assert greedy(np.log(np.eye(4)[classes] + 1e-9), BLANK) == [2, 2, 0, 3]


def test_options_that_cannot_be_are_told():
    for options, told in (({"width": 0}, "`beam`"), ({"width": 2, "best": 3}, "`nbest`"), ({"weight": float("nan")}, "`weight`")):
        with pytest.raises(ConfigError, match=told):
            PrefixOptions(**options)


def ways(symbols, steps):
    """Every way to give each of some steps to a symbol, in order, so that each has one."""
    for cuts in combinations(range(1, steps), symbols - 1):
        yield np.repeat(np.arange(symbols), np.diff([0, *cuts, steps]))


@pytest.mark.parametrize("seed", range(5))
def test_symbols_follow_what_they_looked_at(seed):
    weights = np.random.default_rng(seed).dirichlet(np.full(9, 0.3), size=4)
    best = max(ways(4, 9), key=lambda owner: np.log(np.maximum(weights[owner, np.arange(9)], np.finfo(float).tiny)).sum())
    for symbol, (begin, end) in enumerate(follow(weights)):
        own = np.flatnonzero(best == symbol)
        much = own[weights[symbol, own] >= weights[symbol, own].max() / 2]
        assert (begin, end) == (much[0], much[-1] + 1)


def test_more_symbols_than_steps_have_no_place():
    assert follow(np.ones((3, 2))) == [] and follow(np.ones((0, 4))) == [] and follow(np.eye(3)) == [(0, 1), (1, 2), (2, 3)]
