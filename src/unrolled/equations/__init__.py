"""F1: the text of a recurrence, checked and held as data; errors with carets; typesetting."""

from unrolled.equations.parse import parse
from unrolled.equations.recurrence import Equation, Parameter, Product, Recurrence
from unrolled.equations.typeset import to_latex, to_text

__all__ = ["Equation", "Parameter", "Product", "Recurrence", "parse", "to_latex", "to_text"]
