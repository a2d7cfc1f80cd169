"""Windows of series against numbers worked out row by row, and what of them may depend on what is still to come."""

import dataclasses

import numpy as np
import pytest

from unrolled.data.panels import PanelCodec, PanelOptions, Windows, WindowShape, read_panel, table_of_frame
from unrolled.data.panels.bases import Bases, Path, centre_and_spread
from unrolled.data.panels.shape import BASES, BEST, DRIFT, LAST, MEAN, NAIVE, NOTHING
from unrolled.errors import RunError

HORIZON = 5


def panel_of(rows=60, targets=("y",), seed=0):
    """Two series with a season of 4, a trend and gaps, beside known, past and static columns."""
    chance = np.random.default_rng(seed)
    series = np.repeat(["a", "b"], rows)
    step = np.tile(np.arange(rows), 2)
    columns = {"s": series, "t": np.datetime64("2024-01-01") + step}
    for number, name in enumerate(targets):
        y = 10 + number + 3 * np.sin(np.pi * step / 2) + 0.1 * step + chance.normal(size=2 * rows)
        columns[name] = np.where(chance.random(2 * rows) < 0.1, np.nan, y)
    columns |= {"k": chance.normal(size=2 * rows), "p": chance.normal(size=2 * rows), "w": chance.choice(["x", "y", "z"], 2 * rows)}
    columns |= {"c": np.where(series == "a", "one", "two")}
    options = PanelOptions(series="s", time="t", target=",".join(targets), known="k,w", past="p", static="c")
    return read_panel([table_of_frame(columns)], options)


def windows_of(shape, **about):
    panel, options = panel_of(**about)
    codec = PanelCodec.learn(panel, np.ones(len(panel.values), bool), options, 30)
    return Windows(panel.with_future(shape.horizon), codec, shape)


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("recursive", [False, True])
def test_targets_above_their_base_are_the_numbers_that_came(base, recursive):
    windows = windows_of(WindowShape(12, HORIZON, (4, 7), base, recursive), targets=("y", "z"))
    series, origins = np.array([0, 1, 1]), np.array([40, 3, 60])
    found = windows.get(series, origins)
    said = found.targets * found.scale + found.base
    assert found.numbers.shape == (12 + HORIZON, 3, windows.width) and np.isfinite(found.numbers).all()
    for row, (number, origin) in enumerate(zip(series, origins, strict=True)):
        for step in range(-12 if recursive else 0, HORIZON):
            inside = 0 <= origin + step < 60
            true = windows.panel.history(number)[origin + step] if inside else [np.nan, np.nan]
            np.testing.assert_allclose(said[step + (12 if recursive else 0), row], true, rtol=1e-9)


def test_what_is_read_by_hand():
    windows = windows_of(WindowShape(12, HORIZON, (4,), NAIVE))
    origin = 40
    found = windows.get(np.array([0]), np.array([origin]))
    y = windows.panel.history(0)[:, 0]
    context = y[origin - 12 : origin]
    mean, deviation = np.nanmean(context), np.nanstd(context)
    measured = panel_of()[0].past["p"]
    columns = (measured - measured.mean()) / measured.std()
    # The error of repeating the season before, over as many seasons as are looked at.
    scale = np.nanmean(np.abs(y[origin - 16 : origin] - y[origin - 20 : origin - 4]))
    np.testing.assert_allclose(found.scale[0, 0], scale)
    for step in range(-12, HORIZON):
        own, there, base, above, naive, _, season, last, flat, size, since, past = found.numbers[step + 12, 0, :12]
        seen = step < 0 and not np.isnan(y[origin + step])
        back = 4 if step < 4 else 8
        before = [y[origin + step - back - 4 * times] for times in range(4)]
        # Where the season before is missing, others stand in.
        expected = before[0] if not np.isnan(before[0]) else base * deviation + mean
        until = y[: origin + min(step, 0)]
        for read, true in (
            (own, (y[origin + step] - mean) / deviation if seen else 0),
            (base, (expected - mean) / deviation),
            (above, (y[origin + step] - expected) / scale if seen else 0),
            (naive, 0 if np.isnan(before[0]) else (before[0] - expected) / scale),
            (season, (np.nanmean(before) - expected) / scale),
            (last, (until[~np.isnan(until)][-1] - expected) / scale),
            (flat, (mean - expected) / scale),
            (size, np.log(scale / deviation)),
            (since, np.log1p(np.flatnonzero(~np.isnan(y[: origin + min(step + 1, 0)][::-1]))[0] + max(step + 1, 0))),
            (past, columns[origin + step] if step < 0 else 0),
        ):
            np.testing.assert_allclose(read, np.clip(true, -10, 10), rtol=1e-5, atol=1e-6)
        assert there == seen
        if step >= 0:
            np.testing.assert_allclose(found.base[step, 0, 0], expected, rtol=1e-6)
    assert found.numbers[:, 0, -1].tolist() == pytest.approx([0.0] * 12 + [(step + 1) / HORIZON for step in range(HORIZON)])


def test_a_longer_season_is_moved_on_by_what_the_shorter_one_has_changed():
    y = np.random.default_rng(0).normal(size=60).cumsum()
    panel, options = read_panel([table_of_frame({"y": y})], PanelOptions(target="y"))
    windows = Windows(panel.with_future(6), PanelCodec.learn(panel, np.ones(60, bool), options, 30), WindowShape(8, 6, (4, 12), NAIVE))
    path = windows.get(np.array([0]), np.array([60])).path
    changed = windows.bases.simple(Path(path))[4, 0, -6:, 0]
    long, short = path[0, :, 0][-18:-6], path[0, :, 0][-10:-6]
    then = path[0, :, 0][-22:-18]
    np.testing.assert_allclose(changed, [long[at] - then[at % 4] + short[at % 4] for at in range(6)])


def test_bases_by_hand():
    y = np.arange(1.0, 41.0) ** 2
    panel, options = read_panel([table_of_frame({"y": y})], PanelOptions(target="y"))
    codec = PanelCodec.learn(panel, np.ones(40, bool), options, 30)

    def base(kind):
        return Windows(panel.with_future(6), codec, WindowShape(8, 6, (4,), kind)).get(np.array([0]), np.array([30])).base[:, 0, 0]

    def level(end):
        return y[end - 4 : end].mean()

    np.testing.assert_allclose(base(NOTHING), y[22:30].mean())
    np.testing.assert_allclose(base(LAST), y[29])
    np.testing.assert_allclose(base(NAIVE), [*y[26:30], *y[26:28]])
    np.testing.assert_allclose(base(MEAN), [np.mean([y[26 + at % 4 - 4 * times] for times in range(4)]) for at in range(6)])
    drift = level(30) - level(26)
    np.testing.assert_allclose(base(DRIFT), [*(y[26:30] + drift), *(y[26:28] + 2 * drift)])
    past = np.arange(14, 30)
    # A window begins at row 6, and of a season it must know half.
    means = [np.mean([y[t - back] for back in (4, 8, 12, 16) if t - back >= 6]) for t in past]
    levels = {end: y[max(end - 4, 6) : end].mean() if end >= 8 else np.nan for end in range(7, 31)}
    drifts = [y[t - 4] + levels[t - 3] - levels[t - 7] for t in past]
    errors = {
        NAIVE: np.abs(y[past] - y[past - 4]).mean(),
        DRIFT: np.nanmean(np.abs(y[past] - drifts)),
        MEAN: np.abs(y[past] - means).mean(),
        LAST: np.mean([np.abs(y[past] - y[past - back]).mean() for back in (1, 2, 4, 5, 6)]),
        NOTHING: np.abs(y[past] - y[22:30].mean()).mean(),
    }
    weights = {kind: error**-4 for kind, error in errors.items()}
    expected = sum(weight * base(kind) for kind, weight in weights.items()) / sum(weights.values())
    np.testing.assert_allclose(base(BEST), expected, rtol=1e-6)


def test_of_steps_far_back_some_stand_for_those_beside_them():
    """Repeating the season of 99 errs by 5 at the 12 steps that are read, and by 1 at those before, of which every fourth is compared: 3 divides a season."""
    bases = Bases(WindowShape(11, 6, (99,), NAIVE))
    y = np.zeros((1, 396 + 11 + 6, 1))
    for step in range(99, y.shape[1]):
        y[:, step] = y[:, step - 99] + (5 if step >= 396 - 1 else 1)
    path = Path(y)
    _, error = bases.weigh(path, bases.simple(path, bases.near))
    # The season before the first 88 steps lies before the path.
    np.testing.assert_allclose(error, [[(396 - 12 - 88 + 12 * 5) / (396 - 88)]])
    assert bases._far.step == 4


@pytest.mark.parametrize("poison", [np.nan, 1e30])
@pytest.mark.parametrize("base", [BEST, NOTHING])
def test_nothing_but_targets_knows_what_is_still_to_come(poison, base):
    windows = windows_of(WindowShape(12, HORIZON, (4,), base))
    series, origins = np.array([0, 1]), np.array([40, 33])
    clean = windows.get(series, origins)
    values, past = windows.panel.values.copy(), windows.panel.past["p"].copy()
    for number, origin in zip(series, origins, strict=True):
        begin, end = windows.panel.starts[number] + origin, windows.panel.starts[number + 1]
        values[begin:end], past[begin:end] = poison, poison
    panel = dataclasses.replace(windows.panel, values=values, past={"p": past})
    plain, options = panel_of()
    codec = PanelCodec.learn(plain, np.ones(len(plain.values), bool), options, 30)
    poisoned = Windows(panel, codec, windows.shape).get(series, origins)
    for field in ("numbers", "base", "scale", "centre", "spread", "path", "weights"):
        np.testing.assert_array_equal(getattr(clean, field), getattr(poisoned, field), err_msg=field)
    assert not np.array_equal(clean.targets, poisoned.targets)


def test_what_is_learnt_of_columns_is_that_of_the_learnt_rows():
    panel, options = panel_of()
    learnt = np.tile(np.arange(60) < 50, 2)
    poisoned = dataclasses.replace(panel, known={**panel.known, "k": np.where(learnt, panel.known["k"], 1e9)})
    codecs = [PanelCodec.learn(each, learnt, options, 30) for each in (panel, poisoned)]
    assert codecs[0].known == codecs[1].known


def test_targets_end_where_learning_ends():
    windows = windows_of(WindowShape(12, HORIZON, (4,), BEST))
    found = windows.get(np.array([0]), np.array([40]), np.array([42]))
    assert np.isnan(found.targets[2:]).all()
    assert np.array_equal(windows.get(np.array([0]), np.array([40])).targets[:2], found.targets[:2], equal_nan=True)


def test_constant_and_empty_contexts_have_a_scale():
    for y in (np.full(40, 7.0), np.zeros(40), np.r_[np.full(30, np.nan), np.arange(10.0)]):
        panel, options = read_panel([table_of_frame({"y": np.r_[1.0, y]})], PanelOptions(target="y"))
        codec = PanelCodec.learn(panel, np.ones(41, bool), options, 30)
        found = Windows(panel.with_future(4), codec, WindowShape(8, 4, (4,), BEST)).get(np.array([0]), np.array([25]))
        assert (found.scale > 0).all() and np.isfinite(found.base).all() and np.isfinite(found.numbers).all()


def test_a_path_that_is_filled_step_by_step_reads_what_teacher_forcing_reads():
    windows = windows_of(WindowShape(12, HORIZON, (4, 7), BEST, recursive=True), targets=("y", "z"))
    window = windows.get(np.array([0, 1]), np.array([40, 33]))
    path = window.path.copy()
    for step in range(12, 12 + HORIZON):
        place = path.shape[1] - HORIZON + step - 12
        hidden = path.copy()
        hidden[:, place:] = np.nan
        numbers, base = windows.refill(window, hidden, step)
        np.testing.assert_array_equal(numbers, window.numbers[step])
        np.testing.assert_allclose(base, window.base[step], rtol=1e-12)


def test_codecs_come_back_from_json_and_damage_is_refused():
    panel, options = panel_of()
    codec = PanelCodec.learn(panel, np.ones(len(panel.values), bool), options, 30)
    again = PanelCodec.from_json(codec.to_json())
    assert again.to_json() == codec.to_json() and again.tail.names == ("a", "b")
    np.testing.assert_array_equal(again.tail.values, panel.last(30).values)
    np.testing.assert_array_equal(again.future(again.tail), codec.future(codec.tail))
    for name, value in (("clock", {}), ("targets", None), ("tail", {}), ("known", {"k": {"mean": 0}})):
        with pytest.raises(RunError, match="damaged or foreign"):
            PanelCodec.from_json({**codec.to_json(), name: value})
    with pytest.raises(RunError, match="packed numbers"):
        PanelCodec.from_json({**codec.to_json(), "tail": {**codec.to_json()["tail"], "values": "cut"}})


@pytest.mark.parametrize("level", [1e6, 1e10, 1e12, -1e12])
def test_what_varies_a_little_on_a_high_level_is_not_constant(level):
    wave = np.sin(np.arange(24.0))[None, :, None]
    centre, spread = centre_and_spread(level + 5 * wave, counts=False)
    assert centre[0, 0] == pytest.approx(level) and spread[0, 0] == pytest.approx(5 * wave.std(), rel=1e-3)
    for flat in (level, 0.1 * level, 1 / level):
        assert centre_and_spread(np.full((1, 513, 1), flat), counts=False)[1][0, 0] == pytest.approx(abs(flat))
