"""Tables of series, as they come and as they should not."""

import numpy as np
import pytest

from unrolled.data.panels import PanelOptions, read_panel, table_of_frame
from unrolled.data.panels.tables import read_table
from unrolled.errors import ConfigError, DataError, UnrolledWarning


def read(tmp_path, text, name="t.csv", **options):
    (tmp_path / name).write_text(text)
    reading = PanelOptions(**options)
    return read_panel([read_table(tmp_path / name, "utf-8", reading.bad_rows)], reading)[0]


def test_rows_of_several_series_stand_on_one_grid_each(tmp_path):
    text = "shop,day,sold,rain\nb,2024-01-03,5,1\na,2024-01-01,1,0\na,2024-01-02,,1\nb,2024-01-04,6,0\na,2024-01-05,4,1\na,2024-01-06,,0\n"
    panel = read(tmp_path, text, series="shop", time="day", target="sold", known="rain", frequency="D")
    assert panel.names == ("b", "a") and panel.targets == ("sold",)
    np.testing.assert_array_equal(panel.history(1)[:, 0], [1, np.nan, np.nan, np.nan, 4])
    assert panel.sizes.tolist() == [2, 6] and panel.ends.tolist() == [2, 5]  # 2024-01-06 is known, and has not come yet
    np.testing.assert_array_equal(panel.known["rain"], [1, 0, 0, 1, np.nan, np.nan, 1, 0])
    assert panel.times(1, 4, 3).astype("datetime64[D]").astype(str).tolist() == ["2024-01-05", "2024-01-06", "2024-01-07"]


def test_what_is_open_is_found_out(tmp_path):
    (tmp_path / "t.csv").write_text("id,Month,Passengers\n0,1949-01,112\n1,1949-02,118\n2,1949-03,132\n")
    panel, found = read_panel([read_table(tmp_path / "t.csv", "utf-8")], PanelOptions())
    assert (found.layout, found.time, found.target, str(panel.clock)) == ("long", "Month", "Passengers", "MS")


@pytest.mark.parametrize(("begin", "digits"), [(1949, 4), (1949, 2), (1958.2027, 4)])
def test_decimal_years_a_twelfth_apart_are_months(tmp_path, begin, digits, recwarn):
    """At the beginning of months, and in their middle, as of 1958.2027, where steps are as long as months."""
    days = np.resize([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], 150).cumsum() / 365
    years = begin + (np.arange(150) / 12 if begin == 1949 else days)
    text = "year,y\n" + "".join(f"{year:.{digits}f},{at}\n" for at, year in enumerate(years))
    panel = read(tmp_path, text, time="year")
    assert (str(panel.clock), panel.clock.frequency.seasons) == ("MS", (12,)) and panel.ends.tolist() == [150]
    assert not recwarn or begin != 1949
    if begin == 1949:
        assert [panel.clock.style.text(time) for time in panel.times(0, 0, 4)] == ["1949", "1949.0833", "1949.1667", "1949.25"]
        assert panel.clock.grid(1949.0833, 3).tolist() == [1949.0833, 1949.1667, 1949.25]
        assert digits == 2 or read(tmp_path, text.replace("\n1", "\n"), time="year").clock.frequency is None


def test_a_series_in_each_column_or_row(tmp_path):
    columns = read(tmp_path, "time,a,b\n2024-01-01,1,\n2024-01-02,2,7\n2024-01-03,,8\n", layout="columns")
    assert columns.names == ("a", "b") and columns.ends.tolist() == [2, 2]
    assert str(columns.first[1].astype("datetime64[D]")) == "2024-01-02"
    rows = read(tmp_path, '"V1","V2","V3","V4"\n"H1","5","6",""\n"H2",1,,3\n', frequency="h")
    assert rows.names == ("H1", "H2") and rows.clock.frequency.seasons == (24, 168)
    np.testing.assert_array_equal(rows.values[:, 0], [5, 6, 1, np.nan, 3])
    dated = read(tmp_path, "shop,2024-01,2024-02,2024-03\nx,1,2,3\n")
    assert dated.names == ("x",) and str(dated.clock) == "MS"


def test_tables_go_on_where_others_end(tmp_path):
    for name, cells in (("one.csv", "H1,1,2\nH2,3,4\n"), ("two.csv", "H1,5,6\nH2,7,8\n")):
        (tmp_path / name).write_text("V1,V2,V3,\n".replace(",\n", "\n") + cells)
    tables = [read_table(tmp_path / name, "utf-8") for name in ("one.csv", "two.csv")]
    panel, _ = read_panel(tables, PanelOptions(layout="rows"))
    np.testing.assert_array_equal(panel.values[:, 0], [1, 2, 5, 6, 3, 4, 7, 8])


@pytest.mark.parametrize(
    ("times", "style"),
    [
        (["2024-01-01T00:00:00Z", "2024-01-01T01:00:00Z"], "2024-01-01T02:00:00Z"),
        (["2024-01-01 00:00", "2024-01-01 01:00"], "2024-01-01 02:00"),
        (["Jan 1 2000", "Feb 1 2000"], "Mar 01 2000"),
        (["31.01.2024", "01.02.2024"], "02.02.2024"),
        (["2023Q3", "2023Q4"], "2024Q1"),
        (["2023-Q3", "2023-Q4"], "2024-Q1"),
        (["Q3 2023", "Q4 2023"], "Q1 2024"),
        (["20231230", "20231231"], "20240101"),
        (["202311", "202312"], "202401"),
        (["2023M11", "2023M12"], "2024M01"),
        (["11/2023", "12/2023"], "01/2024"),
        (["Nov 2023", "Dec 2023"], "Jan 2024"),
        (["2023-W51", "2023-W52"], "2024-W01"),
        (["2023123122", "2023123123"], "2024010100"),
        (["20231231T2200", "20231231T2300"], "20240101T0000"),
        (["20231231T220000Z", "20231231T230000Z"], "20240101T000000Z"),
        (["20231231 22:00", "20231231 23:00"], "20240101 00:00"),
        (["31 Dec 2023 22:00", "31 Dec 2023 23:00"], "01 Jan 2024 00:00"),
        (["2023", "2024"], "2025"),
        (["202300", "202301"], "202302"),
        (["1600000000", "1600000001"], "1600000002"),
        (["1", "3"], "5"),
        (["0.5", "0.75"], "1"),
    ],
)
def test_times_are_read_and_written_in_one_style(tmp_path, times, style):
    panel = read(tmp_path, "t,y\n" + "".join(f"{time},{at}\n" for at, time in enumerate(times)), time="t", target="y")
    assert panel.clock.style.text(panel.times(0, 2, 1)[0]) == style


@pytest.mark.parametrize(
    ("first", "frequency"),
    [
        (["2023Q1", "2023Q2", "2023Q3", "2023Q4"], "QS"),
        (["202301", "202302", "202303", "202304"], "MS"),
        (["20230101", "20230102", "20230103", "20230104"], "D"),
        (["20230101T00", "20230101T01", "20230101T02", "20230101T03"], "h"),
    ],
)
def test_columns_and_headers_of_dates_are_found_however_these_are_written(tmp_path, first, frequency):
    assert str(read(tmp_path, "when,y\n" + "".join(f"{time},{at}\n" for at, time in enumerate(first))).clock) == frequency
    assert str(read(tmp_path, f"name,{','.join(first)}\nx,1,2,3,5\n").clock) == frequency


def test_digits_that_may_be_numbers_are_no_dates_by_themselves(tmp_path):
    for times in (["20230101"] * 4, ["20230101", "20230102", "20230103"], ["202301", "202302", "202303", "202300"]):
        with pytest.raises(ConfigError, match="2 columns of numbers, when, y"):
            read(tmp_path, "when,y\n" + "".join(f"{time},{at}\n" for at, time in enumerate(times)))


def test_times_in_no_known_form_are_told_and_not_passed_over(tmp_path):
    text = "Month,y\n" + "".join(f"{month}-00,{at}\n" for at, month in enumerate(("Jan", "Feb", "Mar")))
    with pytest.warns(UnrolledWarning, match=r"t.csv: the column 'Month' is left out, as 'Jan-00' .*`time='Month'` with `time_format`"):
        assert str(read(tmp_path, text).clock) == "every 1"
    assert str(read(tmp_path, text, time="Month", time_format="%b-%y").clock) == "MS"


def test_business_days_have_no_gaps_on_weekends(tmp_path):
    days = np.busday_offset("2024-05-01", range(12))
    panel = read(tmp_path, "t,y\n" + "".join(f"{day},1\n" for day in days if str(day) != "2024-05-08"), target="y")
    assert str(panel.clock) == "B" and len(panel.values) == 12
    assert np.flatnonzero(np.isnan(panel.values[:, 0])).tolist() == [5]


def test_times_beside_the_grid_go_to_the_nearest_step_which_is_told(tmp_path):
    times = ["2024-01-01 00:00:00", "2024-01-01 01:00:00", "2024-01-01 02:00:03", "2024-01-01 03:00:00", "2024-01-01 04:00:00"]
    text = "t,y\n" + "".join(f"{time},{at}\n" for at, time in enumerate(times))
    with pytest.warns(UnrolledWarning, match="1 of 5 rows do not lie on the steps of the frequency h"):
        panel = read(tmp_path, text, frequency="h")
    assert panel.values[:, 0].tolist() == [0, 1, 2, 3, 4]


IRREGULAR = "t,y,k,w\n" + "".join(
    f"2024-01-01T{time},{cells}\n"
    for time, cells in (("00:40:10", "1,10,a"), ("00:55:00", "2,20,b"), ("00:55:00", ",30,"), ("02:00:00", "4,,c"), ("05:59:59", "8,50,"))
)


@pytest.mark.parametrize(
    ("merge", "y", "k"),
    [("mean", [1.5, 4, 8], [20, np.nan, 50]), ("sum", [3, 4, 8], [20, np.nan, 50]), ("last", [2, 4, 8], [30, np.nan, 50])],
)
def test_irregular_times_become_steps_of_which_some_say_nothing(tmp_path, merge, y, k):
    panel = read(tmp_path, IRREGULAR, target="y", known="k,w", frequency="h", merge=merge)
    assert str(panel.first[0]) == "2024-01-01T00:00:00.000000" and panel.ends.tolist() == [6]
    gaps = [np.nan] * 2
    np.testing.assert_array_equal(panel.values[:, 0], [y[0], np.nan, y[1], *gaps, y[2]])
    np.testing.assert_array_equal(panel.known["k"], [k[0], np.nan, k[1], *gaps, k[2]])
    assert panel.known["w"].tolist() == ["b", None, "c", None, None, None]


def test_irregular_times_are_told_to_be_merged(tmp_path):
    for options, match in (
        ({}, "has a row of this time already.*`merge`"),
        ({"frequency": "h", "merge": "median"}, "`merge` must be one of mean, sum, last, got 'median'"),
    ):
        with pytest.raises((DataError, ConfigError), match=match):
            read(tmp_path, IRREGULAR, target="y", **options)
    uneven = IRREGULAR.replace("00:55:00,,30", "00:55:37,,30")
    with pytest.raises(DataError, match=r"no common step.*`frequency`.*`merge`"):
        read(tmp_path, uneven, target="y")
    with pytest.raises(DataError, match=r"one step of the frequency h.*`merge`"):
        read(tmp_path, uneven, target="y", frequency="h")
    with pytest.raises(DataError, match="comes before that of the row before it"):
        read(tmp_path, IRREGULAR + "2024-01-01T05:00:00,1,1,a\n", target="y", frequency="h", merge="mean")
    numbered = read(tmp_path, "t,y\n0,1\n2,2\n2,4\n3,6\n5,7\n", time="t", target="y", merge="mean")
    np.testing.assert_array_equal(numbered.values[:, 0], [1, 4, 7])


ROWS = "s,t,y,k\na,2024-01-01,1,x\na,2024-01-02,2,x\na,2024-01-03,3,x\n"
BAD = [
    (ROWS + "a,2024-01-02,9,x\n", {}, DataError, r"line 5 \(2024-01-02\): this time comes before that of the row before it, .*line 4"),
    (ROWS + "a,2024-01-03,9,x\n", {}, DataError, r"line 5 .* has a row of this time already, .*line 4"),
    (ROWS.replace("-02,", "-02Z,"), {}, DataError, "line 3.*has Z, and the first time, '2024-01-01', has none.*one zone"),
    (ROWS.replace("2024-01-02", "soon"), {}, DataError, "line 3: the time, t, 'soon' is not written as the first one"),
    (ROWS.replace("2024-01-02", "2024-13-02"), {}, DataError, "line 3.*is no date"),
    (ROWS.replace("2024-01-02", ""), {}, DataError, "line 3: the time, t, is empty"),
    (ROWS.replace(",2,", ",two,"), {}, DataError, "line 3: y must be a number, got 'two'.*`missing`"),
    (ROWS.replace(",2,", ",inf,"), {}, DataError, "line 3: y is infinite"),
    (ROWS.replace(",2,", ",-1e300,"), {}, DataError, r"line 3: y is -1e\+300, .* at most 1e\+30 from 0.*divide the column"),
    (ROWS.replace("2,x", "2,1e31").replace(",x", ",1"), {"known": "k"}, DataError, r"line 3: k is 1e\+31"),
    (ROWS.replace("2,x", "2,1e31").replace(",x", ",1"), {"past": "k"}, DataError, r"line 3: k is 1e\+31"),
    (ROWS.replace("a,2024-01-02", ",2024-01-02"), {}, DataError, "line 3, s: the cell is empty"),
    (ROWS.replace("2,x", "2,z"), {"static": "k"}, DataError, "line 3: k is z here and x in the first row of the series 'a'"),
    (ROWS, {"known": "nope"}, ConfigError, "no column 'nope'.*`known`"),
    (ROWS, {"known": "y"}, ConfigError, "'y' is named as `target` and as `known`"),
    (ROWS.replace(",1,", ",,").replace(",2,", ",,").replace(",3,", ",,"), {}, DataError, "No series has a number to forecast"),
    ("s,t,y\n", {}, DataError, "has no rows"),
    (ROWS.replace("-03", "-04T12:00:00"), {"frequency": "2D"}, DataError, "lie on one step of the frequency 2D.*finer `frequency`"),
    (ROWS.replace("2024-01-03", "2054-01-03"), {"frequency": "s"}, DataError, "there are .* steps of the frequency s"),
    (ROWS, {"frequency": "fortnight"}, ConfigError, "`frequency` must be one of"),
    (ROWS, {"layout": "sideways"}, ConfigError, "`layout` must be one of"),
    (ROWS, {"holidays": "2024-02-30"}, ConfigError, "`holidays` must be days"),
]


@pytest.mark.parametrize(("text", "options", "error", "match"), BAD)
def test_what_is_wrong_with_a_table_is_told_with_its_row(tmp_path, text, options, error, match):
    with pytest.raises(error, match=match):
        read(tmp_path, text, **{"series": "s", "time": "t", "target": "y", **options})


@pytest.mark.parametrize(
    "bad", ["a,2024-01-02,2,x,x", "a,2024-01-02,two,x", "a,2024-01-02,inf,x", "a,soon,2,x", "a,,2,x", ",2024-01-02,2,x"]
)
@pytest.mark.parametrize("line", [2, 3])
def test_bad_rows_can_be_left_out_which_is_told(tmp_path, bad, line):
    rows = ["s,t,y,k", "a,2024-01-01,1,x", "a,2024-01-03,3,x", "a,2024-01-04,4,x"]
    text = "\n".join([*rows[: line - 1], bad, *rows[line - 1 :]]) + "\n"
    with pytest.warns(UnrolledWarning, match=rf"1 bad row is left out\. The first: .*line {line}"):
        panel = read(tmp_path, text, series="s", time="t", target="y", frequency="D", bad_rows="skip")
    np.testing.assert_array_equal(panel.values[:, 0], [1, np.nan, 3, 4])
    with pytest.raises(DataError, match=f"line {line}"):
        read(tmp_path, text, series="s", time="t", target="y")


def test_series_in_rows_and_columns_are_left_out_or_have_gaps(tmp_path):
    with pytest.warns(UnrolledWarning, match=r"1 bad row is left out.*line 3"):
        assert read(tmp_path, "V1,V2,V3,V4\nH1,5,6,7\nH2,1,x,3\nH3,1,2,3\n", layout="rows", bad_rows="skip").names == ("H1", "H3")
    with pytest.warns(UnrolledWarning, match=r"1 bad row is left out.*line 3"):
        panel = read(tmp_path, "t,y,z\n1,5,6\n2,x,6\n3,7,8\n4,7,8\n", time="t", layout="columns", bad_rows="skip")
    np.testing.assert_array_equal(panel.values[:, 0], [5, np.nan, 7, 7, 6, np.nan, 8, 8])
    with pytest.raises(DataError, match="Nothing is left"):
        read(tmp_path, "t,y\n1,x\n2,x\n", time="t", target="y", bad_rows="skip")
    with pytest.raises(ConfigError, match="`bad_rows='skip'` leaves rows out, and without times"):
        read(tmp_path, "y\n1\nx\n3\n", target="y", bad_rows="skip")


def test_which_column_is_meant_must_be_clear(tmp_path):
    with pytest.raises(ConfigError, match=r"has 2 columns of numbers, y, z\. Pass those to forecast as `target`, or `layout='columns'`"):
        read(tmp_path, "t,y,z\n2024-01-01,1,2\n2024-01-02,1,2\n")
    with pytest.raises(ConfigError, match="no column of numbers"):
        read(tmp_path, "t,y\n2024-01-01,a\n2024-01-02,b\n")


@pytest.mark.parametrize("role", ["known", "past"])
def test_a_column_cannot_be_the_target_and_something_else(tmp_path, role):
    with pytest.raises(
        ConfigError, match=rf"the column 'y' is the only one of numbers, .* both `{role}` and the target. Leave `{role}` out"
    ):
        read(tmp_path, "t,y,k\n2024-01-01,1,a\n2024-01-02,2,b\n", **{role: "k,y"})


@pytest.mark.parametrize("options", [{"target": "y"}, {"past": "n"}, {"target": "n", "known": "y"}, {"layout": "columns", "target": None}])
def test_decimal_commas_beside_points_are_told(tmp_path, options):
    text = "t;y;s;n\n2024-01-01;-1,5;a,5;1\n2024-01-02;1.75;b;2\n"
    with pytest.raises(DataError, match=r"line 2: y must be a number, got '-1,5'. Write numbers with a decimal point"):
        read(tmp_path, text, **options)
    with pytest.raises(ConfigError, match=r"has 2 columns of numbers, y, n\. Pass those"):
        read(tmp_path, text)
    with pytest.raises(DataError, match=r"line 2: s must be a number, got 'a,5'. Mend the cell"):
        read(tmp_path, text, target="s")


def test_text_that_stands_for_nothing_can_be_named(tmp_path):
    panel = read(tmp_path, "t,y\n2024-01-01,1\n2024-01-02,X\n2024-01-03,NA\n2024-01-04,4\n", target="y", missing="X")
    np.testing.assert_array_equal(panel.values[:, 0], [1, np.nan, np.nan, 4])


def test_a_series_without_numbers_is_left_out_which_is_told(tmp_path):
    with pytest.warns(UnrolledWarning, match="1 of 2 series have no number at all and are left out: b"):
        assert read(tmp_path, "s,y\na,1\nb,\na,2\n", series="s", target="y").names == ("a",)


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow", "mapping"])
def test_data_frames_are_read_as_files_are(tmp_path, kind):
    times = np.arange("2024-01-01", "2024-01-05", dtype="datetime64[D]").astype("datetime64[us]")
    columns = {"t": times, "shop": ["a"] * 4, "y": [1.0, np.nan, 3.0, 4.0], "on": [True, False, True, True], "n": [1, 2, 3, 4]}
    frame = columns
    if kind == "pyarrow":
        frame = pytest.importorskip("pyarrow").table({name: np.asarray(cells) for name, cells in columns.items()})
    elif kind != "mapping":
        frame = pytest.importorskip(kind).DataFrame(columns)
    options = PanelOptions(time="t", target="y", series="shop", known="on,n")
    panel, _ = read_panel([table_of_frame(frame)], options)
    np.testing.assert_array_equal(panel.values[:, 0], [1, np.nan, 3, 4])
    assert panel.names == ("a",) and str(panel.clock) == "D"
    assert panel.known["on"].tolist() == ["True", "False", "True", "True"] and panel.known["n"].tolist() == [1, 2, 3, 4]


def test_parquet_is_read_as_the_frame_it_was(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet").write_table(arrow.table({"y": [1.0, 2.0, None]}), tmp_path / "t.parquet")
    panel, _ = read_panel([read_table(tmp_path / "t.parquet", "utf-8")], PanelOptions(target="y"))
    assert panel.history(0)[:, 0].tolist() == [1, 2]
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(DataError, match="no parquet file"):
        read_table(tmp_path / "bad.parquet", "utf-8")


def test_panels_are_cut_and_taken_apart(tmp_path):
    text = "s,y,k,p\n" + "".join(f"{name},{value},{value},{value}\n" for name in "ab" for value in range(1, 7))
    panel = read(tmp_path, text, series="s", target="y", known="k", past="p")
    cut = panel.cut(2)
    assert cut.ends.tolist() == [4, 4]
    np.testing.assert_array_equal(cut.values[:6, 0], [1, 2, 3, 4, np.nan, np.nan])
    np.testing.assert_array_equal(cut.past["p"][:6], [1, 2, 3, 4, np.nan, np.nan])
    np.testing.assert_array_equal(cut.known["k"][:6], [1, 2, 3, 4, 5, 6])
    last = cut.last(2).take(np.array([1]))
    np.testing.assert_array_equal(last.values[:, 0], [3, 4, np.nan, np.nan])
    assert (last.names, last.first.tolist(), last.ends.tolist()) == (("b",), [3.0], [2])
    np.testing.assert_array_equal(cut.with_future(1).known["k"], [1, 2, 3, 4, 5] * 2)


def test_what_is_wrong_with_times_is_told_with_the_table(tmp_path):
    with pytest.raises(DataError, match=r"t\.csv: There is 1 time, which has no frequency"):
        read(tmp_path, "time,y\n2024-01-01,1\n")


@pytest.mark.parametrize(
    ("cells", "first", "text"),
    [
        (["01/01/2023 12:00 AM", "01/01/2023 12:00 PM", "01/02/2023 12:00 AM"], "2023-01-01T00", "01/02/2023 12:00 PM"),
        (["1/11/2023", "1/12/2023", "1/13/2023"], "2023-01-11", "01/14/2023"),
        (["11/1/2023 00:00:00", "12/1/2023 00:00:00", "13/1/2023 00:00:00"], "2023-01-11", "14/01/2023 00:00:00"),
    ],
)
def test_any_date_of_a_column_shows_which_number_is_the_day(tmp_path, cells, first, text):
    (tmp_path / "t.csv").write_text("day,v\n" + "".join(f"{cell},{at}.5\n" for at, cell in enumerate(cells)))
    panel, found = read_panel([read_table(tmp_path / "t.csv", "utf-8")], PanelOptions())
    assert found.time == "day" and panel.first[0] == np.datetime64(first)
    assert panel.clock.style.text(panel.times(0, 3, 1)[0]) == text
    (tmp_path / "later.csv").write_text(f"day,v\n{cells[0]},1\n{cells[1]},2\n")
    later, _ = read_panel([read_table(tmp_path / "later.csv", "utf-8")], found)
    assert later.first[0] == np.datetime64(first)


def test_dates_of_which_none_shows_the_day_are_refused(tmp_path):
    text = "day,v\n01/01/2023,1\n01/02/2023,2\n01/03/2023,3\n"
    with pytest.raises(
        DataError, match=r"t.csv, line 2: the time, day: in '01/01/2023' it is not clear which number is the day. Pass `time_f"
    ):
        read(tmp_path, text)
    assert str(read(tmp_path, text, time_format="%m/%d/%Y").clock) == "D"
