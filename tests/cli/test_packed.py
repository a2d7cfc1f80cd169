"""Every task reads what is packed, a glob, a file whose name has blanks, and text from the standard input as it reads a plain file."""

import gzip
import json
import os
import sys
from pathlib import Path

import pytest

from at_the_terminal import call
from unrolled.errors import DataError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

TINY = ["--hidden", "4", "--epochs", "1", "--evaluations", "1", "--seed", "1"]

TUNE = "X:{}\nM:6/8\nL:1/8\nK:G\n|:{}c2|ded B2A|1 G3 G3:|2 G3 G2||"

DATA = {
    "lm": (".txt", "the cat sat on the mat and the dog ate. " * 20, []),
    "classify": (".csv", "text,label\n" + "".join(f"{'fine' if n % 2 else 'bad'} film {n},{n % 2}\n" for n in range(12)), []),
    "tag": (".conll", "".join(f"Ada{n} X\nsaw Y\n\n" for n in range(12)), []),
    "regress": (".jsonl", "".join(f'{{"text": "a film {n}", "target": {n / 2}}}\n' for n in range(12)), []),
    "translate": (".tsv", "".join(f"one {n} two\tzwei {n % 3}\n" for n in range(12)), []),
    "forecast": (".csv", "time,y\n" + "".join(f"2024-01-{1 + n // 24:02d} {n % 24:02d}:00,{n % 24 + n / 50}\n" for n in range(120)), ["--horizon", "3"]),
    "music": (".abc", "\n\n".join(TUNE.format(n, note * 3) for n, note in enumerate("GABcdeGABcde", 1)), []),
}  # fmt: skip
"""The end of a name, what a small file has in it, and the options of each task."""

TYPED = {
    "classify": "fine film\nbad film\n",
    "tag": "Ada saw\n",
    "regress": "a film\n",
    "translate": "one 1 two\n",
}
"""What tasks of text predict as it is typed."""


@pytest.fixture
def files(request, tmp_path, monkeypatch):
    """The name of a plain file, and those of files with the same in them; all lie where their names have blanks."""
    suffix, content, _ = DATA[request.param]
    folder = tmp_path / "my data"
    (folder / "plain one").mkdir(parents=True)
    monkeypatch.chdir(folder)
    plain = Path("plain one", f"a file{suffix}")
    plain.write_text(content)
    Path(f"a file{suffix}.gz").write_bytes(gzip.compress(content.encode()))
    Path(f"a file{suffix}.zst").write_bytes(zstd.compress(content.encode()))
    return request.param, str(plain), [f"a file{suffix}.gz", f"a file{suffix}.zst", os.path.join("plain*", f"a *{suffix}")]


def test_nothing_is_learnt_from_the_standard_input(tmp_path):
    with pytest.raises(
        DataError, match=r"The standard input is read once, and what is learnt, .* more often. Save it to a file, and pass that"
    ):
        call("train", "lm", "-", *TINY, "--out", tmp_path / "a", typed="a text")


@pytest.mark.parametrize("files", DATA, indirect=True)
def test_a_task_reads_what_is_packed_and_a_glob(files):
    task, plain, others = files
    options = DATA[task][2]
    seen = [json.loads(call("look", name, "--task", task, "--json")) for name in (plain, *others)]
    about = [{key: one[key] for key in ("sequences", "steps", "inputs", "targets", "left_out", "labels", "lengths")} for one in seen]
    assert about[0]["sequences"] and about == about[:1] * 4
    assert len({one["format"] for one in seen}) == 1

    call("train", task, others[1], *options, *TINY, "--out", "a run")
    if task in ("lm", "music"):
        figures = [json.loads(call("evaluate", "a run", name, "--json")) for name in (plain, *others)]
        assert figures == figures[:1] * 4
        if task == "lm":
            lines(plain, others)
    else:
        told = [call("predict", "a run", name) for name in (plain, *others)]
        assert told[0].strip() and told == told[:1] * 4
    if task in TYPED:
        assert call("predict", "a run", "-", typed=TYPED[task]).count("\n") >= TYPED[task].count("\n")


def lines(plain, others):
    """What the run scores and goes on with line by line is the same of a plain file, of others with the same in them, and as it is typed."""
    typed = Path(plain).read_text()
    scored = [call("score", "a run", name, typed=typed) for name in (plain, *others[:2], "-")]
    assert scored[0].count("\n") == 2 and scored == scored[:1] * 4
    drawn = [call("sample", "a run", "--prompts", name, "--length", 2, "--seed", 1, typed=typed) for name in (plain, *others[:2], "-")]
    assert drawn[0].startswith(typed) and drawn == drawn[:1] * 4
