"""Built-in labelled sources: what they promise, and that they promise it every time."""

import re
import tokenize
from collections import Counter
from io import StringIO

import numpy as np
import pytest

from unrolled.data.builtin_examples import BUILTIN_EXAMPLES, OF_DIGITS, builtin_examples
from unrolled.data.examples import Example, Target
from unrolled.errors import ConfigError, DataError

MOVING = ("builtin:ball", "builtin:balls", "builtin:ball-test", "builtin:balls-test")
"""Clips, which are tested where they are made."""

LABELLED = {
    name: source for name, source in BUILTIN_EXAMPLES.items() if source.has != (Target.TEXTS,) and name not in (*OF_DIGITS, *MOVING)
}


@pytest.fixture(scope="module")
def sources() -> dict[str, list[Example]]:
    return {name: list(builtin_examples(name, source.has[0])) for name, source in LABELLED.items()}


def steps(example: Example) -> int:
    return len(example.tokens or example.text or ()) if example.numbers is None else len(example.numbers)


@pytest.mark.parametrize("name", LABELLED)
def test_examples_have_what_their_source_says(sources: dict[str, list[Example]], name: str) -> None:
    examples, source = sources[name], BUILTIN_EXAMPLES[name]
    assert 500 <= len(examples) <= 2000
    assert sum(map(steps, examples)) <= 500_000
    assert len({example.place for example in examples}) == len(examples)
    assert all((example.labels is not None) == (Target.LABELS in source.has) for example in examples)
    assert all((example.tags is not None) == (Target.TAGS in source.has) for example in examples)
    assert all((example.values is not None) == (Target.VALUES in source.has) for example in examples)
    assert all(example.texts is None for example in examples)
    assert all(example.tags is None or len(example.tags) == steps(example) for example in examples)


@pytest.mark.parametrize("name", ["builtin:intents", "builtin:promoters", "builtin:bouncing-ball", "builtin:adding"])
def test_the_same_at_every_call(sources: dict[str, list[Example]], name: str) -> None:
    for example, again in zip(sources[name], BUILTIN_EXAMPLES[name].make(), strict=True):
        assert (example.text, example.tokens, example.labels, example.tags) == (again.text, again.tokens, again.labels, again.tags)
        np.testing.assert_array_equal(example.numbers, again.numbers)
        np.testing.assert_array_equal(example.values, again.values)


def test_intents_are_even_and_their_sentences_new(sources: dict[str, list[Example]]) -> None:
    examples = sources["builtin:intents"]
    assert set(Counter(example.labels for example in examples).values()) == {200}
    assert len({re.sub(r"[^\w ']", "", (example.text or "").lower()) for example in examples}) == len(examples)
    assert not any(set("{}") & set(example.text or "") for example in examples)


def test_python_tokens_are_those_of_tokenize(sources: dict[str, list[Example]]) -> None:
    checked = 0
    for example in sources["builtin:python-tokens"]:
        text, tags = "".join(example.tokens or ()), example.tags or ()
        lines = [0]
        for line in StringIO(text):
            lines.append(lines[-1] + len(line))
        try:
            found = list(tokenize.generate_tokens(StringIO(text).readline))
        except (tokenize.TokenError, SyntaxError):
            continue  # A piece of an indented block, or of an open bracket.
        for token in found:
            # Whether a line ends a statement can depend on brackets that were opened before.
            if token.type not in (tokenize.INDENT, tokenize.NEWLINE, tokenize.NL):
                begin, end = (lines[row - 1] + column for row, column in (token.start, token.end))
                assert set(tags[begin:end]) <= {tokenize.tok_name[token.type]}
                checked += 1
    assert checked > 1000


def test_promoters_begin_and_end_where_they_are_tagged(sources: dict[str, list[Example]]) -> None:
    exact = 0
    for example in sources["builtin:promoters"]:
        bases, tags = "".join(example.tokens or ()), "".join(tag[0] for tag in example.tags or ())
        found = re.fullmatch(r"O+(p+)O+(e+)O+|O+", tags)
        assert found and set(bases) <= set("ACGT")
        if found[1]:
            exon = bases[found.start(2) : found.end(2)]
            codons = [exon[at : at + 3] for at in range(0, len(exon), 3)]
            assert codons[0] == "ATG" and [codon in ("TAA", "TAG", "TGA") for codon in codons] == [False] * (len(codons) - 1) + [True]
            exact += re.fullmatch("TTGACA.{15,19}TATAAT.{7}", bases[found.start(1) : found.end(1)]) is not None
    assert exact > 100


def test_balls_move_as_they_are_tagged(sources: dict[str, list[Example]]) -> None:
    ways = {(0, -1): "left", (0, 1): "right", (-1, 0): "up", (1, 0): "down"}
    for example in sources["builtin:bouncing-ball"]:
        assert example.numbers is not None and example.tags is not None
        spots = np.stack(np.unravel_index(example.numbers.argmax(axis=1), (7, 7)), axis=1)
        moves = [ways[tuple(move)] for move in np.diff(spots, axis=0).tolist()]
        assert (moves[0], *moves) == example.tags
        assert example.labels == (moves[-1],)


def test_two_numbers_are_marked_of_which_the_sum_is_wanted(sources: dict[str, list[Example]]) -> None:
    for example in sources["builtin:adding"]:
        assert example.numbers is not None and example.values is not None and example.channels == ("number", "mark")
        values, marks = example.numbers.T
        first, second = np.flatnonzero(marks).tolist()
        assert 20 <= len(values) <= 40 and first < 10 and second >= len(values) // 2
        assert set(marks.tolist()) == {0, 1} and 0 <= values.min() <= values.max() <= 1
        np.testing.assert_allclose(example.values, [float(values[first]) + float(values[second])], rtol=1e-6)
    totals = np.array([example.values for example in sources["builtin:adding"]])
    assert abs(np.sqrt(np.mean((totals - 1) ** 2)) - 0.41) < 0.02


def test_what_a_source_has_not_is_told() -> None:
    with pytest.raises(ConfigError, match=r"builtin:intents has only labels for whole sequences. Train `classify` on it"):
        builtin_examples("builtin:intents", Target.TAGS)
    with pytest.raises(ConfigError, match=r"only tags for steps. Train `tag` on it"):
        builtin_examples("builtin:promoters", Target.LABELS)
    with pytest.raises(ConfigError, match=r"only labels for whole sequences and tags for steps. Train `classify` or `tag` on it"):
        builtin_examples("builtin:bouncing-ball", Target.VALUES)
    with pytest.raises(ConfigError, match=r"only texts to write. Train `translate` on it"):
        builtin_examples("builtin:dates", Target.LABELS)


def test_a_name_that_does_not_exist_is_told_with_those_that_fit() -> None:
    names = {
        Target.LABELS: (
            "builtin:intents",
            "builtin:bouncing-ball",
            "builtin:moving-digits",
            "builtin:translated-digits",
            "builtin:cluttered-digits",
        ),
        Target.TAGS: ("builtin:python-tokens", "builtin:promoters", "builtin:bouncing-ball"),
        Target.VALUES: (*MOVING, "builtin:adding"),
        Target.TEXTS: ("builtin:dates", "builtin:numbers", "builtin:reversed", "builtin:additions"),
    }
    for wanted, fitting in names.items():
        told = f"no built-in examples 'builtin:cats'. Pass one of {', '.join(fitting)}, or the path"
        with pytest.raises(DataError, match=re.escape(told)):
            builtin_examples("builtin:cats", wanted)
    with pytest.raises(DataError, match=rf"no built-in examples 'builtin:cats'\. Pass one of {', '.join(MOVING)}, or the path of a file"):
        builtin_examples("builtin:cats", Target.STEP_VALUES)
