import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from side_by_side.agreement import MismatchError, check_agreement
from side_by_side.cases import SHAPES, find_shapes, make_cases
from side_by_side.cases import draw_lengths as draw

COMMAND = Path(__file__).parents[2] / "benchmarks" / "layers.py"


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


def test_the_command_measures_prints_and_reads_back(tmp_path):
    flags = [
        "--rounds",
        "2",
        "--warm-up",
        "0",
        "--shapes",
        "6x4x3x5",
        "--cells",
        "lstm,minimal-gated-unit",
        "--lengths",
        "both",
        "--modes",
        "train",
        "--threads",
        "1",
    ]
    done = subprocess.run([sys.executable, COMMAND, *flags, "--json"], capture_output=True, text=True, check=True)
    report = json.loads(done.stdout)
    assert len(report["results"]) == 4
    for result in report["results"]:
        case = result["case"]
        assert result["real_steps"] == (24 if case["lengths"] == "full" else 13)
        entries = 4 * 5 * (3 + 5) if case["cell"] == "lstm" else 2 * 5 * (3 + 5)
        assert result["gflop"] == pytest.approx(2e-9 * entries * result["real_steps"] * 3)
        assert all(len(found["seconds"]) == 2 for found in result["contenders"].values())
        assert ("torch.nn" in result["contenders"]) == (case["cell"] == "lstm")
    kept, picture = tmp_path / "kept.json", tmp_path / "drawn.png"
    kept.write_text(done.stdout)
    again = [sys.executable, COMMAND, "--read", kept, "--markdown", "--png", picture]
    text = subprocess.run(again, capture_output=True, text=True, check=True).stdout
    assert text.count("| lstm | 6,4,3,5 |") == 2
    assert picture.stat().st_size > 0


def test_steps_of_a_stream_are_compared_with_cells_and_modules():
    flags = ["--step", "--shapes", "b1-h64,b4-h64", "--rounds", "1", "--warm-up", "0", "--cells", "elman", "--threads", "1", "--json"]
    report = json.loads(subprocess.run([sys.executable, COMMAND, *flags], capture_output=True, text=True, check=True).stdout)
    assert len(report["results"]) == 2
    assert all({"ours", "ours, stream", "torch.nn", "torch.nn, T = 1"} <= result["contenders"].keys() for result in report["results"])
