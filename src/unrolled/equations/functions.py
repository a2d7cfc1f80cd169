"""The functions of the equation language: one class each, with its derivative, its typeset form and the interval it is tested on.

They are SymPy functions without automatic evaluation, so that a text computes what it says and nothing is simplified behind its back.
Derivatives are written through the function's own value where that is cheaper (`tanh' = 1 - tanh**2`).
"""

from math import inf
from typing import ClassVar

import sympy as sp


class Function(sp.Function):
    """A function of `takes` values, of which the last ones may be left out: then `otherwise` stands for them.

    `latex_around` stands around its arguments in LaTeX.
    """

    latex_around: ClassVar[tuple[str, str]] = ("", "")
    takes: ClassVar[int] = 1
    otherwise: ClassVar[tuple[sp.Expr, ...]] = ()

    def __new__(cls, *values: object) -> "Function":
        """SymPy would ask at length whether a value could be computed."""
        made: Function = sp.Expr.__new__(cls, *map(sp.sympify, values))
        return made


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


class OverUnits(Function):
    """A function of all units of one sequence at one step. It has no derivative here: the compiler takes it apart into what is pointwise and
    what goes over the units."""


class norm(OverUnits):
    """(a - mean(a)) / sqrt(mean((a - mean(a))**2) + eps); eps is 1e-5, as in torch, if it is left out.

    Layer normalisation (Ba, Kiros & Hinton 2016) without its gain and bias.
    """

    latex_around = (r"\mathrm{norm}\left(", r"\right)")
    takes, otherwise = 2, (sp.Rational(1, 100_000),)


class rms_norm(OverUnits):
    """a / sqrt(mean(a**2) + eps) (Zhang & Sennrich 2019), without its gain; eps is 1e-5 if it is left out."""

    latex_around = (r"\mathrm{rms}\left(", r"\right)")
    takes, otherwise = 2, (sp.Rational(1, 100_000),)


class softmax(OverUnits):
    """exp(a) / sum(exp(a)), computed without overflow."""

    latex_around = (r"\mathrm{softmax}\left(", r"\right)")


class step(Pointwise):
    """0 where a <= 0, else 1, also where a is NaN: the derivative of `relu`."""

    latex_around = (r"\mathrm{step}\left(", r"\right)")
    domain = (0.1, 3.0)

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """Zero."""
        return sp.Integer(0)


class sign(Pointwise):
    """-1, 0 or 1: the derivative of `abs`."""

    latex_around = (r"\mathrm{sign}\left(", r"\right)")
    domain = (0.1, 3.0)

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """Zero."""
        return sp.Integer(0)


class floor(Pointwise):
    """The largest whole number that is not above a. Its derivative is zero."""

    latex_around = (r"\left\lfloor ", r"\right\rfloor")
    domain = (0.1, 0.9)

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """Zero."""
        return sp.Integer(0)


class modulo(Pointwise):
    """a - b floor(a / b), which `%` writes: of the sign of b, as in Python."""

    takes = 2

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """1 for a, -floor(a / b) for b."""
        return sp.Integer(1) if argindex == 1 else -floor(self.args[0] / self.args[1])


class spike(Pointwise):
    """`step`, NaN where a is, with the derivative of a / (1 + |a|) in its place, so that what is above and below a threshold can be learnt (Zenke & Ganguli 2018)."""

    latex_around = (r"\mathrm{spike}\left(", r"\right)")
    domain = (0.1, 3.0)

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """1 / (1 + |a|)^2."""
        return (1 + abs(self.args[0])) ** -2


class sin(Pointwise):
    """The sine."""

    latex_around = (r"\sin\left(", r"\right)")

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """The cosine."""
        return cos(self.args[0])


class cos(Pointwise):
    """The cosine."""

    latex_around = (r"\cos\left(", r"\right)")

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """Minus the sine."""
        return -sin(self.args[0])


class erf(Pointwise):
    """The error function, 2 / sqrt(pi) times the integral of exp(-s^2) from 0 to a."""

    latex_around = (r"\mathrm{erf}\left(", r"\right)")

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """2 exp(-a^2) / sqrt(pi)."""
        return 2 / sp.sqrt(sp.pi) * exp(-(self.args[0] ** 2))


class log1p(Pointwise):
    """log(1 + a), exact also where a is small."""

    latex_around = (r"\log\left(1 + ", r"\right)")
    domain = (-0.8, 3.0)

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """1 / (1 + a)."""
        return 1 / (1 + self.args[0])


class expm1(Pointwise):
    """exp(a) - 1, exact also where a is small."""

    latex_around = (r"\mathrm{expm1}\left(", r"\right)")

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """exp(a)."""
        return self + 1


class gelu(Pointwise):
    """a times the chance that a normal number is at most a, (1 + erf(a / sqrt(2))) / 2 (Hendrycks & Gimpel 2016)."""

    latex_around = (r"\mathrm{gelu}\left(", r"\right)")

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """That chance, and a times the normal density."""
        a = self.args[0]
        return (1 + erf(a / sp.sqrt(2))) / 2 + a * exp(-(a**2) / 2) / sp.sqrt(2 * sp.pi)


class silu(Pointwise):
    """a sigmoid(a), also called swish (Elfwing, Uchibe & Doya 2018)."""

    latex_around = (r"\mathrm{silu}\left(", r"\right)")

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """s + silu (1 - s), with s = sigmoid(a)."""
        s = sigmoid(self.args[0])
        return s + self * (1 - s)


class hard_sigmoid(Pointwise):
    """a / 6 + 1/2, cut off at 0 and 1, as in torch and Keras 3."""

    latex_around = (r"\mathrm{hard\_sigmoid}\left(", r"\right)")
    bounds, ends = (0.0, 1.0), (0.1, 0.9)

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """1/6 from -3 to 3, else 0."""
        a = self.args[0]
        return at_least(a, -3) * at_least(3, a) / 6


class elu(Pointwise):
    """a where positive, else p (exp(a) - 1) (Clevert, Unterthiner & Hochreiter 2016); p is 1 if it is left out."""

    latex_around = (r"\mathrm{elu}\left(", r"\right)")
    takes, otherwise = 2, (sp.Integer(1),)

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """1, or p exp(a), which is elu + p; nothing, or exp(a) - 1, for p."""
        a, p = self.args
        return where(greater(a, 0), 1, self + p) if argindex == 1 else where(greater(a, 0), 0, expm1(a))


class leaky_relu(Pointwise):
    """a where positive, else p a (Maas, Hannun & Ng 2013); p is 0.01 if it is left out."""

    latex_around = (r"\mathrm{leaky\_relu}\left(", r"\right)")
    takes, otherwise = 2, (sp.Rational(1, 100),)

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """1 or p; nothing or a for p."""
        a, p = self.args
        return where(greater(a, 0), 1, p) if argindex == 1 else where(greater(a, 0), 0, a)


class max(Pointwise):
    """The larger of two; NaN if one is."""

    latex_around = (r"\max\left(", r"\right)")
    takes = 2

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """1 for the larger one, 0 for the other, a half for each of two equal ones."""
        a, b = self.args
        return exceeds(a, b) if argindex == 1 else exceeds(b, a)


class min(Pointwise):
    """The smaller of two; NaN if one is."""

    latex_around = (r"\min\left(", r"\right)")
    takes = 2

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """1 for the smaller one, 0 for the other, a half for each of two equal ones."""
        a, b = self.args
        return exceeds(b, a) if argindex == 1 else exceeds(a, b)


class clip(Pointwise):
    """The number between low and high that is next to a: `min(max(a, low), high)`."""

    latex_around = (r"\mathrm{clip}\left(", r"\right)")
    takes = 3

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """1 for a between both and at them, else for the one at which it was cut off."""
        a, low, high = self.args
        return (at_least(a, low) * at_least(high, a), greater(low, a) * greater(high, low), greater(max(a, low), high))[argindex - 1]


class where(Pointwise):
    """The second where the first is not 0, else the third."""

    latex_around = (r"\mathrm{where}\left(", r"\right)")
    takes = 3

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """1 for the one that is taken, 0 for the other; none for what decides."""
        return (sp.Integer(0), where(self.args[0], 1, 0), where(self.args[0], 0, 1))[argindex - 1]


class Comparison(Pointwise):
    """1 where it holds, else 0, and so is where one of both is NaN. Its derivative is zero."""

    takes = 2

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """Zero."""
        return sp.Integer(0)


class greater(Comparison):
    """a > b."""


class at_least(Comparison):
    """a >= b."""


class equal(Comparison):
    """a == b."""


class exceeds(Comparison):
    """0 where a < b, a half where a = b, else 1, also where one is NaN: a derivative of `max` and `min`."""


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


_CALLED: tuple[type[Function], ...] = (
    *(sigmoid, tanh, relu, softplus, exp, log, sqrt, abs, sin, cos, erf, log1p, expm1, sign, step),
    *(gelu, silu, hard_sigmoid, elu, leaky_relu, max, min, clip, where, floor, spike, norm, rms_norm, softmax),
)

FUNCTIONS: dict[str, type[Function]] = {f.__name__: f for f in _CALLED}
"""What a cell's text may call, by name."""

DERIVED: dict[str, type[Pointwise]] = {f.__name__: f for f in (power, power_slope, power_log, modulo, greater, at_least, equal, exceeds)}
"""What derivatives, `**`, `%` and comparisons may add to that."""


def slope_of(expression: sp.Expr, leaf: sp.Symbol) -> sp.Expr:
    """The partial derivative of an expression of the language. SymPy's own looks at much that cannot occur here, and takes ten times as long."""
    if leaf not in expression.free_symbols:
        return sp.Integer(0)
    if expression == leaf:
        return sp.Integer(1)
    parts = expression.args
    if isinstance(expression, sp.Add):
        return sp.Add(*(slope_of(part, leaf) for part in parts))
    if isinstance(expression, sp.Mul):
        slopes = [(number, slope) for number, part in enumerate(parts) if (slope := slope_of(part, leaf)) != 0]
        return sp.Add(*(sp.Mul(*parts[:number], slope, *parts[number + 1 :]) for number, slope in slopes))
    if isinstance(expression, sp.Pow):
        base, exponent = parts
        return exponent * base ** (exponent - 1) * slope_of(base, leaf)
    assert isinstance(expression, Function)
    terms = ((number, slope_of(part, leaf)) for number, part in enumerate(parts, 1))
    return sp.Add(*(expression.fdiff(number) * slope for number, slope in terms if slope != 0))
