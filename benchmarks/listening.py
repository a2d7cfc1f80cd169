"""Networks that hear: how fast they write down a stream, how long after a word its text comes, how fast they learn, and how well they know speakers
that they never heard.

    python benchmarks/listening.py stream runs/transcribe strings/test.csv
    python benchmarks/listening.py learn strings/learn.csv --seconds 20
    python benchmarks/listening.py speakers spoken_digits/recordings.zip --out runs/speakers

`stream` needs a run of one direction, and a table as `spoken_strings.py` writes it. `learn` takes turns with a plain script of torch.nn.LSTM and
ctc_loss of the same sizes, on the same batches; neither measures, stores or changes anything on the way. `speakers` needs recordings that are called
LABEL_SPEAKER_TAKE.wav: each speaker is left out of what a network learns, and is its test. Runs that were stopped go on.
"""

import ast
import csv
import json
import statistics
import time
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from torch import Tensor, nn

from unrolled.cells import find_cell
from unrolled.data.batches import by_length
from unrolled.data.sound.recordings import Recording, rate_of, read_samples
from unrolled.tasks import find_recipe, load, train
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.transcription.streaming import Listener
from unrolled.training import RunFolder

CHUNK = 0.02
"""Seconds of sound that come at a time."""

DIGITS: dict[str, Any] = {
    "pattern": "{label}_{speaker}_{take}.wav",
    "group": "speaker",
    "standardise": "speaker",
    "top_db": 30.0,
    "held_out": 0.0,
    "speed": 0.2,
    "warp": 0.15,
    "noise": 0.2,
    "frequency_masks": 2,
    "time_masks": 1,
    "time_width": 6,
    "subsampling": 2,
    "hidden": 64,
    "layers": 1,
    "learning_rate": 0.004,
    "average": 0.98,
    "epochs": 40,
}
"""How `speakers` learns where nothing else is said."""


@click.group()
def main() -> None:
    """Listening and learning, measured."""


@main.command()
@click.argument("run", type=click.Path(exists=True))
@click.argument("table", type=click.Path(exists=True, path_type=Path))
@click.option("--most", default=100, help="Recordings to hear.")
def stream(run: str, table: Path, most: int) -> None:
    """The processor time of RUN for each second of sound, on one thread, and how long after the end of each word of TABLE its text comes, computing included."""
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
        for at in range(0, len(samples) + size, size):
            last, began, computed = at >= len(samples), time.perf_counter(), time.process_time()
            text += (listener.finish() if last else listener.feed(samples[at : at + size])).text
            spent += time.process_time() - computed
            then = min(at + size, len(samples)) / rate + time.perf_counter() - began
            came += [then] * (len(text.split()) - len(came))
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


@main.command()
@click.argument("archive", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Folder for the recordings, a folder a speaker, and for the runs."
)
@click.option("--who", multiple=True, help="Speakers to leave out.  [default: each in turn]")
@click.option("--set", "changes", multiple=True, help="NAME=VALUE of an option of `train classify`, as Python has it.")
@click.option("--seed", default=0)
def speakers(archive: Path, out: Path, who: tuple[str, ...], changes: tuple[str, ...], seed: int) -> None:
    """How many recordings of each speaker of ARCHIVE are labelled rightly by a network that learnt the other speakers."""
    torch.set_num_threads(1)
    options = {
        **DIGITS,
        **{name: ast.literal_eval(value) for name, _, value in (change.partition("=") for change in changes)},
        "seed": seed,
    }
    folders, found = _by_speaker(archive, out / "recordings"), list[float]()
    for left in who or tuple(folders):
        run, began = RunFolder(out / f"{left}-{seed}"), time.process_time()
        others = [folder for speaker, folder in folders.items() if speaker != left]
        trained = train("classify", () if run.begun else others, out=run.path, resume=run.begun, **({} if run.begun else options))
        spent, test = time.process_time() - began, str(folders[left])
        scores = trained.evaluate(test, reading=trained.reading_of(test))
        found.append(scores.accuracy)
        click.echo(json.dumps({"speaker": left, "accuracy": scores.accuracy, "recordings": scores.size, "processor_seconds": round(spent)}))
    click.echo(f"mean of {len(found)}: {statistics.mean(found):.2%}")


def _by_speaker(archive: Path, folder: Path) -> dict[str, str]:
    """A folder with the recordings of each speaker, by name."""
    found = defaultdict[str, list[str]](list)
    with zipfile.ZipFile(archive) as file:
        for name in file.namelist():
            if len(parts := Path(name).stem.split("_")) == 3 and name.endswith(".wav"):
                found[parts[1]].append(name)
        for speaker, names in found.items():
            (folder / speaker).mkdir(parents=True, exist_ok=True)
            for name in names:
                (folder / speaker / Path(name).name).write_bytes(file.read(name))
    return {speaker: str(folder / speaker) for speaker in sorted(found)}


if __name__ == "__main__":
    main()
