"""Translation: from one sequence to another of a different length."""

from unrolled.tasks.translation.scores import Scores, score_texts

__all__ = ["Scores", "score_texts"]
