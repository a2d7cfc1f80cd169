"""The next activity of a case on public event logs: a network, counts of pairs, and the most frequent activity, on cases that none of them saw.

    python benchmarks/events.py FOLDER

FOLDER holds helpdesk.csv. A tenth of the cases is the test: the last ones to begin, or drawn at random by a seed. Of the others the last
tenth chooses the weights. Accuracy is over all beginnings of a case with at least one event, the end of the case being one more activity.
"""

import csv
import random
import statistics
import tempfile
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import click

import unrolled as un
from unrolled.training import Silent

CASE, ACTIVITY, TIME = "CaseID", "ActivityID", "CompleteTimestamp"
LOG = "helpdesk.csv"
OPTIONS = {"cell": "gru", "hidden": 32, "epochs": 40, "batch": 8, "window": 64, "average": 0.99, "dropout": 0.2}

Row = dict[str, str]
Cases = list[list[Row]]


@click.command()
@click.argument("data", type=click.Path(path_type=Path, exists=True))
@click.option("--seeds", type=int, default=10, help="Random splits beside that by time.  [default: 10]")
def main(data: Path, seeds: int) -> None:
    """Train and measure."""
    if not (data / LOG).is_file():
        raise click.UsageError(f"{data} has no {LOG}. Pass the folder that has it.")
    cases = read(data / LOG)
    found: list[tuple[float, float, float]] = []
    for seed in (None, *range(seeds)):
        learnt, test = split(cases, seed)
        figures = network(learnt, test, seed or 0), pairs(learnt, test), most_frequent(learnt, test)
        click.echo(f"{'by time' if seed is None else f'seed {seed}'}: {told(figures)}")
        found += [figures] if seed is not None else []
    if found:
        means = [statistics.mean(column) for column in zip(*found, strict=True)]
        click.echo(f"mean of {seeds} random splits: {told(means)}")


def told(figures: tuple[float, ...] | list[float]) -> str:
    """The figures of a split."""
    return ", ".join(f"{name} {value:.2%}" for name, value in zip(("network", "pairs", "most frequent"), figures, strict=True))


def read(path: Path) -> Cases:
    """The cases in order of their first events, each with its rows in order of time."""
    cases: dict[str, list[Row]] = {}
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            cases.setdefault(row[CASE], []).append(row)
    return sorted((sorted(rows, key=lambda row: row[TIME]) for rows in cases.values()), key=lambda rows: rows[0][TIME])


def split(cases: Cases, seed: int | None) -> tuple[Cases, Cases]:
    """Nine tenths to learn and a tenth to test: the last one, or one drawn by a seed."""
    order = list(range(len(cases)))
    if seed is not None:
        random.Random(seed).shuffle(order)
    cut = int(0.9 * len(order))
    return [cases[i] for i in order[:cut]], [cases[i] for i in order[cut:]]


def network(learnt: Cases, test: Cases, seed: int) -> float:
    """The accuracy of a network, trained and measured as at the terminal."""
    with tempfile.TemporaryDirectory() as place:
        files = [Path(place, name) for name in ("learnt.csv", "test.csv")]
        for file, some in zip(files, (learnt, test), strict=True):
            with open(file, "w", newline="", encoding="utf-8") as opened:
                writer = csv.DictWriter(opened, [CASE, ACTIVITY, TIME])
                writer.writeheader()
                writer.writerows(row for rows in some for row in rows)
        columns = {"case": CASE, "activity": ACTIVITY}
        trained = un.train_language_model(files[0], out=Path(place, "run"), seed=seed, display=Silent(), **columns, **OPTIONS)
        return trained.evaluate(files[1]).accuracy_within or 0.0


def pairs(learnt: Cases, test: Cases) -> float:
    """The accuracy of what followed an activity most often."""
    after: dict[str, Counter[str]] = defaultdict(Counter)
    for one, other in following(learnt):
        after[one][other] += 1
    right = [after[one].most_common(1)[0][0] == other if one in after else False for one, other in following(test)]
    return sum(right) / len(right)


def most_frequent(learnt: Cases, test: Cases) -> float:
    """The accuracy of what comes most often after anything."""
    likeliest = Counter(other for _, other in following(learnt)).most_common(1)[0][0]
    right = [other == likeliest for _, other in following(test)]
    return sum(right) / len(right)


def following(cases: Cases) -> list[tuple[str, str]]:
    """Each activity with the next one, which is empty at the end of a case."""
    return [pair for rows in cases for pair in pairwise([*(row[ACTIVITY] for row in rows), ""])]


if __name__ == "__main__":
    main()
