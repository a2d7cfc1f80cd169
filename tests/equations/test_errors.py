"""Every rule of the language, broken. `¦` marks where the caret must stand, and is not part of the text."""

import ast
import importlib
import traceback
from pathlib import Path

import pytest

from unrolled.equations import names, parse, parts, settle, syntax
from unrolled.equations.declarations import declarations
from unrolled.errors import EquationError

# The package gives the name `parse` to the function.
checker = importlib.import_module("unrolled.equations.parse")

BROKEN = [
    ("h[t] = ¦g[t] + h[t-1]", "`g` is not defined", "A parameter is written without a time"),
    ("gate[t] = tanh(W @ x[t])\nh[t] = ¦gatte[t] + h[t-1]", "`gatte` is not defined", "Did you mean `gate`?"),
    ("h[t] = ¦c[t] + h[t-1]\nc[t] = tanh(W @ x[t])", "`c[t]` is read before it is assigned, on line 2", "Move that line up"),
    ("h[t] = tanh(W @ x[t]) + ¦c[t-1]", "`c` is read at [t-1] but never assigned", "Add a line `c[t] = …`"),
    ("h[t] = h[t-1] + ¦h[t-2]", "got [t - 2]", "Keep the older value as a state of its own"),
    ("h[t] = h[t-1] + ¦h[t+1]", "got [t + 1]", "bidirectional"),
    ("h[t] = h[t-1] + ¦h[0]", "The only times are [t] and [t-1]", "Write `h[t]` or `h[t-1]`"),
    ("h[t] = h[t-1]^¦2", "`^` is not a power", "Write `**`"),
    ("h[t] = ¦h[t-1] // 2", "The operator `//` is not part of the language", "Expected + - * / % ** or @"),
    ("h[t] = W @ x[t] + ¦W * h[t-1]", "`W` is used both as a matrix and as a vector", "another name"),
    ("h[t] = b + ¦b @ h[t-1]", "`b` is used both as a matrix and as a vector", "another name"),
    ("h[t] = W @ x[t] + ¦W @ h[t-1]", "`W` is applied both to the input and to a state", "another name"),
    ("h[t] = ¦h[t-1] * R @ h[t-1]", "On the left of `@` stands a matrix", "`a[t] * (R @ h[t-1])`"),
    ("h[t] = (W + ¦tanh(R)) @ h[t-1]", "On the left of `@` stands a matrix", "`a[t] * (R @ h[t-1])`"),
    ("h[t] = ¦b * R @ h[t-1]", "`b * R` would be two matrices, entry by entry", "`a * (R @ h[t-1])`"),
    ("h[t] = (W / ¦R) @ h[t-1]", "A matrix can be divided by a number only", None),
    ("h[t] = (¦W + 2) @ h[t-1]", "Matrices are added to matrices", "as in `g * I`"),
    ("h[t] = (¦2 * s) @ h[t-1]", "On the left of `@` stands a matrix", "Use parentheses", {"scalar": {"s": 2}}),
    ("h[t] = (R + ¦(2).T) @ h[t-1]", "Only a matrix can be transposed", None),
    ("h[t] = ¦R.T + h[t-1]", "A transposed matrix stands on the left of `@`", "`R.T @ h[t-1]`"),
    ("h[t] = ¦blocks(R) @ h[t-1]", "`blocks` takes the name of a matrix and a number of blocks", "blocks(R, 4)"),
    ("h[t] = ¦blocks(R, 2.5) @ h[t-1]", "`blocks` takes the name of a matrix and a number of blocks", "blocks(R, 4)"),
    ("h[t] = ¦blocks(R, 4) + h[t-1]", "Blocks make a matrix", "blocks(R, 4) @ h[t-1]"),
    ("h[t] = blocks(R, 4) @ h[t-1] + blocks(¦R, 2) @ h[t-1]", "`R` is read as `blocks(R, 4)` elsewhere", "another name"),
    ("h[t] = blocks(R, 4) @ h[t-1] + ¦R @ (2 * h[t-1])", "`R` is read as `blocks(R, 4)` elsewhere", "another name"),
    ("h[t] = blocks(¦A, 2) @ h[t-1]", "`A` is fixed, and has no blocks", "'blocks(2)'", {"fixed": {"A": "ones"}}),
    ("h[t] = blocks(A, k) @ h[t-1] + ¦k @ h[t-1]", "`k` is not a matrix", "name of a parameter", {"constant": {"k": 2}}),
    ("h[t] = ¦s @ h[t-1]", "`s` is not a matrix", "name of a parameter", {"scalar": {"s": 2}}),
    ("h[t] = ¦v @ h[t-1]", "`v` is used both as a matrix and as a vector", "another name", {"fixed": {"v": [1, 2]}}),
    ("h[t] = h[t-1] + ¦outer(h[t-1])", "`outer` takes two vectors", "outer(v[t], k[t])"),
    ("h[t] = h[t-1] + ¦outer(1, 2) @ h[t-1]", "`outer` takes two vectors", "one of them may be a number"),
    ("h[t] = outer(h[t-1], b, ¦b) @ h[t-1]", "The number of heads must be a whole number", "outer(v[t], k[t], 4)"),
    ("h[t] = outer(h[t-1], b, 4) @ h[t-1] + outer(h[t-1], b, ¦2) @ h[t-1]", "as many heads, 4 so far", None),
    ("C[t] = outer(h[t-1], b)\nh[t] = C[t] @ ¦2 + h[t-1]", "A matrix is multiplied by a vector", "C[t] @ q[t]"),
    ("C[t] = outer(h[t-1], b)\nh[t] = R @ ¦C[t] + h[t-1]", "needs a vector on its right, got a matrix", "C[t] @ q[t]"),
    ("C[t] = outer(h[t-1], b)\nh[t] = ¦C[t] @ (b - b) + h[t-1]", "There is nothing to multiply", None),
    ("h[t] = h[t-1] + ¦in[t]", "`in` is a word of Python", "Write `in_`"),
    ("h[t] = h[t-1] + ¦lambda * b", "`lambda` is a word of Python", "Write `lambda_`"),
    ("h[t] = h[t-1] * ¦dt", "`dt` looks like a constant", "constant.dt = 0.1"),
    ("h[t] = h[t-1] + ¦x[t]", "The input has the parts y, z", "Read one of them", {"inputs": ["y", "z"]}),
    ("h[t] = h[t-1] + V @ y[t] + W @ ¦z", "`z` needs a time", "Write `z[t]`", {"inputs": ["y", "z"]}),
    ("h[t] = h[t-1] * ¦k[t]", "`k` has no time", None, {"constant": {"k": 2}}),
    ("¦k[t] = h[t-1]\nh[t] = k[t]", "`k` is declared as a constant and cannot be assigned", "another name", {"constant": {"k": 2}}),
    ("h[t] = h[t-1] + sum(¦2)", "`sum` goes over the units of a vector, got a number", None),
    ("a[t] = 2\nh[t] = h[t-1] + softmax(¦a[t])", "here all of them are one number", None),
    ("h[t] = softmax(h[t-1]) + norm(h[t-1], ¦b)", "The second value of `norm` must be a number of at least 0", "norm(a[t], 1e-6)"),
    ("c[t] = W @ x[t]\nh[t] = ¦c @ h[t-1]", "`c` is not a matrix", "name of a parameter"),
    ("h[t] = h[t-1] + W @ ¦3", "`W @` needs a vector on its right, got a number", "Write `*` to scale"),
    ("h[t] = ¦sinc(h[t-1])", "There is no function `sinc`", "The functions are sigmoid"),
    ("h[t] = ¦sigmiod(h[t-1])", "There is no function `sigmiod`", "Did you mean `sigmoid`?"),
    ("h[t] = tanh(¦h(t-1))", "`h` is not a function", "A time stands in square brackets: `h[t]`"),
    ("h[t] = h[t-1] + W @ ¦x(t)", "`x` is not a function", "A time stands in square brackets: `x[t]`"),
    ("¦h(t) = h[t-1]", "not an equation (cannot assign to function call)", "times in square brackets"),
    ("h[t] = ¦2h[t-1]", "not an equation", "every product with its `*`"),
    ("h[t] = ¦tanh(h[t-1], 2)", "`tanh` takes one value", "tanh(a[t])"),
    ("h[t] = ¦tanh()", "`tanh` takes one value", "tanh(a[t])"),
    ("h[t] = ¦tanh(h[t-1], k=2)", "`tanh` takes one value", "tanh(a[t])"),
    ("h[t] = h[t-1] + norm(¦2)", "`norm` goes over the units of a vector, got a number", None),
    ("h[t] = h[t-1] * norm(¦exp(1) - 3)", "`norm` goes over the units of a vector, got a number", None),
    ("h[t] = ¦norm(h[t-1], 1, 2)", "`norm` takes 1 or 2 values", "norm(a[t], 1e-6)"),
    ("h[t] = ¦norm()", "`norm` takes 1 or 2 values", "norm(a[t], 1e-6)"),
    ("h[t] = ¦norm * h[t-1]", "`norm` is a function and needs an argument", None),
    ("¦norm[t] = h[t-1]", "`norm` is a function and cannot be assigned", "another name"),
    ("h[t] = ¦norm @ h[t-1]", "`norm` is not a matrix", "name of a parameter"),
    ("h[t] = R @ h[t-1] + norm(¦R)", "`R` is used both as a matrix and as a vector", "another name"),
    ("h[t] = h[t-1] + norm(W @ ¦x)", "`x` needs a time", "Write `x[t]`"),
    ("h[t] = ¦tanh + h[t-1]", "`tanh` is a function and needs an argument", None),
    ("h[t] = ¦tanh[t] + h[t-1]", "`tanh` has no time", None),
    ("c[t] = W @ x[t]\nh[t] = ¦c * h[t-1]", "`c` needs a time", "Write `c[t]` or `c[t-1]`"),
    ("h[t] = W @ ¦x + h[t-1]", "`x` needs a time", "Write `x[t]`"),
    ("h[t] = ¦(W @ x)[t] + h[t-1]", "Only a name has a time", "name of its own"),
    ("¦x[t] = h[t-1]\nh[t] = x[t]", "`x` is the input and cannot be assigned", "another name"),
    ("¦tanh[t] = h[t-1]\nh[t] = x[t]", "`tanh` is a function and cannot be assigned", "another name"),
    ("¦t[t] = h[t-1]\nh[t] = x[t]", "`t` is the time and cannot be assigned", "another name"),
    ("h[t] = h[t-1]\n¦h[t] = h[t-1]", "`h[t]` is assigned twice", "another name"),
    ("¦h = h[t-1]", "`h` is assigned without a time", "Write `h[t] = …`"),
    ("¦h[t-1] = h[t]", "Only the present can be assigned", "Write `h[t] = …`"),
    ("¦f(h)[t] = h[t-1]", "Only `name[t]` can be assigned", None),
    ("¦h[t] += h[t-1]", "Expected a line of the form", "name[t] = expression"),
    ("¦h[t] = c[t] = h[t-1]", "Expected a line of the form", "name[t] = expression"),
    ("¦import os", "Expected a line of the form", "name[t] = expression"),
    ("h[t] = ¦[h[t-1]]", "Vectors are not joined", "W @ x[t] + R @ h[t-1]"),
    ("h[t] = ¦swish(h[t-1])", "There is no function `swish`", "Write `silu`"),
    ("h[t] = ¦conv2d(W, 3) @ h[t-1]", "On the left of `@` stands a matrix", "`conv(R, 3)`"),
    ("h[t] = ¦conv2d(h[t-1], 3)", "There is no function `conv2d`", "Write `conv(W, 3) @ x[t]`"),
    ("h[t] = ¦conv(W, 3) + h[t-1]", "A convolution is a map", "`conv(R, 3) @ h[t-1]`"),
    ("h[t] = ¦conv(W) @ h[t-1]", "`conv` takes the name of a matrix and the size of its kernel, an odd number", "conv(W, 3) @ x[t]"),
    ("h[t] = ¦conv(W, 4) @ h[t-1]", "`conv` takes the name of a matrix and the size of its kernel, an odd number", "conv(W, 3) @ x[t]"),
    ("h[t] = ¦conv(W, k) @ h[t-1]", "the size of its kernel, an odd number", None, {"constant": {"k": -3}}),
    ("h[t] = conv(¦R.T, 3) @ h[t-1]", "A convolution is of one matrix, or of blocks", "conv(blocks(R, 4), 3)"),
    ("h[t] = conv(¦E, 3) @ h[t-1]", "`E` is fixed, and has no kernel", "a plain `@`", {"fixed": {"E": "ones"}}),
    ("h[t] = conv(R, 3) @ h[t-1] + ¦R @ (2 * h[t-1])", "`R` is read as `conv(R, 3)` elsewhere", "another name"),
    ("h[t] = R @ h[t-1] + conv(¦R, 3) @ (2 * h[t-1])", "`R` is read as `R` elsewhere", "another name"),
    ("h[t] = conv(blocks(R, 2), 3) @ h[t-1] + conv(¦R, 3) @ h[t-1]", "`R` is read as `conv(blocks(R, 2), 3)` elsewhere", "another name"),
    ("h[t] = conv(blocks(R, 2), 3) @ h[t-1] + b * ¦R", "`R` is used both as a matrix and as a vector", "another name"),
    ("¦conv[t] = h[t-1]", "`conv` is a function and cannot be assigned", "another name"),
    ("h[t] = norm(h[t-1], ¦-1)", "must be a number of at least 0", "norm(a[t], 1e-6)"),
    ("h[t] = ¦h[t-1] if 1 else 2", "A choice is written `where(condition, a, b)`", "a where the condition holds"),
    ("h[t] = ¦~h[t-1]", "This is not part of the language", "Expected + - * / % ** @"),
    ("h[t] = ¦'a' + h[t-1]", "Expected a number, got 'a'", None),
    ("h[t] = ¦True + h[t-1]", "Expected a number, got True.", None),
    ("h[t] = ¦2j * h[t-1]", "Expected a number, got 2j.", None),
    ("h[t] = ¦1e999 * h[t-1]", "The number is too large", "at most 1e300"),
    ("h[t] = h[t-1] + ¦1 / 0", "`1 / 0` has no finite real value", None),
    ("h[t] = h[t-1] + ¦(-1) ** 0.5", "no finite real value", None),
    ("h[t] = h[t-1] + ¦log(-1)", "`log(-1)` has no finite real value", None),
    ("h[t] = h[t-1] + ¦log(k - 2)", "`log(k - 2)` has no finite real value", None, {"constant": {"k": 2}}),
    ("a[t] = 1\nh[t] = h[t-1] + ¦sqrt(-a[t])", "`sqrt(-a[t])` has no finite real value", None),
    ("h[t] = h[t-1] + ¦log1p(-1)", "no finite real value", None),
    ("h[t] = h[t-1] ** ¦1000", "The exponent must be a plain number of at most 100", None),
    ("h[t] = tanh¦(h[t-1]", "not an equation ('(' was never closed)", "Expected `name[t] = expression`"),
    ("h[t] = h[t-1] ¦h[t-1]", "not an equation", "Expected `name[t] = expression`"),
    ("  h[t] = wörd + h[t-1] ¦$ 3", "not an equation", "Expected `name[t] = expression`"),
    ("a[t] = h[t-1]\n  h[t] = ¦= 3", "not an equation", "Expected `name[t] = expression`"),
    ("h[t] = h[t-1]¦)", "not an equation (unmatched ')')", "Expected `name[t] = expression`"),
    ("a[t] = 2\n h[t] = h[t-1]¦\0", "The line holds a NUL character", "Remove it"),
    ("h[t] = h[t-1] + W @ ¦x[t-2]", "got [t - 2]", "Keep the older value as a state of its own: `x1[t] = x[t-1]`"),
    ("h[t] = h[t-1] + W @ ¦x[t+1]", "got [t + 1]", "bidirectional"),
    ("h[t] = h[t-1] + ¦h[t-1, 2]", "got [(t - 1, 2)]", "Write `h[t]` or `h[t-1]`"),
    ("h[t] = ¦W[t] @ x[t] + h[t-1]", "On the left of `@` stands a matrix", "Use parentheses"),
    ("h[t] = ¦2 @ h[t-1]", "On the left of `@` stands a matrix", "Use parentheses"),
    ("h[t] = ¦tanh @ h[t-1]", "`tanh` is not a matrix", "name of a parameter"),
    ("h[t] = ¦x @ h[t-1]", "`x` is not a matrix", "name of a parameter"),
    ("h[t] = W @ h[t-1] + ¦W @ x[t]", "`W` is applied both to the input and to a state", "another name"),
    ("h[t] = ¦h[t-1] << 2", "The operator `<<` is not part of the language", "Expected + - * / % ** or @"),
    ("h[t] = ¦t[t] + h[t-1]", "`t` has no time", None),
    ("h[t] = ¦step + h[t-1]", "`step` is a function", None),
    ("h[t] = ¦greater(h[t-1])", "There is no function `greater`", "The functions are sigmoid"),
    ("¦power[t] = h[t-1]", "`power` is a function and cannot be assigned", "another name"),
    ("h[t] = ¦tanh.f(h[t-1])", "There is no function `tanh.f`", "The functions are sigmoid"),
    ("h[t] = tanh(¦*x)", "This is not part of the language", "Expected + - * / % ** @"),
    ("h[t] = ¦0 < h[t-1] < 2", "One comparison at a time", "(a < b) * (b < c)"),
    ("h[t] = ¦h[t-1] in 2", "Only numbers are compared here", "Expected > >= < <= == or !="),
    ("h[t] = (¦h[t-1] > 0 and b > 0)", "`and`, `or` and `not` are not part", "(a > b) * (c > d)"),
    ("h[t] = where(¦not h[t-1], b, d)", "`and`, `or` and `not` are not part", "1 - (a > b)"),
    ("h[t] = ¦max(h[t-1])", "`max` takes 2 values", "max(a[t], b[t])"),
    ("h[t] = ¦where(h[t-1], 2)", "`where` takes 3 values", "where(a[t] > 0, b[t], c[t])"),
    ("h[t] = ¦elu(h[t-1], 1, 2)", "`elu` takes 1 or 2 values", "elu(a[t], b[t])"),
    ("h[t] = (¦a := h[t-1])", "This is not part of the language", "Expected + - * / % ** @"),
    ("h[t] = h[t-1] + ¦None", "Expected a number, got None.", None),
    ("h[t] = h[t-1] * ¦1" + "0" * 302, "The number is too large", "at most 1e300"),
    ("h[t] = ¦(1e300 * h[t-1]) ** 99", "no finite real value", None),
    ("h[t] = (((¦(1e300 * h[t-1]) ** 100) ** 100) ** 100) ** 100", "`(1e+300 * h[t - 1]) ** 100` has no finite real value", None),
    ("h[t] = h[t-1] + ¦(-8) ** (1 / 3)", "no finite real value", None),
    ("h[t] = R @ (¦1e300 * h[t-1] * 1e300)", "no finite real value", None),
    ("h[t] = h[t-1] + ¦0 ** -1", "no finite real value", None),
    ("h[t] = ¦1 / (h[t-1] - h[t-1])", "no finite real value", None),
    ("h[t] = h[t-1] ** ¦-101", "The exponent must be a plain number of at most 100", None),
    ("h[t] = ((¦(h[t-1] ** 10) ** 11) ** 10)", "must make an exponent of at most 100, got 110", None),
    ("h[t] = 2 / ¦(h[t-1] ** -100) ** 100", "must make an exponent of at most 100, got -10000", None),
    ("h[t] = tanh(¦h[t-1] ** 60 * x[t] * h[t-1] ** 41)", "must make an exponent of at most 100, got 101", None),
    ("e[t] = x[t] - x[t]\nh[t] = tanh(h[t-1]) + ¦W @ x[t] / e[t]", "`W @ x[t] / e[t]` has no finite real value", None),
    ("e[t] = 0\nf[t] = 3 * e[t]\nh[t] = h[t-1] * ¦f[t] ** -2", "`f[t] ** (-2)` has no finite real value", None),
    ("e[t] = 1e300\nf[t] = ¦e[t] * e[t]\nh[t] = h[t-1] + f[t]", "`e[t] * e[t]` has no finite real value", None),
    ("e[t] = -2\nh[t] = h[t-1] + ¦W @ x[t] / (e[t] + 2)", "has no finite real value", None),
    ("a[t] = 1\nh[t] = " + "-" * 59 + "¦" + "-" * 41 + "h[t-1]", "nested more than 60 levels deep", "names of their own"),
    ("¦h[t], c[t] = h[t-1], 2", "Only `name[t]` can be assigned", None),
    ("¦h.x = h[t-1]", "Only `name[t]` can be assigned", None),
    ("¦h[t][t] = h[t-1]", "Only `name[t]` can be assigned", None),
    ("¦h[t]", "Expected a line of the form", "name[t] = expression"),
    ("h[t] = (\n  h[t-1]\n  + ¦q[t])", "`q` is not defined", None),
    ("h[t] = h[t-1] \\\n  + ¦q[t]", "`q` is not defined", None),
    ("a[t] = h[t-1]\n    \n      h[t] = ¦q[t]", "`q` is not defined", None),
]


WRONGLY_DECLARED = [
    ("h[t] = h[t-1]", {"constant": {"k": 2}}),
    ("h[t] = h[t-1] * tanh", {"constant": {"tanh": 2}}),
    ("h[t] = h[t-1] * pi", {"constant": {"pi": 3}}),
    ("h[t] = h[t-1]", {"size": {"m": 2}}),
    ("C[t] = C[t-1] + outer(h[t-1], b)\nh[t] = C[t] @ b", {"size": {"C": 2}}),
    ("m[t] = h[t-1] + V @ x[t]\nh[t] = m[t] + h[t-1]", {"size": {"m": 2, "h": 3}}),
    ("m[t] = x[t]\nh[t] = V @ m[t] + h[t-1]", {"size": {"m": 2}}),
    ("h[t]=h[t-1]\n" * 501, {}),
    ("h[t] = V @ x[t] + dt[t] * h[t-1]", {"inputs": ["x", "dt"], "size": {"dt": 1}}),
]
SAID = [
    "`constant` declares `k`, which no line reads", "`constant` declares `tanh`, which the language has already",
    "`constant` declares `pi`, which the language has already", "`size.m` is of a name that no line has",
    "`size.C` is that of a matrix", "`size.m` and `size.h` speak of vectors that must have equally many units, but say 2 and 3",
    "`size.m` is the size of the input", "The text has 501 lines; a cell may have at most 200",
    "`size.dt = 1` would be the size of `h[t]` too",
]  # fmt: skip


@pytest.mark.parametrize(("text", "declared", "said"), [(*w, s) for w, s in zip(WRONGLY_DECLARED, SAID, strict=True)])
def test_a_declaration_that_does_not_fit_is_refused(text, declared, said):
    with pytest.raises(EquationError) as caught:
        parse(text, declared=declarations("mine", **declared))
    assert said in str(caught.value)


@pytest.mark.parametrize(("marked", "problem", "cure", "declared"), [(*b, *[{}][len(b) - 3 :]) for b in BROKEN])
def test_a_broken_rule_is_named_with_a_caret_and_a_cure(marked, problem, cure, declared):
    before = marked[: marked.index("¦")].split("\n")
    line, column = len(before), len(before[-1]) + 1
    with pytest.raises(EquationError) as caught:
        parse(marked.replace("¦", ""), declared=declarations("mine", **declared))
    message = str(caught.value)
    assert problem in message
    assert (cure or "") in message
    assert (caught.value.line, caught.value.column) == (line, column)
    *_, source, caret = message.split("\n")
    assert source == f"{line} | {marked.replace('¦', '').split(chr(10))[line - 1].rstrip()}"
    assert caret.index("^") == len(f"{line} | ") + caught.value.column - 1


@pytest.mark.parametrize(
    ("text", "output", "problem"),
    [
        ("", "h", "The text holds no equation"),
        ("# only a comment", "h", "The text holds no equation"),
        ("c[t] = W @ x[t] + c[t-1]", "h", "No line assigns `h[t]`, the output"),
        ("h[t] = tanh(W @ x[t])", "h", "this is not a recurrence"),
        ("h[t] = h[t-1]\n" * 3000, "h", "a cell may have at most"),
        (3, "h", "The equations must be a text, got int"),
    ],
)
def test_what_is_wrong_with_the_whole_text_is_said(text, output, problem):
    with pytest.raises(EquationError) as caught:
        parse(text, output)
    assert problem in str(caught.value)


def test_indentation_comments_and_wide_characters_do_not_shift_the_caret():
    with pytest.raises(EquationError) as caught:
        parse("  # ein Kommentar: größer\n\tβ[t] = tanh(W @ x[t])\n    h[t] = β[t] * wörd[t] + h[t-1]")
    assert (caught.value.line, caught.value.column) == (3, 19)
    assert str(caught.value).splitlines()[-1].index("^") == str(caught.value).splitlines()[-2].index("wörd")


def _raising_statements(file):
    """The first and last line of every `raise source.error(…)` of a module, and of every `_finite` it hands a computation to."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and ast.unparse(node.exc.func).endswith(("error", "error_at")):
            yield node.lineno, node.end_lineno


@pytest.mark.parametrize("module", [checker, syntax, names, parts, settle])
def test_every_rule_of_the_checker_has_a_broken_example_here(module):
    file = Path(module.__file__)
    reached = set()
    broken = [(marked.replace("¦", ""), *[{}][len(rest) - 2 :], *rest[2:]) for marked, *rest in BROKEN]
    for text, declared in [*broken, *WRONGLY_DECLARED]:
        with pytest.raises(EquationError) as caught:
            parse(text, declared=declarations("mine", **declared))
        reached |= {frame.lineno for frame in traceback.extract_tb(caught.value.__traceback__) if Path(frame.filename) == file}
    missed = [first for first, last in _raising_statements(file) if not reached & set(range(first, last + 1))]
    assert not missed, f"no example breaks the rules on these lines of {file.name}: {missed}"


@pytest.mark.parametrize("text", ["h[t] = relu(2) ** 0.5 * h[t-1]", "h[t] = h[t-1] ** sigmoid(2)", "h[t] = h[t-1] * exp(1) ** 2",
                                  "h[t] = 2 ** exp(1) * h[t-1]", "h[t] = h[t-1] ** 100"])  # fmt: skip
def test_functions_of_numbers_may_stand_in_a_power(text):
    assert parse(text).states == ("h",)


def test_a_tab_counts_as_the_blanks_that_are_shown():
    with pytest.raises(EquationError) as caught:
        parse("\th[t] = q[t]\t+ h[t-1]")
    assert str(caught.value).endswith("\n1 |     h[t] = q[t] + h[t-1]\n               ^")
    assert caught.value.column == 12


def test_characters_of_several_bytes_count_once():
    with pytest.raises(EquationError) as caught:
        parse("h[t] = 漢字字字 + ββββββ + h[t-1] + wörd[t]")
    assert caught.value.column == 33
