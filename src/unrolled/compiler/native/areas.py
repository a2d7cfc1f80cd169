"""Maps between vectors and matrices that are states: no numbers are stored for them, entries are read where they lie."""

from unrolled.equations import Along, Recurrence
from unrolled.equations.recurrence import OverUnits


def along(recurrence: Recurrence, matrix: str) -> Along | None:
    """Such a map; None for one of another kind."""
    made = None if isinstance(matrix, OverUnits) else recurrence.parameter(matrix).made
    return made if isinstance(made, Along) else None
