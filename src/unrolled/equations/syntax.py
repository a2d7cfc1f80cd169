"""From text to syntax trees: one assignment `name[t] = expression` a line, and errors that point into the text."""

import ast
import keyword
import re
import warnings
from dataclasses import dataclass

from unrolled.errors import EquationError

LONGEST = 20_000
MOST_LINES = 200
_READ = {"and", "or", "not", "if", "else", "True", "False", "None", "is", "in"}  # where they stand, unless the line cannot be read
_WORD = re.compile(rf"(?<![\w.])(?:{'|'.join(k for k in keyword.kwlist if k not in _READ)}|(?:is|in|if|or|and|not)(?=\s*\[))(?!\w)")
"""A word of Python that stands where a name could."""
DEEPEST = 60


class Source:
    """The text of a cell, without a byte-order mark, and with leading blanks removed from every line (they mean nothing in the language)."""

    def __init__(self, text: str) -> None:
        lines = text.removeprefix("\ufeff").expandtabs(4).splitlines()
        self.indents = [len(line) - len(line.lstrip()) for line in lines]
        self.lines = [line.rstrip() for line in lines]
        self.text = "\n".join(line.strip() for line in lines)

    def error(self, message: str, node: ast.AST) -> EquationError:
        """An error whose caret stands under the node's first character."""
        line = getattr(node, "lineno", 1)
        column = len(self.text.splitlines()[line - 1].encode()[: getattr(node, "col_offset", 0)].decode(errors="ignore"))
        return self.error_at(message, line, column)

    def error_at(self, message: str, line: int, column: int) -> EquationError:
        """An error whose caret stands under a column, counted from 0 in the stripped line."""
        if not 1 <= line <= len(self.lines):
            return EquationError(message)
        return EquationError(message, source=self.lines[line - 1], line=line, column=self.indents[line - 1] + column + 1)

    def segment(self, node: ast.AST) -> str:
        """The node as normalised text, with `[t-1]` written without blanks."""
        return ast.unparse(node).replace("[t - 1]", "[t-1]")


@dataclass(frozen=True)
class Line:
    """One assignment."""

    name: str
    target: ast.expr
    value: ast.expr


def read_lines(source: Source) -> list[Line]:
    """The assignments of a text, in order; EquationError where the text has another form."""
    statements = _tree(source).body
    if len(statements) > MOST_LINES:
        raise source.error(f"The text has {len(statements)} lines; a cell may have at most {MOST_LINES}.", statements[MOST_LINES])
    body = [_line(source, statement) for statement in statements]
    if not body:
        raise EquationError("The text holds no equation. Write at least one line such as `h[t] = tanh(W @ x[t] + R @ h[t-1] + b)`.")
    return body


def _tree(source: Source) -> ast.Module:
    if len(source.text) > LONGEST:
        raise EquationError(f"The text has {len(source.text)} characters; a cell may have at most {LONGEST}.")
    for number, line in enumerate(source.text.split("\n"), 1):
        if "\0" in line:
            raise source.error_at("The line holds a NUL character. Remove it.", number, line.index("\0"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source.text)
    except SyntaxError as error:
        number, column = error.lineno or 1, max((error.offset or 1) - 1, 0)
        line = source.text.split("\n")[min(number, len(source.lines)) - 1]
        if (word := _WORD.search(line.partition("#")[0])) is not None:
            told = f"`{word[0]}` is a word of Python, which no name can be. Write `{word[0]}_`, or another name."
            raise source.error_at(told, number, word.start()) from None
        raise source.error_at(_explain(error), number, column) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise EquationError(f"The text cannot be read: {error}. Write one `name[t] = expression` a line.") from None
    _check_depth(source, tree)
    return tree


def _explain(error: SyntaxError) -> str:
    problem = error.msg.partition(" here. Maybe")[0]  # what follows is a hint for programs
    return (
        f"This is not an equation ({problem}). Expected `name[t] = expression` in Python's notation: "
        "times in square brackets, every product with its `*` or `@`."
    )


def _check_depth(source: Source, tree: ast.Module) -> None:
    """Deep nesting would exhaust Python's stack later, in places that cannot tell where it happened."""
    level: list[ast.AST] = list(tree.body)
    for _ in range(DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return
    where = next((node for node in level if hasattr(node, "lineno")), tree.body[0])
    raise source.error(f"The expression is nested more than {DEEPEST} levels deep. Give parts of it names of their own.", where)


def _line(source: Source, statement: ast.stmt) -> Line:
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        raise source.error("Expected a line of the form `name[t] = expression`.", statement)
    target = statement.targets[0]
    if isinstance(target, ast.Name):
        raise source.error(f"`{target.id}` is assigned without a time. Write `{target.id}[t] = …`.", target)
    if not isinstance(target, ast.Subscript) or not isinstance(target.value, ast.Name):
        raise source.error("Only `name[t]` can be assigned.", target)
    if not isinstance(target.slice, ast.Name) or target.slice.id != "t":
        raise source.error(f"Only the present can be assigned. Write `{target.value.id}[t] = …`.", target)
    return Line(target.value.id, target, statement.value)
