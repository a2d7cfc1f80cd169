"""Libraries that only some work needs: what is loaded when, and what is said where one is missing."""

import subprocess
import sys

import pytest

from unrolled import extras
from unrolled.errors import ConfigError

HEAVY = ("Bio", "babel", "conllu", "matplotlib", "num2words", "sacrebleu", "scipy", "seqeval", "sklearn")


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("task", ["lm", "classify", "regress", "tag", "translate"])
def test_a_task_loads_no_library_that_only_measures_formats_and_pictures_need(task):
    code = f"import sys; from unrolled.tasks import *; from unrolled.tasks import find_recipe; find_recipe({task!r}); "
    assert run(code + f"print([m for m in {HEAVY} if m in sys.modules])") == "[]\n"


def test_help_and_show_load_no_torch():
    code = "import sys\nfrom unrolled.cli import cli\ncli.main({}, standalone_mode=False)\nprint('torch' in sys.modules)"
    for arguments in (["--help"], ["show", "lstm"], ["show", "--help"]):
        assert run(code.format(arguments)).endswith("False\n")


@pytest.mark.parametrize(
    ("work", "package", "group"),
    [
        ("import unrolled as un; un.inspect.draw", "matplotlib", "plots"),
        ("from unrolled.data.builtin_examples.dates import dates; next(dates())", "babel", "text"),
        ("from unrolled.data.builtin_examples.numbers import numbers; next(numbers())", "num2words", "text"),
        ("from unrolled.tasks.measures.texts import score_texts; score_texts(['a'], [['b']])", "sacrebleu", "text"),
        ("from unrolled.tasks.measures.labels import score_labels; score_labels([('a',)], [('b',)])", "scikit-learn", "labels"),
        ("from unrolled.tasks.measures.labels import score_tags; score_tags([('O',)], [('O',)], spans=True)", "seqeval", "labels"),
        ("list(read_examples(FILE + '.fa', ReadingOptions().to_predict(), Target.LABELS))", "biopython", "bio"),
        ("list(read_examples(FILE + '.conllu', ReadingOptions(), Target.TAGS))", "conllu", "text"),
    ],
)
def test_a_library_that_is_missing_is_named_with_what_installs_it(work, package, group, tmp_path):
    for end, text in ((".fa", ">a\nACGT\n"), (".conllu", "1\tA\ta\tX" + "\t_" * 6 + "\n\n")):
        (tmp_path / f"file{end}").write_text(text)
    modules = [module for module, (name, _) in extras.EXTRAS.items() if name == package]
    code = f"""
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
"""
    assert run(code) == f"This needs the package {package}, which is not installed. Run: pip install 'unrolled[{group}]'\n"


def test_another_failure_of_a_library_is_not_taken_for_a_missing_one(monkeypatch):
    def broken(name):
        raise ModuleNotFoundError("No module named 'of_its_own'", name="of_its_own")

    monkeypatch.setattr(extras, "import_module", broken)
    with pytest.raises(ModuleNotFoundError, match="of_its_own"):
        extras.extra("sklearn.metrics")
    assert not issubclass(ModuleNotFoundError, ConfigError)
