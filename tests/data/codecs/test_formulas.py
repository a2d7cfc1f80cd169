import json

import pytest

from unrolled.data.codecs.formulas import join_formula, split_formula
from unrolled.data.codecs.text import TextCodec


@pytest.mark.parametrize(
    ("formula", "tokens"),
    [
        (r"\frac{1}{x_2}", [r"\frac", "{", "1", "}", "{", "x", "_", "2", "}"]),
        (r"a\,b\\ \{ \alpha\beta", ["a", r"\,", "b", r"\\", r"\{", r"\alpha", r"\beta"]),
        (r"\begin {array} x \end{array*}", [r"\begin{array}", "x", r"\end{array*}"]),
        (r"\mbox {if  x}\textbf{}", [r"\mbox", "{", "i", "f", "\\ ", "x", "}", r"\textbf", "{", "}"]),
        (r"\hspace * { 1 cm}", [r"\hspace*", "{", "1", "c", "m", "}"]),
        (r"\mbox{a \alpha} \hspace{1\ c}", [*[r"\mbox", r"{", r"a", r"\alpha", r"}", r"\hspace", r"{", r"1"], "\\ ", "c", "}"]),
        ("", []),
    ],
)
def test_a_formula_is_commands_and_characters(formula, tokens):
    assert split_formula(formula) == tokens
    assert split_formula(join_formula(tokens)) == tokens


def test_blanks_of_texts_stay_and_lengths_have_none():
    joined = join_formula(split_formula(r"x \mbox{ if  and} \hspace { -1 cm} a\ b"))
    assert joined == r"x \mbox { if and} \hspace {-1cm} a \  b"


def test_formulas_are_stored_as_their_tokens():
    codec = TextCodec.learn([r"\frac{1}{2}", "x^2"], "formula")
    same = TextCodec.from_json(json.loads(json.dumps(codec.to_json())))
    assert same == codec and same.decode(same.encode(r"\frac {1}{2}")) == r"\frac { 1 } { 2 }"
    assert codec.missing(r"\alpha x") == [r"\alpha"]
