"""What can be asked of the symbols of pairs."""

import pytest

from unrolled.errors import ConfigError
from unrolled.tasks.translation.options import SymbolOptions


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": "letter"}, "`level` must be one of char, word, subword, got 'letter'"),
        ({"subwords": "wordpiece"}, "`subwords` must be one of bpe, unigram, got 'wordpiece'"),
        ({"vocabulary": 2}, "`vocabulary` must be more than 2, as it counts <UNK> <EOS>, got 2"),
        ({"min_count": 0}, "`min_count` must be at least 1, got 0"),
    ],
)
def test_options_that_cannot_be(options, message):
    with pytest.raises(ConfigError, match=message):
        SymbolOptions(**options)


def test_the_least_that_can_be_asked_for():
    assert SymbolOptions("word", vocabulary=3, min_count=1, subwords="unigram").vocabulary == 3
