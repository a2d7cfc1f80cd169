import pytest

from unrolled.data.symbols import word_shape


@pytest.mark.parametrize(
    ("word", "shape"),
    [
        ("Apple", "Xxx"),
        ("NASA", "XX"),
        ("a", "x"),
        ("U2", "X0"),
        ("don't", "xx'x"),
        ("2017-03-01", "00-00-00"),
        ("!!!", "!!"),
        ("Éire", "Xxx"),
        ("", ""),
    ],
)
def test_the_shape_of_a_word(word, shape):
    assert word_shape(word) == shape
