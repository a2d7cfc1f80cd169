"""A recurrence printed: as text that parses back to it, and as LaTeX."""

import ast

import sympy as sp

from unrolled.equations.functions import FUNCTIONS
from unrolled.equations.recurrence import Recurrence

_SUM, _PRODUCT, _UNARY, _POWER, _ATOM = range(1, 6)
_GLYPHS = {ast.Add: " + ", ast.Sub: " - "}


def to_text(recurrence: Recurrence) -> str:
    """The equations in the equation language, one a line, normalised; `parse` gives the same recurrence back."""
    return "\n".join(f"{line.name}[t] = {line.text}" for line in recurrence.equations)


def to_latex(recurrence: Recurrence) -> str:
    """The equations as a LaTeX `aligned` block (amsmath), terms in the order in which they were written."""
    rows = [f"{_timed(line.name, 't')} &= {_latex(ast.parse(line.text, mode='eval').body)[0]}" for line in recurrence.equations]
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


def _latex(node: ast.AST) -> tuple[str, int]:
    """The node's LaTeX and how tightly it binds."""
    match node:
        case ast.BinOp(op=ast.Div()):
            return rf"\frac{{{_latex(node.left)[0]}}}{{{_latex(node.right)[0]}}}", _ATOM
        case ast.BinOp(op=ast.Pow()):
            return f"{_within(node.left, _ATOM)}^{{{_latex(node.right)[0]}}}", _POWER
        case ast.BinOp(op=ast.MatMult()):
            return f"{_within(node.left, _ATOM)} {_within(node.right, _UNARY)}", _PRODUCT
        case ast.BinOp(op=ast.Mult()):
            dot = r" \, " if isinstance(node.left, ast.Constant) or isinstance(node.right, ast.Constant) else r" \odot "
            return f"{_within(node.left, _PRODUCT)}{dot}{_within(node.right, _UNARY)}", _PRODUCT
        case ast.BinOp():
            return f"{_within(node.left, _SUM)}{_GLYPHS[type(node.op)]}{_within(node.right, _PRODUCT)}", _SUM
        case ast.UnaryOp():
            sign = "-" if isinstance(node.op, ast.USub) else "+"
            return f"{sign}{_within(node.operand, _PRODUCT)}", _SUM
        case ast.Call():
            return rf"{FUNCTIONS[_name(node.func)].latex_name}\left({_latex(node.args[0])[0]}\right)", _ATOM
        case ast.Subscript():
            return _timed(_name(node.value), ast.unparse(node.slice).replace(" ", "")), _ATOM
        case ast.Constant():
            return str(node.value), _ATOM
    return sp.latex(sp.Symbol(_name(node))), _ATOM


def _within(node: ast.AST, tightness: int) -> str:
    text, binds = _latex(node)
    return text if binds >= tightness else rf"\left({text}\right)"


def _name(node: ast.AST) -> str:
    assert isinstance(node, ast.Name)
    return node.id


def _timed(name: str, time: str) -> str:
    base, _, below = name.partition("_")
    below = below.replace("_", r"\_")
    return f"{sp.latex(sp.Symbol(base))}_{{{below + ',' if below else ''}{time}}}"
