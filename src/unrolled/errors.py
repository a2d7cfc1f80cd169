"""Every exception that the toolkit raises on purpose: each message names the culprit, what was expected, what came and the cure."""

LONGEST = 2000
"""Characters that a message may have; of a longer one the middle is left out."""

_WIDEST = 400


class UnrolledError(Exception):
    """Base of all the toolkit's own errors: `except UnrolledError` catches everything that bad input can cause."""

    def __init__(self, message: object = "") -> None:
        text = str(message)
        if len(text) > LONGEST:
            text = f"{text[: LONGEST // 2]} … {text[-LONGEST // 2 :]}"
        super().__init__(text)


class EquationError(UnrolledError, ValueError):
    """A cell's text breaks a rule of the equation language.

    `line` and `column` count from 1; the message shows the line with a caret under the column.
    """

    def __init__(self, message: str, *, source: str = "", line: int = 0, column: int = 0) -> None:
        self.line, self.column = line, column
        if source:
            number = f"{line} | "
            first = max(column - _WIDEST // 2, 0) if len(source) > _WIDEST else 0
            message = f"{message[:LONGEST]}\n{number}{source[first : first + _WIDEST]}\n{' ' * (len(number) + column - 1 - first)}^"
        super().__init__(message)


class ShapeError(UnrolledError, ValueError, RuntimeError):
    """A tensor of the wrong shape, dtype or range.

    Both a `ValueError` and a `RuntimeError`, because torch.nn raises one or the other and callers catch either.
    """


class NotFiniteError(ShapeError):
    """What a network computes is NaN or infinite: its weights are too large, or the numbers that it reads."""


class EngineError(UnrolledError, RuntimeError):
    """An engine was asked for by name and cannot run what it was given."""


class LackOfMemoryError(UnrolledError, MemoryError):
    """The system has not the memory that a pass needs; nothing was computed, and what was there before can still be used."""


class BuildError(EngineError):
    """The native engine's code could not be compiled or loaded, or no compiler works here; `reason` says why in one line."""

    def __init__(self, message: str, *, reason: str = "") -> None:
        self.reason = reason or message.partition("\n")[0]
        super().__init__(message)


class ConfigError(UnrolledError, ValueError):
    """An option that does not exist, has a value it cannot have, or contradicts another."""


class ConfigTypeError(ConfigError, TypeError):
    """An option of another type than it can have, as torch calls it."""


class DataError(UnrolledError, ValueError):
    """Input data that cannot be read, or not used as it was meant to be."""


class RunError(UnrolledError):
    """A run folder that is missing, damaged, foreign, in use, or cannot be written."""


class TrainingError(UnrolledError, RuntimeError):
    """Training cannot go on, for instance because the loss is no longer a number."""


class UnrolledWarning(UserWarning):
    """Something that the toolkit can do without, but that makes it slower or that somebody may want to mend."""
