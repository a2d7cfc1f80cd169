"""F6: networks for the arrangements of inputs and outputs."""

from unrolled.models.language_model import LanguageModel

__all__ = ["LanguageModel"]
