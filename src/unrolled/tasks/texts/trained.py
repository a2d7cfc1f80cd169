"""A trained language model, ready to use."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unrolled.data.batches import Batch, by_length, padded
from unrolled.data.codecs import TextCodec
from unrolled.data.corpus import Corpus, encode
from unrolled.data.event_corpus import encode_events
from unrolled.data.examples import Target
from unrolled.data.formats import ReadingOptions, read_examples
from unrolled.data.text import Source, find_sources, read_text, whole_words
from unrolled.errors import ConfigError, DataError
from unrolled.inspect.inspection_input import InspectionInput
from unrolled.models import WORDS, NextStep
from unrolled.tasks.measures.likelihood import Likelihood, measure, streams_for
from unrolled.tasks.recipe import Scored
from unrolled.tasks.texts.inspection_input import held_out_input, text_input
from unrolled.tasks.texts.writing import SHOWN, Ending, write
from unrolled.tasks.trained import Progress, Trained, require_finite

AT_ONCE = 64
"""Lines that are scored side by side."""

LINE_END = "\n"
"""The token after the last one of a line."""


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

    def sample(
        self,
        prompt: str | Sequence[str] = "",
        length: int = 500,
        *,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        repetition_penalty: float = 1.0,
        count: int = 1,
        seed: int | None = None,
        lines: int | None = None,
        stop: str | None = None,
    ) -> list[str]:
        """`count` texts that begin with `prompt`, or with each of several, and go on for `length` tokens, until `lines` line ends, or until `stop`.

        The state begins as at the start of a line; what the vocabulary lacks in the prompt is read as `<UNK>`, which is never drawn.
        `temperature`, `top_k` and `top_p` are explained at `unrolled.decoding.narrowed`, `repetition_penalty` at `unrolled.decoding.draw`. Raises
        `ConfigError` for impossible values.
        """
        drawing = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "repetition_penalty": repetition_penalty}
        pieces = self.sample_stream(prompt, length, count=count, seed=seed, lines=lines, stop=stop, **drawing)
        return ["".join(parts) for parts in zip(*pieces, strict=True)]

    def sample_stream(
        self,
        prompt: str | Sequence[str] = "",
        length: int = 500,
        *,
        count: int = 1,
        seed: int | None = None,
        lines: int | None = None,
        stop: str | None = None,
        **drawing: Any,
    ) -> Iterator[list[str]]:
        """The same, piece by piece as it is drawn: what is new of each text after each draw, the prompts first."""
        prompts = [prompt] if isinstance(prompt, str) else list(prompt)
        ending = Ending(length, lines, stop)
        if count < 1:
            raise ConfigError(f"`count` must be at least 1, got {count}.")
        if seed is not None and not 0 <= seed < 2**63:
            raise ConfigError(f"`seed` must be a whole number from 0 to 2^63 - 1, got {seed}.")
        generator = torch.Generator(device=self.device)
        generator = generator.manual_seed(seed) if seed is not None else _reseeded(generator)
        several = [prompt for prompt in prompts for _ in range(count)]
        with torch.inference_mode():
            logits, state = self._read(several)
            pieces = write(self._step, logits, state, several, self.codec, ending, generator=generator, **drawing)
            while (new := next(pieces, None)) is not None:
                yield new

    def missing(self, text: str) -> list[str]:
        """The symbols of a text that it does not know."""
        return self.codec.missing(text)

    def score(self, sentence: str) -> float:
        """The natural log-probability of a sentence as one whole line: of its tokens and of the line's end after them."""
        return self.score_lines([sentence])[0].log_probability

    @torch.inference_mode()
    def score_lines(self, sentences: Sequence[str]) -> list[Scored]:
        """The same of each sentence, and of each of its tokens."""
        found: dict[int, Scored] = {}
        symbols = [self.codec.split(sentence) for sentence in sentences]
        lengths = np.array([len(line) + 1 for line in symbols])
        for which in by_length(lengths, np.arange(len(sentences)), AT_ONCE):
            ids = [np.array([self.codec.end, *self.codec.look_up(symbols[i]), self.codec.end]) for i in which]
            steps = torch.from_numpy(lengths[which])
            inputs, targets = (padded(np.concatenate([line[part] for line in ids]), lengths[which]) for part in (slice(-1), slice(1, None)))
            logits, _ = self.model(Batch({WORDS: inputs.to(self.device)}, steps.to(self.device)))
            logs = logits.double().log_softmax(-1).gather(-1, targets.to(self.device)[..., None])[..., 0].cpu()
            for place, i in enumerate(which.tolist()):
                values = logs[: int(steps[place]), place].tolist()
                require_finite(sum(values), repr(sentences[i][:SHOWN]))
                found[i] = Scored(sentences[i], sum(values), (*symbols[i], LINE_END), tuple(values))
        return [found[i] for i in range(len(sentences))]

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

    def _read(self, prompts: Sequence[str]) -> tuple[Tensor, Any]:
        """Scores of what comes after each prompt, `[B, V]`, and the states there."""
        ids = [np.array([self.codec.end, *self.codec.encode(prompt)]) for prompt in prompts]
        lengths = np.array([len(line) for line in ids])
        symbols, last = padded(np.concatenate(ids), lengths).to(self.device), torch.from_numpy(lengths).to(self.device)
        logits, state = self.model(Batch({WORDS: symbols}, None if len({*lengths.tolist()}) == 1 else last))
        return logits[last - 1, torch.arange(len(prompts), device=self.device)], state

    def _step(self, symbols: Tensor, state: Any) -> tuple[Tensor, Any]:
        logits, state = self.model(symbols[None], state)
        return logits[0], state


def _reseeded(generator: torch.Generator) -> torch.Generator:
    generator.seed()
    return generator
