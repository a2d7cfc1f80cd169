"""Labelled files in the formats that people have: each read as a stream of examples, and written again with predictions."""

from unrolled.data.formats.options import ReadingOptions

__all__ = ["ReadingOptions"]
