"""Networks for music on public data: how likely held-out music is to them, and what they write beside the data.

    python benchmarks/music.py rolls Nottingham.mat --minutes 13
    python benchmarks/music.py chorales midi --minutes 6
    python benchmarks/music.py tunes music_abc --minutes 12

`rolls` takes a .mat file with train, valid and test parts, and `chorales` a folder of MIDI files, of which the last tenth by their numbers is the test; both compare keys that know each
other with independent ones. `tunes` takes a folder of ABC files: every tenth tune is the test. Options of `unrolled train music` follow as `--option hidden=256`.
"""

import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import mean
from typing import Any

import click

import unrolled as un
from unrolled.data.music.abc import read_abc
from unrolled.data.music.events import bars, elements
from unrolled.data.music.frames import to_frames
from unrolled.data.music.piece import Piece
from unrolled.data.music.reading import MusicReading, Tally, read_music
from unrolled.data.music.theory import parallel_fifths, share_in_key
from unrolled.errors import DataError
from unrolled.plain import from_toml
from unrolled.tasks.music.writing import write_piece
from unrolled.training import Silent

RESOLUTION, VOICES = 4, 4
DRAWN = 50
"""Pieces that are sampled."""

DRAWS: tuple[Mapping[str, Any], ...] = ({"full_bars": False}, {"full_bars": False, "top_p": 0.95}, {"full_bars": False, "top_p": 0.9}, {})
"""How tunes are drawn."""

OUTPUTS = ("independent", "joint")

flags = [
    click.option("--minutes", default=5.0, help="Time to train each network."),
    click.option("--seed", default=0, help="Seed of networks and samples."),
    click.option("--option", "others", multiple=True, help="Any option of `unrolled train music`, as name=value."),
    click.option("--out", type=click.Path(path_type=Path), help="Folder for runs and samples.  [default: a temporary one]"),
]


def with_flags(command: Any) -> Any:
    """The flags of all commands."""
    for flag in reversed(flags):
        command = flag(command)
    return command


@click.group()
def main() -> None:
    """Train, measure, sample."""


@main.command()
@click.argument("file", type=click.Path(exists=True))
@with_flags
def rolls(file: str, minutes: float, seed: int, others: Sequence[str], out: Path | None) -> None:
    """Nats per frame of the test part, the keys independent and joint."""
    with folder(out) as place:
        compare(file, file, place, {"minutes": minutes, "seed": seed, **read(others)})


@main.command()
@click.argument("files", type=click.Path(exists=True, path_type=Path))
@with_flags
def chorales(files: Path, minutes: float, seed: int, others: Sequence[str], out: Path | None) -> None:
    """The same of the last tenth of chorales, and what was sampled beside them."""
    paths = sorted(files.glob("*.mid"), key=lambda path: int(re.sub(r"\D", "", path.stem) or 0))
    learnt, test = paths[: -(len(paths) // 10)], paths[-(len(paths) // 10) :]
    with folder(out) as place:
        trained = compare([*map(str, learnt)], [*map(str, test)], place, {"minutes": minutes, "seed": seed, **read(others)})
        drawn = trained.sample(count=DRAWN, length=12, seed=seed)
        for number, piece in enumerate(drawn[:5]):
            write_piece(piece, place / f"chorale-{number}.mid")
    describe("the test part", [*read_music(test, MusicReading(RESOLUTION), Tally())])
    describe("sampled", drawn)


def compare(learnt: Any, test: Any, place: Path, options: Mapping[str, Any]) -> Any:
    """Networks of both outputs; gives that of the last."""
    for output in OUTPUTS:
        trained = un.train_musician(learnt, out=place / output, display=Silent(), output=output, **options)
        click.echo(f"{output}: {json.dumps(trained.evaluate(test).to_json())}")
    return trained


def describe(name: str, pieces: Sequence[Piece]) -> None:
    """What can be counted in chorales."""
    frames = [to_frames(piece, RESOLUTION)[0] for piece in pieces]
    count = sum(len(one) for one in frames) / (4 * RESOLUTION)
    fifths = sum(parallel_fifths(one, VOICES) for one in frames) / count
    full = mean(float((one.sum(1) == VOICES).mean()) for one in frames)
    click.echo(
        f"{name}: {len(pieces)} pieces of {count:.0f} bars, {mean(map(share_in_key, pieces)):.2%} of the notes in key, {fifths:.3f} parallel fifths a bar, "
        f"{full:.1%} of the frames have {VOICES} keys"
    )


@main.command()
@click.argument("files", type=click.Path(exists=True, path_type=Path))
@with_flags
def tunes(files: Path, minutes: float, seed: int, others: Sequence[str], out: Path | None) -> None:
    """Bits per event of held-out tunes, and how many sampled ones can be read and have full bars."""
    texts = [
        text
        for path in sorted(files.glob("*.abc"))
        for text in re.split(r"(?m)^(?=X:)", path.read_text("utf-8", "replace"))
        if text.startswith("X:")
    ]
    with folder(out) as place:
        for name, part in (("learn", [t for n, t in enumerate(texts) if n % 10]), ("test", texts[::10])):
            (place / f"{name}.abc").write_text("\n".join(part), encoding="utf-8")
        options: dict[str, Any] = {"view": "events", "minutes": minutes, "seed": seed, **read(others)}
        trained = un.train_musician(str(place / "learn.abc"), out=place / "events", display=Silent(), **options)
        click.echo(json.dumps(trained.evaluate(place / "test.abc").to_json()))
        full("the test part", read_abc(place / "test.abc"))
        for draw in DRAWS:
            for number, piece in enumerate(trained.sample(count=DRAWN, seed=seed, **draw)):
                write_piece(piece, place / f"tune-{number}.abc")
            full(
                f"sampled, {dict(draw) or 'as usual'}", (tune for number in range(DRAWN) for tune in read_abc(place / f"tune-{number}.abc"))
            )


def full(name: str, found: Iterable[Piece | DataError]) -> None:
    """How many tunes can be read, and how many of their bars are full: of all, and without upbeats and what completes them, which are shorter and stand at edges."""
    every = [*found]
    tunes = [tune for tune in every if isinstance(tune, Piece)]
    counted = [bar for tune in tunes for bar in bars(elements(tune.events))]
    inner = [bar for bar in counted if not (bar.edge and bar.length < bar.meant)]
    right = sum(bar.length == bar.meant for bar in inner)
    click.echo(
        f"{name}: {len(tunes)} of {len(every)} tunes read, {right / max(len(inner), 1):.2%} of {len(inner)} bars are full, "
        f"with upbeats {right / max(len(counted), 1):.2%} of {len(counted)}"
    )


def read(others: Sequence[str]) -> dict[str, Any]:
    """Options that were typed."""
    return {name: from_toml(f"x = {value}")["x"] for name, _, value in (other.partition("=") for other in others)}


@contextmanager
def folder(out: Path | None) -> Iterator[Path]:
    """A folder for what is made, or a temporary one."""
    with tempfile.TemporaryDirectory() as temporary:
        place = out or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        yield place


if __name__ == "__main__":
    main()
