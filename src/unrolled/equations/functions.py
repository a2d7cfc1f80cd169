"""The functions of the equation language: one class each, with its derivative, its typeset form and the interval it is tested on.

They are SymPy functions without automatic evaluation, so that a text computes what it says and nothing is simplified behind its back.
Derivatives are written through the function's own value where that is cheaper (`tanh' = 1 - tanh**2`).
"""

from math import inf
from typing import ClassVar

import sympy as sp


class Function(sp.Function):
    """A function of one value; `latex_around` stands around its argument in LaTeX."""

    latex_around: ClassVar[tuple[str, str]] = ("", "")


class Pointwise(Function):
    """A function applied to every unit by itself; `domain` is where its derivative exists and is tested.

    Of a function that shuts and opens a gate, `bounds` are between what its values lie, and `ends` up to and from where on a gate counts as
    saturated: where it hardly changes any more. Those of the sigmoid are of Karpathy, Johnson & Fei-Fei (2016, "Visualizing and Understanding
    Recurrent Networks").
    """

    domain: ClassVar[tuple[float, float]] = (-3.0, 3.0)
    bounds: ClassVar[tuple[float, float] | None] = None
    ends: ClassVar[tuple[float, float] | None] = None


class sigmoid(Pointwise):
    """1 / (1 + exp(-a)), the logistic function."""

    latex_around = (r"\sigma\left(", r"\right)")
    bounds, ends = (0.0, 1.0), (0.1, 0.9)

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """s' = s (1 - s)."""
        return self * (1 - self)


class tanh(Pointwise):
    """The hyperbolic tangent."""

    latex_around = (r"\tanh\left(", r"\right)")
    bounds, ends = (-1.0, 1.0), (-0.9, 0.9)

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """tanh' = 1 - tanh^2."""
        return 1 - self**2


class relu(Pointwise):
    """max(a, 0)."""

    latex_around = (r"\mathrm{relu}\left(", r"\right)")
    domain = (0.1, 3.0)
    bounds, ends = (0.0, inf), (0.0, inf)

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """0 left of zero and at it, 1 to the right."""
        return step(self)


class softplus(Pointwise):
    """log(1 + exp(a))."""

    latex_around = (r"\mathrm{softplus}\left(", r"\right)")

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """The logistic function."""
        return sigmoid(self.args[0])


class exp(Pointwise):
    """The exponential function."""

    latex_around = (r"\exp\left(", r"\right)")

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """Itself."""
        return self


class log(Pointwise):
    """The natural logarithm."""

    latex_around = (r"\log\left(", r"\right)")
    domain = (0.2, 3.0)

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """1 / a."""
        return 1 / self.args[0]


class sqrt(Pointwise):
    """The square root."""

    latex_around = (r"\sqrt{", "}")
    domain = (0.2, 3.0)

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """1 / (2 sqrt(a))."""
        return 1 / (2 * self)


class abs(Pointwise):
    """The absolute value."""

    latex_around = (r"\left|", r"\right|")
    domain = (0.1, 3.0)

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """The sign; 0 at zero."""
        return sign(self.args[0])


class norm(Function):
    """(a - mean(a)) / sqrt(mean((a - mean(a))**2) + 1e-5), the means over all units of one sequence at one step.

    Layer normalisation (Ba, Kiros & Hinton 2016) without its gain and bias. It has no derivative here: the compiler takes it apart into
    means and what is pointwise around them.
    """

    latex_around = (r"\mathrm{norm}\left(", r"\right)")


class step(Pointwise):
    """0 where a <= 0, else 1, also where a is NaN: the derivative of `relu`, not part of the language."""

    domain = (0.1, 3.0)

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """Zero."""
        return sp.Integer(0)


class sign(Pointwise):
    """-1, 0 or 1: the derivative of `abs`, not part of the language."""

    domain = (0.1, 3.0)

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """Zero."""
        return sp.Integer(0)


class power(Pointwise):
    """a ** p where the exponent is not a whole number; a whole number as exponent is SymPy's own power."""

    domain = (0.2, 3.0)

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """p a^(p-1) for the base, a^p log(a) for the exponent."""
        return (power_slope if argindex == 1 else power_log)(*self.args)


class power_slope(Pointwise):
    """p a^(p-1), and 0 where p is 0, whatever a is: a derivative of `power`, not part of the language."""

    domain = (0.2, 3.0)


class power_log(Pointwise):
    """a^p log(a), and its limit 0 where a is 0 and p is not negative: a derivative of `power`, not part of the language."""

    domain = (0.2, 3.0)


FUNCTIONS: dict[str, type[Function]] = {f.__name__: f for f in (sigmoid, tanh, relu, softplus, exp, log, sqrt, abs, norm)}
"""What a cell's text may call, by name."""

DERIVED: dict[str, type[Pointwise]] = {f.__name__: f for f in (step, sign, power, power_slope, power_log)}
"""What derivatives and `**` may add to that."""
