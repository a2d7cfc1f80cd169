"""A talk with a network that answers texts."""

from typing import TYPE_CHECKING

import torch

from unrolled.models.decoder import State
from unrolled.tasks.translation.options import SearchOptions

if TYPE_CHECKING:
    from unrolled.tasks.translation.trained import TrainedTranslator


class Conversation:
    """What has been said so far, as the state of the network that reads.

    A network of one direction (`no_bidirectional`) reads every text, and every answer of its own, after all those before; `remembers`
    says whether it is one. Another one cannot go on from a state, and answers each text by itself.
    """

    def __init__(self, translator: "TrainedTranslator", search: SearchOptions, temperature: float | None, seed: int | None) -> None:
        self.translator, self.search, self.temperature = translator, search, temperature
        self.generator = torch.Generator()
        self.generator.manual_seed(self.generator.seed() if seed is None else seed)
        self.remembers = translator.model.encoder.directions == 1
        self.state: State | None = None

    def reply(self, text: str) -> str:
        """An answer to a text; nothing to nothing."""
        if not text.strip():
            return ""
        memory = self.translator.encode([text], self.state)
        if self.temperature is None:
            answer = self.translator.answer([text], memory, self.search)[0][0].text
        else:
            (answer,) = self.translator.drawn(text, memory, self.search, temperature=self.temperature, generator=self.generator)
        if self.remembers:
            self.state = self.translator.encode([answer], memory.final).final
        return answer

    def begin_anew(self) -> None:
        """Forget what was said."""
        self.state = None
