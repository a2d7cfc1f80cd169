"""Maps that are computed from others before the first step: `R.T`, `A - A.T - g * I`, `blocks(R, 4)`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Made:
    """How a block is computed from others, once a call: a function of the table in engines/made.py, and what it is applied to.

    Arguments are made themselves, names of parameters, or plain numbers and texts.
    """

    function: str
    arguments: tuple["Made | str | float | tuple[float, ...] | tuple[tuple[float, ...], ...]", ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """The parameters that it is made of."""
        if self.function in ("fixed", "take", "along"):
            return frozenset()
        parts = (a.names if isinstance(a, Made) else frozenset({a}) if isinstance(a, str) else frozenset() for a in self.arguments)
        return frozenset().union(*parts)
