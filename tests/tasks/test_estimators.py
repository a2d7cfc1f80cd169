"""Networks as estimators of scikit-learn."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

import unrolled as un

SMALL = {"hidden": 4, "updates": 3, "batch": 16, "held_out": 0.0, "random_state": 0}


def quick(kind, **options):
    return kind(**{**SMALL, **options})


@parametrize_with_checks(
    [quick(un.SequenceClassifier, random_state=None, updates=1), quick(un.SequenceRegressor, random_state=None, updates=1)]
)
def test_it_is_an_estimator(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def series():
    """Ragged series, whose label is whether they rise, and whose number is their slope."""
    chance = np.random.default_rng(0)
    slopes = chance.normal(size=24)
    found = [(slope * np.arange(n) + chance.normal(size=n))[:, None] for slope, n in zip(slopes, chance.integers(3, 9, 24), strict=True)]
    return found, np.where(slopes > 0, "up", "down"), slopes


def test_cross_validation_and_search_over_ragged_series(series):
    x, y, _ = series
    assert cross_val_score(quick(un.SequenceClassifier), x, y, cv=3).shape == (3,)
    search = GridSearchCV(quick(un.SequenceClassifier), {"hidden": [2, 3], "cell": ["gru"]}, cv=2).fit(x, y)
    assert search.best_params_["hidden"] in (2, 3)
    assert search.predict(x[:3]).shape == (3,)


def test_a_random_state_gives_the_same_weights_twice_and_pickles_say_the_same(series):
    x, y, _ = series
    first = quick(un.SequenceClassifier).fit(x, y)
    same, other = clone(first).fit(x, y), quick(un.SequenceClassifier, random_state=1).fit(x, y)
    assert same.run_["model.safetensors"] == first.run_["model.safetensors"] != other.run_["model.safetensors"]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(first)).predict_proba(x), first.predict_proba(x))


def test_pipelines_of_texts():
    texts, labels = ["GOOD film", "bad film"] * 8, ["pos", "neg"] * 8
    lower = FunctionTransformer(lambda texts: [text.lower() for text in texts])
    model = make_pipeline(lower, quick(un.SequenceClassifier, updates=25, learning_rate=0.05, options={"dropout": 0.0})).fit(texts, labels)
    assert model.predict(["Good film", "BAD film"]).tolist() == ["pos", "neg"]


def test_numbers_of_sequences_and_of_steps(series):
    x, _, slopes = series
    assert quick(un.SequenceRegressor).fit(x, slopes).predict(x).shape == (24,)
    assert quick(un.SequenceRegressor).fit(x, np.stack([slopes, -slopes], 1)).predict(x).shape == (24, 2)
    found = quick(un.SequenceRegressor).fit(x, [s[:, 0] for s in x]).predict(x)
    assert [len(steps) for steps in found] == [len(s) for s in x]


def test_tags():
    x, y = [["a", "b"], ["b", "b", "a"]] * 6, [["x", "y"], ["y", "y", "x"]] * 6
    model = quick(un.SequenceTagger, updates=25, learning_rate=0.05, options={"dropout": 0.0, "word_dropout": 0.0}).fit(x, y)
    assert model.predict([["b", "a"]]) == [["y", "x"]]
    assert model.score(x, y) == 1
    assert cross_val_score(quick(un.SequenceTagger), x, y, cv=2).shape == (2,)


def test_forecasts():
    x = [np.sin(np.arange(n) / 2) for n in (40, 50)]
    model = quick(un.Forecaster, horizon=3, held_out=None).fit(x)
    assert model.predict().shape == model.predict(x).shape == (2, 3)
    np.testing.assert_allclose(model.predict(), model.predict(x), atol=1e-6)
    assert -5 < model.score(x) < 0
    assert clone(model).get_params()["horizon"] == 3
