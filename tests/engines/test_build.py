"""Compilers are found, libraries built once and kept, and everything that can be broken on a machine is got round or told clearly."""

import contextlib
import errno
import io
import os
import shutil
import stat
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from unrolled import files, folders
from unrolled.engines.native import build as building
from unrolled.engines.native import compilers, folder, processes
from unrolled.engines.native.build import build, load, notice
from unrolled.engines.native.compilers import find_compiler
from unrolled.errors import BuildError, EngineError, UnrolledWarning

REAL = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
SOURCE = "int answer(int a) { return a + K; }\n"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the compilers made up here are shell scripts")
needs_compiler = pytest.mark.skipif(REAL is None, reason="no C compiler is installed")


@pytest.fixture(autouse=True)
def fresh(tmp_path, monkeypatch):
    """Each test is like a process of its own, with an empty cache and only the compilers that it names."""
    for name in ("CC", "UNROLLED_CFLAGS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UNROLLED_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(folder, "_refused", {})
    monkeypatch.setattr(folders, "_private", [])
    monkeypatch.setattr(folders, "_told", set())
    monkeypatch.setattr(folders.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(building, "_noticed", set())
    find_spec = compilers.importlib.util.find_spec
    monkeypatch.setattr(compilers.importlib.util, "find_spec", lambda name: None if name == "ziglang" else find_spec(name))
    compilers._find.cache_clear()
    yield
    compilers._find.cache_clear()
    for _, private in folders._private:
        shutil.rmtree(private, ignore_errors=True)


@pytest.fixture
def script(tmp_path):
    """Writes a shell script into a folder that can be a PATH."""

    def write(name, text, below="bin"):
        path = tmp_path / below / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    return write


@pytest.fixture
def counting(script, tmp_path, monkeypatch):
    """A compiler that notes each library that it makes; gives the names of their sources."""
    log = tmp_path / "log"
    log.touch()
    path = script("counting", f'echo "$@" >> {log}\nexec {REAL} "$@"')
    monkeypatch.setenv("CC", str(path))
    return lambda: [Path(word).stem for line in log.read_text().splitlines() for word in line.split() if word.endswith(".c")]


def python(code, *arguments, **environment):
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def split_off(code, *arguments):
    """Code in a process split off from this one, which has torch already; gives what waits for it and says what it printed and why it ended."""
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        said, sys.argv = io.StringIO(), ["-c", *arguments]
        try:
            with contextlib.redirect_stdout(said):
                exec(code, {})
        except BaseException as error:
            said.write(repr(error))
        os.write(writes, said.getvalue().encode())
        os._exit(0)
    os.close(writes)

    def wait():
        with open(reads) as file:
            said = file.read()
        os.waitpid(child, 0)
        return said

    return wait


def answer(path):
    return load(path).answer(4)


@needs_compiler
def test_a_library_is_built_from_source_and_macros_and_lies_in_the_users_own_folder(tmp_path):
    path = build("the answer/1", SOURCE, ["K=38"])
    assert answer(path) == 42
    assert path.parent == tmp_path / "cache" / "native" and path.name.startswith("the_answer_1-")
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.with_suffix(".c").read_text() == SOURCE
    assert not list(path.parent.glob(".unfinished*"))


@needs_compiler
def test_the_compilers_flags_are_for_this_processor_and_keep_ieee_arithmetic():
    compiler = find_compiler()
    assert {"-O3", "-std=gnu11", "-fPIC", "-shared", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast"} <= set(compiler.flags)
    assert not {"-ffast-math", "-fopenmp", "-Ofast"} & set(compiler.flags)
    assert compiler.version and compiler.target and compiler.version == compiler.details.splitlines()[0]


@needs_compiler
def test_flags_for_this_processor_are_left_out_where_the_compiler_does_not_know_them(script, monkeypatch):
    refuse = 'case "$*" in *{}=native*) echo unknown >&2; exit 1;; esac; '
    monkeypatch.setenv("CC", str(script("neither", refuse.format("-march") + refuse.format("-mcpu") + f'exec {REAL} "$@"')))
    assert not [flag for flag in find_compiler().flags if flag.endswith("=native")]
    # A compiler that takes any argument and knows only the second.
    drop = f'for a; do shift; [ "$a" = -mcpu=native ] || set -- "$@" "$a"; done; exec {REAL} "$@"'
    monkeypatch.setenv("CC", str(script("second", refuse.format("-march") + drop)))
    assert "-mcpu=native" in find_compiler().flags


@needs_compiler
def test_cc_may_hold_arguments(script, monkeypatch):
    path = script("my cc", f'exec {REAL} "$@"')
    monkeypatch.setenv("CC", f"'{path}' -DK=7")
    assert find_compiler().command == (str(path), "-DK=7")
    assert answer(build("a", SOURCE)) == 11


BROKEN = {
    "fails": ('echo "cc1: sorry, broken" >&2; exit 1', "cc1: sorry, broken"),
    "says nothing": ("exit 3", "ended with status 3"),
    "dies": ("kill -9 $$", "killed by signal 9"),
    "writes nothing": ("exit 0", "writes no library"),
    "writes rubbish": ('while [ $# -gt 0 ]; do [ "$1" = -o ] && echo rubbish > "$2"; shift; done', "does not work"),
    "computes wrongly": (
        'for a; do case "$a" in *.c) sed "s/part [*] part/part/" "$a" > "$a.c"; mv "$a.c" "$a";; esac; done; ' + f'exec {REAL} "$@"',
        "computes something wrong",
    ),
    "cannot be started": (None, "cannot be started"),
}


@needs_compiler
@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_cc_is_told_and_another_compiler_is_used(kind, script, monkeypatch):
    text, reason = BROKEN[kind]
    path = script("broken", text)
    if text is None:
        path.write_text("#!/no/such/shell\n")
    monkeypatch.setenv("CC", str(path))
    with pytest.warns(UnrolledWarning, match=f"(?s){path}.*{reason}.*is used in its place"):
        compiler = find_compiler()
    assert compiler.command[0] in {"cc", "gcc", "clang"} and reason in compiler.passed_over[0]
    assert find_compiler() is compiler  # and no second warning, which would be an error


def test_without_any_compiler_the_message_has_each_ones_reason_and_the_cure(script, monkeypatch):
    script("gcc", 'echo "gcc: no header files" >&2; exit 1')
    monkeypatch.setenv("PATH", str(script("clang", 'echo "libLLVM is missing" >&2; exit 127').parent))
    monkeypatch.setenv("CC", "no-such-thing -O")
    with pytest.raises(BuildError) as caught:
        find_compiler()
    told = str(caught.value)
    for part in (
        "$CC=no-such-thing -O: not found",
        "cc: not found",
        "gcc: gcc: no header files",
        "clang: libLLVM is missing",
        "ziglang: not installed",
    ):
        assert part in told and part in caught.value.reason
    assert "Install gcc or clang, or `pip install ziglang`" in told and "UNROLLED_ENGINE=torch" in told
    assert isinstance(caught.value, EngineError)
    with pytest.raises(BuildError, match="no header files"):
        build("a", SOURCE)


@needs_compiler
def test_a_compiler_that_was_mended_is_found_by_the_next_process(script, monkeypatch):
    path = script("cc", "[ -e $0.mended ] || exit 1\n" + f'exec {REAL} "$@"')
    monkeypatch.setenv("PATH", str(path.parent))
    with pytest.raises(BuildError):
        find_compiler()
    path.with_name("cc.mended").touch()
    with pytest.raises(BuildError):
        find_compiler()  # in this process it was found out once
    compilers._find.cache_clear()
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.defpath}")
    assert find_compiler().command == ("cc",)


@needs_compiler
def test_the_compiler_of_ziglang_is_the_last_resort(tmp_path, script, monkeypatch):
    monkeypatch.undo()  # the one here is found
    program = script("zig", f'PATH={os.defpath}\nexec {REAL} "$@"', below="ziglang")
    start = f"import os, sys\nassert sys.argv[1] == 'cc'\nos.execv({str(program)!r}, ['zig', *sys.argv[2:]])"
    program.with_name("__init__.py").touch()
    program.with_name("__main__.py").write_text(start)
    monkeypatch.delenv("CC", raising=False)
    for name, value in {"UNROLLED_CACHE": tmp_path / "cache", "PYTHONPATH": tmp_path, "PATH": "/nowhere"}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.syspath_prepend(str(tmp_path))
    compiler = find_compiler()
    assert compiler.command == (sys.executable, "-m", "ziglang", "cc")
    assert compiler.passed_over == ("cc: not found", "gcc: not found", "clang: not found")


def test_a_compiler_that_hangs_is_killed_with_all_it_started_and_not_tried_again(tmp_path, script, monkeypatch):
    monkeypatch.setattr(processes, "LIMIT", 0.5)
    path = script("cc", f"sleep 300 & echo $! > {tmp_path}/pid; wait")
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}/bin")
    monkeypatch.setattr(shutil, "which", lambda name: str(path) if name == "cc" else None)
    start = time.monotonic()
    with pytest.raises(BuildError, match=r"cc: it did not end within 0.5 s and was stopped"):
        find_compiler()
    assert time.monotonic() - start < 20
    child = int((tmp_path / "pid").read_text())
    for _ in range(100):
        if not _alive(child):
            break
        time.sleep(0.05)
    assert not _alive(child)
    compilers._find.cache_clear()
    monkeypatch.setattr(compilers, "run", lambda *_: pytest.fail("it was started again"))
    with pytest.raises(BuildError, match="did not end"):
        find_compiler()


def _alive(process):
    try:
        os.kill(process, 0)
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[:1]
    except OSError:
        return False


@needs_compiler
def test_a_build_that_hangs_is_an_error(script, monkeypatch):
    monkeypatch.setenv("CC", str(script("slow", f'case "$*" in *endless-*) sleep 300;; esac\nexec {REAL} "$@"')))
    assert answer(build("quick", SOURCE, ["K=1"])) == 5
    monkeypatch.setattr(processes, "LIMIT", 0.5)
    with pytest.raises(BuildError, match=r"(?s)did not compile .*endless-.*\.c:.*did not end within"):
        build("endless", SOURCE, ["K=1"])


@needs_compiler
def test_a_source_that_does_not_compile_is_shown_shortly_and_kept(monkeypatch):
    source = "int answer(int a) {\n" + "".join(f"    nothing{i};\n" for i in range(40)) + "}\n"
    with pytest.raises(BuildError) as caught:
        build("wrong", source)
    told = str(caught.value)
    kept = Path(next(word for word in told.split() if word.endswith(".c:"))[:-1])
    assert kept.read_text() == source and "nothing0" in told and "more lines" in told and "nothing39" not in told
    assert len(told.splitlines()) < 20 and not kept.with_suffix(".so").exists()
    assert not list(kept.parent.glob(".unfinished*"))


@needs_compiler
def test_what_was_built_is_not_built_again_and_what_differs_is(counting, script, monkeypatch):
    first = build("a", SOURCE, ["K=1"])
    assert build("a", SOURCE, ["K=1"]) == first and counting().count(first.stem) == 1
    others = [build("a", SOURCE, ["K=2"]), build("a", SOURCE + "\n", ["K=1"]), build("a", SOURCE, ["K=1", "L"])]
    monkeypatch.setenv("UNROLLED_CFLAGS", "-g -DL")
    others.append(build("a", SOURCE, ["K=1"]))
    assert "-g" in find_compiler().flags
    monkeypatch.delenv("UNROLLED_CFLAGS")
    monkeypatch.setattr(building, "processor", lambda: "another one")
    others.append(build("a", SOURCE, ["K=1"]))
    assert len({first, *others}) == 6
    assert answer(first) == 5 and answer(others[0]) == 6


@needs_compiler
def test_another_version_of_the_compiler_builds_again(script, monkeypatch):
    found = []
    for number in (1, 2):
        path = script("mine", f'[ "$*" = --version ] && echo "mine {number}" && exit\nexec {REAL} "$@" # {"." * number}')
        monkeypatch.setenv("CC", str(path))
        compilers._find.cache_clear()
        assert find_compiler().version == f"mine {number}"
        found.append(build("a", SOURCE, ["K=1"]))
    assert found[0] != found[1]


@needs_compiler
@pytest.mark.parametrize("damage", ["truncated", "flipped", "no digest", "no library"])
def test_a_damaged_library_is_made_again(damage, counting):
    path = build("a", SOURCE, ["K=1"])
    content = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(content[:-100])
    elif damage == "flipped":
        path.write_bytes(content[: len(content) // 2] + b"!" + content[len(content) // 2 + 1 :])
    else:
        path.with_suffix(".sum" if damage == "no digest" else ".so").unlink()
    assert build("a", SOURCE, ["K=1"]) == path and answer(path) == 5
    assert counting().count(path.stem) == 2
    build("a", SOURCE, ["K=1"])
    assert counting().count(path.stem) == 2


@needs_compiler
def test_a_library_that_cannot_be_loaded_is_an_error_and_made_again(tmp_path):
    path = build("a", SOURCE, ["K=1"])
    rubbish = path.with_name("other.so")
    rubbish.write_text("no library")
    rubbish.with_suffix(".sum").write_text("its digest")
    with pytest.raises(BuildError, match=r"other\.so cannot be loaded"):
        load(rubbish)
    assert not rubbish.with_suffix(".sum").exists()


@needs_compiler
@pytest.mark.parametrize("swap", ["another folder", "a link"])
def test_a_folder_that_was_exchanged_after_it_was_checked_is_not_loaded_from(swap, tmp_path, monkeypatch):
    path = build("a", SOURCE, ["K=1"])
    ours, foreign = path.parent, path.parent.with_name("foreign")
    shutil.copytree(ours, foreign)
    other = build("b", SOURCE, ["K=2"])
    for suffix, content in ((".so", other.read_bytes()), (".sum", other.with_suffix(".sum").read_bytes())):
        (foreign / path.name).with_suffix(suffix).write_bytes(content)
    ours.rename(ours.with_name("moved"))
    if swap == "a link":
        ours.symlink_to(foreign)
    else:
        foreign.rename(ours)
        ours.chmod(0o777)
    with pytest.raises(BuildError, match="cannot be loaded"):
        load(path)


@needs_compiler
def test_a_library_exchanged_after_it_was_checked_is_not_loaded():
    path, other = build("a", SOURCE, ["K=1"]), build("a", SOURCE, ["K=2"])
    shutil.copy(other, path)
    with pytest.raises(BuildError, match="cannot be loaded"):
        load(path)
    assert answer(build("a", SOURCE, ["K=1"])) == 5
    assert answer(other) == 6


BUILD = """
import sys
from unrolled.engines.native.build import build, load
if len(sys.argv) > 1:
    import subprocess
    def forbidden(*_, **__):
        raise SystemExit("a program was started")
    subprocess.Popen = forbidden
path = build("once", "int answer(int a) { return a + K; }", ["K=38"])
print(path, load(path).answer(4))
"""


@needs_compiler
def test_processes_that_want_the_same_library_at_once_compile_it_once(tmp_path, script, monkeypatch):
    log = tmp_path / "log"
    text = f'case "$*" in *once-*) echo x >> {log}; sleep 1;; esac\nexec {REAL} "$@"'
    monkeypatch.setenv("CC", str(script("slow", text)))
    ended = [wait() for wait in [split_off(BUILD) for _ in range(3)]]
    assert len(set(ended)) == 1 and ended[0].endswith(" 42\n"), ended
    assert log.read_text() == "x\n"


@needs_compiler
def test_a_later_process_starts_no_program(tmp_path):
    first = split_off(BUILD)()
    assert first.endswith(" 42\n")
    assert python(BUILD, "forbid").communicate()[0] == first
    shutil.rmtree(tmp_path / "cache")
    assert "a program was started" in split_off(BUILD, "forbid")()


@needs_compiler
def test_a_compiler_that_changed_is_tried_again(counting):
    find_compiler()
    before = len(counting())
    compilers._find.cache_clear()
    find_compiler()
    assert len(counting()) == before
    os.utime(os.environ["CC"], (1, 1))
    compilers._find.cache_clear()
    find_compiler()
    assert len(counting()) > before
    for note in Path(os.environ["UNROLLED_CACHE"]).glob("native/compiler-*.json"):
        note.write_text('{"compiler": {"command": 3')
    compilers._find.cache_clear()
    assert find_compiler().command == (os.environ["CC"],)


def test_importing_the_package_looks_for_no_compiler():
    code = "import sys, unrolled\nassert not any('native' in name for name in sys.modules if name.startswith('unrolled'))"
    process = python(code)
    assert (process.communicate()[1], process.returncode) == ("", 0)


def _writable_by_others(native, monkeypatch):
    native.mkdir(mode=0o700)
    native.chmod(0o777)


def _anothers(native, monkeypatch):
    native.mkdir(mode=0o700)
    real = folders.not_ours
    monkeypatch.setattr(folders, "not_ours", lambda at, found: f"{at} belongs to another user" if at == native else real(at, found))


def _in_a_shared_place(native, monkeypatch):
    native.parent.chmod(0o777)


def _no_folder(native, monkeypatch):
    native.write_text("a file is in the way")


def _noexec(native, monkeypatch):
    monkeypatch.setattr(folder.os, "statvfs", lambda _: type("Status", (), {"f_flag": os.ST_NOEXEC}))


REFUSED = {
    "others can write": _writable_by_others,
    "belongs to another user": _anothers,
    "others can write to": _in_a_shared_place,
    "cannot be written": _no_folder,
    "noexec": _noexec,
}


@needs_compiler
@pytest.mark.parametrize("reason", REFUSED)
def test_a_folder_that_is_not_safe_is_not_used(reason, tmp_path, monkeypatch):
    if reason == "noexec" and not hasattr(os, "ST_NOEXEC"):
        pytest.skip("this system does not tell")
    native = tmp_path / "cache" / "native"
    native.parent.mkdir(mode=0o700)
    REFUSED[reason](native, monkeypatch)
    with pytest.warns(UnrolledWarning, match=f"{native.parent}.*{reason}|{reason}.*{native.parent}") as caught:
        path = build("a", SOURCE, ["K=1"])
    assert len(caught) == 1 and "UNROLLED_CACHE" in str(caught[0].message)
    assert native not in path.parents and answer(path) == 5
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert build("b", SOURCE, ["K=2"]).parent == path.parent  # and no second warning


@needs_compiler
def test_a_private_folder_goes_with_the_process_that_made_it_and_not_with_its_children(tmp_path):
    native = tmp_path / "cache" / "native"
    native.mkdir(parents=True)
    native.chmod(0o777)
    code = """
import os, sys, warnings
warnings.simplefilter("ignore")
from unrolled.engines.native.build import build
path = build("a", "int answer(int a) { return a; }")
child = os.fork()
if not child:
    sys.exit()
os.waitpid(child, 0)
assert path.exists()
print(path)
"""
    process = python(code)
    out, err = process.communicate()
    assert process.returncode == 0, err
    path = Path(out.strip())
    assert "unrolled-" in str(path) and not path.parent.exists()


@needs_compiler
def test_a_full_disk_gives_way_to_the_private_folder(tmp_path, monkeypatch):
    find_compiler()
    write = building.write_file

    def full(path, content):
        if tmp_path / "cache" in path.parents:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, content)

    monkeypatch.setattr(building, "write_file", full)
    with pytest.warns(UnrolledWarning, match="No space left"):
        assert answer(build("a", SOURCE, ["K=1"])) == 5
    monkeypatch.setattr(building, "write_file", lambda path, content: full(tmp_path / "cache" / "x", b""))
    with pytest.raises(BuildError, match=r"Nothing can be compiled.*No space left"):
        build("b", SOURCE, ["K=1"])


@needs_compiler
@pytest.mark.parametrize("where", ["", "a-"], ids=["when it is tried", "later"])
@pytest.mark.parametrize("said", ["as: t.o: No space left on device", ""], ids=["and says so", "and has no room to say so"])
def test_a_compiler_that_finds_the_disk_full_gives_way_too(where, said, tmp_path, script, monkeypatch):
    text = f'case "$*" in *{tmp_path}/cache/native/{where}*.c*) echo "{said}" >&2; exit 1;; esac\nexec {REAL} "$@"'
    monkeypatch.setenv("CC", str(script("full", text)))
    if not said:
        monkeypatch.setattr(processes, "ROOM", 1 << 60)
    with pytest.warns(UnrolledWarning, match="the disk is full"):
        assert answer(build("a", SOURCE, ["K=1"])) == 5


@needs_compiler
def test_a_folder_removed_in_the_meantime_is_made_again(tmp_path, monkeypatch):
    find_compiler()
    compile_ = building._compile
    removed = []

    def removing(compiler, library, *rest):
        if not removed:
            removed.append(shutil.rmtree(library.parent))
        compile_(compiler, library, *rest)

    monkeypatch.setattr(building, "_compile", removing)
    assert build("a", SOURCE, ["K=1"]).parent == tmp_path / "cache" / "native" and removed


@needs_compiler
def test_builds_take_bounded_room_and_the_oldest_go_first(monkeypatch):
    paths = [build("a", SOURCE, [f"K={k}"]) for k in range(4)]
    library = load(paths[0])
    for age, path in enumerate(reversed(paths), 1):
        for file in path.parent.glob(f"{path.stem}.*"):
            os.utime(file, (1e9 - age, 1e9 - age))
    build("a", SOURCE, ["K=1"])  # is in use again
    monkeypatch.setattr(folder, "LARGEST", 2.5 * paths[0].stat().st_size)
    newest = build("a", SOURCE, ["K=9"])
    left = {path for path in paths if path.exists()}
    assert newest.exists() and left == {paths[1]}
    assert {file.stem for file in newest.parent.glob("a-*")} == {newest.stem, paths[1].stem}
    monkeypatch.setattr(folder, "LARGEST", 0)
    folder.make_room(newest.parent)
    assert newest.exists() and paths[1].exists()  # they may be about to be loaded
    assert library.answer(4) == 4  # removed, and still there for who has it


def test_what_killed_processes_left_is_removed_after_a_day():
    native = folder.builds_folder()
    old, young = native / ".unfinished-old", native / ".unfinished-young"
    for left in (old, young):
        left.mkdir()
        (left / "fresh.so").touch()
    os.utime(old, (1, 1))
    folder.make_room(native)
    assert young.exists() and not old.exists()


@needs_compiler
def test_contents_are_counted(tmp_path):
    build("a", SOURCE, ["K=1"])
    path = build("b", SOURCE, ["K=1"])
    number, size = folder.contents(path.parent)
    assert number == 2 and 2 * path.stat().st_size < size < 4 * path.stat().st_size


@needs_compiler
def test_where_files_cannot_be_locked_it_works_all_the_same(monkeypatch):
    def unsupported(_):
        raise OSError(errno.ENOTSUP, "not supported")

    monkeypatch.setattr(files, "_lock", unsupported)
    monkeypatch.setattr(files, "_unlock", unsupported)
    assert answer(build("a", SOURCE, ["K=1"])) == 5


def test_a_lock_shuts_others_out_and_is_waited_for_only_so_long(tmp_path):
    with folder.locked(tmp_path, "abc", 1):
        start = time.monotonic()
        with folder.locked(tmp_path, "abc", 0.3):
            assert time.monotonic() - start >= 0.3
        with folder.locked(tmp_path, "xyz", 60):
            pass
    with folder.locked(tmp_path, "abc", 60):
        pass
    assert time.monotonic() - start < 30


def test_a_process_forked_in_the_meantime_keeps_no_lock(tmp_path):
    code = """
import os, sys, time
from pathlib import Path
from unrolled.engines.native.folder import locked
read, write = os.pipe()
with locked(Path(sys.argv[1]), "abc", 1):
    child = os.fork()
    if not child:
        os.close(write)
        os.read(read, 1)
        os._exit(0)
start = time.monotonic()
with locked(Path(sys.argv[1]), "abc", 20):
    print(time.monotonic() - start < 10)
os.close(write)
os.waitpid(child, 0)
"""
    assert split_off(code, tmp_path)() == "True\n"


def test_the_notice_comes_once():
    with pytest.warns(UnrolledWarning, match=r"No C compiler works here \(cc: not found\), so recurrences run on the slower engine"):
        notice("cc: not found")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        notice("cc: not found")


def test_a_processor_is_told_by_what_it_can_do_and_not_by_its_present_speed(tmp_path, monkeypatch):
    def look(text):
        path = tmp_path / "cpuinfo"
        path.write_text(text)
        monkeypatch.setattr(processes, "_CPUINFO", str(path))
        return processes._from_cpuinfo()

    one = "processor\t: 0\nmodel name\t: Fast 5\ncpu MHz\t\t: 2000.0\nflags\t\t: fma avx2\n\nprocessor\t: 1\nmodel name\t: Fast 5\n"
    assert look(one) == "model name\t: Fast 5\nflags\t\t: fma avx2"
    assert look(one.replace("2000", "3000")) == look(one) != look(one.replace("avx2", "avx2 avx512f"))
    arm = "processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n"
    assert look(arm) == "Features\t: fp asimd\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c"
