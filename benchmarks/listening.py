"""Networks that write down sound: how fast they hear a stream, how long after a word its text comes, and how fast they learn.

    python benchmarks/listening.py stream runs/transcribe strings/test.csv
    python benchmarks/listening.py learn strings/learn.csv --seconds 20

`stream` needs a run of one direction, and a table as `spoken_strings.py` writes it. `learn` takes turns with a plain script of torch.nn.LSTM and
ctc_loss of the same sizes, on the same batches; neither measures, stores or changes anything on the way.
"""

import csv
import statistics
import time
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from torch import Tensor, nn

from unrolled.cells import find_cell
from unrolled.data.batches import by_length
from unrolled.data.sound.recordings import Recording, rate_of, read_samples
from unrolled.tasks import find_recipe, load
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.transcription.streaming import Listener

CHUNK = 0.02
"""Seconds of sound that come at a time."""


@click.group()
def main() -> None:
    """Listening and learning, measured."""


@main.command()
@click.argument("run", type=click.Path(exists=True))
@click.argument("table", type=click.Path(exists=True, path_type=Path))
@click.option("--most", default=100, help="Recordings to hear.")
def stream(run: str, table: Path, most: int) -> None:
    """The real-time factor of RUN on one thread, and the latency from the end of each word of TABLE to its text, computing included."""
    torch.set_num_threads(1)
    trained = load(run)
    spent, heard, late, right = 0.0, 0.0, list[float](), 0
    with open(table, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:most]
    for row in rows:
        recording = Recording(table.parent / row["path"])
        rate = rate_of(recording)
        samples = np.concatenate(list(read_samples(recording, rate)))
        listener, size = Listener(trained, rate), int(CHUNK * rate)
        came, text = list[float](), ""
        for at in range(0, len(samples), size):
            began = time.perf_counter()
            said = listener.feed(samples[at : at + size]).text
            took = time.perf_counter() - began
            spent += took
            text += said
            came += [min(at + size, len(samples)) / rate + took] * (len(text.split()) - len(came))
        began = time.perf_counter()
        text += listener.finish().text
        took = time.perf_counter() - began
        spent += took
        came += [len(samples) / rate + took] * (len(text.split()) - len(came))
        heard += len(samples) / rate
        if text.split() == row["text"].split():
            right += 1
            late += [then - float(end) for then, end in zip(came, row["ends"].split(), strict=True)]
    ordered = sorted(late)
    click.echo(f"{len(rows)} recordings of {heard:.0f} s, {right} of them without an error; real-time factor {spent / heard:.4f}")
    if ordered:
        quantiles = ", ".join(f"{part:.0%} {1000 * ordered[int(part * (len(ordered) - 1))]:.0f} ms" for part in (0.5, 0.9, 0.99))
        click.echo(f"from the end of a word to its text: {quantiles}")


class Plain(nn.Module):
    """What a plain script has: two convolutions with a stride, normalised, torch's LSTM, and a linear layer."""

    def __init__(self, bands: int, hidden: int, layers: int, classes: int) -> None:
        super().__init__()
        sizes = (bands, hidden)
        self.convolutions = nn.Sequential(
            *(part for before in sizes for part in (nn.Conv1d(before, hidden, 5, 2, 2), nn.BatchNorm1d(hidden), nn.ReLU()))
        )
        self.lstm = nn.LSTM(hidden, hidden, layers, bidirectional=True)
        self.linear = nn.Linear(2 * hidden, classes)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Scores `[T, B, classes]`, of which some `lengths` `[B]` are real."""
        y = self.convolutions(x.permute(1, 2, 0)).permute(2, 0, 1)
        packed = nn.utils.rnn.pack_padded_sequence(y, lengths.cpu(), enforce_sorted=False)
        z, _ = nn.utils.rnn.pad_packed_sequence(self.lstm(packed)[0])
        return self.linear(z)


@main.command()
@click.argument("table", type=click.Path(exists=True))
@click.option("--seconds", default=20.0, help="Time of each turn.")
@click.option("--turns", default=3)
@click.option("--hidden", default=128)
@click.option("--layers", default=2)
@click.option("--threads", default=1)
def learn(table: str, seconds: float, turns: int, hidden: int, layers: int, threads: int) -> None:
    """Words of TABLE that are learnt a second, beside a plain script."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    recipe = find_recipe("transcribe")
    options = {"sources": [table], "level": "word", "hidden": hidden, "layers": layers, "dropout": 0.0, "held_out": 0.1, "cell": "lstm"}
    configuration = Configuration.from_flat("transcribe", recipe.options, options)
    data = recipe.read(configuration, lambda *told: None)
    ours = recipe.build(configuration, data.codecs, find_cell("lstm"))
    plain = Plain(len(data.codecs.inputs.numbers.mean), hidden, layers, data.codecs.target.size)
    found: dict[str, list[float]] = {"ours": [], "plain": []}
    for turn in range(turns):
        for name, speeds in found.items():
            model = ours if name == "ours" else plain
            speeds.append(_speed(model, data, name == "ours", seconds, turn))
    for name, speeds in found.items():
        click.echo(f"{name}: {statistics.median(speeds):,.0f} words/s ({', '.join(f'{speed:,.0f}' for speed in speeds)})")


def _speed(model: Any, data: Any, ours: bool, seconds: float, seed: int) -> float:
    """Words a second in one turn; the first batch is not counted."""
    optimiser = torch.optim.AdamW(model.parameters(), 3e-3)
    order = by_length(data.utterances.lengths, data.learnt, 16, np.random.default_rng(seed))
    words, began = 0, 0.0
    for number, which in enumerate(order * 100):
        if number == 1:
            words, began = 0, time.perf_counter()
        batch = data.utterances.batch(which)
        count = int(batch.target_lengths.sum())
        if ours:
            loss = model.loss(batch)[0]
        else:
            lengths = -(-batch.lengths // 4)
            logs = model(batch["numbers"], lengths).log_softmax(-1)
            loss = nn.functional.ctc_loss(logs, batch.targets.T, lengths, batch.target_lengths, data.codecs.target.blank, "sum")
        optimiser.zero_grad()
        (loss / count).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimiser.step()
        words += count
        if number and time.perf_counter() - began > seconds:
            break
    return words / (time.perf_counter() - began)


if __name__ == "__main__":
    main()
