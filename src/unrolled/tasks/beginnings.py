"""What a run takes of another one that it begins from: options, symbols and weights."""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import Tensor, nn

from unrolled.errors import ConfigError, RunError, UnrolledWarning
from unrolled.options import options_of
from unrolled.plain import from_json
from unrolled.tasks.configuration import groups_of
from unrolled.tasks.recipe import AnyRecipe
from unrolled.training import RunFolder
from unrolled.training.checkpoint import load_tensors, parameters_of
from unrolled.training.run_folder import CELL, CODECS, WEIGHTS

_GROUPS = ("model", "symbols")
"""Groups of options that describe a network and what it reads, and are those of the run that one begins from."""

_READING = frozenset(
    {
        "level", "lower", "shapes", "rate", "mels", "frame_length", "frame_step", "standardise", "output", "each_step", "alphabet", "lines",
        "reverse_source",
    }
)  # fmt: skip
"""Options of data that do so as well."""

_OWN = frozenset({"engine", "vocabulary", "cell"})
"""Options among these that are not taken over: `cell` is, with its equations."""

_SHAPES = ("hidden", "embedding", "characters", "character_hidden", "decoder_hidden", "convolution", "subsampling", "input_window")
"""Options that the weights of a run do not fit with, if they are others."""

_KEPT = ("standardise", "reverse_source")
"""Options that say how data become what a network reads, which is as it was where the run learnt it."""

_CHOSEN = ("vocabulary", "subwords")
"""Options by which symbols are chosen, where they are learnt anew; where none may be added also `min_count`."""

_ENCODER = "encoder."
"""How the names of weights begin that networks of different tasks have in common."""

_WORDS = "encoder.inputs.words.weight"


@dataclass(frozen=True)
class Taken:
    """What a network took of a run, as a sentence, and how many rows of which parameters have something that the run did not learn."""

    told: str
    new_rows: Mapping[str, int]

    def notice_frozen(self, model: nn.Module) -> None:
        """Say, as an `UnrolledWarning`, which of these rows will not be learnt here either."""
        rows = {name: self.new_rows[name] for name, own in model.named_parameters() if not own.requires_grad and name in self.new_rows}
        if rows:
            shown = ", ".join(f"{count:,} of {name}" for name, count in rows.items())
            warnings.warn(
                f"`freeze` also keeps rows that the run which is begun from has not learnt, and nothing will learn them: {shown}. "
                "Read new symbols as <UNK> with `widen=False`, or freeze other parts.",
                UnrolledWarning,
                stacklevel=2,
            )


@dataclass(frozen=True)
class Beginning:
    """The run that another one begins from: its folder, its task, its configuration, its codecs as JSON, and the text of its cell."""

    folder: RunFolder
    task: str
    config: Mapping[str, Any]
    codecs: Any
    cell: str

    @classmethod
    def read(cls, path: str) -> "Beginning":
        """From a run folder. `RunError` if it is none."""
        folder = RunFolder(path)
        config = folder.read_config()
        try:
            codecs = from_json(folder.read_text(CODECS))
        except ValueError as error:
            raise RunError(f"What {folder} knows of its data is damaged: {error}. Take it from a copy of the run.") from None
        return cls(folder, str(config.get("task")), config, codecs, folder.read_text(CELL))

    def options(self, recipe: AnyRecipe, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Those options of the run that a network needs to have its shapes, as far as the recipe has them. `ConfigError` if others are asked for."""
        found = self._options(recipe)
        for name in (*_SHAPES, *_KEPT):
            if name in found and asked.get(name) not in (None, found[name]):
                raise ConfigError(
                    f"`{name}={asked[name]!r}` is not that of {self.folder}, which is begun from: {found[name]!r}. Leave it out."
                )
        widen = asked.get("widen") is not False
        for name in (*_CHOSEN, *(() if widen else ("min_count",))):
            if asked.get(name) not in (None, self._stored(name)):
                raise ConfigError(
                    f"`{name}` chooses symbols that are learnt anew, and here those of {self.folder} stay, which is begun from, with "
                    f"{'all new ones of DATA' if widen else 'no new ones'} beside them. Leave it out."
                )
        return found

    def _stored(self, name: str) -> Any:
        """The option as the run has it; None where it has none."""
        return next((group[name] for group in self.config.values() if isinstance(group, dict) and name in group), None)

    def _options(self, recipe: AnyRecipe) -> dict[str, Any]:
        groups = groups_of(recipe.options)
        ours = {o.name: group for group, kind in groups.items() for o in options_of(kind)}
        found: dict[str, Any] = {}
        for group, table in self.config.items():
            if isinstance(table, dict):
                found |= {n: v for n, v in table.items() if n not in _OWN and (group in _GROUPS or n in _READING) and n in ours}
        if self.task == recipe.name:
            return found
        known = {name: value for name, value in found.items() if name not in ("output", "each_step", "lines")}
        # What reads ahead is no part of a network that says what comes next.
        return {"bidirectional": False, **known} if self.task == "lm" and "bidirectional" in ours else known

    def take(self, model: nn.Module, task: str, *, widened: bool) -> Taken:
        """Give a network of a task the weights of the run, as far as it has the same.

        What has more rows or columns has the run's in the place of the first ones, where vocabularies are `widened`. `ConfigError` if nothing fits, or if
        something does not that cannot be widened.
        """
        found = self._weights(task)
        own = parameters_of(model)
        taken, wider, new = list[str](), list[str](), list[str]()
        with torch.no_grad():
            for name, tensor in own.items():
                old = found.get(name)
                if old is None or old.dim() != tensor.dim() or any(o > t for o, t in zip(old.shape, tensor.shape, strict=True)):
                    new.append(name)
                    continue
                (taken if old.shape == tensor.shape else wider).append(name)
                tensor[tuple(map(slice, old.shape))] = old.to(tensor)
        if (not taken and not wider) or (not widened and (wider or new)):
            raise ConfigError(
                f"`from_run` names {self.folder}, whose weights do not fit this network. Give it the options of that run, or begin without it."
            )
        told = [f"Begun from {self.folder} (task {self.task}): {len(taken)} of {len(own)} tensors are taken as they are"]
        told += [f"with new rows: {', '.join(wider)}"] if wider else []
        told += [f"new: {', '.join(new)}"] if new else []
        known = {name: _rows(found[name]) if found[name].shape[1:] == own[name].shape[1:] else 0 for name in wider}
        return Taken("; ".join(told) + ".", {name: _rows(own[name]) - known.get(name, 0) for name in (*wider, *new)})

    def _weights(self, task: str) -> dict[str, Tensor]:
        """The run's weights, of another task only those of what reads."""
        tensors, _ = load_tensors(self.folder.path / WEIGHTS)
        if task == self.task:
            return tensors
        found = {name: tensor for name, tensor in tensors.items() if name.startswith(_ENCODER)}
        if self.task == "lm" and _WORDS in found:
            # The symbol that ends a line is none of the symbols that sequences consist of.
            words = found[_WORDS]
            found[_WORDS] = torch.cat([words[:1], words[2:]])
        return found


def _rows(tensor: Tensor) -> int:
    return tensor.shape[:1].numel()


def freeze(model: nn.Module, patterns: Iterable[str]) -> str:
    """Keep the parameters as they are whose names match: `encoder.inputs`, with all inside, or `*_l0`. Says how many; nothing without patterns.

    `ConfigError` for a pattern that matches none, and where nothing would be left to learn.
    """
    parameters = dict(model.named_parameters())
    frozen = set[str]()
    for pattern in patterns:
        matching = {name for name in parameters if fnmatchcase(name, pattern) or name.startswith(f"{pattern}.")}
        if not matching:
            shown = ", ".join(sorted({name.rpartition(".")[0] or name for name in parameters}))
            raise ConfigError(
                f"`freeze` must name parameters or parts of the network, or a pattern of them, got {pattern!r}. There are {shown}."
            )
        frozen |= matching
    if len(frozen) == len(parameters):
        raise ConfigError("`freeze` leaves nothing to learn. Name fewer parts.")
    for name in frozen:
        parameters[name].requires_grad_(False)
    if not frozen:
        return ""
    count = sum(parameters[name].numel() for name in frozen)
    return f"Frozen: {len(frozen)} of {len(parameters)} tensors, {count:,} parameters."
