"""Event logs."""

import io
from pathlib import Path

import numpy as np
import pytest

from unrolled.data.examples import Prediction, Target
from unrolled.data.formats import read_examples
from unrolled.data.formats.bad_rows import decided
from unrolled.data.formats.events import EventLog
from unrolled.data.formats.options import ReadingOptions
from unrolled.errors import ConfigError, DataError

LOG = """who,what,when,how
b,open,2024-01-01 10:00:00,good
a,start,2024-01-01 09:00:00,bad
b,close,2024-01-01 10:01:39,good
a,stop,2024-01-02 09:00:00,bad
b,"look, again",2024-01-01 10:00:00,good
b,open,2024-01-01 10:00:00,good
"""
COLUMNS = {"case": "who", "activity": "what"}
FORMAT = EventLog()


def read(path: Path, content: str = LOG, wanted: Target = Target.LABELS, **options):
    path.write_text(content)
    return list(decided(FORMAT.read([path], ReadingOptions(**COLUMNS, **options), wanted)))


def test_scattered_rows_make_cases_in_stable_order_of_time(tmp_path: Path) -> None:
    b, a = read(tmp_path / "log.csv", time="when", target="how")
    assert (b.name, b.tokens, b.labels, b.tags) == ("b", ("open", "look, again", "open", "close"), ("good",), None)
    assert (a.name, a.tokens, a.labels, a.place) == ("a", ("start", "stop"), ("bad",), f"{tmp_path / 'log.csv'}, line 3")
    np.testing.assert_allclose(b.numbers, np.log1p([[0, 0], [0, 0], [0, 0], [99, 99]]), rtol=1e-6)
    np.testing.assert_allclose(a.numbers, np.log1p([[0, 0], [86400, 86400]]), rtol=1e-6)


def test_without_times_the_file_says_the_order(tmp_path: Path) -> None:
    b, a = read(tmp_path / "log.csv")
    assert b.tokens == ("open", "close", "look, again", "open")
    assert b.numbers is None and a.labels is None


def test_many_events_of_one_time_stay_in_the_order_of_the_file(tmp_path: Path) -> None:
    rows = [f"a,{number},{number % 2}" for number in range(99)]
    (only,) = read(tmp_path / "log.csv", "\n".join(["who,what,when", *rows]), time="when")
    assert only.tokens == (*map(str, range(0, 99, 2)), *map(str, range(1, 99, 2)))


def test_a_target_for_each_event(tmp_path: Path) -> None:
    b = read(tmp_path / "log.csv", wanted=Target.TAGS, time="when", target="what")[0]
    assert b.tags == b.tokens and b.labels is None


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (",open,2024-01-01,good", "line 8, who: the cell is empty"),
        ("b, ,2024-01-01,good", "line 8: the cell of what is empty"),
        ("b,open,,good", "line 8: '' is neither a number nor a date"),
        ("b,open,yesterday,good", "line 8: 'yesterday' is neither"),
        ("b,open,nan,good", "line 8: 'nan' is neither"),
        ("b,open,17,good", "line 8: '17' is a number, and the first time, '.*', is a date"),
        ("b,open,2024-01-03,", "line 8: the target is missing, which other rows of 'b' have"),
        ("b,open,2024-01-03,bad", "line 8: 'b' has the target 'bad' here and 'good' before"),
        ("b,open,2024-01-03", "line 8: a row must have 4 cells"),
    ],
)
def test_bad_rows(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path / "log.csv", f"{LOG}{row}\n", time="when", target="how")


def test_a_case_in_two_files(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(LOG)
    with pytest.raises(DataError, match=r"b\.csv, line 2: 'b' has come before, .*a\.csv, line 2"):
        list(decided(FORMAT.read([tmp_path / "a.csv", tmp_path / "b.csv"], ReadingOptions(**COLUMNS), Target.LABELS)))


def test_columns_must_be_named_and_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="needs `activity`"):
        decided(FORMAT.read([], ReadingOptions(case="who"), Target.LABELS))
    with pytest.raises(ConfigError, match=r"no column 'date'; its columns are who, what, when, how.*`time`"):
        read(tmp_path / "log.csv", time="date")


def test_cases_without_an_outcome_have_none(tmp_path: Path) -> None:
    assert read(tmp_path / "log.csv", "who,what,how\na,start,\na,stop,\n", target="how")[0].labels is None


@pytest.mark.parametrize("each_step", [False, True])
def test_predictions_stand_beside_the_rows_as_they_were(tmp_path: Path, each_step: bool) -> None:
    b, a = read(tmp_path / "log.csv", time="when")
    if each_step:
        said = [Prediction(tags=tuple("1234"), probabilities=(0.1, 0.2, 0.3, 0.4)), Prediction(tags=("5", "6"), probabilities=(0.5, 0.6))]
        column = ["1,0.1000", "5,0.5000", "4,0.4000", "6,0.6000", "2,0.2000", "3,0.3000"]
    else:
        said = [Prediction(labels=("x",), probabilities=(0.7,)), Prediction(labels=("y", "z"), probabilities=(0.8, 0.9))]
        column = [{"b": "x,0.7000", "a": "y;z,0.8000;0.9000"}[line[0]] for line in LOG.splitlines()[1:]]
    file = io.StringIO()
    FORMAT.write(zip([b, a], said, strict=True), file, ReadingOptions())
    expected = [f"{line},{cell}" for line, cell in zip(LOG.splitlines(), ["predicted,probability", *column], strict=True)]
    assert file.getvalue().splitlines() == expected


def test_a_log_from_the_standard_input_is_written_as_it_was(monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(LOG.encode())))
    found = list(decided(FORMAT.read([Path("-")], ReadingOptions(**COLUMNS), Target.LABELS)))
    file = io.StringIO()
    FORMAT.write([(example, Prediction(labels=(example.name,), probabilities=(1,))) for example in found], file, ReadingOptions())
    expected = ["who,what,when,how,predicted,probability", *(f"{line},{line[0]},1.0000" for line in LOG.splitlines()[1:])]
    assert file.getvalue().splitlines() == expected


@pytest.mark.parametrize("row", [",open,2024-01-01,good", "b, ,2024-01-01,good"])
def test_a_bad_row_of_the_standard_input_says_where_it_stands(monkeypatch, row: str) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"{LOG}{row}\n".encode())))
    with pytest.raises(DataError, match=r"^standard input, line 8"):
        list(decided(FORMAT.read([Path("-")], ReadingOptions(**COLUMNS), Target.LABELS)))


def test_several_labels_of_one_case(tmp_path: Path) -> None:
    assert read(tmp_path / "log.csv", "who,what,how\na,start,x|y\na,stop,x|y\n", target="how", separator="|")[0].labels == ("x", "y")


def test_labels_that_are_not_needed_may_be_wrong_or_missing(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(f"{LOG}b,open,2024-01-03,bad\n")
    for target, labels in (("how", [None, ("bad",)]), ("none", [None, None])):
        options = ReadingOptions(**COLUMNS, target=target).to_predict()
        assert [example.labels for example in decided(FORMAT.read([path], options, Target.LABELS))] == labels


LEFT = "who,what,when,left,paid\nb,close,2,1,7.5\na,start,0,3.5,-1\nb,open,1,2,7.5\n"


def test_numbers_of_cases_and_of_events(tmp_path: Path) -> None:
    b, a = read(tmp_path / "log.csv", LEFT, Target.VALUES, time="when", target="paid")
    assert (b.tokens, b.values.tolist(), a.values.tolist(), b.labels) == (("open", "close"), [7.5], [-1], None)
    b, a = read(tmp_path / "log.csv", LEFT, Target.STEP_VALUES, time="when", target="left")
    assert (b.values.tolist(), a.values.tolist(), b.tags) == ([[2], [1]], [[3.5]], None)
    b, a = read(tmp_path / "log.csv", LEFT, Target.STEP_VALUES, time="when", target="paid,left")
    assert (b.values.tolist(), a.values.tolist()) == ([[7.5, 2], [7.5, 1]], [[-1, 3.5]])
    found = read_examples(tmp_path / "log.csv", ReadingOptions(**COLUMNS, target="paid"), Target.VALUES)
    assert [example.values.tolist() for example in found] == [[7.5], [-1]]


@pytest.mark.parametrize(
    ("wanted", "target", "message"),
    [
        (Target.VALUES, "what", "line 2: 'b' has the target 'close' here and 'open' before. Give all its rows one number"),
        (Target.VALUES, "who", "line 4: a target must be a number, got 'b'. Mend it, or take another `target`"),
        (Target.STEP_VALUES, "what", "line 4: a target must be a number, got 'open'"),
    ],
)
def test_bad_numbers_to_predict(tmp_path: Path, wanted: Target, target: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path / "log.csv", LEFT, wanted, time="when", target=target)


@pytest.mark.parametrize("each_step", [False, True])
def test_predicted_numbers_stand_beside_the_rows_as_they_were(tmp_path: Path, each_step: bool) -> None:
    found = read(tmp_path / "log.csv", LEFT, time="when")
    values = [[[2.0], [1.25]], [[3.0]]] if each_step else [[2.0], [3.0]]
    said = [Prediction(values=np.array(value), deviations=np.array(value) / 4) for value in values]
    file = io.StringIO()
    FORMAT.write(zip(found, said, strict=True), file, ReadingOptions())
    cells = ["predicted,deviation", "1.25,0.3125" if each_step else "2,0.5", "3,0.75", "2,0.5"]
    assert file.getvalue().splitlines() == [f"{line},{cell}" for line, cell in zip(LEFT.splitlines(), cells, strict=True)]
