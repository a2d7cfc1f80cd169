"""A language model of ours, and a list of words, as the beam asks them."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from unrolled.data.codecs import TextCodec
from unrolled.data.codecs.lexicon import BETWEEN
from unrolled.data.codecs.text import CHAR
from unrolled.data.codecs.transcripts import TranscriptCodec
from unrolled.data.formats.files import read_lines
from unrolled.decoding.prefixes import WordList
from unrolled.errors import ConfigError
from unrolled.tasks.texts.trained import TrainedLanguageModel

State = tuple[tuple[Tensor, ...], list[float]]
"""The states of the language model for one prefix, and the log-probability of each of its symbols to come next."""


class LanguageModelScorer:
    """A language model over the symbols of transcripts. `ConfigError` for one over others, such as words where texts are characters."""

    def __init__(self, model: TrainedLanguageModel, codec: TranscriptCodec) -> None:
        if codec.lexicon is not None:
            raise ConfigError("`language_model` is one of characters or words, and the texts here are phones of a `lexicon`. Leave it out.")
        if model.codec.level != codec.text.level or model.codec.subwords is not None:
            raise ConfigError(
                f"`language_model` must be one of {codec.text.level}s as the texts here, got one of {model.codec.level}s. "
                f"Train one with `level={codec.text.level!r}`, of characters or words."
            )
        self.model, self._end = model, model.codec.end
        # What the language model does not know is <UNK> to it, as in training.
        self._ids = model.codec.look_up(codec.text.symbols).tolist()

    def begin(self) -> State:
        """After the end of a line."""
        return self._step([self._end], None)[0]

    def logs(self, state: State) -> list[float]:
        """See `Scorer`."""
        return state[1]

    def end(self, state: State) -> float:
        """That of the end of a line."""
        return state[1][-1]

    def advance(self, states: Sequence[State], symbols: Sequence[int]) -> list[State]:
        """All in one call of the network."""
        parts = zip(*(state for state, _ in states), strict=True)
        return self._step([self._ids[symbol] for symbol in symbols], tuple(torch.cat(part, 1) for part in parts))

    @torch.inference_mode()
    def _step(self, symbols: list[int], state: tuple[Tensor, ...] | None) -> list[State]:
        logits, after = self.model.model(torch.tensor([symbols], device=self.model.device), state)
        logs = logits[0].double().log_softmax(-1)[:, [*self._ids, self._end]].tolist()
        return [(tuple(part[:, row : row + 1] for part in after), logs[row]) for row in range(len(symbols))]


def words_of(path: str | None, codec: TranscriptCodec) -> WordList | None:
    """The words that texts consist of: those of a file, or of the lexicon; None where any may come."""
    if codec.lexicon is None:
        return None if path is None else _read_words(path, codec)
    if path is not None:
        raise ConfigError("`words` names the words of texts, and those of the `lexicon` are kept to here. Leave it out.")
    spelt = (codec.text.look_up(phones).tolist() for several in codec.lexicon.words.values() for phones in several)
    return WordList((ids for ids in spelt if TextCodec.unknown not in ids), int(codec.text.look_up([BETWEEN])[0]))


def _read_words(path: str, codec: TranscriptCodec) -> WordList:
    """The words of a file, one a line. `ConfigError` where texts are no characters, or no word is of those that were learnt."""
    if codec.text.level != CHAR:
        raise ConfigError(f"`words` are spelt in characters, and the texts here are {codec.text.level}s. Leave it out.")
    spelt = [codec.ids(line.strip()) for _, line in read_lines(Path(path), "utf-8") if line.strip()]
    known = [ids.tolist() for ids in spelt if TextCodec.unknown not in ids]
    if not known:
        raise ConfigError(f"`words={path!r}` has no word of the characters that were learnt. Write one word a line.")
    return WordList(known, codec.text.symbols.index(" ") if " " in codec.text.symbols else -2)
