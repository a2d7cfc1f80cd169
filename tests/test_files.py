"""Files of the toolkit's own: whole or not there, and never another file than the one that was named."""

import os
import socket
import stat
import subprocess
import sys
import time

import pytest

from unrolled.files import UNFINISHED, append_to, locked, name_of, open_file, read_file, replace_file, sweep, write_file

pytestmark = pytest.mark.skipif(os.name != "posix", reason="no links, pipes and masks as here")


def pipe(path):
    os.mkfifo(path)


def unix_socket(path):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(path))


def link(path):
    path.symlink_to(path.with_name("precious"))


def dangling(path):
    path.symlink_to(path.with_name("not there yet"))


def device(path):
    path.symlink_to("/dev/zero")


NOT_ORDINARY = {"link": link, "dangling": dangling, "device": device, "pipe": pipe, "socket": unix_socket, "folder": os.mkdir}


def lock(path):
    with locked(path):
        pass


ACTS = {"read": read_file, "append": lambda p: append_to(p, b"x"), "write": lambda p: write_file(p, b"x"), "lock": lock}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("kind", NOT_ORDINARY)
def test_only_ordinary_files_are_touched_and_nothing_waits(kind, act, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "precious").write_text("precious")
    NOT_ORDINARY[kind](tmp_path / "file")
    with pytest.raises(OSError, match="not an ordinary file"):
        ACTS[act](tmp_path / "file")
    assert (tmp_path / "precious").read_text() == "precious"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "precious"]


def test_a_file_put_in_place_has_the_permissions_that_new_files_have(tmp_path):
    previous = os.umask(0o027)
    try:
        write_file(tmp_path / "file", b"x")
        append_to(tmp_path / "lines", b"x")
    finally:
        os.umask(previous)
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("file", "lines")] == [0o640, 0o640]


def test_a_killed_write_leaves_the_old_file_and_is_swept_up(tmp_path):
    path = tmp_path / ("n" * 255)
    write_file(path, b"old")
    code = "import os, sys; from pathlib import Path; from unrolled.files import replace_file;"
    code += "replace_file(Path(sys.argv[1]), lambda file: (file.write(b'half'), file.flush(), os.kill(os.getpid(), 9)))"
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == -9
    assert path.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 2
    sweep(tmp_path, 3600)
    assert len(list(tmp_path.iterdir())) == 2
    sweep(tmp_path, 0)
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_swept_up_may_be_a_link_or_a_folder_and_nothing_outside_goes(tmp_path):
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.mkdir()
    (outside / "precious").touch()
    (folder / ".unfinished-b").mkdir(parents=True)
    for name in (".unfinished-a", ".unfinished-b/c"):
        (folder / name).symlink_to(outside)
    sweep(folder, 0)
    assert list(folder.iterdir()) == []
    assert (outside / "precious").exists()


def test_a_file_with_another_name_elsewhere_is_not_added_to(tmp_path):
    (tmp_path / "precious").write_text("precious")
    os.link(tmp_path / "precious", tmp_path / "file")
    with pytest.raises(OSError, match="another name"):
        append_to(tmp_path / "file", b"x")
    write_file(tmp_path / "file", b"new")
    assert (tmp_path / "precious").read_text() == "precious"


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    with open(tmp_path / "file", "wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(OSError, match="more than 9 bytes"):
        read_file(tmp_path / "file", 9)
    with pytest.raises(OSError, match="more than"):
        read_file(tmp_path / "file")


def test_an_open_file_has_a_name_that_leads_to_it_whatever_lies_in_its_place(tmp_path):
    write_file(tmp_path / "file", b"old")
    with open_file(tmp_path / "file") as file:
        replace_file(tmp_path / "file", lambda new: new.write(b"new"))
        with open(name_of(file, tmp_path / "file"), "rb") as again:
            assert again.read() == b"old"


def test_a_lock_shuts_others_out_and_is_waited_for_only_so_long(tmp_path):
    with locked(tmp_path / "lock"):
        begun = time.monotonic()
        with pytest.raises(BlockingIOError), locked(tmp_path / "lock", 0.1):
            pass
        assert time.monotonic() - begun >= 0.1
    with locked(tmp_path / "lock"):
        pass


@pytest.mark.parametrize("planted", [link, dangling, lambda path: path.write_text("theirs")])
def test_what_somebody_put_where_a_file_is_made_is_not_written_to(tmp_path, monkeypatch, planted):
    monkeypatch.setattr("secrets.token_hex", lambda _: "guessed")
    (tmp_path / "precious").write_text("precious")
    planted(tmp_path / f"{UNFINISHED}guessed")
    with pytest.raises(OSError, match="exists"):
        write_file(tmp_path / "new", b"ours")
    assert (tmp_path / "precious").read_text() == "precious"
    assert not (tmp_path / "new").exists() and not (tmp_path / "not there yet").exists()
