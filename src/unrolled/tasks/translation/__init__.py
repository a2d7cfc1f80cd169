"""Translation: from one sequence to another of a different length."""

from unrolled.tasks.translation.alignment import draw_alignment, require_drawable
from unrolled.tasks.translation.conversation import Conversation
from unrolled.tasks.translation.options import SearchOptions
from unrolled.tasks.translation.scores import Scores, score_texts
from unrolled.tasks.translation.trained import Measured, TrainedTranslator, Translation

__all__ = [
    "Conversation", "Measured", "Scores", "SearchOptions", "TrainedTranslator", "Translation", "draw_alignment",
    "require_drawable", "score_texts",
]  # fmt: skip
