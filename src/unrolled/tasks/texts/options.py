"""What one can ask of a language model."""

from dataclasses import dataclass, replace
from pathlib import Path

from unrolled.data.builtin import absolute
from unrolled.data.codecs.text import CHAR, EVENT, WORD
from unrolled.data.formats import ReadingOptions
from unrolled.data.formats.bad_rows import BAD_ROWS, ERROR, HELP, require_known
from unrolled.data.formats.sheets.xes import ACTIVITY, CASE, TIME
from unrolled.data.kinds import XES
from unrolled.data.opening import kind_in
from unrolled.errors import ConfigError
from unrolled.models import NextStepOptions
from unrolled.models.options import MOST_EMBEDDING
from unrolled.options import option
from unrolled.tasks.configuration import Options
from unrolled.training import StreamOptions, TrainingOptions

WORDS = 10_000
"""Size of a vocabulary of words if nothing is said."""


@dataclass(frozen=True)
class TextDataOptions:
    """What is read, and into which symbols."""

    sources: tuple[str, ...] = option((), "Text files, or builtin:python-docs, builtin:python-source; event logs with `case`.")
    validation: tuple[str, ...] = option((), "Text or event log to measure on, instead of the end of DATA.")
    held_out: float = option(0.1, "Held-out part at the end of DATA, which is measured on and not learnt.")
    level: str | None = option(None, "char or word.  [default: char, or word if `vocabulary` is given]")
    vocabulary: int | None = option(
        None, f"Vocabulary size: most symbols to know; others become <UNK>.  [default: all characters or activities, or {WORDS} words]"
    )
    case: str | None = option(None, "Column of event logs that says to which case an event belongs: each case is a line of activities.")
    activity: str | None = option(None, "Column of event logs that says what happened.")
    time: str | None = option(None, "Column of event logs with the time, in seconds or as ISO dates.  [default: in order]")
    bad_rows: str = option(ERROR, f"Of event logs: {HELP[0].lower()}{HELP[1:]}", rare=True)
    encoding: str = option("utf-8", "Encoding of the files.", rare=True)

    def __post_init__(self) -> None:
        if not 0 < self.held_out < 1:
            told = "must be a fraction above 0 and below 1, as the best weights are chosen by it"
            raise ConfigError(f"`held_out` {told}, got {self.held_out}.")
        require_known(self.bad_rows)
        if self.case is None and (self.activity is not None or self.time is not None):
            raise ConfigError("`activity` and `time` are columns of event logs, which need `case` too. Pass it, or leave them out.")
        if self.case is not None and self.level not in (None, EVENT):
            raise ConfigError(f"`level={self.level!r}` is for texts, and with `case` activities are learnt. Leave one of them out.")

    @property
    def reading(self) -> ReadingOptions | None:
        """How event logs are read; None for texts."""
        if self.case is None:
            return None
        return ReadingOptions(case=self.case, activity=self.activity, time=self.time, bad_rows=self.bad_rows, encoding=self.encoding)

    def resolved(self) -> "TextDataOptions":
        """The same with what was left open decided, and with paths that hold wherever one stands."""
        if self.case is None and self.sources and all(kind_in(Path(source)) is XES for source in self.sources):
            return replace(self, case=CASE, activity=ACTIVITY, time=TIME).resolved()
        text = CHAR if self.vocabulary is None else WORD
        level = self.level or (text if self.case is None else EVENT)
        size = WORDS if level == WORD and self.vocabulary is None else self.vocabulary
        return replace(self, level=level, vocabulary=size, sources=absolute(self.sources), validation=absolute(self.validation))


@dataclass(frozen=True)
class TextReading:
    """How other files are read by a trained model."""

    case: str | None = option(None, "Column of event logs that says to which case an event belongs, if not as in training.")
    activity: str | None = option(None, "Column of event logs that says what happened, if not as in training.")
    time: str | None = option(None, "Column of event logs with the time, if not as in training.")
    bad_rows: str | None = option(None, f"What becomes of bad rows of event logs: {', '.join(BAD_ROWS)}.  [default: as in training]")
    encoding: str | None = option(None, "Encoding of the files.  [default: utf-8, or as in training]")


@dataclass(frozen=True)
class TextSampleOptions:
    """How texts are drawn; see `TrainedLanguageModel.sample`."""

    prompt: str | None = option(None, "How the text begins; \\n is a line end, \\t a tab, \\\\ a backslash.")
    prompts: str | None = option(None, "File with a prompt on each line, or - for the standard input; texts are drawn side by side.")
    length: int = option(500, "Characters or words to write, at most.")
    stop: str | None = option(None, "Stop before this text.")
    temperature: float = option(1.0, "Below 1 safer, above 1 bolder, 0 always the likeliest.")
    top_k: int = option(0, "Choose among the k likeliest only; 0: among all.")
    top_p: float = option(1.0, "Choose among the likeliest that together reach p.")
    repetition_penalty: float = option(1.0, "Above 1: what was written becomes less likely.")
    count: int = option(1, "How many texts for each prompt.")
    lines: int | None = option(None, "Stop after so many lines.")
    seed: int | None = option(None, "The same seed writes the same text.")


@dataclass(frozen=True)
class TextTrainingOptions(TrainingOptions):
    """How to train, with what was measured to be best for texts where nothing is said."""

    learning_rate: float = option(5e-3, "Learning rate of AdamW at its highest.")


@dataclass(frozen=True)
class LanguageModelOptions(Options):
    """All options of the task."""

    data: TextDataOptions
    model: NextStepOptions
    streams: StreamOptions
    training: TextTrainingOptions


def resolved_model(options: NextStepOptions, symbols: int, level: str) -> NextStepOptions:
    """With what was left open decided for so many symbols; a larger embedding size than there are symbols would be idle."""
    lines = options.lines if options.lines is not None else level == EVENT
    size = options.hidden if options.tied else min(options.hidden, MOST_EMBEDDING, max(symbols // 16 * 16, 16))
    return replace(options, lines=lines, embedding=size if options.embedding is None else options.embedding)
