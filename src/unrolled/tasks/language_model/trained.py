"""A trained language model, ready to use."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from unrolled.data.corpus import Corpus, Progress, encode
from unrolled.data.event_corpus import encode_events
from unrolled.data.formats import ReadingOptions, read_examples
from unrolled.data.text import Source, find_sources, read_text, whole_words
from unrolled.data.vocabulary import EVENT, Vocabulary
from unrolled.decoding import draw
from unrolled.errors import ConfigError, DataError
from unrolled.inspect.inspection_input import InspectionInput
from unrolled.models import LanguageModel
from unrolled.tasks.language_model.inspection_input import held_out_input, text_input
from unrolled.tasks.language_model.measure import Measure, measure, streams_for

UNITS = {"char": "character", "word": "word", EVENT: "event"}
"""What a token is called, by the level of its vocabulary."""


@dataclass(frozen=True)
class TrainedLanguageModel:
    """A language model with its vocabulary, as `load` gives it.

    `model` is the network, in evaluation mode; `reading` has the columns of event logs, and is None for a model of texts.
    """

    model: LanguageModel
    vocabulary: Vocabulary
    reading: ReadingOptions | None = None

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
        for flag, value in (("--length", length), ("--count", count), ("--lines", 1 if lines is None else lines)):
            if value < 1:
                raise ConfigError(f"`{flag}` must be at least 1, got {value}.")
        if seed is not None and not 0 <= seed < 2**63:
            raise ConfigError(f"`--seed` must be a whole number from 0 to 2^63 - 1, got {seed}.")
        generator = torch.Generator(device=self._device)
        generator = generator.manual_seed(seed) if seed is not None else _reseeded(generator)
        logits, state = self._read([self.vocabulary.end, *self.vocabulary.encode(prompt)], count)
        options = {
            "temperature": temperature,
            "top_k": top_k,
            "top_p": top_p,
            "forbidden": (self.vocabulary.unknown,),
            "generator": generator,
        }
        drawn = []
        for symbols in draw(self._step, logits, state, length, **options):  # type: ignore[arg-type]
            drawn.append(symbols)
            if lines is not None and bool(((torch.stack(drawn) == self.vocabulary.end).sum(0) >= lines).all()):
                break
        columns = torch.stack(drawn, 1).tolist()
        return [self._text(prompt, column if lines is None else _until(column, self.vocabulary.end, lines)) for column in columns]

    @torch.inference_mode()
    def score(self, sentence: str) -> float:
        """The natural log-probability of a sentence as one whole line: of its tokens and of the line's end after them."""
        tokens = [self.vocabulary.end, *self.vocabulary.encode(sentence), self.vocabulary.end]
        symbols = torch.tensor(tokens, device=self._device)[:, None]
        logits, _ = self.model(symbols[:-1])
        return float(logits.double().log_softmax(-1).gather(-1, symbols[1:, :, None]).sum())

    def evaluate(
        self, sources: Source | Sequence[Source], *, encoding: str | None = None, progress: Progress | None = None, **columns: Any
    ) -> Measure:
        """The mean loss and the accuracy over whole text files or event logs; see `measure`.

        `encoding` is UTF-8 for texts and that of the run for event logs, if nothing is said.
        `columns` are `case`, `activity` and `time` of event logs, where they have other names than in training; a `ConfigError` for a model
        of texts. `progress` is told what is being done, and how much of how much is.
        """
        for name in columns if self.reading is None else columns.keys() - {"case", "activity", "time"}:
            raise ConfigError(f"`--{name}` says nothing about {'a text' if self.reading is None else 'events'}. Leave it out.")
        if self.reading is None:
            tokens = encode(sources, self.vocabulary, encoding=encoding or "utf-8", progress=progress)
        else:
            reading = replace(self.reading, encoding=encoding or self.reading.encoding, **columns)
            tokens = encode_events(sources, self.vocabulary, reading, progress=progress)
        tick = None if progress is None else partial(progress, "measuring")
        return measure(self.model, tokens, streams_for(len(tokens)), tick, self.vocabulary.log_frequencies)

    def inspection_input(self, given: str | Path, most: int = 1000) -> InspectionInput:
        """What `unrolled.inspect` looks at: a text, or the beginning of a file, after the start of a line; `most` symbols of it."""
        symbols = list(islice(iter(self.vocabulary.split(given)) if isinstance(given, str) else self._symbols(given), most + 1))
        if not symbols:
            raise DataError(f"There is nothing to read in {str(given)!r}. Pass a text, or a file that has some.")
        return text_input(self.model, self.vocabulary, symbols, most)

    def held_out(self, material: Corpus, most: int = 1000) -> InspectionInput | None:
        """The same of the text that was held out when `material` was learnt; None where there is none."""
        return held_out_input(self.model, self.vocabulary, material.held_out, most)

    def _symbols(self, path: Path) -> Iterator[str]:
        """The symbols of a file one by one, of an event log with the end of each case."""
        if self.reading is not None:
            for example in read_examples(path, self.reading.to_predict(), tagged=False):
                yield from (*(example.tokens or ()), "\n")
            return
        for chunk in whole_words(read_text(find_sources(path))):
            yield from self.vocabulary.split(chunk.text)

    @property
    def _device(self) -> torch.device:
        return next(self.model.parameters()).device

    def _read(self, tokens: Sequence[int], count: int) -> tuple[Tensor, Any]:
        symbols = torch.tensor([int(t) for t in tokens], device=self._device)[:, None]
        logits, state = self.model(symbols)
        return logits[-1].expand(count, -1), tuple(s.expand(-1, count, -1).contiguous() for s in state)

    def _step(self, symbols: Tensor, state: Any) -> tuple[Tensor, Any]:
        logits, state = self.model(symbols[None], state)
        return logits[0], state

    def _text(self, prompt: str, drawn: Sequence[int]) -> str:
        """The prompt as it was typed, then what was drawn; words are spaced as in one sentence."""
        if self.vocabulary.level == "char":
            return prompt + self.vocabulary.decode(drawn)
        read = self.vocabulary.encode(prompt).tolist()
        return prompt.rstrip(" ") + self.vocabulary.decode([*read, *drawn])[len(self.vocabulary.decode(read)) :]


def describe(found: Measure, vocabulary: Vocabulary) -> str:
    """A measure in nats, as is usual for characters, words or events, and the accuracy: within lines, if they stand alone."""
    digits = 3 if vocabulary.level == EVENT else 1
    usual = f"{found.bits:.3f} bits" if vocabulary.level == "char" else f"perplexity {found.perplexity:.{digits}f}"
    within = found.accuracy_within is not None
    right = f"accuracy {found.accuracy_within:.2%} after the first of a line" if within else f"accuracy {found.accuracy:.2%}"
    unknown = f", {found.unknown / found.tokens:.2%} of the tokens are <UNK>" if found.unknown else ""
    guess = f"; guessing by frequency: {found.unigram:.3f}" if found.unigram is not None else ""
    lost = f"; {found.lost} of {found.parts} parts are no better" if found.lost and found.parts > 1 else ""
    return f"{found.nats:.4f} nats ({usual} per {UNITS[vocabulary.level]}, {right}{unknown}{guess}{lost})"


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
