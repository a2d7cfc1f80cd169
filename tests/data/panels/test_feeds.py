"""Rows of series that come one by one."""

import io
from pathlib import Path

import numpy as np
import pytest

from unrolled.data.panels import PanelCodec, PanelOptions, read_panel, table_of_frame
from unrolled.data.panels.feeds import add_row, feed_row, read_feed
from unrolled.data.panels.tables import read_table
from unrolled.errors import DataError


@pytest.fixture
def fed(tmp_path, monkeypatch):
    """What is read of a feed by what was learnt from a table."""

    def read(table, feed, **options):
        (tmp_path / "t.csv").write_text(table)
        panel, found = read_panel([read_table(tmp_path / "t.csv", "utf-8")], PanelOptions(**options))
        codec = PanelCodec.from_json(PanelCodec.learn(panel, np.ones(len(panel.values), bool), found, 4).to_json())
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(feed.encode()))))
        return [
            (row.name, row.values.tolist(), {name: cells[0] for name, cells in row.known.items()})
            for row in read_feed(Path("-"), codec, lambda row: row)
        ]

    return read


def test_numbers_of_a_feed_are_written_as_those_that_were_learnt(fed):
    commas = "shop;day;sold;price\na,b;01.01.2024;1.234,5;1\na,b;02.01.2024;2,5;2\na,b;03.01.2024;3;3\n"
    roles = {"series": "shop", "time": "day", "target": "sold", "known": "price"}
    rows = "shop;day;sold;price\na,b;04.01.2024;4,25;1,5\nc;04.01.2024;1.234;2\nc;05.01.2024;1.5;\n"
    assert [(name, values, str(known["price"])) for name, values, known in fed(commas, rows, **roles)] == [
        ("a,b", [4.25], "1.5"),
        ("c", [1234.0], "2.0"),
        ("c", [1.5], "nan"),
    ]
    points = commas.replace("1.234,5", "1234.5").replace("2,5", "2.5")
    with pytest.raises(DataError, match=r"line 2: sold must be a number, got '4,25'. Write numbers with a decimal point"):
        fed(points, rows, **roles)
    assert [values for _, values, _ in fed(points, rows.replace("4,25", "4.25").replace("1,5", "1.5"), **roles)] == [[4.25], [1.234], [1.5]]


def test_rows_beside_the_grid_are_at_the_nearest_step_as_those_of_tables_are():
    begin = np.datetime64("2024-01-01T00:00", "us")
    panel, options = read_panel(
        [table_of_frame({"t": begin + np.arange(5) * np.timedelta64(1, "h"), "y": np.arange(5.0)})], PanelOptions(time="t", target="y")
    )
    codec = PanelCodec.learn(panel, np.ones(5, bool), options, 4)

    def added(panel, time):
        return add_row(panel, feed_row(table_of_frame({"t": np.array([time], "datetime64[us]"), "y": [1.0]}), codec), 9)

    learnt, passed, moved = added(codec.tail, "2024-01-01T05:00")
    assert (passed, moved, int(learnt.ends[0])) == (0, False, 5)
    for time, steps in (("2024-01-01T05:40", 0), ("2024-01-01T06:20", 0), ("2024-01-01T07:40", 2)):
        panel, passed, moved = added(learnt, time)
        assert (passed, moved) == (steps, True) and panel.times(0, int(panel.ends[0]) - 1, 1)[0] == np.datetime64(
            "2024-01-01T06", "h"
        ) + steps
    for time in ("2024-01-01T05:00", "2024-01-01T04:50"):
        with pytest.raises(DataError, match="comes before 2024-01-01 06:00:00, the next step"):
            added(learnt, time)
    with pytest.raises(DataError, match="lie on one step"):
        added(learnt, "2024-01-01T05:20")
