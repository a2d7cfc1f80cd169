"""What one can ask of a network for music."""

from dataclasses import dataclass, replace

from unrolled.data.builtin import absolute
from unrolled.data.codecs.music import FRAMES, MOST_RESOLUTION, VIEWS
from unrolled.data.music.abc import ABC
from unrolled.data.music.abc_keys import key_in
from unrolled.data.music.events import METER, is_event
from unrolled.data.music.midi import MIDI
from unrolled.data.music.piece import USUAL_TEMPO
from unrolled.data.music.reading import MusicReading
from unrolled.data.music.rolls import PARTS
from unrolled.errors import ConfigError
from unrolled.models import MusicOptions
from unrolled.options import option
from unrolled.tasks.configuration import Options
from unrolled.tasks.places import PICTURES
from unrolled.training import StreamOptions, TrainingOptions

FRAME_BARS = 16
"""Bars of frames that are written if nothing is said."""

GIVEN = ("highest", "bass", "all")
"""What of a file may be kept, beside voices by their numbers: the highest or lowest notes, with others below or above them, or all, with others below."""

WAV = (".wav",)
PIECES = (*MIDI[:2], *ABC, *WAV)
"""The ends of names of files that pieces are written into."""

LEAST_TEMPO, MOST_TEMPO = 10, 1000
"""Quarter notes a minute."""

MOST_VOICES = 1000
"""The greatest number of a voice."""

MOST_TRANSPOSED = 24
"""Semitones by which pieces may be moved, at most."""


@dataclass(frozen=True)
class MusicDataOptions:
    """What is learnt from which pieces."""

    sources: tuple[str, ...] = option((), "Files of music, or folders of them.")
    validation: tuple[str, ...] = option((), "Files of music to measure on, instead of a part of FILES.")
    held_out: float = option(0.1, "Held-out part of the pieces, drawn at random, which is measured on and not learnt.")
    view: str = option(FRAMES, f"How pieces are seen: {', '.join(VIEWS)}.")
    resolution: int = option(4, "Steps of a quarter note: 4 are sixteenths.")
    transpose: int = option(0, "Semitones up and down by which pieces are moved in training, at random.")
    common_key: bool = option(False, "Move all pieces to C major or A minor: from the key that is written, or that fits their notes best.")
    voices: str | None = option(
        None, "Voices of each piece to learn, from 1 on, such as 1 or 1,4: the channels of MIDI tracks in their order.  [default: all]"
    )
    pedal: bool = option(False, "Let the notes of MIDI sound on while the sustain pedal is down.", rare=True)
    part: str = option(
        "train",
        f"Part to learn of a file that is divided: {', '.join(PARTS)}; its valid part, where it has another one, is held out.",
        rare=True,
    )

    def __post_init__(self) -> None:
        if not 0 < self.held_out < 1:
            raise ConfigError(
                f"`held_out` must be a fraction above 0 and below 1, as the best weights are chosen by it, got {self.held_out}."
            )
        if self.view not in VIEWS:
            raise ConfigError(f"`view` must be one of {', '.join(VIEWS)}, got {self.view!r}.")
        if self.part not in PARTS:
            raise ConfigError(f"`part` must be one of {', '.join(PARTS)}, got {self.part!r}.")
        voices_of(self.voices)
        for name, least, most in (("resolution", 1, MOST_RESOLUTION), ("transpose", 0, MOST_TRANSPOSED)):
            if not least <= getattr(self, name) <= most:
                raise ConfigError(f"`{name}` must be from {least} to {most}, got {getattr(self, name)}.")

    def reading(self, part: str) -> MusicReading:
        """How a part of the files is read."""
        return MusicReading(self.resolution, part, voices_of(self.voices), self.pedal)

    def resolved(self) -> "MusicDataOptions":
        """The same with paths that hold wherever one stands."""
        return replace(self, sources=absolute(self.sources), validation=absolute(self.validation))


@dataclass(frozen=True)
class OtherMusicReading:
    """How other files are read by a trained network."""

    part: str = option("test", f"Part of a file that is divided: {', '.join(PARTS)}.")
    voices: str | None = option(None, "Voices of each piece.  [default: as in training]")
    pedal: bool | None = option(None, "Let the notes of MIDI sound on while the sustain pedal is down.  [default: as in training]")

    def __post_init__(self) -> None:
        if self.part not in PARTS:
            raise ConfigError(f"`part` must be one of {', '.join(PARTS)}, got {self.part!r}.")
        voices_of(self.voices)

    def after(self, learnt: MusicReading) -> MusicReading:
        """The same with what is not said as files were `learnt` from."""
        voices = learnt.voices if self.voices is None else voices_of(self.voices)
        return replace(learnt, part=self.part, voices=voices, pedal=learnt.pedal if self.pedal is None else self.pedal)


@dataclass(frozen=True)
class MusicSampleOptions:
    """What is written; see `TrainedMusician.sample`. `ConfigError` for a value that an option cannot have."""

    out: str | None = option(None, "File to write: .mid, .abc or .wav.  [default: ABC, to the terminal]", written=PIECES)
    wav: str | None = option(None, "File of sound to write, too.", written=WAV)
    picture: str | None = option(
        None, "Picture of a piano roll with the surprise of each note to draw: .png, .svg or .pdf.", written=PICTURES
    )
    prompt: str | None = option(None, "File with the beginning of the piece.")
    harmonise: str | None = option(None, "File of which a voice is kept; others are put around it.")
    given: str = option("highest", f"What of the file to harmonise is kept: {', '.join(GIVEN)}, or numbers of voices such as 1 or 1,4.")
    length: int | None = option(None, f"Bars to write.  [default: {FRAME_BARS} of frames; events go on to their end]")
    temperature: float = option(1.0, "Below 1 safer, above 1 bolder, 0 always the likeliest.")
    top_p: float = option(1.0, "Choose among the likeliest that together reach p.")
    key: str | None = option(None, "Key of the piece, such as G, Bb or Am.")
    meter: str | None = option(None, "Meter of the piece, such as 6/8.")
    tempo: float | None = option(None, f"Quarter notes a minute.  [default: that of the file that is gone on with, or {USUAL_TEMPO:g}]")
    count: int = option(1, "How many pieces; the files of the others have a number in their names.")
    full_bars: bool = option(
        True, "Fill each bar of a tune as its meter says, but those at edges; otherwise as the network has learnt.", rare=True
    )
    particles: int = option(64, "Pieces that are tried side by side to harmonise.", rare=True)
    seed: int | None = option(None, "The same seed writes the same piece.")

    def __post_init__(self) -> None:
        for name, least in (("length", 1), ("count", 1), ("particles", 1), ("seed", 0)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ConfigError(f"`{name}` must be at least {least}, got {value}.")
        if self.given not in GIVEN:
            voices_of(self.given, f"`given` must be {', '.join(GIVEN)} or")
        if self.tempo is not None and not LEAST_TEMPO <= self.tempo <= MOST_TEMPO:
            raise ConfigError(f"`tempo` must be from {LEAST_TEMPO} to {MOST_TEMPO} quarter notes a minute, got {self.tempo}.")
        if self.key is not None and key_in(self.key) is None:
            raise ConfigError(f"`key` must be a key such as G, Bb or Am, got {self.key!r}.")
        if self.meter is not None and not is_event(f"{METER}{self.meter}"):
            raise ConfigError(f"`meter` must be one such as 3/4 or 6/8, got {self.meter!r}.")
        if self.harmonise is not None and (self.prompt is not None or self.length is not None):
            raise ConfigError("`harmonise` goes from the beginning to the end of its file. Leave `prompt` and `length` out.")

    @property
    def whence(self) -> str:
        """The file whose notes are kept; empty where there is none."""
        return self.harmonise or self.prompt or ""


@dataclass(frozen=True)
class MusicScoreOptions(OtherMusicReading):
    """How files are scored."""

    picture: str | None = option(
        None, "Picture of a piano roll of the first piece, with the surprise of each note, to draw: .png, .svg or .pdf.", written=PICTURES
    )


@dataclass(frozen=True)
class PieceStreamOptions(StreamOptions):
    """How pieces are cut; each begins anew by itself."""

    reset_probability: float = option(0.0, "")


@dataclass(frozen=True)
class MusicTrainingOptions(TrainingOptions):
    """How to train."""


@dataclass(frozen=True)
class MusicTaskOptions(Options):
    """All options of the task."""

    data: MusicDataOptions
    model: MusicOptions
    streams: PieceStreamOptions
    training: MusicTrainingOptions


def voices_of(text: str | None, must: str = "`voices` must be") -> tuple[int, ...]:
    """The numbers of voices that an option names."""
    parts = [] if text is None else [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and 0 < int(part) <= MOST_VOICES for part in parts):
        raise ConfigError(f"{must} numbers from 1 on with commas between, such as 1,4, got {text!r}.")
    return tuple(map(int, parts))
