"""Event logs encoded like a text: a line for each case, whose tokens are its activities, and `<EOS>` at its end."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from unrolled.data.codecs.text import EVENT, TextCodec
from unrolled.data.columns import Mapped
from unrolled.data.corpus import Corpus, Progress
from unrolled.data.entries import Written, encoded, key_of, require_tokens, token_path
from unrolled.data.examples import Example, Target
from unrolled.data.formats import ReadingOptions, read_examples
from unrolled.data.text import Source
from unrolled.data.vocabulary import END, TEXTS
from unrolled.errors import ConfigError, DataError

_Cases = list[tuple[str, ...]]


def prepare_events(
    sources: Source | Sequence[Source],
    reading: ReadingOptions,
    *,
    size: int | None = None,
    validation: Source | Sequence[Source] = (),
    held_out: float = 0.1,
    known: TextCodec | None = None,
    widen: bool = True,
    progress: Progress | None = None,
) -> Corpus:
    """Encode event logs for training, whose columns `reading` names.

    The last `held_out` of the cases is held out, in order of their first events, or of the files if times are not named; or else the
    `validation` logs are. The codec has the activities of the training part, at most `size` symbols, beside those of one that is `known`. Options that cannot be are a
    `ConfigError`; logs that cannot be read or have too few cases a `DataError`.
    """
    if not 0 < held_out < 1:
        raise ConfigError(f"`held_out` must be a fraction above 0 and below 1, got {held_out}. Pass 0.1 to hold out the last tenth.")
    cases = _read(sources, reading, progress)
    cut = len(cases) if validation else int((1 - held_out) * len(cases))
    parts = {"train": cases[:cut], "held_out": _read(validation, reading, progress) if validation else cases[cut:]}
    fingerprint = key_of(EVENT, cases, parts["held_out"] if validation else None)

    def write(folder: Path) -> Written:
        ends = Counter({END: len(parts["train"])})
        learnt = TextCodec.of_lines(EVENT, Counter(chain.from_iterable(parts["train"])) + ends, size)
        used = learnt if known is None else known.widened(learnt, widen=widen)
        return used, _write(folder, parts, used)

    used, files = encoded(key_of(EVENT, list(parts.values()), size, known and [known.to_json(), widen]), list(parts), write)
    return Corpus(used, files["train"], files["held_out"], fingerprint)


def encode_events(
    sources: Source | Sequence[Source], codec: TextCodec, reading: ReadingOptions, *, progress: Progress | None = None
) -> Mapped:
    """The ids of event logs in a codec that is there already; errors as in `prepare_events`."""
    cases = _read(sources, reading, progress)
    key = key_of(EVENT, cases, codec.to_json())
    return encoded(key, ["text"], lambda folder: (codec, _write(folder, {"text": cases}, codec)))[1]["text"]


def _read(sources: Source | Sequence[Source], reading: ReadingOptions, progress: Progress | None) -> _Cases:
    """The activities of each case, the cases in order of time, and of the files where times are equal or not named."""
    examples: list[Example] = []
    for example in read_examples(sources, reading.to_predict(), Target.LABELS):
        examples.append(example)
        if progress and len(examples) % 1000 == 0:
            progress(f"reading: {len(examples):,} cases", 0, 1)
    if reading.time is not None:
        examples.sort(key=lambda example: example.begin)
    return [_activities(example) for example in examples]


def _activities(example: Example) -> tuple[str, ...]:
    for step, activity in enumerate(example.tokens or ()):
        if activity.upper() in TEXTS:
            raise DataError(f"{example.step_place(step)}: {activity!r} stands for what is no activity. Name the activity otherwise.")
    return example.tokens or ()


def _write(folder: Path, parts: dict[str, _Cases], known: TextCodec) -> dict[str, int]:
    """Write the tokens of every part; gives their numbers."""
    lengths = {}
    for name, cases in parts.items():
        ids = known.look_up(chain.from_iterable((*case, END) for case in cases), known.vocabulary.dtype)
        token_path(folder, name).write_bytes(ids.tobytes())
        lengths[name] = len(ids)
    require_tokens(lengths, 1)
    return lengths
