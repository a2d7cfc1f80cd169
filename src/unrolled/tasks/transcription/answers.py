"""Transcripts for programs and people."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import numpy as np

from unrolled.data.examples import Example
from unrolled.data.sound.hearing import Hearing
from unrolled.errors import ConfigError
from unrolled.tasks.recipe import Answering, Writing
from unrolled.tasks.sequences.ahead import readable
from unrolled.tasks.transcription.options import DecodingOptions, FormOptions
from unrolled.tasks.transcription.picture import draw_spoken
from unrolled.tasks.transcription.streaming import Listener
from unrolled.tasks.transcription.trained import TrainedTranscriber
from unrolled.tasks.transcription.transcript import Transcript
from unrolled.tasks.transcription.writing import srt, textgrid, vtt

FORMS: dict[str, Callable[[Transcript], str]] = {"srt": srt, "vtt": vtt, "textgrid": textgrid}
"""What writes a transcript with times, by the name that `form` takes."""

DRAWN = 100
"""Most pictures that are drawn."""

Answers = Iterable[tuple[Example, list[Transcript]]]
"""Recordings with the best texts of each."""

_BYTES = 3200
"""Bytes of raw sound that are heard at a time."""

_LARGEST = 32768.0
"""What samples of 16 bits are divided by."""


def answer(
    trained: TrainedTranscriber,
    files: Sequence[str],
    reading: Mapping[str, Any],
    decoding: DecodingOptions,
    form: FormOptions,
    how: Answering,
) -> Writing:
    """What is said in the recordings of files, folders or tables: a line, an object or subtitles for each; or in raw sound that comes."""
    if form.stream:
        if [*files] != ["-"]:
            raise ConfigError(f"`stream` hears the standard input, and {files[0]} is named as well. Leave one of them out.")
        return _listening(trained, decoding, form, how)
    if "-" in files:
        raise ConfigError("There is no FILE to hear. Pass a recording, or take `stream` for raw sound from the standard input.")
    readings = [(file, trained.reading_of(file, labels=False, **reading)) for file in files]
    examples = readable(chain.from_iterable(trained.read(file, asked) for file, asked in readings), readings[0][1].bad_rows)
    picture = Path(form.spectrogram) if form.spectrogram else None
    found = trained.transcribe_stream(examples, decoding)
    if picture:
        found = _drawing(trained, found, decoding, picture, how.say)
    if form.form != "text" and not how.as_json:
        return lambda target: _write_timed(found, target, form.form)
    lines = _objects(found) if how.as_json else _lines(found, several=decoding.nbest > 1)
    return lambda target: target.writelines(f"{line}\n" for line in lines)


def _drawing(
    trained: TrainedTranscriber, found: Answers, decoding: DecodingOptions, picture: Path, say: Callable[[str], None]
) -> Iterator[tuple[Example, list[Transcript]]]:
    """The same, each drawn on the way."""
    sound = trained.codecs.inputs.sound
    for number, (example, best) in enumerate(found, 1):
        if number <= DRAWN and sound is not None and example.sound is not None:
            path = picture if number == 1 else picture.with_stem(f"{picture.stem}-{number}")
            moved = trained.influence(example, decoding)
            draw_spoken(Hearing(sound)(example.sound), sound.mel.step, best[0], moved, path)
            say(f"What was heard is drawn in {path}.")
        yield example, best


def _write_timed(found: Answers, target: TextIO, form: str) -> None:
    """One recording with its times. `ConfigError` for several, which a file of subtitles cannot have."""
    rest = iter(found)
    _, best = next(rest)
    if next(rest, None) is not None:
        raise ConfigError(f"`form={form!r}` is for one recording, and there are several. Pass one at a time, or ask for JSON.")
    target.write(FORMS[form](best[0]))


def _lines(found: Answers, *, several: bool) -> Iterator[str]:
    """A text a line; if there may be several, each with its recording and its score between tabs."""
    for example, best in found:
        if several:
            yield from (f"{example.place}\t{one.score:.4f}\t{one.text}" for one in best)
        else:
            yield best[0].text


def _objects(found: Answers) -> Iterator[str]:
    for example, best in found:
        more = {} if len(best) == 1 else {"best": [{"text": one.text, "score": round(one.score, 6)} for one in best]}
        name = {} if example.name is None else {"id": example.name}
        yield json.dumps({**name, "file": str(example.sound or example.place), **best[0].to_json(), **more}, ensure_ascii=False)


def _listening(trained: TrainedTranscriber, decoding: DecodingOptions, form: FormOptions, how: Answering) -> Writing:
    """Raw sound of the standard input, written as it comes: as text, or as an object for each piece of it."""
    if decoding.beam > 1 or form.form != "text":
        raise ConfigError("`stream` writes the most probable symbols as they come. Leave `beam` and `form` out.")
    listener = Listener(trained, form.rate)

    def write(target: TextIO) -> None:
        for heard in _pieces(listener, sys.stdin.buffer):
            if how.as_json and heard.text:
                print(json.dumps({"text": heard.text, "seconds": round(heard.seconds, 3)}, ensure_ascii=False), file=target, flush=True)
            elif heard.text:
                target.write(heard.text)
                target.flush()
        if not how.as_json:
            target.write("\n")

    return write


def _pieces(listener: Listener, source: BinaryIO) -> Iterator[Any]:
    """What is heard of 16-bit samples, little-endian, as many at a time as are there."""
    read = getattr(source, "read1", source.read)
    left = b""
    while data := read(_BYTES):
        data = left + data
        even = len(data) // 2 * 2
        left = data[even:]
        yield listener.feed(np.frombuffer(data[:even], "<i2").astype(np.float32) / np.float32(_LARGEST))
    yield listener.finish()
