import contextlib
import io
import json
import signal
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from scripts import run
from side_by_side import worker
from side_by_side.agreement import MismatchError, check_agreement
from side_by_side.cases import SHAPES, find_shapes, make_cases
from side_by_side.cases import draw_lengths as draw


@pytest.mark.parametrize("case", make_cases(["lstm"], SHAPES, ["infer"], ["ragged"], "float32"), ids=str)
def test_ragged_lengths_leave_55_percent_of_the_steps(case):
    lengths = draw(case)
    assert len(lengths) == case.batch
    assert min(lengths) >= 1
    assert max(lengths) == case.steps
    assert sum(lengths) / (case.steps * case.batch) == pytest.approx(0.55, abs=0.005)
    assert lengths == draw(case)


def test_what_disagrees_is_named():
    ours = {"y": np.array([1.0, 2.0]), "R_f": np.array([100.0])}
    assert check_agreement("peer", "float32", ours, {**ours, "R_f": np.array([100.001])}) == pytest.approx(1e-5)
    for theirs in ({**ours, "R_f": np.array([100.1])}, {**ours, "y": np.array([1.0, np.nan])}, {**ours, "y": np.ones(1)}, {"y": ours["y"]}):
        with pytest.raises(MismatchError, match="peer"):
            check_agreement("peer", "float32", ours, theirs)


def test_a_shape_nobody_knows_is_refused():
    assert find_shapes(["3x2x4x5"]) == {"3x2x4x5": (3, 2, 4, 5)}
    with pytest.raises(ValueError, match="3x2x4"):
        find_shapes(["3x2x4"])


FLAGS = ["--rounds", 2, "--warm-up", 0, "--threads", 1, "--peak-side", 32]


class WithinThisProcess:
    """A worker that loads nothing once more."""

    def __init__(self, command, **options):
        written, interrupt = io.StringIO(), signal.getsignal(signal.SIGINT)
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(written):
            patch.setattr(sys, "argv", command[2:])
            worker.main()
        signal.signal(signal.SIGINT, interrupt)
        self.stdout, self.returncode = written.getvalue().splitlines(), 0

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass


def test_the_command_measures_prints_and_reads_back(tmp_path, monkeypatch):
    monkeypatch.setattr("side_by_side.processes.subprocess", SimpleNamespace(Popen=WithinThisProcess, PIPE=None))
    shape = ["--shapes", "6x4x3x5", "--cells", "lstm,minimal-gated-unit", "--lengths", "both", "--modes", "train"]
    written = run("layers", *FLAGS, *shape, "--json")
    report = json.loads(written)
    assert len(report["results"]) == 4
    for result in report["results"]:
        case = result["case"]
        assert result["real_steps"] == (24 if case["lengths"] == "full" else 13)
        entries = 4 * 5 * (3 + 5) if case["cell"] == "lstm" else 2 * 5 * (3 + 5)
        assert result["gflop"] == pytest.approx(2e-9 * entries * result["real_steps"] * 3)
        assert all(len(found["seconds"]) == 2 for found in result["contenders"].values())
        assert ("torch.nn" in result["contenders"]) == (case["cell"] == "lstm")
    assert [peak["side"] for peak in report["peaks"]] == [32]
    kept, picture = tmp_path / "kept.json", tmp_path / "drawn.png"
    kept.write_text(written)
    text = run("layers", "--read", kept, "--markdown", "--png", picture)
    assert text.count("| lstm | 6,4,3,5 |") == 2
    assert picture.stat().st_size > 0


def test_steps_of_a_stream_are_compared_with_cells_and_modules():
    report = json.loads(run("layers", *FLAGS, "--step", "--shapes", "b4-h64", "--cells", "elman", "--json"))
    assert len(report["results"]) == 1
    assert all({"ours", "ours, stream", "torch.nn", "torch.nn, T = 1"} <= result["contenders"].keys() for result in report["results"])
