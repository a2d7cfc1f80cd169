"""A trained language model, ready to use."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from unrolled.data.codecs import TextCodec
from unrolled.data.codecs.text import CHAR
from unrolled.data.corpus import Corpus, encode
from unrolled.data.event_corpus import encode_events
from unrolled.data.examples import Target
from unrolled.data.formats import ReadingOptions, read_examples
from unrolled.data.text import Source, find_sources, read_text, whole_words
from unrolled.decoding import draw
from unrolled.errors import ConfigError, DataError
from unrolled.inspect.inspection_input import InspectionInput
from unrolled.models import NextStep
from unrolled.tasks.measures.likelihood import Likelihood, measure, streams_for
from unrolled.tasks.texts.inspection_input import held_out_input, text_input
from unrolled.tasks.trained import Progress, Trained, computing, require_finite

SHOWN = 40
"""Characters of a text that a message shows."""


class TrainedLanguageModel(Trained[NextStep, TextCodec]):
    """A language model with its codec, as `load` gives it.

    `reading` has the columns of event logs, and is None for a model of texts.
    """

    def __init__(self, model: NextStep, codec: TextCodec, reading: ReadingOptions | None = None) -> None:
        super().__init__("lm", model, codec)
        self.reading = reading

    @property
    def codec(self) -> TextCodec:
        """What makes ids of a text."""
        return self.codecs

    @torch.inference_mode()
    def sample(
        self,
        prompt: str = "",
        length: int = 500,
        *,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        count: int = 1,
        seed: int | None = None,
        lines: int | None = None,
    ) -> list[str]:
        """Texts that begin with `prompt` and go on for `length` tokens, or until `lines` line ends.

        The state begins as at the start of a line; what the vocabulary lacks in the prompt is read as `<UNK>`, which is never drawn.
        `temperature`, `top_k` and `top_p` are explained at `unrolled.decoding.narrowed`. Raises `ConfigError` for impossible values.
        """
        for name, value in (("length", length), ("count", count), ("lines", 1 if lines is None else lines)):
            if value < 1:
                raise ConfigError(f"`{name}` must be at least 1, got {value}.")
        if seed is not None and not 0 <= seed < 2**63:
            raise ConfigError(f"`seed` must be a whole number from 0 to 2^63 - 1, got {seed}.")
        generator = torch.Generator(device=self.device)
        generator = generator.manual_seed(seed) if seed is not None else _reseeded(generator)
        logits, state = self._read([self.codec.end, *self.codec.encode(prompt)], count)
        options = {
            "temperature": temperature,
            "top_k": top_k,
            "top_p": top_p,
            "forbidden": (self.codec.unknown,),
            "generator": generator,
        }
        drawn = []
        with computing(f"what comes after {prompt[-SHOWN:]!r}"):
            for symbols in draw(self._step, logits, state, length, **options):  # type: ignore[arg-type]
                drawn.append(symbols)
                if lines is not None and bool(((torch.stack(drawn) == self.codec.end).sum(0) >= lines).all()):
                    break
        columns = torch.stack(drawn, 1).tolist()
        return [self._text(prompt, column if lines is None else _until(column, self.codec.end, lines)) for column in columns]

    @torch.inference_mode()
    def score(self, sentence: str) -> float:
        """The natural log-probability of a sentence as one whole line: of its tokens and of the line's end after them."""
        tokens = [self.codec.end, *self.codec.encode(sentence), self.codec.end]
        symbols = torch.tensor(tokens, device=self.device)[:, None]
        logits, _ = self.model(symbols[:-1])
        found = float(logits.double().log_softmax(-1).gather(-1, symbols[1:, :, None]).sum())
        require_finite(found, repr(sentence[:SHOWN]))
        return found

    def evaluate(
        self, sources: Source | Sequence[Source], *, encoding: str | None = None, progress: Progress | None = None, **columns: Any
    ) -> Likelihood:
        """The mean loss and the accuracy over whole text files or event logs; see `measure`.

        `encoding` is UTF-8 for texts and that of the run for event logs, if nothing is said.
        `columns` are `case`, `activity` and `time` of event logs, where they have other names than in training; a `ConfigError` for a model
        of texts. `progress` is told what is being done, and how much of how much is.
        """
        for name in columns if self.reading is None else columns.keys() - {"case", "activity", "time"}:
            raise ConfigError(f"`{name}` says nothing about {'a text' if self.reading is None else 'events'}. Leave it out.")
        if self.reading is None:
            tokens = encode(sources, self.codec, encoding=encoding or "utf-8", progress=progress)
        else:
            reading = replace(self.reading, encoding=encoding or self.reading.encoding, **columns)
            tokens = encode_events(sources, self.codec, reading, progress=progress)
        tick = None if progress is None else partial(progress, "measuring")
        found = measure(self.model, tokens, streams_for(len(tokens)), tick, self.codec)
        require_finite(found.nats, "this text")
        return found

    def inspection_input(self, given: str | Path, most: int = 1000) -> InspectionInput:
        """What `unrolled.inspect` looks at: a text, or the beginning of a file, after the start of a line; `most` symbols of it."""
        symbols = list(islice(iter(self.codec.split(given)) if isinstance(given, str) else self._symbols(given), most + 1))
        if not symbols:
            raise DataError(f"There is nothing to read in {str(given)!r}. Pass a text, or a file that has some.")
        return text_input(self.model, self.codec, symbols, most)

    def held_out(self, data: Corpus, most: int = 1000) -> InspectionInput | None:
        """The same of the text that was held out when `data` was learnt; None where there is none."""
        return held_out_input(self.model, self.codec, data.held_out, most)

    def _symbols(self, path: Path) -> Iterator[str]:
        """The symbols of a file one by one, of an event log with the end of each case."""
        if self.reading is not None:
            for example in read_examples(path, self.reading.to_predict(), Target.LABELS):
                yield from (*(example.tokens or ()), "\n")
            return
        for chunk in whole_words(read_text(find_sources(path))):
            yield from self.codec.split(chunk.text)

    def _read(self, tokens: Sequence[int], count: int) -> tuple[Tensor, Any]:
        symbols = torch.tensor([int(t) for t in tokens], device=self.device)[:, None]
        logits, state = self.model(symbols)
        return logits[-1].expand(count, -1), tuple(s.expand(-1, count, -1).contiguous() for s in state)

    def _step(self, symbols: Tensor, state: Any) -> tuple[Tensor, Any]:
        logits, state = self.model(symbols[None], state)
        return logits[0], state

    def _text(self, prompt: str, drawn: Sequence[int]) -> str:
        """The prompt as it was typed, then what was drawn; words are spaced as in one sentence."""
        if self.codec.level == CHAR:
            return prompt + self.codec.decode(drawn)
        read = self.codec.encode(prompt).tolist()
        return prompt.rstrip(" ") + self.codec.decode([*read, *drawn])[len(self.codec.decode(read)) :]


def _reseeded(generator: torch.Generator) -> torch.Generator:
    generator.seed()
    return generator


def _until(symbols: list[int], end: int, lines: int) -> list[int]:
    """The symbols up to, and without, the line end of that number."""
    for position, symbol in enumerate(symbols):
        lines -= symbol == end
        if not lines:
            return symbols[:position]
    return symbols
