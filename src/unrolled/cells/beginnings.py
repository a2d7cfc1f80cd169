"""How parameters begin, as a cell says it: a number, or a rule such as `uniform(-0.1, 0.1)`."""

import math
import re
from dataclasses import dataclass
from numbers import Real

from unrolled.errors import ConfigError

_LARGEST = 3.4028234663852886e38  # of a number in single precision
_RULES = {"uniform": 2, "normal": 1, "orthogonal": 0, "glorot": 0, "identity": 0, "ones": 0, "zeros": 0, "chrono": 1}
_ONLY_MATRICES, _ONLY_VECTORS = ("orthogonal", "glorot", "identity"), ("chrono",)
EXAMPLES = "a number, 'uniform(-0.1, 0.1)', 'normal(0.01)', 'orthogonal', 'glorot', 'identity', 'ones', 'chrono(100)', or '-b_f' for minus another one"


@dataclass(frozen=True)
class Beginning:
    """A `rule` and its `numbers`: `number`, one of those by name, or `minus`, whose `other` is the parameter that it mirrors."""

    rule: str
    numbers: tuple[float, ...] = ()
    other: str = ""


def read_beginning(what: str, value: object, *, matrix: bool) -> Beginning:
    """The beginning that a cell gives a parameter. Raises `ConfigError` where it is none, or none of such a parameter."""
    if isinstance(value, Real) and not isinstance(value, bool):
        if not is_finite(value):
            raise ConfigError(f"{what} must be a finite number, got {value!r}. It must fit single precision.")
        return Beginning("number", (float(value),))
    if isinstance(value, str) and (other := re.fullmatch(r"-\s*([^\W\d]\w*)", value.strip())):
        return Beginning("minus", other=other[1])
    match = re.fullmatch(r"(\w+)(?:\((.*)\))?", value.strip()) if isinstance(value, str) else None
    if match is None or match[1] not in _RULES:
        raise ConfigError(f"{what} must be {EXAMPLES}. Got {value!r}.")
    rule, numbers = match[1], _numbers(match[2])
    if (
        numbers is None
        or len(numbers) != _RULES[rule]
        or (rule == "chrono" and numbers[0] <= 2)
        or (rule == "normal" and numbers[0] < 0)
        or (rule == "uniform" and numbers[0] > numbers[1])
    ):
        takes = {0: "no number", 1: "one number", 2: "two numbers"}[_RULES[rule]]
        raise ConfigError(
            f"{what}: `{rule}` takes {takes}{', larger than 2' if rule == 'chrono' else ', the smaller one first' if rule == 'uniform' else ''}, got {value!r}. Expected {EXAMPLES}."
        )
    if rule in (_ONLY_VECTORS if matrix else _ONLY_MATRICES):
        raise ConfigError(f"{what}: {rule!r} is for {'vectors' if matrix else 'matrices'} alone. Expected {EXAMPLES}.")
    return Beginning(rule, numbers)


def _numbers(text: str | None) -> tuple[float, ...] | None:
    try:
        numbers = tuple(float(part) for part in (text or "").split(",") if part.strip())
    except ValueError:
        return None
    return numbers if all(map(math.isfinite, numbers)) else None


def is_finite(value: Real) -> bool:
    """Whether it is a number in single precision, too."""
    try:
        return abs(float(value)) <= _LARGEST
    except OverflowError:  # a whole number beyond every float
        return False
