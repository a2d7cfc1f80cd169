"""What `watch` recorded, as arrays."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import ConfigError, RunError
from unrolled.training.history import History
from unrolled.training.run_folder import RunFolder

Numbers = NDArray[np.float64]

_RECURRENT = re.compile(r"(?P<owner>.*)\.(?P<stored>\w+)_(?P<place>l\d+(?:_reverse)?)")
_SCALARS = ("update", "seconds", "loss", "learning_rate", "gradient_norm", "peak")


@dataclass(frozen=True)
class Watched:
    """A parameter by its whole `name`, as `encoder.recurrent.R_f_l0_reverse`, and what it belongs to.

    `layer` is `encoder.recurrent.l0_reverse`, and for what is not in a recurrent layer the module that has it; `gate` is the gate whose
    name the parameter has, with its layer, as `encoder.recurrent.f_l0_reverse`, and else the layer.
    """

    name: str
    layer: str
    gate: str

    @classmethod
    def named(cls, name: str) -> "Watched":
        """From the whole name."""
        found = _RECURRENT.fullmatch(name)
        if found is None:
            layer = name.rpartition(".")[0]
            return cls(name, layer, layer)
        owner, stored, place = found.group("owner", "stored", "place")
        gate = stored.partition("_")[2]
        return cls(name, f"{owner}.{place}", f"{owner}.{gate if gate.isalpha() else stored}_{place}")


@dataclass(frozen=True, eq=False)
class Readings:
    """R records of P parameters.

    `update`, `seconds`, `loss` (mean of the update's batch, nats), `learning_rate`, `gradient_norm` (before clipping), `peak` (the largest
    such norm since the record before) and `clip_rate` (the part of the updates since then whose gradient was clipped) are `[R]`.
    `gradient`, `weight` and `step` `[R, P]` are norms: of the gradient before clipping, of the parameter, of what the update changed in it.
    `rows` has for each embedding the part of its rows with a gradient, `[R]`; `gates` for each gate the parts of its values at
    its lower and upper end, `[R, 2]`; `states` for each state the size of its largest value and the part of its values that ran away, `[R, 2]`.
    `held_out` `[M, 2]` are updates and losses of the held-out part, `kept` its loss with the weights that were kept. `starts` says how many
    of how many parts of it were lost with the best weights on the way. NaN stands for what was not recorded.
    """

    update: Numbers
    seconds: Numbers
    loss: Numbers
    learning_rate: Numbers
    gradient_norm: Numbers
    peak: Numbers
    clip_rate: Numbers
    parameters: tuple[Watched, ...]
    gradient: Numbers
    weight: Numbers
    step: Numbers
    rows: Mapping[str, Numbers]
    gates: Mapping[str, Numbers]
    states: Mapping[str, Numbers]
    held_out: Numbers
    kept: float
    starts: tuple[int, int]

    def gradients(self, by: str = "layer") -> dict[str, Numbers]:
        """Norms of the gradient, `[R]`, by `layer`, `gate` or parameter (`name`). Raises `ConfigError` for another grouping."""
        return {key: _joined(self.gradient[:, which]) for key, which in self._groups(by).items()}

    def ratios(self, by: str = "layer") -> dict[str, Numbers]:
        """Norms of what an update changed over norms of what it changed, `[R]`, grouped in the same way."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return {key: _joined(self.step[:, which]) / _joined(self.weight[:, which]) for key, which in self._groups(by).items()}

    def _groups(self, by: str) -> dict[str, list[int]]:
        if by not in ("layer", "gate", "name"):
            raise ConfigError(f"`by` must be 'layer', 'gate' or 'name', got {by!r}.")
        groups: dict[str, list[int]] = {}
        for number, parameter in enumerate(self.parameters):
            groups.setdefault(getattr(parameter, by), []).append(number)
        return groups


def read_watch(folder: RunFolder) -> Readings:
    """What was recorded in a run folder. `RunError` if it is none, or if nothing was."""
    folder.read_config()
    records = folder.watched.records()
    if not records:
        raise RunError(f"{folder} was not watched: it has no {folder.watched.path.name}. Train with `watch`, or resume with it.")
    try:
        with np.errstate(all="ignore"):
            return _readings(folder, records)
    except (TypeError, ValueError, AttributeError, OverflowError):
        raise RunError(f"{folder.watched.path} is damaged or foreign: some record is not what is recorded. Move it away.") from None


def _readings(folder: RunFolder, records: Sequence[Mapping[str, Any]]) -> Readings:
    names = _names(records, "gradient")
    clipped, update = _column(records, "clipped"), _column(records, "update")
    return Readings(
        **{name: _column(records, name) for name in _SCALARS},
        clip_rate=np.diff(clipped, prepend=0) / np.diff(update, prepend=0),
        parameters=tuple(Watched.named(name) for name in names),
        **{kind: np.stack([_column(records, kind, name) for name in names], 1) for kind in ("gradient", "weight", "step")},
        rows={name: _column(records, "rows", name) for name in _names(records, "rows")},
        gates={name: _pairs(records, "gates", name) for name in _names(records, "gates")},
        states={name: _pairs(records, "states", name) for name in _names(records, "states")},
        held_out=_points(folder.history, "held_out"),
        kept=kept_loss(folder.history),
        starts=lost_starts(folder.history),
    )


def losses(history: History) -> Numbers:
    """The training losses `[N]` that every run records about once a second, each the mean since the one before."""
    return _points(history, "loss")[:, 1]


def kept_loss(history: History) -> float:
    """The held-out loss of the weights that were kept: the one measured at the end, or else the lowest on the way; NaN where there is none."""
    final, on_the_way = (_points(history, what)[:, 1] for what in ("final_held_out", "held_out"))
    return float(final[-1]) if len(final) else float(on_the_way.min()) if len(on_the_way) else float("nan")


def lost_starts(history: History) -> tuple[int, int]:
    """How many of how many parts of the held-out text were no better than guessing by frequency, with the weights that were best on the way."""
    names = ("held_out", "lost", "parts")
    found = [tuple(r[name] for name in names) for r in history.records() if all(isinstance(r.get(name), (int, float)) for name in names)]
    return min(found)[1:] if found else (0, 0)


def _points(history: History, what: str) -> Numbers:
    """Updates and numbers `[N, 2]` of the records that have one of that name."""
    points = [(r["update"], r[what]) for r in history.records() if isinstance(r.get(what), float)]
    return np.array(points, dtype=float).reshape(-1, 2)


def _names(records: Sequence[Mapping[str, Any]], kind: str) -> list[str]:
    return list(dict.fromkeys(name for record in records for name in record.get(kind, {})))


def _column(records: Sequence[Mapping[str, Any]], kind: str, name: str | None = None) -> Numbers:
    """A number of every record, or one of the numbers that it has by names."""
    found = (record.get(kind) if name is None else record.get(kind, {}).get(name) for record in records)
    return np.array([np.nan if value is None else value for value in found], dtype=float)


def _pairs(records: Sequence[Mapping[str, Any]], kind: str, name: str) -> Numbers:
    found = (record.get(kind, {}).get(name) for record in records)
    return np.array([(np.nan, np.nan) if value is None else value for value in found], dtype=float)


def _joined(norms: Numbers) -> Numbers:
    """The norm of several tensors together, from the norm of each."""
    joined: Numbers = np.sqrt((norms**2).sum(1))
    return joined
