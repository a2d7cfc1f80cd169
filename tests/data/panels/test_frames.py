"""Data frames as tables: zones of times, the index, truth values."""

import re

import numpy as np
import pytest

from unrolled.data.panels import PanelOptions, read_panel, table_of_frame
from unrolled.data.panels.cells import labels_of
from unrolled.data.panels.covariates import LabelColumn
from unrolled.data.panels.tables import ColumnTable
from unrolled.data.panels.times import parse_times, require_same_kind
from unrolled.errors import DataError, UnrolledWarning

pandas = pytest.importorskip("pandas")
HOURS = 12


def frame(zone=None):
    """Hours of a day, in a zone or not, with a number."""
    return pandas.DataFrame({"t": pandas.date_range("2024-01-01", periods=HOURS, freq="h", tz=zone), "y": np.arange(float(HOURS))})


def texts(behind):
    """The same times as a file has them."""
    cells = np.array([f"2024-01-01T{hour:02}:00:00{behind}" for hour in range(HOURS)], object)
    return ColumnTable("t.csv", {"t": cells, "y": np.arange(float(HOURS)).astype(object)}, lambda row: f"t.csv, line {row + 2}")


@pytest.mark.parametrize("behind", ["Z", "UTC", "+00:00", " UTC"])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Madrid"])
def test_times_with_a_zone_go_on_with_those_of_a_file_in_utc(zone, behind):
    learnt, options = read_panel([texts(behind)], PanelOptions(time="t", target="y"))
    found, _ = read_panel([table_of_frame(frame(zone))], options, clock=learnt.clock)
    hour = np.timedelta64(1, "h")
    assert found.first[0] == learnt.first[0] - (hour if zone == "Europe/Madrid" else 0 * hour)
    require_same_kind(learnt.clock.style, found.clock.style, "here")


@pytest.mark.parametrize(
    ("zone", "behind", "here", "before"), [("UTC", "", "Z", "none"), (None, "Z", "none", "Z"), ("UTC", "+01:00", "Z", r"\+01:00")]
)
def test_times_in_another_zone_than_those_learnt_are_refused(zone, behind, here, before):
    learnt, options = read_panel([texts(behind)], PanelOptions(time="t", target="y"))
    with pytest.raises(DataError, match=f"the times have the zone {here} here, and {before} in what was learnt"):
        read_panel([table_of_frame(frame(zone))], options, clock=learnt.clock)


def test_frames_with_and_without_a_zone_are_not_joined():
    with pytest.raises(DataError, match="The times in the column 't' of the data frame have no zone, and others have one"):
        read_panel([table_of_frame(frame("UTC")), table_of_frame(frame())], PanelOptions(time="t", target="y"))


@pytest.mark.parametrize("periods", [False, True])
def test_times_in_the_index_are_read(periods):
    given = frame().set_index("t")
    if periods:
        given.index = given.index.to_period("h")
    panel, options = read_panel([table_of_frame(given)], PanelOptions())
    assert options.time == "t" and str(panel.clock) == "h" and panel.first[0] == np.datetime64("2024-01-01", "us")
    with pytest.raises(DataError, match="comes before"):
        read_panel([table_of_frame(given[::-1])], PanelOptions())
    given.index.name = None
    assert [*table_of_frame(given).columns] == ["time", "y"]
    given["time"] = 1.0
    assert [*table_of_frame(given).columns] == ["y", "time"]
    assert [*table_of_frame(frame()).columns] == ["t", "y"]


def test_the_style_of_times_in_a_frame_has_what_they_need():
    for step, form in (("D", "%Y-%m-%d"), ("h", "%Y-%m-%d %H:%M:%S"), ("250ms", "%Y-%m-%d %H:%M:%S.%f")):
        given = pandas.DataFrame({"t": pandas.date_range("2024-01-01", periods=5, freq=step)})
        times, style = parse_times(table_of_frame(given), "t", None)
        assert style.form == form and style.text(times[3]).startswith("2024-01-0")


@pytest.mark.parametrize("learnt", ["TRUE,FALSE", "true,false", "True,False"])
def test_truth_values_are_those_of_files_however_these_write_them(learnt):
    codec = LabelColumn.learn("holiday", np.array([*learnt.split(","), None], object))
    said = labels_of(table_of_frame(pandas.DataFrame({"holiday": [True, False]})), "holiday", "known")
    np.testing.assert_array_equal(codec.encode("holiday", said), codec.encode("holiday", np.array(learnt.split(","), object)))
    assert LabelColumn.learn("holiday", np.array(["True", "TRUE", "false"], object)).width == 1
    assert LabelColumn.learn("town", np.array(["Ulm", "ULM"], object)).labels == ("ULM", "Ulm")


@pytest.mark.parametrize(
    ("name", "cells", "told"),
    [
        ("t", [f"KW {week}/2024" for week in range(10, 16)], "'KW 10/2024' is no date in a form that is known"),
        ("at", [f"noon {hour}:30" for hour in range(6)], "'noon 0:30' is no date in a form that is known"),
        ("day", [*"abcdef"], "'a' is no date in a form that is known"),
        ("timestamp", [*range(17_000, 17_006)], "it has plain numbers, and rows are taken to be in order. Pass `time='timestamp'` if"),
    ],
)
def test_a_column_that_seems_to_have_times_and_is_not_read_is_told(name, cells, told):
    with pytest.warns(UnrolledWarning, match=re.escape(f"the column {name!r} is left out, as {told}")):
        read_panel([table_of_frame({name: cells, "y": np.arange(6.0)})], PanelOptions(target="y"))


@pytest.mark.parametrize("cells", [["model 2020"] * 6, [*"abcdef"], [2020.0] * 6, [None] * 6])
def test_nothing_is_told_of_other_columns(cells):
    _, options = read_panel([table_of_frame({"x": np.array(cells, object), "y": np.arange(6.0)})], PanelOptions(target="y"))
    assert options.time is None


def test_clocks_that_were_set_back_are_thought_of():
    local = [f"2024-10-27T{hour:02}:00" for hour in (0, 1, 2, 2, 3)]
    with pytest.raises(DataError, match=r"has a row of this time already.*Where clocks were set back, write times in UTC"):
        read_panel([table_of_frame({"t": local, "y": np.arange(5.0)})], PanelOptions())
    with pytest.raises(DataError, match=r"what becomes of several rows\.$"):
        read_panel([table_of_frame({"t": [each.replace("10-27", "07-27") for each in local], "y": np.arange(5.0)})], PanelOptions())


def test_a_rare_day_on_a_weekend_is_told():
    days = pandas.bdate_range("2024-01-01", periods=60)
    for more, frequency in ((days[:0], "B"), (pandas.DatetimeIndex(["2024-01-06"]), "D")):
        given = table_of_frame({"t": days.union(more).to_numpy(), "y": np.arange(60.0 + len(more))})
        if frequency == "B":
            assert str(read_panel([given], PanelOptions())[0].clock) == "B"
        else:
            with pytest.warns(UnrolledWarning, match="1 of 61 rows is on a weekend, so that the frequency is D"):
                read_panel([given], PanelOptions())
