"""Captions on real pictures: photographs, drawings, videos of moving shapes and formulas, each beside its rivals.

    python benchmarks/captions.py photos|drawings|videos|formulas|overfit FOLDER [--out RUNS] [--minutes M] [OPTIONS OF train caption]

FOLDER has Flickr8k's `captions.txt` and `images`; the splits of NLVR (Suhr et al. 2017) with their `images`; folders of clips named
`colour_shape_number.mp4` for each motion; or the formulas and lists of im2markup. Tables are made of them in the folder RUNS, a run is
learnt and its test part measured. Of drawings it is also said how many of the written sentences are true, by `checkers/drawings.py`.
"""

import csv
import json
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import click

from checkers.drawings import Drawing, truth

Rows = list[tuple[str, str]]
Parts = dict[str, Rows]

MOTIONS = {"circular": "in a circle", "horizontal": "from side to side", "vertical": "up and down"}
SPLITS = ("dev", "test", "hidden")


def photos(folder: Path) -> Parts:
    """The last 60 photographs by name are the test, the 40 before them are measured on the way."""
    with open(folder / "captions.txt", newline="", encoding="utf-8") as file:
        rows = [(str(folder / "images" / name), text) for name, text in list(csv.reader(file))[1:]]
    names = sorted({name for name, _ in rows})
    parts = {"learn": names[:-100], "validation": names[-100:-60], "test": names[-60:]}
    return {part: [row for row in rows if row[0] in set(some)] for part, some in parts.items()}


def drawings(folder: Path) -> Parts:
    """True sentences about drawings of two splits are learnt, those of the third are the test."""
    rows = [(split, path, record["sentence"]) for split, path, record in _drawn(folder) if record["label"] == "true"]
    learnt = [(path, sentence) for split, path, sentence in rows if split != SPLITS[-1]]
    random.Random(0).shuffle(learnt)
    return {"learn": learnt[50:], "validation": learnt[:50], "test": [(p, s) for split, p, s in rows if split == SPLITS[-1]]}


def _drawn(folder: Path) -> Iterable[tuple[str, str, dict]]:
    for split in SPLITS:
        for line in (folder / split / f"{split}.json").read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            path = folder / split / "images" / f"{split}-{record['identifier']}-0.png"
            if path.exists():
                yield split, str(path), record


def videos(folder: Path) -> Parts:
    """Six of the 27 combinations of colour, shape and motion are the test, and none of their clips is learnt."""
    found = {}
    for motion, said in MOTIONS.items():
        for path in sorted((folder / motion).glob("*.mp4")):
            colour, shape, _ = path.stem.rsplit("_", 2)
            found[str(path)] = (colour, shape, motion), f"a {colour.replace('_', ' ')} {shape} moves {said}"
    combinations = sorted({combination for combination, _ in found.values()})
    random.Random(3).shuffle(combinations)
    test = set(combinations[:6])
    rows = {part: [(p, s) for p, (c, s) in found.items() if (c in test) == (part == "test")] for part in ("learn", "test")}
    random.Random(0).shuffle(rows["learn"])
    return {"learn": rows["learn"][10:], "validation": rows["learn"][:10], "test": rows["test"]}


def formulas(folder: Path) -> Parts:
    """As the lists say; labels of equations, which no picture shows, are left out."""
    texts = (folder / "formulas.lst").read_text(encoding="utf-8", errors="replace").split("\n")

    def part(name: str) -> Rows:
        lines = [line.split() for line in (folder / f"{name}.lst").read_text().splitlines()]
        found = [(folder / "images" / f"{image}.png", re.sub(r"\\label\s*\{[^}]*\}", "", texts[int(n)]).strip()) for n, image, *_ in lines]
        return [(str(path), text) for path, text in found if text and path.exists()]

    return {"learn": part("train"), "validation": part("validate"), "test": part("test")}


def overfit(folder: Path) -> Parts:
    """The first hundred formulas, which are also the test."""
    first = formulas(folder)["learn"][:100]
    return {"learn": first, "test": first}


FORMULA = "--crop ink/2 --size 544x64 --grey --grid 68 --rows --level formula --attention general --filters 16 --hidden 192 --embedding 48 --batch 10"
KINDS: dict[str, tuple[Callable[[Path], Parts], str]] = {
    "photos": (photos, "--encoder efficientnet-lite0 --min-count 2 --dropout 0.4 --learning-rate 0.001 --best-by bleu"),
    "drawings": (drawings, "--size 200x50 --grid 25 --filters 16 --hidden 128 --attention general --learning-rate 0.001"),
    "videos": (videos, "--size 32 --filters 16 --batch 16 --hidden 96 --embedding 32 --label-smoothing 0 --dropout 0.1"),
    "formulas": (formulas, FORMULA),
    "overfit": (overfit, f"{FORMULA} --dropout 0 --label-smoothing 0 --held-out 0 --no-blind"),
}


def write_table(rows: Rows, path: Path) -> Path:
    """Pictures with sentences as JSON Lines."""
    path.write_text("".join(json.dumps({"image": image, "caption": text}) + "\n" for image, text in rows), encoding="utf-8")
    return path


def unrolled(*words: str | Path) -> str:
    """What a command prints; its progress goes on to the terminal."""
    command = [sys.executable, "-m", "unrolled", *map(str, words)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def true_sentences(folder: Path, run: Path, test: Path) -> str:
    """How many of the sentences that the network, and its rivals, write about drawings are true, of those that the checker understands."""
    known = {path: record["structured_rep"] for _, path, record in _drawn(folder)}
    written = [json.loads(line) for line in unrolled("predict", run, test, "--json").splitlines()]
    constant = json.loads((run / "codecs.json").read_text())["remembered"]["constant"]
    paths = [one["file"] for one in written]
    lines = []
    for name, texts in (("the network", [one["text"] for one in written]), ("one sentence for all", [constant] * len(paths))):
        found = [truth(text, Drawing(known[path])) for path, text in zip(paths, texts, strict=True)]
        understood = [value for value in found if value is not None]
        share = sum(understood) / max(len(understood), 1)
        lines.append(f"{name}: {share:.1%} true of {len(understood)} sentences that were understood, of {len(found)}")
    return "\n".join(lines)


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("kind", type=click.Choice([*KINDS]))
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.argument("more", nargs=-1, type=click.UNPROCESSED)
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs"), help="Folder for tables and runs.")
@click.option("--minutes", default="25", help="Time to train.")
def main(kind: str, folder: Path, more: tuple[str, ...], out: Path, minutes: str) -> None:
    """Train on FOLDER and measure on its test part; MORE are options of `train caption`."""
    make, options = KINDS[kind]
    out.mkdir(parents=True, exist_ok=True)
    tables = {part: write_table(rows, out / f"{kind}-{part}.jsonl") for part, rows in make(folder).items()}
    run = out / kind
    validation = ["--validation", tables["validation"]] if "validation" in tables else []
    unrolled("train", "caption", tables["learn"], *validation, "--out", run, "--minutes", minutes, *options.split(), *more)
    longest = ["--longest", "200"] if "formula" in options else []
    click.echo(unrolled("evaluate", run, tables["test"], *longest), nl=False)
    if kind == "drawings":
        click.echo(true_sentences(folder, run, tables["test"]))


if __name__ == "__main__":
    main()
