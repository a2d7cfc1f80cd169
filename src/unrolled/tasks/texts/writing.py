"""Texts written by a language model, seen as they are drawn."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from unrolled.data.codecs import TextCodec
from unrolled.decoding import draw
from unrolled.errors import ConfigError
from unrolled.tasks.trained import computing

SHOWN = 40
"""Characters of a text that a message shows."""

Step = Callable[[Tensor, Any], tuple[Tensor, Any]]


@dataclass(frozen=True)
class Ending:
    """When a text ends: after `length` symbols, before the line end of number `lines`, or before the text `stop`."""

    length: int = 500
    lines: int | None = None
    stop: str | None = None

    def __post_init__(self) -> None:
        for name in ("length", "lines"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"`{name}` must be at least 1, got {value}.")
        if self.stop == "":
            raise ConfigError("`stop` must be a text at which writing ends, got an empty one. Leave it out.")


class Growing:
    """One text, which grows by a symbol at a time. `set_text` makes it of the symbols after a prompt."""

    def __init__(self, prompt: str, set_text: Callable[[Sequence[int]], str], ending: Ending, end: int) -> None:
        self.symbols, self.shown, self.done = list[int](), 0, False
        self._prompt, self._set, self._ending, self._end, self._lines = prompt, set_text, ending, end, 0

    def add(self, symbol: int) -> str:
        """Take one more symbol; gives what is new of the text, as far as it cannot be the beginning of what it stops at."""
        if self.done:
            return ""
        self._lines += symbol == self._end
        if self._ending.lines is not None and self._lines >= self._ending.lines:
            return self.rest()
        self.symbols.append(symbol)
        text = self._set(self.symbols)
        stop = self._ending.stop
        if stop is None:
            return self._show(text)
        at = text.find(stop, len(self._prompt))
        if at >= 0:
            self.done = True
            return self._show(text[:at])
        return self._show(text[: max(len(text) - len(stop) + 1, self.shown)])

    def rest(self) -> str:
        """What was held back, now that nothing more comes."""
        if self.done:
            return ""
        self.done = True
        return self._show(self._set(self.symbols))

    def _show(self, text: str) -> str:
        new, self.shown = text[self.shown :], max(self.shown, len(text))
        return new


def write(
    step: Step, logits: Tensor, state: Any, prompts: Sequence[str], codec: TextCodec, ending: Ending, **options: Any
) -> Iterator[list[str]]:
    """What is new of each of B texts that begin with `prompts`, which are the first that comes, after each draw from `logits` `[B, V]`; the `options`
    are those of `draw`. It ends when all have ended."""
    texts = [Growing(prompt, _setter(codec, prompt), ending, codec.end) for prompt in prompts]
    yield [text._show(text._set([])) for text in texts]
    seen = _seen(codec, prompts, logits.shape[-1]).to(logits.device)
    with computing(f"what comes after {prompts[0][-SHOWN:]!r}"):
        for symbols in draw(step, logits, state, ending.length, forbidden=(codec.unknown,), seen=seen, **options):
            yield [text.add(symbol) for text, symbol in zip(texts, symbols.tolist(), strict=True)]
            if all(text.done for text in texts):
                return
    yield [text.rest() for text in texts]


def _seen(codec: TextCodec, prompts: Sequence[str], size: int) -> Tensor:
    """Which symbols each prompt has, `[B, V]`."""
    seen = torch.zeros(len(prompts), size, dtype=torch.bool)
    for row, prompt in zip(seen, prompts, strict=True):
        row[torch.from_numpy(codec.encode(prompt))] = True
    return seen


def _setter(codec: TextCodec, prompt: str) -> Callable[[Sequence[int]], str]:
    """What makes a text of the symbols after a prompt: the prompt as it was typed, then these; words are spaced as in one sentence."""
    if codec.level == "char":
        return _Characters(codec, prompt).set
    read = codec.encode(prompt).tolist()
    begin = codec.decode(read)

    def set_words(symbols: Sequence[int]) -> str:
        return prompt.rstrip(" ") + codec.decode([*read, *symbols])[len(begin) :] if symbols else prompt

    return set_words


class _Characters:
    """The same of characters, each of which is decoded once."""

    def __init__(self, codec: TextCodec, prompt: str) -> None:
        self._codec, self._text, self._read = codec, prompt, 0

    def set(self, symbols: Sequence[int]) -> str:
        self._text += self._codec.decode(symbols[self._read :]) if len(symbols) > self._read else ""
        self._read = len(symbols)
        return self._text
