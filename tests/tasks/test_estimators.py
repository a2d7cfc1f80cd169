"""Networks as estimators of scikit-learn."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

import unrolled as un
from unrolled.errors import ConfigError, DataError

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


@pytest.mark.parametrize("sequences", [["good", "bad"], [["a", "b"], ["c"]]])
def test_columns_say_what_lists_say(sequences):
    model = quick(un.SequenceClassifier, updates=1).fit(sequences * 3, ["p", "n"] * 3)
    said = model.predict_proba(sequences)
    for column in (pd.Series(sequences), pl.Series(sequences), pa.array(sequences), pa.chunked_array([sequences])):
        np.testing.assert_array_equal(model.predict_proba(column), said)


def test_columns_and_frames_of_texts_are_learnt():
    frame = pd.DataFrame({"text": ["good film", "bad"] * 4, "label": ["p", "n"] * 4})
    model = quick(un.SequenceClassifier, updates=1)
    assert cross_val_score(model, frame.text, frame.label, cv=2).shape == (2,)
    said = model.fit([*frame.text], [*frame.label]).run_["model.safetensors"]
    assert model.fit(frame.text, frame.label).run_["model.safetensors"] == said
    for table in (frame[["text"]], pl.DataFrame({"text": [*frame.text]}), pa.table({"text": [*frame.text]})):
        assert model.predict(table).shape == (8,)
    with pytest.raises(DataError, match="rows of 2 columns with texts"):
        model.predict(frame)
    with pytest.raises(DataError, match="got float"):
        model.predict(pd.Series(["good", float("nan")], dtype=object))


def test_tags_in_columns():
    x, y = [["a", "b"], ["b"]] * 3, [["x", "y"], ["y"]] * 3
    model = quick(un.SequenceTagger, updates=1).fit(pd.Series(x), pa.array(y))
    assert {tag for tags in model.predict(x) for tag in tags} <= {"x", "y"}
    assert model.score(pd.Series(x), pa.array(y)) == model.score(x, y)


def test_numbers_of_sequences_and_of_steps(series):
    x, _, slopes = series
    assert quick(un.SequenceRegressor).fit(x, slopes).predict(x).shape == (24,)
    assert quick(un.SequenceRegressor).fit(x, np.stack([slopes, -slopes], 1)).predict(x).shape == (24, 2)
    found = quick(un.SequenceRegressor).fit(x, [s[:, 0] for s in x]).predict(x)
    assert [len(steps) for steps in found] == [len(s) for s in x]


def test_numbers_of_steps_are_scored_over_all_of_them(series):
    x, _, _ = series
    y = [s[:, 0] for s in x]
    model = quick(un.SequenceRegressor).fit(x, y)
    steps, weights = np.concatenate(model.predict(x))[:, 0], np.arange(24.0)
    assert model.score(x, y) == pytest.approx(r2_score(np.concatenate(y), steps))
    repeated = np.repeat(weights, [len(s) for s in x])
    assert model.score(x, y, weights) == pytest.approx(r2_score(np.concatenate(y), steps, sample_weight=repeated))
    assert np.isfinite(cross_val_score(quick(un.SequenceRegressor, updates=1), x, y, cv=2)).all()
    with pytest.raises(DataError, match=r"`y\[0\]` must have the numbers of"):
        model.score(x, [y[0][:-1], *y[1:]])


def test_a_second_fit_answers_with_what_it_learnt(series):
    x, y, _ = series
    model = quick(un.SequenceClassifier, updates=1).fit(x, y)
    model.predict(x)
    again = quick(un.SequenceClassifier, updates=1, hidden=5).fit(x, y).predict_proba(x)
    np.testing.assert_array_equal(model.set_params(hidden=5).fit(x, y).predict_proba(x), again)


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


def test_forecasts_of_several_numbers_have_all_of_them():
    x = [np.stack([np.arange(n) % 5, 100 + np.arange(n) % 3], 1) for n in (20, 25)]
    found = quick(un.Forecaster, horizon=2, updates=1, held_out=None).fit(x).predict()
    assert found.shape == (2, 2, 2)
    assert (found[..., 1] > 50).all() and (found[..., 0] < 50).all()


def test_a_column_of_numbers_is_one_series():
    model = quick(un.Forecaster, horizon=2, updates=1, held_out=None)
    np.testing.assert_array_equal(model.fit(np.arange(30) % 5).predict(), model.fit(pd.Series(np.arange(30) % 5)).predict())


def test_common_options_are_parameters():
    named = {"level", "embedding", "bidirectional", "dropout", "weight_decay"}
    for kind in (un.SequenceClassifier, un.SequenceRegressor, un.SequenceTagger):
        assert named <= {*kind().get_params()}
    assert {"context", "season", "dropout"} <= {*un.Forecaster().get_params()} and "level" not in un.Forecaster().get_params()
    model = quick(un.SequenceClassifier, level="word", embedding=3, bidirectional=False, dropout=0.2).fit(["a b", "b c"] * 8, [0, 1] * 8)
    assert model.trained_.codecs.inputs.tokens.level == "word" and model.trained_.model.encoder.streams
    assert clone(model).set_params(level="char").fit(["a b", "b c"] * 8, [0, 1] * 8).trained_.codecs.inputs.tokens.level == "char"


def test_frames_of_series_are_forecast():
    days = pd.date_range("2024-01-01", periods=40)
    alone = pd.DataFrame({"day": days, "sold": np.arange(40) % 7})
    model = quick(un.Forecaster, horizon=2, updates=1, held_out=None)
    assert model.fit(alone).predict().shape == model.predict(alone).shape == (1, 2)
    frame = pd.concat([alone.assign(shop="x"), alone.assign(shop="y", sold=100 + np.arange(40) % 7)])
    several = clone(model).set_params(options={"series": "shop", "time": "day", "target": "sold"}, context=8).fit(frame)
    found = several.predict(frame)
    assert found.shape == (2, 2) and (found[0] < 50).all() and (found[1] > 50).all()
    assert -10 < several.score(frame) < 0
    with pytest.raises(ConfigError, match="2 columns of numbers, a, b"):
        clone(model).fit(pl.DataFrame({"a": range(40), "b": range(40)}))
