"""F1: the text of a recurrence, checked and held as data; errors with carets; typesetting."""

from unrolled.equations.maps import Along, Fixed, Form, Made, Part, Spread
from unrolled.equations.parse import parse
from unrolled.equations.recurrence import Equation, Parameter, Product, Recurrence
from unrolled.equations.source import from_source, to_source
from unrolled.equations.typeset import to_latex, to_text

__all__ = [
    "Along", "Equation", "Fixed", "Form", "Made", "Parameter", "Part", "Product", "Recurrence", "Spread", "from_source", "parse", "to_latex", "to_source",
    "to_text",
]  # fmt: skip
