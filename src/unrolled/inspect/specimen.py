"""What a report is about: a network, one sequence that it reads, and what its numbers are called."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from unrolled.inspect.subject import Input, Looked, recurrent_of
from unrolled.layers import Recurrent
from unrolled.models import LanguageModel

UNITS = {"char": "character", "word": "word", "event": "event", "subword": "piece", "step": "step"}
"""What a step reads, by the level of its symbols."""

START = "⏎"
"""How the line's end is shown that a language model reads before a text."""


@dataclass(frozen=True, eq=False)
class Specimen:
    """A network with a sequence.

    `x` is the sequence as the network takes it, alone in its batch; `symbols` `[T]` is what stands at each step, of the kind `level`
    (a key of `UNITS`). `answers` are the names of what it predicts, by number; `targets` what should come, as `predictions` takes it, with
    `supposed` where that is what the network itself would say. `written` `[T']` are the symbols that an encoder-decoder wrote, and
    `copies` what it may copy. `note` says what was left out of the sequence.
    """

    model: Looked
    x: Input
    symbols: tuple[str, ...]
    level: str
    answers: Sequence[str] = ()
    targets: Tensor | None = None
    supposed: bool = False
    written: tuple[str, ...] = ()
    copies: Tensor | None = None
    note: str = ""

    @property
    def layer(self) -> Recurrent:
        """The recurrent layers that are looked into."""
        return recurrent_of(self.model)

    @property
    def steps(self) -> int:
        """T."""
        return len(self.symbols)

    @property
    def first(self) -> int:
        """The first step that reads something of the text itself."""
        return int(isinstance(self.model, LanguageModel) and self.symbols[:1] == (START,) and self.steps > 1)

    @property
    def last(self) -> int:
        """The step that is looked at if none is chosen: the last one, or, where the network reads both ways, the middle one."""
        return self.steps // 2 if self.layer.bidirectional else self.steps - 1

    @property
    def unit(self) -> str:
        """What a step reads, in a word."""
        return UNITS[self.level]
