"""Files of runs and caches are opened in one place, `unrolled/files.py`: nothing else in these packages opens one."""

import ast
from pathlib import Path

import pytest

import unrolled

PACKAGE = Path(unrolled.__file__).parent
OPENING = {"open", "write_text", "write_bytes", "read_text", "read_bytes", "touch", "mkstemp", "memmap", "fromfile", "tofile", "safe_open"}
USERS = {
    "cells/cell.py": "a cell's file",
    "cells/gallery.py": "cells of the package",
    "cli/catalogue.py": "options of the package",
    "cli/catalogued.py": "options of the package",
    "cli/flags.py": "a file of options",
    "engines/native/build.py": "a folder, to look at it",
    "engines/native/compilers.py": "the compiler's trial, in a folder that was just made",
    "engines/native/processes.py": "what the system says of itself",
    "engines/native/threads.py": "what the system says of itself",
    "compiler/native/writing.py": "C of the package",
    "inspect/report/page.py": "a page of the package",
    "data/builtin.py": "texts of the package",
    "data/columns.py": "a column under way, in a file that was just made",
    "data/corpus.py": "tokens under way, in a folder that was just made",
    "data/event_corpus.py": "tokens under way, in a folder that was just made",
    "data/formats/sheets/reading.py": "a user's table, whose end is read first",
    "data/music/musicxml.py": "a part of a user's archive",
    "data/music/synthesis.py": "a wave in memory",
    "data/opening.py": "a user's data",
    "data/pictures/clips.py": "a user's pictures and videos",
    "data/pictures/matroska.py": "the head of a user's video",
    "data/sound/kept.py": "frames of sound under way, in a folder that was just made",
    "data/sound/recordings.py": "the end of a user's recording",
    "data/sound/waves.py": "a recording that a user's data set names",
    "tasks/captioning/looking.py": "a page of the package",
    "tasks/estimators.py": "a run that is kept in memory, in a folder that was just made",
    "tasks/tuning/search.py": "an empty journal, where there is none",
    "training/checkpoint.py": "a file that is open already",
    "training/interrupt.py": "nothing, where a terminal was closed",
}
"""What may open files itself, and which."""


def opened(source):
    """The names of calls that open files."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in OPENING:
                yield name


@pytest.mark.parametrize("floor", sorted(path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"))
def test_only_what_is_named_opens_files(floor):
    paths = {path.relative_to(PACKAGE).as_posix(): path for path in (PACKAGE / floor).rglob("*.py")}
    found = {name: calls for name, path in paths.items() if (calls := sorted(opened(path.read_text(encoding="utf-8"))))}
    # What run folders and the texts of users have under these names are functions of the package.
    folders = ("training/run_folder.py", "data/corpus.py", "tasks/texts/trained.py", "tasks/comparing/figures.py", "tasks/beginnings.py")
    ours = {name: {"read_text"} for name in folders}
    ours["tasks/runs.py"] = ours["tasks/studies/plan.py"] = {"read_text", "write_text"}
    ours["cli/help.py"] = {"write_text"}  # of click
    assert {name for name, calls in found.items() if set(calls) - ours.get(name, set())} == {n for n in USERS if n.startswith(f"{floor}/")}
