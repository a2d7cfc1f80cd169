"""Forecasts as tables: names of columns, times and numbers as they are written."""

import io

import numpy as np
import pytest

from unrolled.data.panels import PanelOptions, read_panel, table_of_frame
from unrolled.tasks.forecasting.answers import SeriesForecasts
from unrolled.tasks.measures.forecasts import Forecasts


def answers(frame, *, level=1.0, steps=3, **options):
    """What comes after the series of a frame, if it is told to be around a level: its quantiles lie 0.1 and 0.2 above it."""
    panel, found = read_panel([table_of_frame(frame)], PanelOptions(**options))
    points = np.full((len(panel), steps, len(panel.targets)), level)
    times = [panel.times(number, int(end), steps) for number, end in enumerate(panel.ends)]
    return SeriesForecasts(panel, times, Forecasts(points, points[..., None] + [0.1, 0.2], (0.1, 0.9)), found, frame)


def csv_of(found):
    file = io.StringIO()
    found.write_csv(file)
    return [line.split(",") for line in file.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("begin", "step", "texts"),
    [
        (1_700_000_000_000, 7, ["1700000000070", "1700000000077", "1700000000084"]),
        (0.0, 0.1, ["1", "1.1", "1.2"]),
        (20_240_000_001, 1, ["20240000011", "20240000012", "20240000013"]),
    ],
)
def test_numeric_times_keep_their_digits(begin, step, texts):
    found = answers({"t": begin + step * np.arange(10), "y": np.arange(10.0)}, time="t", target="y")
    assert [row[0] for row in csv_of(found)[1:]] == texts == next(found.to_json())["times"]


@pytest.mark.parametrize("step", ["250ms", "7ms"])
def test_times_of_frames_keep_parts_of_seconds(step):
    times = np.datetime64("2024-01-01T00:00:00", "us") + np.arange(8) * np.timedelta64(int(step[:-2]), "ms")
    found = answers({"t": times, "y": np.arange(8.0)}, time="t", target="y")
    expected = [str(time).replace("T", " ") for time in times[-1] + np.arange(1, 4) * (times[1] - times[0])]
    assert [row[0].removesuffix("000") for row in csv_of(found)[1:]] == [time.removesuffix("000").removesuffix(".000") for time in expected]


@pytest.mark.parametrize("level", [1e9, 1e12, 1.5, 2e-7, -1e10])
def test_written_numbers_keep_what_lies_beside_their_level(level):
    rows = csv_of(answers({"t": np.arange(10), "y": np.arange(10.0)}, level=level, time="t", target="y"))
    assert float(rows[1][2]) - float(rows[1][1]) == pytest.approx(0.1, rel=1e-2)
    assert len(rows[1][1]) < 18 + len("-.")


@pytest.mark.parametrize(
    ("names", "header"),
    [
        (("target", "t"), ["target", "t", "target_", "forecast", "q0.1", "q0.9"]),
        (("forecast", "t"), ["forecast", "t", "target", "forecast_", "q0.1", "q0.9"]),
        (("shop", "q0.1"), ["shop", "q0.1", "target", "forecast", "q0.1_", "q0.9"]),
    ],
)
def test_columns_of_the_table_keep_their_names(names, header):
    series, time = names
    found = answers(
        {series: ["p"] * 9, time: np.arange(9), "a": np.arange(9.0), "b": np.arange(9.0)}, series=series, time=time, target="a,b"
    )
    columns = found.columns()
    assert [*columns] == header == csv_of(found)[0]
    assert columns[series] == ["p"] * 6 and columns[time] == [9, 10, 11] * 2 and columns[header[2]] == ["a"] * 3 + ["b"] * 3
    assert [row[1] for row in csv_of(found)[1:4]] == ["9", "10", "11"]


def test_times_with_a_zone_stay_in_it():
    polars = pytest.importorskip("polars")
    times = [f"2024-01-01T{hour:02}:00:00+02:00" for hour in range(10)]
    frame = polars.DataFrame({"t": times, "y": range(10)}).with_columns(polars.col("t").str.to_datetime(time_zone="UTC"))
    found = answers(frame, time="t", target="y")
    assert [row[0] for row in csv_of(found)[1:]] == [f"2024-01-01 {hour:02}:00:00Z" for hour in (8, 9, 10)]
    (written,) = {found.to_frame()["t"].dtype}
    assert written == polars.Datetime("us", "UTC") and found.to_frame()["t"][0] == frame["t"][9] + (frame["t"][9] - frame["t"][8])
    behind = answers({"t": times, "y": np.arange(10.0)}, time="t", target="y")
    assert csv_of(behind)[1][0] == "2024-01-01T10:00:00+02:00"
    assert behind.columns()["t"] == found.columns()["t"]
