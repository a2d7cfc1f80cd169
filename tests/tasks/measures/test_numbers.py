import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, mean_squared_error, r2_score

from unrolled.errors import ConfigError
from unrolled.tasks.measures.numbers import score_numbers


@pytest.mark.parametrize("columns", [1, 3])
def test_measures_are_those_of_scikit_learn(columns):
    generator = np.random.default_rng(columns)
    true = generator.normal(size=(50, columns)) * [1, 5, 0.2][:columns]
    predicted, mean = true + generator.normal(size=true.shape) * 0.3, generator.normal(size=columns)
    found = score_numbers(true, predicted, mean, sequences=7, unit="steps")
    assert found.r2 == pytest.approx(r2_score(true, predicted))
    assert found.mae == pytest.approx(mean_absolute_error(true, predicted))
    assert found.rmse == pytest.approx(mean_squared_error(true, predicted) ** 0.5)
    always = np.broadcast_to(mean, true.shape)
    assert found.baseline_mae == pytest.approx(mean_absolute_error(true, always))
    assert found.baseline_rmse == pytest.approx(mean_squared_error(true, always) ** 0.5)
    assert found.to_json() == {
        **found.measures(),
        "baseline_mae": found.baseline_mae,
        "baseline_rmse": found.baseline_rmse,
        "steps": 50,
        "sequences": 7,
        "targets": {
            f"number {column + 1}": {
                "r2": pytest.approx(r2_score(true[:, column], predicted[:, column])),
                "mae": pytest.approx(mean_absolute_error(true[:, column], predicted[:, column])),
                "rmse": pytest.approx(mean_squared_error(true[:, column], predicted[:, column]) ** 0.5),
            }
            for column in range(columns)
        },
    }
    assert found.text.count("\n") == (columns if columns > 1 else 0)


@pytest.mark.parametrize(("predicted", "r2"), [([[2.0], [2.0]], 1.0), ([[2.0], [3.0]], 0.0)])
def test_a_number_that_never_changes_explains_all_or_nothing(predicted, r2):
    assert score_numbers(np.full((2, 1), 2.0), np.array(predicted), np.zeros(1)).r2 == r2
    tenths = np.full((37, 1), 0.1)
    assert score_numbers(tenths, np.full((37, 1), predicted[1][0] / 20 * (1 + 1e-15)), np.zeros(1)).r2 == r2


def test_the_picture_has_a_panel_for_each_number(tmp_path):
    true = np.arange(8.0).reshape(4, 2)
    score_numbers(true, true + 1, true.mean(0)).draw(tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ConfigError, match=r"must end in \.png, \.svg, \.pdf, got .*plot\.xyz"):
        score_numbers(true, true + 1, true.mean(0)).draw(tmp_path / "plot.xyz")
