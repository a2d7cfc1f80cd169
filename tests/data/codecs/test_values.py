import numpy as np
import pytest

from unrolled.data.codecs import ValueCodec
from unrolled.data.dataset import gather
from unrolled.data.examples import Example, Prediction, Target
from unrolled.errors import RunError

NUMBERS = np.ones((3, 1), np.float32)
WHOLE = [Example(str(i), numbers=NUMBERS[: i + 1], values=np.array(v)) for i, v in enumerate([[1.0, 10.0], [3.0, 30.0], [50.0, 7.0]])]
STEPS = [Example(str(i), numbers=NUMBERS[:n], values=np.arange(2.0 * n).reshape(n, 2) ** 2 + i) for i, n in enumerate((3, 1, 2))]


def test_numbers_are_standardised_by_the_training_part_and_come_back():
    dataset, part = gather(WHOLE, "word"), np.array([0, 1])
    codec = ValueCodec.learn(dataset, part, Target.VALUES)
    np.testing.assert_allclose((codec.scale.mean, codec.scale.deviation), ([2, 20], [1, 10]))
    found = codec.encode(dataset).take(np.array([2, 0]))
    np.testing.assert_allclose(found, [[48, -1.3], [-1, -1]], rtol=1e-6)
    np.testing.assert_allclose(codec.restore(found), [[50, 7], [1, 10]], rtol=1e-6)
    assert codec.numbers == 2 and codec.describe() == (
        "2 numbers for each sequence (mean 2, standard deviation 1; mean 20, standard deviation 10)"
    )


def test_numbers_of_steps_lie_one_sequence_after_the_other():
    dataset = gather(STEPS, "word")
    codec = ValueCodec.learn(dataset, np.arange(3), Target.STEP_VALUES)
    flat = np.concatenate([e.values for e in STEPS])
    np.testing.assert_allclose(codec.scale.mean, flat.mean(0))
    np.testing.assert_allclose(
        codec.restore(codec.encode(dataset).take(np.array([2, 0]))), np.concatenate([STEPS[2].values, STEPS[0].values]), atol=1e-6
    )


def test_what_is_not_said_is_not_known():
    silent = Example("4", numbers=NUMBERS[:2])
    codec = ValueCodec.learn(gather(WHOLE, "word"), np.arange(3), Target.VALUES)
    assert codec.encode(gather([*WHOLE[:2], silent], "word")).known(np.array([2, 0, 1])).tolist() == [False, True, True]
    assert codec.encode(gather([silent], "word")).known(np.array([0])).tolist() == [False]
    steps = ValueCodec.learn(gather(STEPS, "word"), np.arange(3), Target.STEP_VALUES)
    for examples in ([silent, *STEPS], [*STEPS, silent]):
        dataset = gather(examples, "word")
        place = examples.index(silent)
        known = steps.encode(dataset).known(np.arange(4))
        assert [i for i, k in enumerate(known) if not k] == [place]
        assert not steps.encode(dataset).take(np.array([place])).any()


def test_what_a_prediction_says_is_a_target():
    codec = ValueCodec.learn(gather(WHOLE, "word"), np.array([0, 1]), Target.VALUES)
    np.testing.assert_allclose(codec.supposed(Prediction(values=np.array([3.0, 10.0]))), [[1, -1]])
    steps = ValueCodec(codec.scale, Target.STEP_VALUES)
    np.testing.assert_allclose(steps.supposed(Prediction(values=np.array([[3.0, 10.0], [2.0, 20.0]]))), [[[1, -1]], [[0, 0]]])


def test_what_is_stored_is_what_was_there():
    codec = ValueCodec.learn(gather(STEPS, "word"), np.arange(3), Target.STEP_VALUES)
    again = ValueCodec.from_json(codec.to_json())
    assert again.target is Target.STEP_VALUES and again.scale.mean.tolist() == codec.scale.mean.tolist()
    for damage in (
        [],
        {"scale": codec.to_json()["scale"]},
        {**codec.to_json(), "target": "colours"},
        {**codec.to_json(), "scale": {"mean": [1]}},
    ):
        with pytest.raises(RunError):
            ValueCodec.from_json(damage)


def test_what_a_prediction_says_is_supposed_standardised():
    codec = ValueCodec.learn(gather(WHOLE, "word"), np.array([0, 1]), Target.VALUES)
    np.testing.assert_allclose(codec.supposed(Prediction(values=np.array([50.0, 7.0]))), [[48, -1.3]])
    steps = ValueCodec.learn(gather(STEPS, "word"), np.arange(3), Target.STEP_VALUES)
    values = np.array([[1.0, 2.0], [3.0, 5.0]])
    np.testing.assert_allclose(steps.supposed(Prediction(values=values))[:, 0], (values - steps.scale.mean) / steps.scale.deviation)
