"""All that a run must keep so that it can go on exactly where it stood."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
from torch import Tensor, nn

from unrolled.errors import RunError
from unrolled.plain import from_json
from unrolled.training.average import ExponentialMovingAverage
from unrolled.training.checkpoint import parameters_of
from unrolled.training.options import TrainingOptions
from unrolled.training.run_folder import MODEL, RunFolder

_CARRIED = "carried."
_RANDOM = "random."


@dataclass
class Position:
    """Where a run stands.

    Epochs that are done, and updates in the present one; all updates and tokens; seconds spent; the best value of what decides which weights
    are kept, the held-out loss and the updates there, and the measurements since then; updates and seconds at the last measurement; bytes of history and of what was watched; updates whose
    gradient was clipped, and the largest norm of a gradient since one was watched.
    """

    epoch: int = 0
    in_epoch: int = 0
    updates: int = 0
    tokens: int = 0
    seconds: float = 0.0
    best: float | None = None
    best_loss: float = 0.0
    best_updates: int = 0
    in_vain: int = 0
    measured_updates: int = 0
    measured_seconds: float = 0.0
    history: int = 0
    watched: int = 0
    clipped: int = 0
    peak: float = 0.0

    def told(self) -> dict[str, Any]:
        """What every record begins with."""
        return {"update": self.updates, "epoch": self.epoch, "tokens": self.tokens, "seconds": round(self.seconds, 3)}


def adamw(model: nn.Module, options: TrainingOptions) -> torch.optim.AdamW:
    """AdamW (Loshchilov & Hutter 2019) with decay for matrices only, and with its state there from the start."""
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": options.weight_decay},
        {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=options.learning_rate, fused=True)
    for p in parameters:
        optimiser.state[p] = {
            "step": torch.zeros((), dtype=torch.float32, device=p.device),
            "exp_avg": torch.zeros_like(p),
            "exp_avg_sq": torch.zeros_like(p),
        }
    return optimiser


def save_state(
    folder: RunFolder,
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    average: ExponentialMovingAverage,
    carried: Mapping[str, Tensor],
    position: Position,
) -> None:
    """Write the run's checkpoint."""
    random = {_RANDOM + name: tensor for name, tensor in _random().items()}
    folder.save_checkpoint({**numbers_of(model, optimiser, average, carried), **random}, {"position": json.dumps(asdict(position))})


def numbers_of(
    model: nn.Module, optimiser: torch.optim.Optimizer, average: ExponentialMovingAverage, carried: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """All numbers that a run goes on with, by the names that its checkpoint has for them."""
    return {**_own(model, optimiser, average), **{_CARRIED + name: tensor for name, tensor in carried.items()}}


def restore_state(
    folder: RunFolder, model: nn.Module, optimiser: torch.optim.Optimizer, average: ExponentialMovingAverage
) -> tuple[dict[str, Tensor], Position]:
    """Take over the run's checkpoint; gives what was carried, and where the run stood. `RunError` if it does not fit."""
    tensors, metadata = folder.load_checkpoint()
    position = _position(metadata.get("position", ""), folder)
    random = {name: tensors.pop(_RANDOM + name) for name in _random() if _RANDOM + name in tensors}
    carried = {name.removeprefix(_CARRIED): tensors.pop(name) for name in list(tensors) if name.startswith(_CARRIED)}
    folder.load_into(_own(model, optimiser, average), {name: t for name, t in tensors.items() if not name.startswith(_RANDOM)})
    try:
        for name, setter in (("cpu", torch.set_rng_state), ("cuda", torch.cuda.set_rng_state)):
            if name in random:
                setter(random[name])
    except (RuntimeError, TypeError) as error:
        raise RunError(f"The checkpoint of {folder} has a random state that is none: {error}.") from None
    return carried, position


def _own(model: nn.Module, optimiser: torch.optim.Optimizer, average: ExponentialMovingAverage) -> dict[str, Tensor]:
    """The weights, under `optimiser.` what it keeps of each, and under `average.` their moving averages."""
    own = {f"{MODEL}{name}": tensor for name, tensor in parameters_of(model).items()}
    means = {f"optimiser.{name}.{key}": value for name, p in model.named_parameters() for key, value in optimiser.state[p].items()}
    return {**own, **means, **{f"average.{name}": tensor for name, tensor in average.tensors().items()}}


def _random() -> dict[str, Tensor]:
    """The states of torch's random generators."""
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states


def _position(text: str, folder: RunFolder) -> Position:
    try:
        found = from_json(text)
        real = (int, float)
        kinds = {**dict.fromkeys(("seconds", "measured_seconds", "peak", "best_loss"), real), "best": (*real, type(None))}
        if not all(isinstance(found[f.name], kinds.get(f.name, int)) and abs(found[f.name] or 0) < math.inf for f in fields(Position)):
            raise TypeError
        return Position(**found)
    except (ValueError, TypeError, KeyError):
        raise RunError(f"The checkpoint of {folder} does not say where the run stood: it is damaged or foreign. Train again.") from None
