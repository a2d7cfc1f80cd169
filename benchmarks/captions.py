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
import numpy as np

import unrolled as un
from checkers.drawings import Drawing, truth
from unrolled.tasks.captioning.options import WritingOptions

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
    """Nine of the 27 combinations of colour, shape and motion, a Latin square, are not learnt: six are the test, and three are measured on the way.
    So each pair of a colour and a shape, and of each with a motion, is learnt, and no clip of a combination that is measured."""
    found = {}
    for motion, said in MOTIONS.items():
        for path in sorted((folder / motion).glob("*.mp4")):
            colour, shape, _ = path.stem.rsplit("_", 2)
            found[str(path)] = (colour, shape, motion), f"a {colour.replace('_', ' ')} {shape} moves {said}"
    values = [sorted({combination[place] for combination, _ in found.values()}) for place in range(3)]
    parts: Parts = {"learn": [], "validation": [], "test": []}
    for path, (combination, sentence) in found.items():
        colour, shape, motion = (values[place].index(value) for place, value in enumerate(combination))
        part = "learn" if (colour + shape + motion) % 3 else "validation" if colour == shape else "test"
        parts[part].append((path, sentence))
    random.Random(0).shuffle(parts["learn"])
    return parts


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
SHAPES = (
    "--size 40 --fps 4 --shift 5 --flip both --filters 16 --batch 8 --hidden 64 --embedding 16 --dropout 0.2 --label-smoothing 0"
    " --learning-rate 0.003 --weight-decay 1.5 --average 0.98 --target-dropout 0.5 --bag-of-words 3 --evaluations 2 --epochs 100"
)
KINDS: dict[str, tuple[Callable[[Path], Parts], str]] = {
    "photos": (photos, "--encoder efficientnet-lite0 --min-count 2 --dropout 0.5 --average 0.99 --best-by bleu --evaluations 6"),
    "drawings": (drawings, "--size 200x50 --grid 25 --filters 16 --hidden 128 --attention general --learning-rate 0.001"),
    "videos": (videos, SHAPES),
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
    """How many of the sentences that the network, and its rivals, write about drawings are true, of those that the checker understands, and of all."""
    known = {path: Drawing(record["structured_rep"]) for _, path, record in _drawn(folder)}
    model = un.load(run)
    captions = model.seen(model.read([str(test)], model.reading_of()))
    which, writing = np.arange(len(captions)), WritingOptions()
    written = {"the network": [best[0].text for best in model.write(captions, which, writing)], **model.rivals(captions, which, writing)}
    lines = []
    for name, texts in written.items():
        found = [truth(text, known[path]) for path, text in zip(captions.names, texts, strict=True)]
        understood = [value for value in found if value is not None]
        share = sum(understood) / max(len(understood), 1)
        lines.append(f"{name}: {share:.1%} true of {len(understood)} sentences that were understood, of {len(found)}")
    return "\n".join(lines)


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("kind", type=click.Choice([*KINDS]))
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.argument("more", nargs=-1, type=click.UNPROCESSED)
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs"), help="Folder for tables and runs.")
@click.option("--minutes", help="Time to train.  [default: 25, or the epochs that are known to do]")
def main(kind: str, folder: Path, more: tuple[str, ...], out: Path, minutes: str | None) -> None:
    """Train on FOLDER and measure on its test part; MORE are options of `train caption`."""
    make, options = KINDS[kind]
    out.mkdir(parents=True, exist_ok=True)
    tables = {part: write_table(rows, out / f"{kind}-{part}.jsonl") for part, rows in make(folder).items()}
    run = out / kind
    validation = ["--validation", tables["validation"]] if "validation" in tables else []
    long = ["--minutes", minutes or "25"] if minutes or "--epochs" not in options else []
    options = re.sub(r"--epochs \d+", "", options) if long else options
    unrolled("train", "caption", tables["learn"], *validation, "--out", run, *long, *options.split(), *more)
    click.echo(unrolled("evaluate", run, tables["test"]), nl=False)
    if kind == "drawings":
        click.echo(true_sentences(folder, run, tables["test"]))


if __name__ == "__main__":
    main()
