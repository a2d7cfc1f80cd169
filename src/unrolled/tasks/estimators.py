"""Networks as estimators of scikit-learn: in pipelines, cross-validation and searches over options."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray

from unrolled.errors import DataError, UnrolledWarning
from unrolled.extras import extra
from unrolled.tasks import load, train
from unrolled.tasks.estimator_data import is_ragged, unpacked
from unrolled.training import Silent, display_here
from unrolled.training.run_folder import CELL, CODECS, CONFIG, METRICS, WEIGHTS

_checks, _targets = extra("sklearn.utils.validation"), extra("sklearn.utils.multiclass")

from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin  # noqa: E402 -- once it is known that they are there

_KEPT = (CONFIG, CODECS, CELL, WEIGHTS, METRICS)
"""The files of a run that a fitted estimator keeps."""

_OWN = ("options", "random_state", "verbose")
"""Parameters that are no options of `unrolled train`."""


_LOADED: "WeakKeyDictionary[Network, Any]" = WeakKeyDictionary()
"""The networks of estimators that have been asked, apart from what makes these up."""


class Network(BaseEstimator):
    """What all of them share.

    Parameters are options of `unrolled train`, and None is what that takes; `options` are any others of it, by name, such as `{"clip": 0.5}`. With an integer
    as `random_state` the same weights come out each time. What was learnt are the files of a run (`run_`), so that estimators can be pickled; `trained_` is
    the network.
    """

    task: ClassVar[str]

    options: Mapping[str, Any] | None
    random_state: Any
    verbose: bool

    @property
    def trained_(self) -> Any:
        """The network, as `unrolled.load` gives it."""
        _checks.check_is_fitted(self, "run_")
        if self not in _LOADED:
            with TemporaryDirectory(prefix="unrolled-") as folder:
                for name, content in self.run_.items():
                    Path(folder, name).write_bytes(content)
                _LOADED[self] = load(folder)
        return _LOADED[self]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = self.random_state is None
        return tags

    def _learn(self, data: Any, targets: Any) -> None:
        named = {name: value for name, value in self.get_params(deep=False).items() if name not in _OWN}
        asked = {name: value for name, value in {**named, **(self.options or {})}.items() if value is not None}
        seed = int(extra("sklearn.utils").check_random_state(self.random_state).randint(2**31 - 1))
        display = display_here() if self.verbose else Silent()
        with TemporaryDirectory(prefix="unrolled-") as folder, torch.random.fork_rng(), warnings.catch_warnings():
            warnings.simplefilter("default" if self.verbose else "ignore", UnrolledWarning)
            run = Path(folder, "run")
            self._train(data, targets, out=run, display=display, **{"seed": seed, **asked})
            self.run_ = {name: (run / name).read_bytes() for name in _KEPT}
        _LOADED.pop(self, None)

    def _train(self, data: Any, targets: Any, **options: Any) -> None:
        train(self.task, data, targets, **options)


class OverSequences(Network):
    """A network that reads sequences: texts, lists of tokens, arrays `[T]` or `[T, C]` of any lengths, or one array `[N, T]` or `[N, T, C]`; also a column of
    pandas, polars or pyarrow, or a frame with one column of texts. `level` says how texts are read, as words or as characters."""

    def __init__(
        self,
        cell: Any = "lstm",
        *,
        hidden: int | None = None,
        layers: int | None = None,
        bidirectional: bool | None = None,
        embedding: int | None = None,
        dropout: float | None = None,
        level: str | None = None,
        epochs: int | None = None,
        updates: int | None = None,
        batch: int | None = None,
        learning_rate: float | None = None,
        weight_decay: float | None = None,
        held_out: float | None = None,
        patience: int | None = None,
        options: Mapping[str, Any] | None = None,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.cell, self.hidden, self.layers, self.bidirectional, self.embedding = cell, hidden, layers, bidirectional, embedding
        self.dropout, self.level, self.epochs, self.updates, self.batch = dropout, level, epochs, updates, batch
        self.learning_rate, self.weight_decay, self.held_out, self.patience = learning_rate, weight_decay, held_out, patience
        self.options, self.random_state, self.verbose = options, random_state, verbose

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = tags.input_tags.string = True
        return tags

    def _sequences(self, data: Any, *, reset: bool) -> Sequence[Any]:
        """Sequences of any lengths as they are; an array of numbers as scikit-learn checks it, each row a sequence. `ValueError` for what is none."""
        data = unpacked(data)
        if is_ragged(data):
            if not len(data):
                raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required.")
            return list(data)
        found = _checks.validate_data(self, data, reset=reset, allow_nd=True, dtype="numeric", ensure_min_samples=2 if reset else 1)
        return list(np.asarray(found, np.float64))


class SequenceClassifier(ClassifierMixin, OverSequences):
    """A label for each sequence; see `unrolled.train_classifier`. The classes are `classes_`."""

    task = "classify"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags

    def fit(self, X: Any, y: Any) -> "SequenceClassifier":
        """Learn the labels `y` `[N]` of sequences."""
        sequences, y = self._sequences(X, reset=True), _labels(y)
        _checks.check_consistent_length(sequences, y)
        self.classes_, places = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"There must be at least 2 classes, got one class: {self.classes_[0]!r}.")
        self._learn(sequences, [str(place) for place in places.tolist()])
        return self

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """The probability of each of the `classes_`, `[N, K]`."""
        trained = self.trained_
        known = trained.predict_proba(self._sequences(X, reset=False))
        found = np.zeros((len(known), len(self.classes_)))
        found[:, [int(label) for label in trained.labels]] = known
        return found / found.sum(1, keepdims=True)

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable class of each sequence, `[N]`."""
        places = self.predict_proba(X).argmax(1)
        found: NDArray[Any] = self.classes_[places]
        return found


class SequenceRegressor(RegressorMixin, OverSequences):
    """A number, or several, for each sequence or for each of its steps; see `unrolled.train_regressor`."""

    task = "regress"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.regressor_tags.poor_score = True
        return tags

    def fit(self, X: Any, y: Any) -> "SequenceRegressor":
        """Learn numbers `y`: `[N]` or `[N, K]` of sequences, or a list with `[T]` or `[T, K]` for the steps of each."""
        sequences = self._sequences(X, reset=True)
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        y = unpacked(y)
        self.single_ = not is_ragged(y) and np.asarray(y).ndim == 1
        targets = list(y) if is_ragged(y) else list(_checks.check_array(y, ensure_2d=False, dtype="numeric").astype(np.float64))
        _checks.check_consistent_length(sequences, targets)
        self._learn(sequences, targets)
        return self

    def predict(self, X: Any) -> Any:
        """The numbers of each sequence, in the shape of what was learnt; a list of those of steps."""
        found = [prediction.values for prediction in self.trained_.predict(self._sequences(X, reset=False))]
        if found and found[0].ndim == 2:
            return found
        values = np.array(found, np.float64)
        return values[:, 0] if self.single_ else values

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The share of the variance of the numbers that is predicted (R²), with the mean of it over several; of steps over those of all sequences.

        `sample_weight` `[N]` are weights of sequences. `ValueError` where a sequence has not as many true numbers as were predicted.
        """
        found, true = self.predict(X), unpacked(y)
        if isinstance(found, list):
            _checks.check_consistent_length(found, true)
            true = [_of_steps(numbers, steps.shape, place) for place, (numbers, steps) in enumerate(zip(true, found, strict=True))]
            if sample_weight is not None:
                sample_weight = np.repeat(sample_weight, [len(steps) for steps in found])
            found, true = np.concatenate(found), np.concatenate(true)
        return float(extra("sklearn.metrics").r2_score(true, found, sample_weight=sample_weight))


class SequenceTagger(OverSequences):
    """A tag for each step of a sequence; see `unrolled.train_tagger`."""

    task = "tag"

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def fit(self, X: Any, y: Any) -> "SequenceTagger":
        """Learn the tags `y` of sequences: a list with one for each step of each."""
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None.")
        sequences, y = self._sequences(X, reset=True), unpacked(y)
        _checks.check_consistent_length(sequences, y)
        self._learn(sequences, [list(tags) for tags in y])
        return self

    def predict(self, X: Any) -> list[list[Any]]:
        """The tags of each sequence, in the type that they were given in."""
        return [list(prediction.tags) for prediction in self.trained_.predict(self._sequences(X, reset=False))]

    def score(self, X: Any, y: Any) -> float:
        """The share of steps whose tag is right."""
        pairs = [pair for said, true in zip(self.predict(X), unpacked(y), strict=True) for pair in zip(said, true, strict=True)]
        return float(np.mean([str(said) == str(true) for said, true in pairs]))


def _labels(y: Any) -> NDArray[Any]:
    """Labels `[N]`, as scikit-learn checks them."""
    if y is None:
        raise ValueError("SequenceClassifier requires y to be passed, but the target y is None.")
    found: NDArray[Any] = _checks.column_or_1d(y, warn=True)
    _checks.assert_all_finite(found)
    _targets.check_classification_targets(found)
    return found


def _of_steps(numbers: Any, shape: tuple[int, ...], place: int) -> NDArray[np.float64]:
    """The true numbers of the steps of a sequence, `[T, K]`."""
    true = np.asarray(numbers, np.float64)
    if true.shape not in (shape, shape[:1] if shape[1] == 1 else shape):
        raise DataError(f"`y[{place}]` must have the numbers of {shape[0]} steps, of shape {list(shape)}, got {list(true.shape)}.")
    return true.reshape(shape)
