"""Libraries that only some work needs: what is loaded when, and what is said where one is missing."""

import json
import subprocess
import sys

import pytest

from unrolled import extras
from unrolled.cli import COMMANDS
from unrolled.cli.tasks import TASKS
from unrolled.errors import ConfigError

HEAVY = (
    *("Bio", "babel", "conllu", "h5py", "matplotlib", "narwhals", "num2words", "openpyxl", "pandas", "polars", "pyarrow", "sacrebleu"),
    *("scipy", "seqeval", "sklearn", "soundfile", "soxr", "statsforecast", "tables"),
)


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def run_apart():
    """What code prints in a process split off from one that has loaded what all share, which takes seconds, and nothing else.

    What that one loads too early stays in `sys.modules` of each."""
    with subprocess.Popen([sys.executable, "-c", APART], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def run_apart(code):
            process.stdin.write(json.dumps(code) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield run_apart
        process.stdin.close()


APART = """
import contextlib, io, json, os, sys
import unrolled.data.formats
from unrolled.tasks import *
for line in sys.stdin:
    reads, writes = os.pipe()
    if not os.fork():
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(json.loads(line), {})
        os.write(writes, said.getvalue().encode())
        os._exit(0)
    os.close(writes)
    with open(reads) as file:
        found = file.read()
    assert os.wait()[1] == 0, line
    print(json.dumps(found), flush=True)
"""


def test_no_task_loads_a_library_that_only_measures_formats_and_pictures_need(run_apart):
    code = "import sys; from unrolled.tasks import *; from unrolled.tasks import find_recipe; find_recipe({!r}); "
    tasks = [
        code.format(task) + f"print([m for m in {HEAVY} if m in sys.modules])"
        for task in ("lm", "classify", "regress", "tag", "translate", "transcribe", "forecast", "music", "frames", "caption")
    ]
    assert [run_apart(task) for task in tasks] == ["[]\n"] * len(tasks)
    assert "sklearn" in run_apart(f"import sklearn.metrics, sys; print([m for m in {HEAVY} if m in sys.modules])")


def test_no_help_loads_torch_or_sympy_and_neither_does_show():
    groups = {"train", "tune"}
    helps = [[name, "--help"] for name in COMMANDS] + [[group, task, "--help-all"] for group in groups for task in TASKS]
    code = """
import sys
from unrolled.cli import cli
for arguments in {}:
    cli.main(arguments, standalone_mode=False)
    assert {{"torch", "sympy"}}.isdisjoint(sys.modules), arguments
"""
    assert "--hidden" in run(code.format([["--help"], ["show", "lstm"], *helps]))


def test_help_of_what_is_about_files_reads_no_format():
    code = """
import sys
from unrolled.cli import cli
for arguments in (["look", "--help-all"], ["inspect", "--help"], ["formats", "--help"]):
    cli.main(arguments, standalone_mode=False)
assert not any(name.startswith("unrolled.data") for name in sys.modules)
"""
    assert "--bad-rows" in run(code)


def test_runs_are_listed_without_torch_and_what_draws(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.toml").write_text('format = 1\ntask = "lm"\n[data]\nsources = ["a.txt"]\n')
    (tmp_path / "run" / "metrics.jsonl").write_text('{"update": 3, "held_out": 1.25}\n')
    code = f"""
import sys
from unrolled.cli import cli
cli.main(["runs", {str(tmp_path)!r}], standalone_mode=False)
assert {{"torch", "sympy", "matplotlib", "sklearn"}}.isdisjoint(sys.modules)
"""
    assert "a.txt  loss     1.25   3" in run(code)


WORK = [
    ("import unrolled as un; un.inspect.draw", "matplotlib", "plots"),
    ("from unrolled.data.builtin_examples.dates import dates; next(dates())", "babel", "text"),
    ("from unrolled.data.builtin_examples.numbers import numbers; next(numbers())", "num2words", "text"),
    ("from unrolled.tasks.measures.texts import score_texts; score_texts(['a'], [['b']])", "sacrebleu", "text"),
    ("from unrolled.tasks.measures.labels import score_labels; score_labels([('a',)], [('b',)])", "scikit-learn", "labels"),
    ("from unrolled.tasks.measures.labels import score_tags; score_tags([('O',)], [('O',)], spans=True)", "seqeval", "labels"),
    ("list(read_examples(FILE + '.fa', ReadingOptions().to_predict(), Target.LABELS))", "biopython", "bio"),
    ("from unrolled.data.sound.recordings import *; rate_of(Recording(Path(FILE + '.csv')))", "soundfile", "sound"),
    ("from unrolled.data.sound.recordings import *; Resampler(8000, 16000)", "soxr", "sound"),
    ("list(read_examples(FILE + '.conllu', ReadingOptions(), Target.TAGS))", "conllu", "text"),
    ("from unrolled.data.music.midi import *; write_midi(Piece(NO_NOTES, 4, 4), io.BytesIO())", "mido", "music"),
]


def test_a_library_that_is_missing_is_named_with_what_installs_it(run_apart, tmp_path):
    for end, text in ((".fa", ">a\nACGT\n"), (".conllu", "1\tA\ta\tX" + "\t_" * 6 + "\n\n")):
        (tmp_path / f"file{end}").write_text(text)
    codes = []
    for work, package, _ in WORK:
        modules = [module for module, (name, _) in extras.EXTRAS.items() if name == package]
        codes.append(f"""
import sys
FILE = {str(tmp_path / "file")!r}
for name in {modules}:
    sys.modules[name] = None
from unrolled.data.examples import Target
from unrolled.data.formats import ReadingOptions, read_examples
from unrolled.errors import ConfigError
try:
    {work}
except ConfigError as error:
    print(error)
""")
    wanted = [
        f"This needs the package {package}, which is not installed. Run: pip install 'unrolled[{group}]'\n" for _, package, group in WORK
    ]
    assert [run_apart(code) for code in codes] == wanted


def test_another_failure_of_a_library_is_not_taken_for_a_missing_one(monkeypatch):
    def broken(name):
        raise ModuleNotFoundError("No module named 'of_its_own'", name="of_its_own")

    monkeypatch.setattr(extras, "import_module", broken)
    with pytest.raises(ModuleNotFoundError, match="of_its_own"):
        extras.extra("sklearn.metrics")
    assert not issubclass(ModuleNotFoundError, ConfigError)
