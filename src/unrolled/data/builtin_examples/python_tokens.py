"""Python's own library, each character tagged with the kind of token that it belongs to."""

import sys
import tokenize
from collections.abc import Iterator
from io import StringIO
from random import Random

from unrolled.data.builtin import module_paths, module_text
from unrolled.data.examples import Example
from unrolled.errors import DataError

_NUMBER, _LENGTH, _LONGEST, _EACH = 500, 200, 500, 10
_LARGEST = 50_000
_OUTSIDE = "O"


def python_tokens() -> Iterator[Example]:
    """Pieces of modules, whole lines of 200 to 500 characters that begin outside of strings; the tags are NAME, OP, STRING, … of `tokenize`.

    What lies between tokens, indentation included, has the tag `O`. At most ten pieces of a module are taken.
    Another version of Python has another library, and since 3.12 takes formatted strings apart. No source at all is a `DataError`.
    """
    random = Random(22)
    # Large modules take long to cut, and the tables of character codes are more than a hundred and alike.
    paths = [path for path in module_paths() if path.stat().st_size <= _LARGEST and path.parent.name != "encodings"]
    random.shuffle(paths)
    number = 0
    for path in paths:
        pieces = _pieces(module_text(path))
        for line, text, tags in random.sample(pieces, min(_EACH, len(pieces))):
            if number == _NUMBER:
                return
            number += 1
            yield Example(f"{path}, line {line}", tokens=tuple(text), tags=tags)
    if not number:
        raise DataError("This Python was installed without the source of its library. Pass the path of a file.")


def _pieces(text: str) -> list[tuple[int, str, tuple[str, ...]]]:
    """What a module can be cut into: the first line of each piece, its text and its tags. Nothing if it is no Python."""
    lines = list(StringIO(text))
    tags = [[_OUTSIDE] * len(line) for line in lines]
    inside: set[int] = set()
    try:
        for token in tokenize.generate_tokens(StringIO(text).readline):
            (first, start), (last, stop) = token.start, token.end
            inside.update(range(first + 1, last + 1))
            for row in range(first, last + 1) if token.type != tokenize.INDENT and first <= len(lines) else ():
                begin, end = start if row == first else 0, min(stop if row == last else sys.maxsize, len(lines[row - 1]))
                tags[row - 1][begin:end] = [tokenize.tok_name[token.type]] * (end - begin)
    except (tokenize.TokenError, SyntaxError):
        return []
    found, first, length = [], 0, 0
    for row, line in enumerate(lines, 1):
        length += len(line)
        if length >= _LENGTH and row + 1 not in inside:
            if length <= _LONGEST:
                found.append((first + 1, "".join(lines[first:row]), tuple(tag for tagged in tags[first:row] for tag in tagged)))
            first, length = row, 0
    return found
