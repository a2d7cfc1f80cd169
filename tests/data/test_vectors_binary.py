"""Word vectors in word2vec's binary form, beside the same in text."""

from pathlib import Path

import numpy as np
import pytest

from unrolled.data.vectors import read_vectors, vector_columns, vector_words
from unrolled.errors import DataError

WORDS = ["the", "été", "a_b"]
VECTORS = np.random.default_rng(1).normal(size=(3, 4)).astype("<f4")


@pytest.mark.parametrize("end", [b"\n", b""])
def test_binary_vectors_are_those_of_the_text(end: bytes, tmp_path: Path) -> None:
    text, binary = tmp_path / "v.txt", tmp_path / "v.bin"
    text.write_text("3 4\n" + "".join(f"{word} {' '.join(map(repr, map(float, row)))}\n" for word, row in zip(WORDS, VECTORS, strict=True)))
    binary.write_bytes(b"3 4\n" + b"".join(word.encode() + b" " + row.tobytes() + end for word, row in zip(WORDS, VECTORS, strict=True)))
    assert (vector_columns(binary), vector_words(binary, 2)) == (4, ("the", "été"))
    for found, known in (read_vectors(path, ("", "a_b", "the", "none")) for path in (text, binary)):
        np.testing.assert_array_equal(found, [[0] * 4, VECTORS[2], VECTORS[0], [0] * 4])
        assert known.tolist() == [False, True, True, False]
    binary.write_bytes(binary.read_bytes()[:-3])
    with pytest.raises(DataError, match=r"v.bin ends in word 3 of 3"):
        read_vectors(binary, ("the",))
