"""The cache folder is one that nobody else can write to or replace; where it cannot be, another one is."""

import os
import stat
import warnings

import pytest

from unrolled import folders
from unrolled.data.corpus import prepare
from unrolled.errors import UnrolledWarning
from unrolled.folders import cache_folder, objection_to

pytestmark = pytest.mark.skipif(os.name != "posix", reason="no owners and modes as here")


@pytest.fixture(autouse=True)
def fresh(tmp_path, monkeypatch):
    """A process of its own, whose temporary files lie in `tmp`."""
    monkeypatch.setattr(folders, "_private", [])
    monkeypatch.setattr(folders, "_told", set())
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(folders.tempfile, "tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv("UNROLLED_CACHE", str(tmp_path / "above" / "cache"))


@pytest.fixture
def own(tmp_path):
    (tmp_path / "above" / "cache").mkdir(mode=0o700, parents=True)
    (tmp_path / "above").chmod(0o755)
    return tmp_path / "above" / "cache"


def status(monkeypatch, path, **changed):
    """Let a folder have another owner, group or mode than it has."""
    real = os.lstat(path)
    fields = ["st_mode", "st_ino", "st_dev", "st_nlink", "st_uid", "st_gid"]
    values = {"st_mode": real.st_mode, "st_uid": real.st_uid, "st_gid": real.st_gid, **changed}
    fake = os.stat_result([values.get(name, getattr(real, name)) for name in fields] + list(real)[6:])
    for name in ("stat", "lstat"):
        original = getattr(folders.Path, name)
        monkeypatch.setattr(
            folders.Path, name, lambda at, _original=original, **how: fake if os.fspath(at) == os.fspath(path) else _original(at, **how)
        )


def test_a_folder_of_ones_own_is_used_without_a_word(own):
    assert cache_folder() == own
    assert objection_to(own) == ""


def test_folders_that_are_missing_are_made_for_the_user_alone(tmp_path):
    previous = os.umask(0)
    try:
        assert cache_folder() == tmp_path / "above" / "cache"
    finally:
        os.umask(previous)
    assert [stat.S_IMODE(at.stat().st_mode) for at in (tmp_path / "above", tmp_path / "above" / "cache")] == [0o700, 0o700]


@pytest.mark.parametrize(
    ("where", "changed", "words"),
    [
        ("cache", {"st_mode": 0o40777}, "others can write"),
        ("cache", {"st_mode": 0o41777}, "others can write"),
        ("cache", {"st_mode": 0o40770, "st_gid": 54321}, "others can write"),
        ("cache", {"st_uid": 54321}, "belongs to another user"),
        ("above", {"st_mode": 0o40777}, "anybody can write"),
        ("above", {"st_mode": 0o40775, "st_gid": 54321}, "a group can write"),
        ("above", {"st_uid": 54321}, "belongs to another user"),
        ("above", {"st_uid": 54321, "st_mode": 0o41777}, "belongs to another user"),
    ],
)
def test_a_folder_that_others_can_change_or_replace_is_not_used(own, monkeypatch, where, changed, words):
    status(monkeypatch, own if where == "cache" else own.parent, **changed)
    with pytest.warns(UnrolledWarning, match=f"{own} is not used: .*{words}.*UNROLLED_CACHE"):
        found = cache_folder()
    assert found.parent == own.parents[1] / "tmp"
    assert stat.S_IMODE(found.stat().st_mode) == 0o700
    assert cache_folder() == found  # and no second warning, which would be an error


@pytest.mark.parametrize("changed", [{"st_mode": 0o41777}, {"st_mode": 0o41775, "st_gid": 54321}, {"st_uid": 0}])
def test_a_shared_folder_above_is_no_harm_where_nobody_else_can_rename_in_it(own, monkeypatch, changed):
    status(monkeypatch, own.parent, **changed)
    assert cache_folder() == own


def test_a_group_of_the_user_alone_is_not_somebody_else(own, monkeypatch):
    grp, pwd = pytest.importorskip("grp"), pytest.importorskip("pwd")
    status(monkeypatch, own.parent, st_mode=0o40775, st_gid=54321)
    monkeypatch.setattr(pwd, "getpwuid", lambda _: pwd.struct_passwd(("ann", "x", os.getuid(), 54321, "", "/", "/bin/sh")))
    monkeypatch.setattr(grp, "getgrgid", lambda _: grp.struct_group(("ann", "x", 54321, ["ann"])))
    assert objection_to(own) == ""
    monkeypatch.setattr(grp, "getgrgid", lambda _: grp.struct_group(("ann", "x", 54321, ["ann", "bob"])))
    assert "a group can write" in objection_to(own)
    monkeypatch.setattr(grp, "getgrgid", lambda _: grp.struct_group(("staff", "x", 54321, [])))
    assert "a group can write" in objection_to(own)


def test_a_link_is_followed_once_and_what_it_leads_to_is_looked_at(own, tmp_path, monkeypatch):
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "link").symlink_to(own)
    (tmp_path / "shared").chmod(0o777)
    monkeypatch.setenv("UNROLLED_CACHE", str(tmp_path / "shared" / "link"))
    assert cache_folder() == own


def test_where_temporary_files_are_not_safe_either_the_folder_is_for_this_process_alone(own, tmp_path, monkeypatch):
    (tmp_path / "tmp").chmod(0o777)
    own.chmod(0o777)
    with pytest.warns(UnrolledWarning, match="others can write"):
        found = cache_folder()
    assert found.parent == tmp_path / "tmp"
    assert found == folders.private_folder() == cache_folder()
    found.rmdir()


def test_texts_are_not_encoded_into_a_folder_that_others_can_change(own, tmp_path):
    (tmp_path / "text").write_text("a text\n" * 100)
    own.chmod(0o777)
    with pytest.warns(UnrolledWarning, match="others can write"):
        found = prepare(tmp_path / "text")
    assert own not in found.train.path.parents
    assert list(own.iterdir()) == []
    own.chmod(0o700)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert own in prepare(tmp_path / "text").train.path.parents
