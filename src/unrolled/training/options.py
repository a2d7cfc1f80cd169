"""What one can ask of a training run."""

import math
import os
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

import torch

from unrolled.errors import ConfigError
from unrolled.options import option

UPDATES = 2000
"""Updates of a run if nothing is said."""

LIMITS = frozenset({"epochs", "updates", "minutes"})
"""Options that say when a run ends, of which one is given."""

PRECISIONS = ("float32", "bfloat16")
TRACKED = ("tensorboard", "wandb", "mlflow", "trackio")


@dataclass(frozen=True)
class TrainingOptions:
    """How long, how fast and how carefully to train. `ConfigError` for a value that an option cannot have."""

    epochs: int | None = option(None, f"Epochs: passes over the training data.  [default: {UPDATES} updates]")
    updates: int | None = option(
        None, f"Updates of the weights to train for, instead of `epochs`.  [default: {UPDATES}, if nothing else is said]", rare=True
    )
    minutes: float | None = option(None, "Time to train instead of `epochs`; how far one comes depends on the machine.")
    learning_rate: float = option(3e-3, "Learning rate of AdamW at its highest.")
    warmup: int = option(100, "Warm-up: updates over which the learning rate rises from 0; at most a tenth of the run.", rare=True)
    final_rate: float = option(0.01, "Part of the learning rate that is left at the end of the cosine schedule.", rare=True)
    weight_decay: float = option(0.01, "Weight decay of matrices; vectors are not decayed.", rare=True)
    clip: float = option(1.0, "Gradient clipping: largest norm of the whole gradient (global-norm clipping); 0: none.")
    average: float = option(0.0, "Decay of an exponential moving average of the weights, which is then what is kept; 0: none.", rare=True)
    accumulate: int = option(1, "Gradient accumulation: batches that make one update, as one large batch would.", rare=True)
    precision: str = option("float32", "float32, or bfloat16 for products in half precision (autocast).", rare=True)
    seed: int = option(0, "Seed of everything random.")
    evaluations: int = option(10, "How often the held-out part is measured.", rare=True)
    best_by: str | None = option(
        None,
        "Measure of the held-out part by which the best weights are kept, and `patience` goes; a wrong name lists those that there are.",
    )
    patience: int | None = option(None, "Early stopping: stop after so many measurements without a better one.")
    checkpoint_seconds: float = option(30.0, "Longest time between two checkpoints, in seconds.", rare=True)
    from_run: str | None = option(
        None,
        "Fine-tuning: begin with the weights of this run, and with its options of the network and its symbols; `widen` adds new ones.",
        rare=True,
    )
    widen: bool = option(True, "With `from_run`: add the symbols that its run does not know; otherwise they are <UNK>.", rare=True)
    freeze: tuple[str, ...] = option(
        (), "Parts of the network that stay as they are, by the names of parameters: encoder.inputs, 'encoder.recurrent.*_l0'.", rare=True
    )
    device: str = option("auto", "Where to run: auto, cpu, cuda, …", rare=True)
    watch: bool = option(False, "Record gradients, updates and gates on the way, and say in the end what looks wrong with them.")
    watch_every: int | None = option(
        None, "Updates from one such record to the next.  [default: as many as keep the cost below 5 %]", rare=True
    )
    tensorboard: bool = option(False, "Also write TensorBoard events into the run folder.", rare=True)
    track: tuple[str, ...] = option((), f"Also write to trackers of runs: {', '.join(TRACKED)}.", rare=True)

    def __post_init__(self) -> None:
        limits = [name for name in ("epochs", "updates", "minutes") if getattr(self, name) is not None]
        if len(limits) > 1:
            raise ConfigError(f"`{limits[0]}` and `{limits[1]}` both say when to stop. Give one of them.")
        for name, least in (
            ("epochs", 1),
            ("updates", 1),
            ("accumulate", 1),
            ("evaluations", 1),
            ("patience", 1),
            ("watch_every", 1),
            ("warmup", 0),
        ):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ConfigError(f"`{name}` must be at least {least}, got {value}.")
        if self.watch_every is not None and not self.watch:
            raise ConfigError("`watch_every` says how often `watch` records. Give that too, or leave it out.")
        for name in ("minutes", "learning_rate"):
            self._require(name, lambda v: v > 0, "a number above 0")
        for name in ("weight_decay", "clip", "checkpoint_seconds"):
            self._require(name, lambda v: v >= 0, "a number of at least 0")
        self._require("final_rate", lambda v: 0 <= v <= 1, "a fraction from 0 to 1")
        self._require("average", lambda v: 0 <= v < 1, "a fraction from 0 to below 1")
        self._require("seed", lambda v: 0 <= v < 2**63, "a whole number from 0 to 2^63 - 1")
        for name in self.track:
            if name not in TRACKED:
                raise ConfigError(f"`track` must be one of {', '.join(TRACKED)}, got {name!r}.")
        if self.precision not in PRECISIONS:
            raise ConfigError(f"`precision` must be one of {', '.join(PRECISIONS)}, got {self.precision!r}.")

    def _require(self, name: str, holds: Any, expected: str) -> None:
        value = getattr(self, name)
        if value is not None and not (math.isfinite(value) and holds(value)):
            raise ConfigError(f"`{name}` must be {expected}, got {value}.")

    def resolved(self) -> "TrainingOptions":
        """The same with what was left open decided."""
        return self if self.epochs or self.updates or self.minutes else replace(self, updates=UPDATES)

    def find_device(self) -> torch.device:
        """The device that `device` names; `ConfigError` if it is not here."""
        if self.device == "auto" and (named := os.environ.get("UNROLLED_DEVICE", "auto")) != "auto":
            return replace(self, device=named).find_device()
        if self.device == "auto":
            return torch.device("cuda" if torch.cuda.is_available() else "cpu")
        try:
            device = torch.device(self.device)
            torch.empty(1, device=device)
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            reason = str(error).splitlines()[0]
            raise ConfigError(f"`device={self.device!r}` cannot be used here: {reason}. Use `device='auto'`.") from None
        return device

    def require(self) -> None:
        """`ConfigError` if something that was asked for is not on this machine."""
        self.find_device()
        for name in self.trackers:
            if not find_spec(name):
                raise ConfigError(f"`{name}` needs the package {name}: pip install 'unrolled[{name}]'.")

    @property
    def trackers(self) -> tuple[str, ...]:
        """The trackers that are asked for."""
        return tuple(dict.fromkeys([*(["tensorboard"] if self.tensorboard else []), *self.track]))


CHANGEABLE = frozenset(
    {
        *LIMITS,
        "learning_rate",
        "warmup",
        "final_rate",
        "weight_decay",
        "clip",
        "evaluations",
        "patience",
        "checkpoint_seconds",
        "device",
        "tensorboard",
        "track",
        "watch",
        "watch_every",
    }
)
"""Options that may change when a run is resumed."""
