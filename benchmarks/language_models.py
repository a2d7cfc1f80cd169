"""Language models beside a plain torch script, in turns, in one process.

    python benchmarks/language_models.py TEXT VALIDATION                        # one minute each, from three seeds
    python benchmarks/language_models.py TEXT VALIDATION --minutes 3
    python benchmarks/language_models.py TEXT VALIDATION --epochs 1             # at equal steps
    python benchmarks/language_models.py TEXT VALIDATION --cell gru             # or elman
    python benchmarks/language_models.py TEXT VALIDATION --vocabulary 10000     # words

Ours is `train_language_model` with its defaults, all of its own work included: measuring on the way, checkpoints, resets. The plain script is
what one writes with torch alone, with an embedding of as many columns as there are symbols, at most 256; its time is that of its updates. Both learn the
same ids. Printed for each are the updates, the held-out loss in
nats, read from the beginning in one go, and how many of 64 starts are lost: the held-out text is cut into 64 parts, each begun without a
state, and a part is lost whose mean loss after its first 64 tokens is no better than that of guessing the same tokens by frequency. `line` is the mean loss of
the first 32 tokens of lines that are begun without a state, as `unrolled score` begins them.
"""

import argparse
import json
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, dropout

import unrolled as un
from unrolled.data.codecs import TextCodec
from unrolled.data.columns import Elements
from unrolled.data.corpus import Corpus, prepare
from unrolled.training import Silent

HIDDEN, BATCH, WINDOW, DROPOUT, RATE, WARM_UP = 512, 16, 64, 0.25, 3e-3, 100
STARTS, FIRST, LINES, OF_A_LINE = 64, 64, 1000, 32
PIECE = 2048


class Plain(nn.Module):
    """An embedding, one of torch's layers, and a linear layer, each with its own initial values."""

    def __init__(self, symbols: int, cell: str) -> None:
        super().__init__()
        columns = min(symbols, 256)
        self.embedding = nn.Embedding(symbols, columns)
        self.recurrent = {"lstm": nn.LSTM, "gru": nn.GRU, "elman": nn.RNN}[cell](columns, HIDDEN)
        self.output = nn.Linear(HIDDEN, symbols)
        if cell == "lstm":
            with torch.no_grad():
                self.recurrent.bias_ih_l0[HIDDEN : 2 * HIDDEN] = 1.0
                self.recurrent.bias_hh_l0[HIDDEN : 2 * HIDDEN] = 0.0

    def forward(self, symbols: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Logits and state."""
        y, state = self.recurrent(self.embedding(symbols), state)
        return self.output(dropout(y, DROPOUT, self.training)), state


def ids_of(tokens: Elements) -> Tensor:
    """All ids of a text, `[N]`."""
    return torch.from_numpy(tokens.read(0, len(tokens)).astype(np.int64))


def train_plain(corpus: Corpus, cell: str, seed: int, minutes: float | None, epochs: int) -> tuple[nn.Module, int, float]:
    """The script; gives the network, its updates and seconds."""
    torch.manual_seed(seed)
    model = Plain(corpus.codec.size, cell).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE)
    ids = ids_of(corpus.train)
    length = (len(ids) - 1) // BATCH
    x = ids[: BATCH * length].view(BATCH, length).t().contiguous()
    y = ids[1 : BATCH * length + 1].view(BATCH, length).t().contiguous()
    windows = math.ceil(length / WINDOW)
    begun, updates, state, done = time.perf_counter(), 0, None, 0.0
    while done < 1:
        if updates % windows == 0:
            state = None
        start = updates % windows * WINDOW
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1, (updates + 1) / WARM_UP) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))
        logits, state = model(x[start : start + WINDOW], state)
        state = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
        loss = cross_entropy(logits.flatten(0, 1), y[start : start + WINDOW].flatten())
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        updates += 1
        seconds = time.perf_counter() - begun
        done = min(seconds / (60 * minutes) if minutes else updates / (windows * epochs), 1.0)
    return model.eval(), updates, seconds


def train_ours(
    sources: Sequence[str], seed: int, minutes: float | None, epochs: int, options: dict[str, Any]
) -> tuple[Any, int, float, float]:
    """`train_language_model`; gives the network, its updates and seconds, and the last loss that it told."""
    text, validation = sources
    limits: dict[str, Any] = {"minutes": minutes} if minutes else {"epochs": epochs}
    with tempfile.TemporaryDirectory() as place:
        out = Path(place, "run")
        trained = un.train_language_model(
            text, validation=(validation,), out=out, seed=seed, device="cpu", display=Silent(), **limits, **options
        )
        last = json.loads((out / "metrics.jsonl").read_text().splitlines()[-1])
    return trained.model, last["update"], last["seconds"], last["final_held_out"]


@torch.inference_mode()
def losses(model: Callable[..., Any], ids: Tensor) -> Tensor:
    """The loss of each token of `[T + 1, B]` but the first, `[T, B]`, each column begun without a state."""
    found, state = [], None
    for start in range(0, len(ids) - 1, PIECE):
        piece = ids[start : start + PIECE + 1]
        logits, state = model(piece[:-1], state)
        found.append(cross_entropy(logits.flatten(0, 1), piece[1:].flatten(), reduction="none").view(len(piece) - 1, -1))
    return torch.cat(found)


def measured(model: Callable[..., Any], corpus: Corpus) -> dict[str, float]:
    """The figures of a network."""
    ids = torch.cat([torch.tensor([TextCodec.end]), ids_of(corpus.held_out)])
    frequencies = torch.bincount(ids_of(corpus.train), minlength=corpus.codec.size) + 1.0
    guess = -(frequencies / frequencies.sum()).log()
    part = (len(ids) - 1) // STARTS
    parts = torch.stack([ids[i * part : (i + 1) * part + 1] for i in range(STARTS)], 1)
    begins = (ids[: -OF_A_LINE - 1] == TextCodec.end).nonzero().flatten().tolist()[:LINES]
    lines = torch.stack([ids[i : i + OF_A_LINE + 1] for i in begins or [0]], 1)
    return {
        "held_out": float(losses(model, ids[:, None]).double().mean()),
        "lost": int((losses(model, parts)[FIRST:].mean(0) >= guess[parts[1 + FIRST :]].mean(0)).sum()),
        "line": float(losses(model, lines).mean()),
        "unigram": float(guess[ids[1:]].mean()),
    }


def main() -> None:
    """Train, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text")
    parser.add_argument("validation")
    parser.add_argument("--minutes", type=float, default=None, help="time of each, 1 if neither this nor --epochs is given")
    parser.add_argument("--epochs", type=int, default=0)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--cell", default="lstm", choices=("lstm", "gru", "elman"))
    parser.add_argument("--vocabulary", type=int, default=None, help="learn words, so many of them")
    parser.add_argument("--only", choices=("ours", "plain"), default=None)
    parser.add_argument(
        "--option", action="append", default=[], metavar="NAME=VALUE", help="another option of ours, as JSON: reset_probability=0"
    )
    arguments = parser.parse_args()
    minutes = arguments.minutes or (None if arguments.epochs else 1.0)
    level = "char" if arguments.vocabulary is None else "word"
    corpus = prepare(arguments.text, validation=arguments.validation, level=level, size=arguments.vocabulary)
    asked = {name: json.loads(value) for name, value in (option.split("=", 1) for option in arguments.option)}
    options = {"cell": arguments.cell, "level": level, "vocabulary": arguments.vocabulary, **asked}
    options = {name: value for name, value in options.items() if value is not None}
    found: dict[str, list[float]] = {}
    for number, seed in enumerate(map(int, arguments.seeds.split(","))):
        for name in ("plain", "ours") if number % 2 == 0 else ("ours", "plain"):
            if arguments.only not in (None, name):
                continue
            told: float | None = None
            if name == "plain":
                model, updates, seconds = train_plain(corpus, arguments.cell, seed, minutes, arguments.epochs)
            else:
                model, updates, seconds, told = train_ours((arguments.text, arguments.validation), seed, minutes, arguments.epochs, options)
            row = {"who": name, "seed": seed, "updates": updates, "seconds": round(seconds, 1), **measured(model, corpus)}
            if told is not None and abs(told - row["held_out"]) > 1e-3:
                raise SystemExit(f"ours told a held-out loss of {told}, and it is {row['held_out']}")
            found.setdefault(name, []).append(row["held_out"])
            print(json.dumps({key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()}), flush=True)
    for name, values in found.items():
        print(f"{name:6} {statistics.mean(values):.4f} on average, {min(values):.4f} to {max(values):.4f}")


if __name__ == "__main__":
    main()
