"""F5: from files to batches.

`formats` read files as `examples`, whose fields `codecs` learn and encode; `columns` hold them, in memory or mapped, and `batches` put them
side by side. `text` and `corpus` read whole texts, which `streams` cut; `dataset` holds sequences with labels, tags or numbers, `parts` and
`bitext` pairs of texts; `vocabulary` is the one for all of them, and `builtin_examples` are sources for trying things out.
Only `batches` and what stands on it need torch, so nothing is imported here before it is asked for: `split_words` cuts texts as networks of words do.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unrolled.data.words import split_words as split_words

__all__ = ["split_words"]


def __getattr__(name: str) -> object:
    if name in __all__:
        return getattr(import_module("unrolled.data.words"), name)
    raise AttributeError(f"module 'unrolled.data' has no attribute {name!r}")
