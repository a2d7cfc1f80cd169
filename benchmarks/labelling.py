"""Labels on public data: each row trains networks from several seeds and measures them on a part that was not learnt.

    python benchmarks/labelling.py FOLDER names polarity --seeds 3

FOLDER holds the data, one folder each as docs/results.md names them. The options of a row are printed as flags; how its files are divided, and
the words of `wnut` cut, stands below.
"""

import json
import math
import random
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

import unrolled as un
from unrolled.training import RunFolder, Silent


@dataclass(frozen=True)
class Row:
    """How one figure comes about: what is made of the data, trained on, measured on, and with which options."""

    task: str
    split: Callable[[Path, Path, int], tuple[list[str], list[str]]]
    options: dict[str, Any] = field(default_factory=dict)
    measure: str = "accuracy"
    seeds: int = 3


def tenth_of_lines(files: list[Path], folder: Path, seed: int, *, once: bool = False) -> tuple[list[str], list[str]]:
    """A tenth of the lines of each file for the test, drawn at random; with `once` a line that comes again in its file is left out.

    A line that stands in two files stays in both and is measured as it is, though nothing can tell the two apart.
    """
    chance = random.Random(seed)
    for part in ("train", "test"):
        (folder / part).mkdir()
    for path in files:
        lines = [line for line in path.read_text("utf-8", errors="replace").split("\n") if line.strip()]
        lines = list(dict.fromkeys(lines)) if once else lines
        chance.shuffle(lines)
        cut = -(-len(lines) // 10)
        for part, some in (("test", lines[:cut]), ("train", lines[cut:])) if len(lines) > 1 else ():
            (folder / part / path.name).write_text("".join(line + "\n" for line in some), "utf-8")
    return [str(folder / "train")], [str(folder / "test")]


def _names(data: Path, folder: Path, seed: int) -> tuple[list[str], list[str]]:
    return tenth_of_lines(sorted((data / "names").glob("*.txt")), folder, seed)


def _names_once(data: Path, folder: Path, seed: int) -> tuple[list[str], list[str]]:
    """Each name once in each of its languages."""
    files = sorted((data / "names").glob("*.txt"))
    return tenth_of_lines(files, folder, seed, once=True)


def _polarity(data: Path, folder: Path, seed: int) -> tuple[list[str], list[str]]:
    return tenth_of_lines(sorted((data / "sentence_polarity").glob("rt-polarity.*")), folder, seed)


PIECES = re.compile(r"https?://.*|[^\W\d_]+(?:-[^\W\d_]+)*|\d+|.")
"""Links, words, numbers, and marks one by one."""


def _wnut(data: Path, folder: Path, seed: int, more: tuple[str, ...] = ()) -> tuple[list[str], list[str]]:
    """The training part, its words cut where those of the other parts are: "@ada's" is one word there, and four in these."""
    lines = []
    for line in (data / "wnut17/wnut17train.conll").read_text("utf-8").split("\n"):
        word, _, tag = line.partition("\t")
        pieces = PIECES.findall(word)
        lines += [f"{piece}\t{tag.replace('B-', 'I-') if i else tag}\n" for i, piece in enumerate(pieces)] or ["\n"]
    (folder / "train.conll").write_text("".join(lines), "utf-8")
    return [str(folder / "train.conll"), *(str(data / part) for part in more)], [str(data / "wnut17/emerging.test.annotated")]


def _wnut_both(data: Path, folder: Path, seed: int) -> tuple[list[str], list[str]]:
    """The development part is learnt as well, after it has chosen the options."""
    return _wnut(data, folder, seed, ("wnut17/emerging.dev.conll",))


def _fixed(train: str, test: str) -> Callable[[Path, Path, int], tuple[list[str], list[str]]]:
    return lambda data, folder, seed: ([str(data / train)], [str(data / test)])


SPELT = {"lower": True, "min_count": 1, "character_hidden": 64, "word_dropout": 0.2, "dropout": 0.45, "learning_rate": 0.002}
"""For words that are often new: what they are spelt with must say enough."""

WNUT = {
    **SPELT,
    "format": "columns",
    "crf": True,
    "entity_margin": 3.5,
    "hidden": 100,
    "batch": 8,
    "shapes": True,
    "word_dropout": 0.0,
    "rare_dropout": 0.5,
    "dropout": 0.55,
    "recurrent_dropout": 0.2,
    "final_rate": 0.5,
    "average": 0.9998,
    "epochs": 32,
}

NAMES = {
    "level": "char",
    "hidden": 200,
    "dropout": 0.25,
    "recurrent_dropout": 0.2,
    "word_dropout": 0.2,
    "batch": 64,
    "average": 0.9995,
    "epochs": 40,
    "held_out": 0.0,
}

ROWS = {
    "ewt": Row(
        "tag",
        _fixed("ud_english_ewt/en_ewt-ud-train.conllu", "ud_english_ewt/en_ewt-ud-test.conllu"),
        {
            "validation": "ud_english_ewt/en_ewt-ud-dev.conllu",
            **SPELT,
            "shapes": True,
            "layers": 2,
            "hidden": 200,
            "batch": 12,
            "average": 0.9995,
            "epochs": 16,
        },
    ),
    "wnut": Row("tag", _wnut, {**WNUT, "validation": "wnut17/emerging.dev.conll"}, "entity_f1"),
    "wnut-both": Row("tag", _wnut_both, {**WNUT, "held_out": 0.0}, "entity_f1"),
    "polarity": Row(
        "classify", _polarity, {"level": "word", "lower": True, "epochs": 5, "dropout": 0.5, "embedding": 150, "held_out": 0.05}
    ),
    "names": Row("classify", _names, NAMES),
    "names-once": Row("classify", _names_once, NAMES),
    "vowels": Row(
        "classify",
        _fixed("activity/JapaneseVowels/JapaneseVowels_TRAIN.ts", "activity/JapaneseVowels/JapaneseVowels_TEST.ts"),
        {"held_out": 0.0, "epochs": 60, "hidden": 64},
        seeds=5,
    ),
    "motions": Row(
        "classify",
        _fixed("activity/BasicMotions/BasicMotions_TRAIN.ts", "activity/BasicMotions/BasicMotions_TEST.ts"),
        {"held_out": 0.0, "epochs": 60, "hidden": 64, "batch": 8, "noise": 0.4, "cell": "gru", "average": 0.99},
        seeds=5,
    ),
    "protein": Row(
        "tag",
        _fixed("protein_q8/cb6133filtered.npy.csv", "protein_q8/cb513test_solution.csv"),
        {
            "input": "2",
            "target": "3",
            "layers": 2,
            "hidden": 224,
            "embedding": 64,
            "convolution": 96,
            "dropout": 0.35,
            "recurrent_dropout": 0.1,
            "word_dropout": 0.15,
            "batch": 8,
            "learning_rate": 0.003,
            "final_rate": 0.1,
            "average": 0.9998,
            "epochs": 20,
            "held_out": 0.02,
        },
        seeds=1,
    ),
    "digits": Row(
        "classify",
        _fixed("digits/train10k-images-idx3-ubyte.gz", "digits/t10k-images-idx3-ubyte.gz"),
        {"shift": 2, "epochs": 30, "held_out": 0.0, "hidden": 160, "pooling": "attention", "recurrent_dropout": 0.2, "average": 0.999},
    ),
}


@click.command()
@click.argument("data", type=click.Path(path_type=Path, exists=True))
@click.argument("rows", nargs=-1, type=click.Choice(list(ROWS)))
@click.option("--seeds", type=int, help="Networks for each row.  [default: as the row says]")
@click.option("--set", "changes", multiple=True, help="An option in the place of the row's, such as hidden=200.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for each row.")
def main(data: Path, rows: tuple[str, ...], seeds: int | None, changes: tuple[str, ...], as_json: bool) -> None:
    """Train and measure."""
    given = {name: json.loads(value) for name, value in (change.split("=", 1) for change in changes)}
    for name in rows or ROWS:
        row = ROWS[name]
        options = {**row.options, **given}
        if "validation" in options:
            options["validation"] = str(data / options["validation"])
        found, times = [], []
        for seed in range(seeds or row.seeds):
            figure, held_out, seconds = one(row, data, options, seed)
            found.append(figure)
            times.append(seconds)
            if not as_json:
                beside = "nothing held out" if math.isnan(held_out) else f"held out {held_out:.2%}"
                click.echo(f"{name}, seed {seed}: {row.measure} {figure:.2%} ({beside}) after {seconds:.0f} s of training")
        spread = statistics.stdev(found) if len(found) > 1 else 0.0
        said = {"row": name, "measure": row.measure, "mean": statistics.mean(found), "spread": spread, "seconds": statistics.median(times)}
        told = f"{name}: {row.measure} {said['mean']:.2%} ± {spread:.2%} over {len(found)}; {' '.join(flags(options))}"
        click.echo(json.dumps({**said, "values": found, "options": options}) if as_json else told)


def one(row: Row, data: Path, options: dict[str, Any], seed: int) -> tuple[float, float, float]:
    """The measure of one network on the test part and on what was held out of the training part, and the seconds that training it took."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        train, test = row.split(data, folder, seed)
        begun = time.perf_counter()
        learn = un.train_tagger if row.task == "tag" else un.train_classifier
        trained = learn(train, out=folder / "run", seed=seed, display=Silent(), **options)
        seconds = time.perf_counter() - begun
        held_out = RunFolder(folder / "run").history.records()[-1].get(f"final_{row.measure}", math.nan)
        return float(getattr(trained.evaluate(test), row.measure)), held_out, seconds


def flags(options: dict[str, Any]) -> Iterator[str]:
    """Options as they are typed."""
    for name, value in options.items():
        flag = "--" + name.replace("_", "-")
        yield flag if value is True else f"{flag} {Path(value).name if name == 'validation' else value}"


if __name__ == "__main__":
    main()
