"""Maps between vectors and matrices that are states: no numbers are stored for them, entries are read where they lie."""

from unrolled.equations import Recurrence
from unrolled.equations.recurrence import OverUnits

_TRANSPOSED = {"repeat": "add_columns", "add_columns": "repeat", "tile": "add_rows", "add_rows": "tile"}


def role_of(recurrence: Recurrence, matrix: str, *, transposed: bool) -> str:
    """What a map does along the rows or columns of a matrix; empty for one of another kind."""
    if isinstance(matrix, OverUnits):
        return ""
    made = recurrence.parameter(matrix).made
    role = str(made.arguments[0]) if made is not None and made.function == "along" else ""
    return _TRANSPOSED[role] if role and transposed else role


def heads_of(recurrence: Recurrence, matrix: str) -> int:
    """The heads of such a map's matrix."""
    made = recurrence.parameter(matrix).made
    assert made is not None
    return int(made.arguments[1])  # type: ignore[arg-type]
