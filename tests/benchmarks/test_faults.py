"""A few of the faults of `benchmarks/faults.py`, the same each time."""

import sys
from collections import Counter

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked, and looked at as Linux shows them")
if sys.platform == "linux":
    from breaking.children import DIED, FINE, HUNG, REFUSED, TRACEBACK, each
    from breaking.folders import cases, fuzzed
    from breaking.mutations import KINDS
    from breaking.stops import MOMENTS, stopped


def test_runs_that_were_stopped_end_like_one_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("os.fsync", lambda handle: None)  # it takes most of the time, and processes that are killed need none of it
    text = tmp_path / "text"
    text.write_text("the cat sat on a mat.\n" * 6)
    found = list(stopped(text, tmp_path, 1, 3))
    assert [(kind, how) for kind, how in found if how[0] != FINE] == []
    assert len(found) == 2 * len(MOMENTS) + 1


def test_folders_that_others_made_do_no_harm(tmp_path):
    chosen = [case for case in cases(2, 7) if case.act != "inspect"]
    found = list(fuzzed(tmp_path, chosen))
    assert [(case, how) for case, how in zip(chosen, found, strict=True) if how[0] not in (FINE, REFUSED)] == []
    assert len({case.kind for case in chosen}) == len(KINDS)
    assert all(n > 3 for n in Counter(how for how, _ in found).values())


def test_what_hangs_dies_or_fails_is_told_and_the_next_case_goes_on():
    acts = {
        "hang": "import time; time.sleep(60)",
        "die": "import os; os.kill(os.getpid(), 9)",
        "fail": "1 / 0",
        "end": "raise SystemExit(1)",
    }
    found = [how for how, _ in each(["pass", *acts.values(), "pass"], exec, 1.0)]
    assert found == [FINE, HUNG, DIED, TRACEBACK, REFUSED, FINE]
