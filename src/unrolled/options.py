"""Options as data: a dataclass says what there is, and flags, TOML and the stored configuration all follow from it."""

import dataclasses
import difflib
import os
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from unrolled.errors import ConfigError

T = TypeVar("T")

LARGEST = 2**63
"""What whole numbers stay below, so that everything that computes can hold them."""


FLAGS = {"from_run": "--from"}
"""The flags of options whose names are no names in Python."""

ARGUMENTS = ("out", "resume")
"""What functions that train take beside options."""

OTHER_NAMES = {
    "learning_rate": "lr eta step-size",
    "batch": "batch-size bs batchsize train-batch-size per-device-train-batch-size",
    "hidden": "hidden-size hidden-dim rnn-size units hidden-units num-units size d-model nhid n-hidden nhidden hidden-layer-size",
    "layers": "num-layers n-layers depth nlayers num-hidden-layers",
    "embedding": "embedding-size embedding-dim embed-dim emb-size word-vec-size input-size emsize embed-size emb-dim",
    "window": "bptt seq-length seq-len sequence-length max-seq-length chunk-size",
    "cell": "rnn-type cell-type model rnn",
    "epochs": "num-epochs n-epochs max-epochs num-train-epochs",
    "updates": "max-steps train-steps steps max-updates max-update iterations max-iter num-steps max-iters",
    "clip": "max-grad-norm clip-norm grad-clip gradient-clip gradient-clip-val clip-grad",
    "accumulate": "accum-count update-freq gradient-accumulation-steps accumulate-grad-batches grad-accum",
    "average": "ema ema-decay moving-average",
    "patience": "early-stopping early-stop early-stopping-patience n-iter-no-change",
    "best_by": "metric monitor best-metric metric-for-best-model",
    "held_out": "val-size valid-size test-size validation-split val-frac dev-size val-split valid-split validation-size val-fraction validation-fraction",
    "validation": "valid val dev valid-data dev-data eval-data val-data validation-data valid-file",
    "out": "output output-dir save-dir save-model model-dir o save logdir log-dir output-file",
    "resume": "continue restore restore-file train-from resume-from checkpoint ckpt load load-checkpoint checkpoint-path resume-from-checkpoint",
    "from_run": "init-from init-from-run pretrained finetune fine-tune finetune-from-model",
    "beam": "beam-size num-beams beam-width",
    "device": "gpu cuda gpus gpuid use-gpu use-cuda",
    "threads": "num-threads num-workers workers cpus",
    "precision": "fp16 bf16 half amp dtype mixed-precision",
    "seed": "random-seed random-state",
    "weight_decay": "wd l2",
    "warmup": "warmup-steps warmup-updates num-warmup-steps warmup-ratio",
    "evaluations": "valid-steps eval-steps eval-every log-interval eval-interval validate-interval save-steps",
    "length": "max-length max-new-tokens max-len num-chars n",
    "count": "num-samples num-return-sequences nsamples",
    "top_k": "k topk",
    "top_p": "p nucleus topp",
    "prompt": "primetext prefix-text start",
    "bidirectional": "bidir brnn birnn bi",
    "vocabulary": "vocab-size vocab max-vocab",
    "vectors": "embeddings pretrained-embeddings word-vectors glove pretrained-vectors",
    "class_weights": "class-weight weighted balanced",
    "quiet": "q silent verbose",
    "dropout": "drop dropout-rate p-dropout",
    "tied": "tie-weights tie-embeddings share-embeddings",
    "min_count": "min-freq min-frequency",
    "lower": "lowercase do-lower-case lower-case",
    "track": "report-to logger",
    "teacher_forcing": "teacher-forcing-ratio",
    "label_smoothing": "smoothing",
    "length_penalty": "lenpen",
    "seeds": "num-seeds n-seeds",
    "folds": "cv k-folds kfold n-splits",
    "minutes": "time-limit max-time",
}
"""By the names of options those that other toolkits have for them, with hyphens."""


def option(default: Any, help: str, *, rare: bool = False, also: str = "", written: tuple[str, ...] = ()) -> Any:
    """A dataclass field with its explanation, in which names of other options stand between backticks. `rare` ones are in no short list; `also` is
    another name that is understood at the terminal. `written` are the ends that the name of a file may have which the option says is to be written."""
    return dataclasses.field(default=default, metadata={"help": help, "rare": rare, "also": also, "written": written})


@dataclasses.dataclass(frozen=True)
class Option:
    """One option: its name, the plain type of its value, whether it may be left unset, whether it holds several, default, help, whether it
    is seldom needed, another name of it, and how the name of a file may end that it has written."""

    name: str
    kind: type
    optional: bool
    several: bool
    default: Any
    help: str
    rare: bool = False
    also: str = ""
    written: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        """The option as it is typed at the terminal."""
        return dashed(self.name)

    @property
    def flags(self) -> tuple[str, ...]:
        """All ways to type it."""
        return (self.flag, *((dashed(self.also),) if self.also else ()))


def dashed(name: str) -> str:
    """A name as a flag of the command line."""
    return FLAGS.get(name) or "--" + name.replace("_", "-")


def options_of(cls: type) -> list[Option]:
    """The options that a dataclass declares."""
    hints = typing.get_type_hints(cls)
    return [_option(field, hints[field.name]) for field in dataclasses.fields(cls)]


def _option(field: "dataclasses.Field[Any]", hint: Any) -> Option:
    optional = several = False
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        hint = next(a for a in typing.get_args(hint) if a is not type(None))
        optional = True
    if typing.get_origin(hint) is tuple:
        hint, several = typing.get_args(hint)[0], True
    about = field.metadata
    return Option(field.name, hint, optional, several, field.default, **{"help": "", **about})


def build(cls: type[T], values: Mapping[str, Any]) -> T:
    """An instance from plain values, as TOML gives them. `ConfigError` for a name that does not exist or a value of another type."""
    known = {o.name: o for o in options_of(cls)}
    for name in values:
        if name not in known:
            raise no_option(name, [option.name for option in known.values() if option.help])
    return cls(**{name: _convert(known[name], value) for name, value in values.items() if value is not None})


def no_option(name: str, names: Sequence[str]) -> ConfigError:
    """That there is no such option among some that are shown, with the one that was meant."""
    return ConfigError(f"There is no option {name!r}.{closest(name, names)} There are {', '.join(names)}.")


def meant_by(name: str) -> list[str]:
    """The options that have this name in another toolkit, or with hyphens and capitals in another way."""
    plain = name.lstrip("-").replace("_", "-").lower()
    return list(dict.fromkeys([ours for ours, theirs in OTHER_NAMES.items() if plain in theirs.split()] + [plain.replace("-", "_")]))


def closest(name: str, names: Iterable[str]) -> str:
    """A guess at which of some options was meant, as a sentence, or nothing."""
    names = list(names)
    meant = [ours for ours in meant_by(name) if ours in (*names, *ARGUMENTS)] or difflib.get_close_matches(name, names, n=1)
    return f" Did you mean {' or '.join(map(repr, meant))}?" if meant else ""


def _convert(option: Option, value: Any) -> Any:
    if option.several:
        if isinstance(value, (str, os.PathLike)):
            return (_single(option, value),)
        if not isinstance(value, Iterable):
            raise ConfigError(f"`{option.name}` must be a list, got {value!r}.")
        return tuple(_single(option, v) for v in value)
    return _single(option, value)


def _single(option: Option, value: Any) -> Any:
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if option.kind is float and isinstance(value, int) and not isinstance(value, bool) and abs(value) < LARGEST:
        return float(value)
    if not isinstance(value, option.kind) or (isinstance(value, bool) and option.kind is not bool):
        raise ConfigError(f"`{option.name}` must be of type {option.kind.__name__}, got {value!r}.")
    if isinstance(value, int) and abs(value) >= LARGEST:
        raise ConfigError(f"`{option.name}` must be less than 2^63, got a number of {value.bit_length()} bits.")
    return value


def table(instance: Any) -> dict[str, Any]:
    """The values of an instance, ready for TOML: lists for tuples, and what is unset left out."""
    values = ((f.name, getattr(instance, f.name)) for f in dataclasses.fields(instance))
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values if value is not None}
