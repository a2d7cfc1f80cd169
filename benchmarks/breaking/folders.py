"""Run folders that are not what was written: whatever is done with them ends soon, in a result or an error of the toolkit's own."""

import json
import os
import random
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from breaking.children import Ended, each
from breaking.mutations import KINDS
from unrolled.cli import main
from unrolled.files import UNFINISHED
from unrolled.tasks import find_recipe, run_training
from unrolled.training import RunFolder, Silent

LIMIT = 30.0
LONGEST = 5000
"""Characters that an error may say."""

_TINY = {"hidden": 4, "batch": 4, "epochs": 1, "evaluations": 1, "watch": True, "watch_every": 2}
_SAMPLES = {"lm": "The cat", "classify": "red is red", "tag": "a dog", "regress": "1 2 3", "translate": "a1b"}
_FILES = {"lm": "text.txt", "classify": "rows.jsonl", "tag": "tags.jsonl", "regress": "numbers.jsonl", "translate": "pairs.tsv"}
ACTS = ("use", "evaluate", "inspect", "resume")


@dataclass(frozen=True)
class Case:
    """A kind of change to the run of a task, and what is done then; the number is the seed."""

    kind: str
    task: str
    act: str
    number: int


def whole_runs(place: Path) -> None:
    """A tiny run of each task, beside the files that it learnt from, in the present folder."""
    (place / "text.txt").write_text("the cat sat on a mat.\n" * 40)
    write = lambda name, rows: (place / name).write_text("".join(f"{json.dumps(row)}\n" for row in rows))  # noqa: E731
    write("rows.jsonl", [{"text": f"{w} is {w}", "label": k} for w, k in (("red", "colour"), ("two", "number"), ("cat", "animal")) * 15])
    write("tags.jsonl", [{"tokens": ["a", w], "tags": ["DET", k]} for w, k in (("dog", "NOUN"), ("runs", "VERB")) * 20])
    write("numbers.jsonl", [{"text": f"{n} {n + 1}", "value": n / 7} for n in range(40)])
    (place / "pairs.tsv").write_text("".join(f"a{n}b\tb{n}a\n" for n in range(40)))
    options = {"lm": {"window": 16}, "regress": {"target": "value"}, "translate": {"level": "char"}}
    for task, file in _FILES.items():
        run_training(find_recipe(task), file, RunFolder(task), {**_TINY, **options.get(task, {})}, Silent())


def cases(count: int, seed: int, kinds: tuple[str, ...] = tuple(KINDS)) -> list[Case]:
    """So many cases of each kind, the same for the same seed."""
    chance = random.Random(seed)
    return [
        Case(kind, chance.choice(list(_FILES)), chance.choices(ACTS, [4, 3, 1, 4])[0], seed + number)
        for kind in kinds
        for number in range(count)
    ]


def fuzzed(place: Path, chosen: list[Case], limit: float = LIMIT) -> Iterator[Ended]:
    """How each case ends; beside the words of `children` that can be "outside", for what wrote or ran anything elsewhere, "long" and "noisy"."""
    before = os.getcwd()
    os.chdir(place)
    try:
        if not Path("lm").exists():
            whole_runs(place)
        for case, ended in zip(chosen, each(chosen, partial(_act, place), limit), strict=True):
            yield _judged(place / f"case-{case.kind}-{case.number}", ended)
    finally:
        os.chdir(before)


def _act(place: Path, case: Case) -> None:
    box = place / f"case-{case.kind}-{case.number}"
    shutil.rmtree(box, ignore_errors=True)
    (box / "outside").mkdir(parents=True)
    (box / "precious").write_text("precious")
    os.mkfifo(box / "pipe")
    run = shutil.copytree(place / case.task, box / "run")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        KINDS[case.kind](run, [place / task for task in _FILES if task != case.task], random.Random(case.number))
    file = str(place / _FILES[case.task])
    using = ["sample", str(run), "--length", "5"] if case.task == "lm" else ["predict", str(run), file, "--out", str(box / "predicted")]
    main(
        {
            "use": using,
            "evaluate": ["evaluate", str(run), file],
            "inspect": ["inspect", str(run), _SAMPLES[case.task]],
            "resume": ["train", case.task, "--resume", str(run), "--epochs", "2"],
        }[case.act]
    )


def _judged(box: Path, ended: Ended) -> Ended:
    """How a case ended, once what lies outside its folder is looked at; where all is well what is left of it goes."""
    names = {path.name for path in box.iterdir() if not path.name.startswith(UNFINISHED)} - {"run", "predicted"}
    if names != {"outside", "precious", "pipe"} or list((box / "outside").iterdir()) or (box / "precious").read_text() != "precious":
        return "outside", f"{sorted(names)} {ended}"
    if ended[0] == "refused" and len(ended[1]) > LONGEST:
        return "long", ended[1][:300]
    if "Warning: " in ended[1]:
        return "noisy", ended[1][-1000:]
    if ended[0] in ("fine", "refused"):
        shutil.rmtree(box, ignore_errors=True)
    return ended
