"""A small valid file of every format, and how each is read to its end."""

import bz2
import gzip
import io
import lzma
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.examples import Example, Target
from unrolled.data.formats import FORMATS, ReadingOptions, labelled_examples, read_examples
from unrolled.data.formats.caption_options import CaptionOptions
from unrolled.data.formats.captions import read_captions
from unrolled.data.formats.pair_options import PairOptions
from unrolled.data.formats.pairs import PAIRS, read_pairs
from unrolled.data.music.piece import Piece
from unrolled.data.music.reading import MusicReading, Tally, read_music
from unrolled.data.panels import PanelOptions, read_panel
from unrolled.data.panels.tables import read_table
from unrolled.data.pictures.clips import read_frames
from unrolled.data.sound.recordings import rate_of, read_samples
from unrolled.data.vectors import read_vectors, vector_words
from unrolled.errors import DataError
from unrolled.options import build
from unrolled.tasks.music.writing import write_piece

ROWS = [("a good film, really", "pos"), ('it was "bad"', "neg"), ("é ü\tß", "pos")]

Read = Callable[[Path, str], int]
"""How many things are read of a file, with bad rows as it says."""


@dataclass(frozen=True)
class Sample:
    """A valid file: its `name`, its bytes, how it is `read`, the formats that it stands for, and what lies `beside` it."""

    name: str
    content: bytes
    read: Read
    formats: tuple[str, ...] = ()
    beside: Mapping[str, bytes] = field(default_factory=dict)


def samples() -> list[Sample]:
    """All of them, as far as the libraries are installed that write them."""
    return [*_shown(), *_texts(), *_arrays(), *_regions(), *_tables(), *_heard(), *_seen(), *_captions(), *_series(), *_music(), *_packed()]


def examples(options: ReadingOptions, wanted: Target = Target.LABELS) -> Read:
    """Sequences with what is wanted of them; recordings are heard, and clips are seen."""

    def read(path: Path, bad_rows: str) -> int:
        found = (labelled_examples if options.labels_needed else read_examples)(path, replace(options, bad_rows=bad_rows), wanted)
        return sum(map(_perceived, found))

    return read


def _perceived(example: Example) -> int:
    if example.sound is not None:
        return sum(1 for _ in read_samples(example.sound, rate_of(example.sound)))
    return 1 if example.clip is None else sum(1 for _ in read_frames(example.clip.path))


def pairs(options: PairOptions) -> Read:
    """Pairs of texts."""
    return lambda path, bad_rows: _count(read_pairs(path, replace(options, bad_rows=bad_rows)))


def captions(path: Path, bad_rows: str) -> int:
    """Pictures with sentences."""
    return _count(read_captions([str(path)], CaptionOptions(bad_rows=bad_rows)))


def series(options: PanelOptions) -> Read:
    """Series to forecast."""

    def read(path: Path, bad_rows: str) -> int:
        asked = replace(options, bad_rows=bad_rows)
        return len(read_panel([read_table(path, asked.encoding, bad_rows)], asked)[0])

    return read


def music(path: Path, bad_rows: str) -> int:
    """Pieces of music. What is left out must be told with its file."""
    tally = Tally()
    found = _count(read_music([path], MusicReading(4), tally))
    for kind, (_, named) in tally.left.items():
        if not found or not all(path.name in one for one in named):
            raise DataError(f"{kind}: {'; '.join(named)}")
    return found


def vectors(path: Path, bad_rows: str) -> int:
    """Vectors of words."""
    return int(read_vectors(path, vector_words(path, 10))[1].sum())


def _count(found: Iterable[object]) -> int:
    return sum(1 for _ in found)


def _shown() -> Iterator[Sample]:
    """What help shows of each format."""
    for name, known in FORMATS.items():
        about = known.about
        if about.sample:
            suffix = next(iter(known.suffixes), ".csv" if about.reading else ".txt")
            wanted = Target.TAGS if about.task == "tag" else Target.LABELS
            options = ReadingOptions(format=None if known.suffixes else name, **about.reading)
            yield Sample(
                f"{name}{suffix}", about.sample.encode(), examples(options if about.task else options.to_predict(), wanted), (name,)
            )
    for name, pair in PAIRS.items():
        chosen = build(PairOptions, {"format": name, **pair.about.reading})
        chosen = chosen if pair.about.task else chosen.to_predict()
        yield Sample(f"pairs-{name}.txt", pair.about.sample.encode(), pairs(chosen), (f"pairs-{name}",))


def _texts() -> Iterator[Sample]:
    """Texts whose samples help does not show."""
    arff = "@relation r\n@attribute text string\n@attribute label {pos,neg}\n@data\n" + "".join(
        f"'{text}',{label}\n" for text, label in ROWS
    )
    yield Sample("a.arff", arff.encode(), examples(ReadingOptions()), ("arff",))
    spans = b'{"text": "Ada ran", "label": [[0, 3, "PER"]]}\n{"text": "no one", "label": []}\n'
    yield Sample("spans.jsonl", spans, examples(ReadingOptions(), Target.TAGS))
    yield Sample("array.json", b'[{"text": "a b", "label": "x"},\n {"text": "c", "label": "y"}]\n', examples(ReadingOptions()))
    split = b'{"columns": ["text", "label"], "index": [0, 1], "data": [["a b", "x"], ["c", "y"]]}'
    yield Sample("table.json", split, examples(ReadingOptions()))
    xes = "".join(
        f'<trace><string key="concept:name" value="c{n}"/><string key="y" value="{n}"/><event><string key="concept:name" value="go"/>'
        '<date key="time:timestamp" value="2020-01-01T10:00:00+00:00"/></event></trace>\n'
        for n in range(2)
    )
    options = ReadingOptions(target="case:y")
    yield Sample("a.xes", f'<?xml version="1.0"?>\n<log>\n{xes}</log>\n'.encode(), examples(options), ("xes",))
    labels = ReadingOptions(series="id", channels=("x",))
    yield Sample(
        "classes.csv",
        b"id,label\na,pos\nb,neg\n",
        lambda path, bad_rows: examples(replace(labels, labels=str(path)))(path.parent / "rows.csv", bad_rows),
        beside={"rows.csv": b"id,x\na,1\na,2\nb,3\n"},
    )
    yield Sample("words.vec", b"2 3\nthe 0.1 0.2 0.3\ncat 1 -1 1e-3\n", vectors)
    binary = b"2 3\n" + b"".join(word + b" " + np.arange(3, dtype="<f4").tobytes() + b"\n" for word in (b"the", b"cat"))
    yield Sample("words.bin", binary, vectors)


def _regions() -> Iterator[Sample]:
    """What says where something lies in sequences of residues."""
    beside = {"a.fa": b">one\nACGTACGT\n"}

    def read(path: Path, bad_rows: str) -> int:
        return examples(ReadingOptions(regions=(str(path),)), Target.TAGS)(path.parent / "a.fa", bad_rows)

    yield Sample("a.bed", b"one\t1\t3\texon\t0\t+\none\t5\t6\tCDS\t0\t+\n", read, beside=beside)
    yield Sample("a.gff3", b"##gff-version 3\none\tx\texon\t2\t3\t.\t+\t.\tID=e\n", read, beside=beside)
    genbank = "LOCUS       AB0001                    20 bp    DNA     linear   SYN 01-JAN-2024\nDEFINITION  label=x.\nACCESSION   AB0001\nVERSION     AB0001.1\n"
    features = "FEATURES             Location/Qualifiers\n     exon            2..4\nORIGIN\n        1 acgtacgtac gtacgtacgt\n//\n"
    yield Sample("a.gb", (genbank + features).encode(), examples(ReadingOptions(), Target.TAGS), ("genbank",))


def _arrays() -> Iterator[Sample]:
    """Files of numbers that are no text."""
    images = bytes((0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2)) + bytes(range(8))
    labels = bytes((0, 0, 8, 1, 0, 0, 0, 2, 1, 0))
    yield Sample("x-images-idx3-ubyte", images, examples(ReadingOptions().to_predict()), ("idx",))
    yield Sample(
        "y-labels-idx1-ubyte",
        labels,
        lambda path, bad_rows: examples(ReadingOptions())(path.parent / "y-images-idx3-ubyte", bad_rows),
        beside={"y-images-idx3-ubyte": images},
    )
    array, alone = io.BytesIO(), io.BytesIO()
    np.savez(array, X=np.ones((3, 4, 2)), y=np.arange(3))
    np.save(alone, np.ones((3, 4, 2)))
    yield Sample("a.npz", array.getvalue(), examples(ReadingOptions()), ("arrays",))
    yield Sample("a.npy", alone.getvalue(), examples(ReadingOptions().to_predict()))


def _tables() -> Iterator[Sample]:
    """Tables of libraries."""
    if find_spec("pandas") is None:
        return
    pandas = import_module("pandas")
    frame = pandas.DataFrame(ROWS, columns=["text", "label"])
    nested = pandas.DataFrame({"tokens": [["a", "b"], ["c"]], "tags": [["X", "Y"], ["X"]]})
    writers: dict[str, tuple[Callable[[Path], Any], str, Target]] = {
        "a.parquet": (frame.to_parquet, "parquet", Target.LABELS),
        "a.feather": (frame.to_feather, "arrow", Target.LABELS),
        "lists.parquet": (nested.to_parquet, "parquet", Target.TAGS),
        "a.xlsx": (lambda path: frame.to_excel(path, index=False), "excel", Target.LABELS),
        "a.h5": (lambda path: frame.to_hdf(path, key="data"), "arrays", Target.LABELS),
    }
    for name, (write, known, wanted) in writers.items():
        if (content := _written(name, write)) is not None:
            yield Sample(name, content, examples(ReadingOptions(), wanted), (known,))


def _written(name: str, write: Callable[[Path], Any]) -> bytes | None:
    """What a library writes to a file; None where it is not installed."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            write(Path(folder, name))
        except ImportError:
            return None
        return Path(folder, name).read_bytes()


def _heard() -> Iterator[Sample]:
    """Recordings, and what says what is heard in them."""
    if find_spec("soundfile") is None:
        return
    soundfile = import_module("soundfile")
    wave = np.sin(np.arange(800) / 3).astype(np.float32) / 2
    files = {f"a.{end}": _written(f"a.{end}", lambda path: soundfile.write(path, wave, 8000)) for end in ("wav", "flac", "ogg")}
    alone = examples(ReadingOptions().to_predict())
    for name, content in files.items():
        if content:
            yield Sample(name, content, alone, ("sound",))
    beside = {"b.wav": files["a.wav"] or b""}
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        for name in ("yes/b.wav", "no/c.wav"):
            archive.writestr(name, beside["b.wav"])
    yield Sample("sounds.zip", zipped.getvalue(), examples(ReadingOptions()))
    texts = examples(ReadingOptions(), Target.TEXTS)
    yield Sample("sounds.csv", b"path,text\nb.wav,one two\n", texts, beside=beside)
    yield Sample("sounds.jsonl", b'{"audio_filepath": "b.wav", "text": "one", "offset": 0.01, "duration": 0.02}\n', texts, beside=beside)
    grid = (
        'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\nxmax = 0.1\ntiers? <exists>\nsize = 1\nitem []:\n    item [1]:\n'
    )
    tier = 'class = "IntervalTier"\nname = "words"\nxmin = 0\nxmax = 0.1\nintervals: size = 1\nintervals [1]:\nxmin = 0\nxmax = 0.05\ntext = "one"\n'
    beside_it = examples(ReadingOptions(), Target.TAGS)

    def spans(path: Path, bad_rows: str) -> int:
        return beside_it(path.with_suffix(".wav"), bad_rows)

    yield Sample("b.TextGrid", (grid + tier).encode(), spans, beside=beside)
    yield Sample("b.lab", b"0.01\t0.05\tone\n0.05\t0.08\ttwo\n", spans, beside=beside)
    yield Sample(
        "wav.scp",
        b"u1 b.wav\nu2 b.wav\n",
        lambda path, bad_rows: texts(path.parent, bad_rows),
        beside=beside | {"text": b"u1 one two\nu2 three\n"},
    )


def _seen() -> Iterator[Sample]:
    """Pictures and videos."""
    if find_spec("PIL") is None:
        return
    image = import_module("PIL.Image")
    frames = [image.fromarray(np.full((8, 8, 3), 40 * n, np.uint8)) for n in range(4)]
    options = examples(ReadingOptions().to_predict())
    for end in ("png", "jpg", "tif", "bmp", "webp"):
        yield Sample(f"c.{end}", _written(f"c.{end}", frames[1].save) or b"", options, ("frames",))
    gif = _written("c.gif", lambda path: frames[0].save(path, save_all=True, append_images=frames[1:], duration=100))
    yield Sample("c.gif", gif or b"", options)
    yield Sample(
        "frames.csv", b"path,label\nc.png,x\n", examples(ReadingOptions()), beside={"c.png": _written("c.png", frames[0].save) or b""}
    )
    if find_spec("av") is not None:
        yield Sample("c.mp4", _written("c.mp4", lambda path: _video(path, frames)) or b"", options)


def _video(path: Path, frames: list[Any]) -> None:
    av = import_module("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 16
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_image(frame.resize((16, 16)))))
        container.mux(stream.encode())


def _captions() -> Iterator[Sample]:
    """Sentences about pictures, which nobody looks at here."""
    beside = {"a.jpg": b"", "b.jpg": b""}
    coco = b'{"images": [{"id": 7, "file_name": "b.jpg"}], "annotations": [{"image_id": 7, "caption": "A house"}]}'
    karpathy = b'{"images": [{"filename": "a.jpg", "split": "train", "sentences": [{"raw": "a dog"}]}]}'
    yield Sample("captions.csv", b'image,caption\na.jpg,"A dog, a cat."\nb.jpg,A house\n', captions, ("captions-csv",), beside)
    yield Sample("captions.txt", b"a.jpg#0\tA dog, a cat.\na.jpg#1\tTwo\nb.jpg#0\tA house\n", captions, ("captions-lines",), beside)
    yield Sample("captions.jsonl", b'{"image": "a.jpg", "captions": ["A dog", "Two"]}\n', captions, ("captions-json",), beside)
    yield Sample("coco.json", coco, captions, ("captions-coco",), beside)
    yield Sample("karpathy.json", karpathy, captions, ("captions-karpathy",), beside)


def _series() -> Iterator[Sample]:
    """Tables of series to forecast, in each layout."""
    long = "id,time,y\n" + "".join(f"{name},2024-01-{day:02},{day / 2}\n" for name in "ab" for day in range(1, 5))
    yield Sample("long.csv", long.encode(), series(PanelOptions(series="id")), ("panel-long",))
    wide = "time;one;two\n" + "".join(f"{day:02}.01.2024;{day},5;{day}\n" for day in range(1, 5))
    yield Sample("columns.csv", wide.encode(), series(PanelOptions(layout="columns")), ("panel-columns",))
    yield Sample("rows.csv", b"id,V1,V2,V3\na,1,2,3\nb,4,5,\n", series(PanelOptions()), ("panel-rows",))
    if find_spec("pandas") is not None:
        frame = import_module("pandas").read_csv(io.StringIO(long))
        if content := _written("long.parquet", frame.to_parquet):
            yield Sample("long.parquet", content, series(PanelOptions(series="id")))


def _music() -> Iterator[Sample]:
    """Pieces in each notation."""
    notes = np.array([[0, 4, 60, 0], [4, 8, 64, 0]])
    if midi := _written("m.mid", lambda path: write_piece(Piece(notes, 4, 8), path)):
        yield Sample("m.mid", midi, music, ("music-mid",))
    yield Sample("m.abc", b"X:1\nM:6/8\nL:1/8\nK:G\n|:Gc2|ded B2A|1 G3 G3:|2 G3 G2||\n", music, ("music-abc",))
    xml = '<score-partwise><part id="P"><measure><note><pitch><step>C</step><octave>4</octave></pitch><duration>1</duration></note></measure></part></score-partwise>'
    yield Sample("m.musicxml", xml.encode(), music, ("music-musicxml",))
    rolls = io.BytesIO()
    np.savez(rolls, train=np.tile(np.arange(88) == 40, (2, 8, 1)))
    yield Sample("m.npz", rolls.getvalue(), music, ("music-npz",))


def _packed() -> Iterator[Sample]:
    """A table in each packing."""
    content = b"text,label\na b,x\nc,y\n"
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("a.csv", content)
    packings = {".gz": gzip.compress(content), ".bz2": bz2.compress(content), ".xz": lzma.compress(content), ".zip": zipped.getvalue()}
    if find_spec("backports.zstd") is not None:
        packings[".zst"] = import_module("backports.zstd").compress(content)
    for end, packed in packings.items():
        yield Sample(f"a.csv{end}", packed, examples(ReadingOptions()), (f"packed{end}",))
