"""How recordings lie in folders and archives, and where what is said of them stands."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from unrolled.data.examples import Example, Target
from unrolled.data.formats.bad_rows import tried
from unrolled.data.formats.files import lines_of, read_lines
from unrolled.data.formats.options import ReadingOptions
from unrolled.data.formats.path_tables import file_in, missing
from unrolled.data.formats.sound_spans import TRACKS, spans_in
from unrolled.data.sound.recordings import Recording, content_of, members
from unrolled.data.sound.waves import SOUNDS, is_sound
from unrolled.errors import ConfigError, DataError

BESIDE = (".txt", ".lab")
"""The ends of names of files with the text of the recording beside them."""

_ROOT = re.compile(r"^(\$\{?data_(root|folder)\}?|\{data_(root|folder)\})/")
"""What stands in a manifest for the folder of the data."""

_FIELD = re.compile(r"\{([A-Za-z_]\w*)\}")


@dataclass(frozen=True)
class Tree:
    """A folder or a zip archive, and the `names` of the files in it, with `/` between the folders; hidden ones are left out."""

    root: Path
    names: tuple[str, ...]

    @classmethod
    def of(cls, root: Path) -> "Tree":
        """All that is in it. What cannot be read is a `DataError`."""
        try:
            found = (p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()) if root.is_dir() else members(root)
            return cls(root, tuple(sorted(name for name in found if not _is_hidden(name))))
        except OSError as error:
            raise DataError(f"{root} cannot be read: {error.strerror}. Check its permissions.") from None

    @property
    def sounds(self) -> list[str]:
        """The names of the recordings."""
        return [name for name in self.names if is_sound(name)]

    def recording(self, name: str) -> Recording:
        """That of a file."""
        return Recording(self.root / name) if self.root.is_dir() else Recording(self.root, name)

    def lines(self, name: str, encoding: str) -> Iterator[tuple[str, str]]:
        """The lines of a text file with something in them, each with its place."""
        path = self.root / name
        for number, line in read_lines(path, encoding) if self.root.is_dir() else _lines(self.root, name, encoding):
            if line.strip():
                yield f"{path}, line {number}", line.strip()


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "_")) for part in PurePosixPath(name).parts)


@dataclass(frozen=True)
class Pattern:
    """A pattern of names such as `{label}_{speaker}_{take}.wav`: each field stands for some characters, none of which is a `/`."""

    text: str

    def __post_init__(self) -> None:
        names = _FIELD.findall(self.text)
        if not names or len(names) != len({*names}) or "{" in _FIELD.sub("", self.text) or "}" in _FIELD.sub("", self.text):
            raise ConfigError(
                f"`pattern` must be a name with fields, each once, as in '{{label}}_{{speaker}}_{{take}}.wav', got {self.text!r}."
            )

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of its fields."""
        return tuple(_FIELD.findall(self.text))

    def match(self, name: str) -> Mapping[str, str] | None:
        """The fields of a file's name, in as many of the folders above it as the pattern has; None if it is not of the pattern."""
        parts = PurePosixPath(name).parts[-1 - self.text.count("/") :]
        whole = "/".join(parts)
        plain = whole if is_sound(self.text) else whole[: len(whole) - len(PurePosixPath(whole).suffix)]
        pieces = _FIELD.split(self.text)
        form = "".join(re.escape(piece) if at % 2 == 0 else f"(?P<{piece}>[^/]+?)" for at, piece in enumerate(pieces))
        found = re.fullmatch(form, plain)
        return None if found is None else found.groupdict()


def by_pattern(recordings: Iterable[tuple[str, Recording]], options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
    """Recordings of which their names say what is to be said."""
    pattern = Pattern(options.pattern or "")
    target = options.target or ("text" if wanted is Target.TEXTS else "label")
    for option, name in (("target", target), ("group", options.group)):
        if name is not None and name not in pattern.fields and (option == "target" or options.group_needed):
            raise ConfigError(f"`pattern` has no field {{{name}}}; it has {', '.join(pattern.fields)}. Name one of them as `{option}`.")
    for name, recording in recordings:
        found = pattern.match(name)
        if found is None:
            yield DataError(f"{recording.name} is not of the form {options.pattern!r}. Take it away, or pass another `pattern`.")
            continue
        # A file's name has no blanks where words are meant.
        said = found[target].replace("_", " ") if wanted is Target.TEXTS else found[target]
        yield Example(recording.name, sound=recording, labels=(said,), group=found.get(options.group or ""), target=f"field {{{target}}}")


def by_folder(recordings: Iterable[tuple[str, Recording]], options: ReadingOptions, wanted: Target) -> Iterator[Example]:
    """Recordings of which the folder that they lie in is the class; without classes if they lie in one."""
    several = list(recordings)
    parents = {PurePosixPath(name).parent.name for name, _ in several}
    known = len(parents) > 1 and options.labels_needed
    for name, recording in several:
        yield Example(recording.name, sound=recording, labels=(PurePosixPath(name).parent.name,) if known else None)


def with_texts(recordings: Iterable[tuple[str, Recording]], options: ReadingOptions, wanted: Target) -> Iterator[Example]:
    """Recordings with a text file of the same name beside each."""
    for _, recording in recordings:
        found = _beside(recording, BESIDE, options.encoding) if options.labels_needed else None
        text = None if found is None else " ".join(filter(None, (line.strip() for _, line in found[1])))
        yield Example(recording.name, sound=recording, labels=None if text is None else (text,), target="the .txt file beside it")


def with_spans(recordings: Iterable[tuple[str, Recording]], options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
    """Recordings with a file beside each that says what is heard from when to when."""

    def spanned(named: tuple[str, Recording]) -> Example:
        _, recording = named
        found = _beside(recording, TRACKS, options.encoding) if options.labels_needed else None
        spans = None if found is None else spans_in(*found, options)
        return Example(recording.name, sound=recording, spans=spans, target="the label track beside it")

    return tried(recordings, spanned)


def _beside(recording: Recording, ends: Iterable[str], encoding: str) -> tuple[str, Iterator[tuple[int, str]]] | None:
    """The name and the lines of the first file beside a recording that is called like it, but for its end."""
    if recording.member is None:
        paths = (recording.path.with_suffix(end) for end in ends)
        return next(((str(path), read_lines(path, encoding)) for path in paths if path.is_file()), None)
    known = {*members(recording.path)}
    names = (str(PurePosixPath(recording.member).with_suffix(end)) for end in ends)
    name = next((name for name in names if name in known), None)
    return None if name is None else (f"{recording.path}:{name}", _lines(recording.path, name, encoding))


def _lines(archive: Path, name: str, encoding: str) -> Iterator[tuple[int, str]]:
    return lines_of(f"{archive}:{name}", content_of(Recording(archive, name)), encoding)


def kaldi(tree: Tree, options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
    """A folder as Kaldi has it: `wav.scp`, and `text`, `segments` and `utt2spk` if they are there. A recording that cannot be found is a bad row for each
    of its utterances."""
    if not tree.root.is_dir():
        raise DataError(f"{tree.root} is an archive of Kaldi's files, of which `wav.scp` names paths. Unpack it, and pass the folder.")
    lines = list(_keyed(tree, "wav.scp", options))
    files = dict(zip([key for key, _, _ in lines], tried(lines, lambda line: _found(tree, *line[1:])), strict=True))
    spans = {key: (place, line.split()) for key, line, place in _keyed(tree, "segments", options)}
    texts = {key: line for key, line, _ in _keyed(tree, "text", options)}
    speakers = {key: line for key, line, _ in _keyed(tree, "utt2spk", options)}
    for key in spans or files:
        recording = _cut(key, *spans[key], files) if spans else files[key]
        if isinstance(recording, DataError):
            yield recording
            continue
        place, labels = spans[key][0] if spans else f"{tree.root / 'wav.scp'}: {key}", (texts[key],) if key in texts else None
        yield Example(place, sound=recording, labels=labels, name=key, group=speakers.get(key) if options.group else None, target="text")
    for key in (key for key in texts if key not in (spans or files)):
        yield DataError(f"{tree.root / 'text'}: {key!r} has a text and no sound. Add it to wav.scp or segments, or take it out.")


def _keyed(tree: Tree, name: str, options: ReadingOptions) -> Iterator[tuple[str, str, str]]:
    """The key of each line of a file, what stands after it, and the place; nothing if there is no such file."""
    if name in tree.names:
        for place, line in tree.lines(name, options.encoding):
            key, *rest = line.split(maxsplit=1)
            yield key, "".join(rest), place


def _found(tree: Tree, path: str, place: str) -> Recording:
    if path.endswith("|"):
        raise DataError(f"{place}: {path[:40]!r} is a command, which is not run. Write what it makes into files, and name these.")
    return Recording(sound_at(path, [Path(), tree.root, tree.root.parent], place))


def _cut(key: str, place: str, parts: list[str], files: Mapping[str, Recording | DataError]) -> Recording | DataError:
    """The part of a recording that a line of `segments` names, or what is wrong with it."""
    try:
        whole, begin, end = parts
        found = files[whole]
        return found if isinstance(found, DataError) else Recording(found.path, None, float(begin), float(end))
    except (ValueError, KeyError) as error:
        told = f"must name a recording of wav.scp, its beginning and its end in seconds, got {' '.join(parts)!r} ({error})"
        return DataError(f"{place}: {key!r} {told}. Mend the line.")


def libri_speech(tree: Tree, options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
    """Folders of speakers and chapters as LibriSpeech has them, with `*.trans.txt`; the first part of an utterance's name is its speaker."""
    known, said = {*tree.names}, set[str]()
    for name in (name for name in tree.names if name.endswith(".trans.txt")):
        for place, line in tree.lines(name, options.encoding):
            key, _, text = line.replace("\t", " ").partition(" ")
            folder = PurePosixPath(name).parent
            sound = next((found for end in (".flac", ".wav", ".mp3") if (found := str(folder / f"{key}{end}")) in known), None)
            if sound is None:
                yield DataError(
                    f"{place}: there is no {key}.flac in {tree.root / folder}, which has this text. Get it, or take the line out."
                )
                continue
            said.add(sound)
            yield Example(place, sound=tree.recording(sound), labels=(text,), name=key, group=_speaker(key, options))
    for name in tree.sounds:
        if name not in said:
            key = PurePosixPath(name).stem
            yield Example(
                str(tree.root / name), sound=tree.recording(name), name=key, group=_speaker(key, options), target="the .trans.txt beside it"
            )


def _speaker(key: str, options: ReadingOptions) -> str | None:
    return key.partition("-")[0] if options.group else None


def lj_speech(tree: Tree, options: ReadingOptions, wanted: Target) -> Iterator[Example | DataError]:
    """A folder as LJSpeech has it: `metadata.csv` with a name, a text and a text in words between bars, and the recordings in `wavs`."""
    for place, line in tree.lines("metadata.csv", options.encoding):
        key, *texts = line.split("|")
        name = f"wavs/{key}.wav"
        if name not in tree.names:
            yield DataError(f"{place}: there is no {name} in {tree.root}, which has this text. Get it, or take the line out.")
            continue
        text = next(filter(None, map(str.strip, reversed(texts))), None)
        yield Example(place, sound=tree.recording(name), labels=None if text is None else (text,), name=key)


def sound_at(path: str, folders: Sequence[Path], place: str, column: str | None = None) -> Path:
    """A file of sound that is named at a place, with its end or without it, looked for in some folders, which stand for the variable that SpeechBrain's
    manifests begin with. `DataError` if it is in none."""
    name = _ROOT.sub("", path)
    found = file_in(folders, name, SOUNDS)
    if found is None:
        raise missing(folders, name, SOUNDS, place, column)
    return found


Layout = Callable[[Tree, ReadingOptions, Target], Iterator[Example | DataError]]


def layout_of(tree: Tree) -> Layout | None:
    """How the files of a folder are laid out, if that is one of the ways with names of their own."""
    if "wav.scp" in tree.names:
        return kaldi
    if any(name.endswith(".trans.txt") for name in tree.names):
        return libri_speech
    if "metadata.csv" in tree.names and any(name.startswith("wavs/") for name in tree.names):
        return lj_speech
    return None
