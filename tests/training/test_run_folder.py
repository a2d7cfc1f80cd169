"""Folders of runs that others have made, and that were left at any moment."""

import json
import os
import shutil

import pytest

import unrolled as un
from unrolled.errors import RunError, UnrolledError
from unrolled.tasks import find_recipe, run_training
from unrolled.training import RunFolder, Silent, read_watch

TINY = {"hidden": 3, "embedding": 2, "batch": 3, "window": 20, "epochs": 1, "evaluations": 1, "watch": True, "watch_every": 5}
FILES = ["config.toml", "codecs.json", "recurrence.cell", "model.safetensors", "checkpoint.safetensors", "metrics.jsonl", "watch.jsonl"]
WRITTEN = [*FILES, "loss.png", ".lock"]

needs_posix = pytest.mark.skipif(os.name != "posix", reason="no links and pipes as here")


@pytest.fixture(scope="module")
def whole(tmp_path_factory, text):
    """A finished run, to be copied."""
    folder = RunFolder(tmp_path_factory.mktemp("whole") / "run")
    run_training(find_recipe("lm"), str(text), folder, TINY, Silent())
    return folder.path


@pytest.fixture
def copy(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "copy")


def resume(path, **options):
    return run_training(find_recipe("lm"), (), RunFolder(path), {"epochs": 2, **options}, Silent(), resume=True)


def begin(path, text):
    return run_training(find_recipe("lm"), str(text), RunFolder(path), TINY, Silent())


PLANTED = {
    "link": lambda path: path.symlink_to(path.parents[1] / "precious"),
    "pipe": os.mkfifo,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "folder": os.mkdir,
}


@needs_posix
@pytest.mark.parametrize("kind", PLANTED)
@pytest.mark.parametrize("name", WRITTEN)
def test_nothing_but_ordinary_files_is_read_or_written(copy, name, kind):
    precious = copy.parent / "precious"
    precious.write_bytes((copy / name).read_bytes())
    before = precious.read_bytes()
    (copy / name).unlink()
    PLANTED[kind](copy / name)
    with pytest.raises(RunError, match=r"\.lock|copy.*cannot be written" if name == ".lock" else name):
        if name in FILES[:4]:
            un.load(copy)
        else:
            resume(copy)
    assert precious.read_bytes() == before


@needs_posix
@pytest.mark.parametrize("kind", PLANTED)
def test_a_run_is_not_gone_on_with_while_one_of_its_files_is_none(copy, kind):
    measured = (copy / "metrics.jsonl").read_bytes()
    for name in ("model.safetensors", "loss.png", ".lock"):
        (copy / name).unlink()
        PLANTED[kind](copy / name)
        with pytest.raises(RunError, match=rf"{name} cannot be used: it is a .*\. Take it away"):
            resume(copy)
        (copy / name).rmdir() if kind == "folder" else (copy / name).unlink()
    assert (copy / "metrics.jsonl").read_bytes() == measured


@needs_posix
@pytest.mark.parametrize("kind", PLANTED)
def test_what_lies_where_files_are_written_aside_is_not_written_to(copy, kind):
    precious = copy.parent / "precious"
    precious.write_text("precious")
    for name in WRITTEN:
        PLANTED[kind](copy / f".{name}.part")
    assert resume(copy).finished
    assert precious.read_text() == "precious"


@needs_posix
def test_events_for_tensorboard_stay_in_the_folder(copy):
    pytest.importorskip("tensorboard")
    (copy.parent / "outside").mkdir()
    (copy / "tensorboard").symlink_to(copy.parent / "outside")
    with pytest.raises(RunError, match="tensorboard"):
        resume(copy, tensorboard=True)
    assert list((copy.parent / "outside").iterdir()) == []


@needs_posix
def test_a_folder_may_be_named_by_a_link(copy):
    (copy.parent / "link").symlink_to(copy)
    assert resume(copy.parent / "link").finished


@pytest.mark.parametrize(
    "left", [[], [".lock"], [".lock", "recurrence.cell"], [".lock", "recurrence.cell", "codecs.json", ".unfinished-1"]]
)
def test_a_folder_left_before_its_run_had_begun_is_begun_in_again(whole, text, tmp_path, left):
    folder = tmp_path / "run"
    folder.mkdir()
    for name in left:
        shutil.copy(whole / name if (whole / name).exists() else whole / ".lock", folder / name)
    with pytest.raises(RunError, match=r"holds no run yet\. Begin one in it with `out`"):
        resume(folder)
    assert begin(folder, text).finished
    assert not list(folder.glob(".unfinished-*"))
    assert (folder / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()


def test_a_folder_left_after_its_run_had_begun_is_gone_on_with(whole, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("config.toml", "recurrence.cell", "codecs.json"):
        shutil.copy(whole / name, folder)
    assert resume(folder, epochs=1).finished
    assert (folder / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()


def test_a_folder_with_something_else_is_not_begun_in(text, tmp_path):
    (tmp_path / "notes").touch()
    with pytest.raises(RunError, match="is there already"):
        begin(tmp_path, text)


def test_where_beginning_fails_no_folder_stays(tmp_path):
    with pytest.raises(UnrolledError):
        begin(tmp_path / "runs" / "run", tmp_path / "no such text")
    (tmp_path / "own").mkdir()
    with pytest.raises(UnrolledError):
        begin(tmp_path / "own", tmp_path / "no such text")
    assert [p.name for p in tmp_path.iterdir()] == ["own"]


def test_runs_without_a_name_that_begin_together_have_a_folder_each(text, tmp_path):
    first, second = (RunFolder(tmp_path / "lm", numbered=True) for _ in range(2))
    with first.taken(), second.taken():
        assert (first.path.name, second.path.name) == ("lm", "lm-2")
        assert second.history.path.parent == second.path


def changed(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_sizes_are_compared_before_memory_and_time_are_spent_on_them(copy):
    changed(copy / "config.toml", "hidden = 3", "hidden = 300000")
    for act in (un.load, resume):
        with pytest.raises(RunError, match="belongs to another configuration"):
            act(copy)
    (copy / "model.safetensors").unlink()
    with pytest.raises(RunError, match="belongs to another configuration"):
        resume(copy)


@pytest.mark.parametrize("value", ["9" * 5000, "0x" + "f" * 4000, "[" * 5000 + "]" * 5000, f'"{"x" * 10**6}"', "1e400"])
@pytest.mark.parametrize("name", ["format", "task", "hidden", "held_out"])
def test_an_absurd_value_is_an_error_of_our_own_and_a_short_one(copy, name, value):
    line = next(line for line in (copy / "config.toml").read_text().splitlines() if line.startswith(f"{name} ="))
    changed(copy / "config.toml", line, f"{name} = {value}")
    with pytest.raises(UnrolledError) as caught:
        resume(copy)
    assert 0 < len(str(caught.value)) < 2500


@pytest.mark.parametrize("value", ["9" * 4000, "[1]", '"x"', "{}", "1e999", "true", "null"])
@pytest.mark.parametrize("name", ["clipped", "gradient", "gates", "states", "update", "held_out", "seconds"])
def test_records_that_are_none_are_passed_over_or_named(copy, name, value):
    for path in (copy / "watch.jsonl", copy / "metrics.jsonl"):
        path.write_text("".join(f"{json.dumps(json.loads(line) | {name: 0})}\n" for line in path.read_text().splitlines()))
        changed(path, f'"{name}": 0', f'"{name}": {value}')
    try:
        read_watch(RunFolder(copy))
    except RunError as error:
        assert "watch.jsonl" in str(error)
    assert resume(copy).finished


@pytest.mark.parametrize("value", ["9" * 4000, "-1", "1.5", "[]"])
def test_a_place_where_no_run_can_stand_is_refused(copy, value):
    folder = RunFolder(copy)
    tensors, metadata = folder.load_checkpoint()
    position = metadata["position"].replace('"updates": ', f'"updates": {value}, "x": ', 1)
    folder.save_checkpoint({name: tensor.clone() for name, tensor in tensors.items()}, {"position": position})
    with pytest.raises(RunError, match="does not say where the run stood"):
        resume(copy)


def test_a_folder_that_may_not_be_entered_is_told(tmp_path, monkeypatch):
    def closed(self, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.stat", closed)
    with pytest.raises(RunError, match="cannot be read: Permission denied"):
        RunFolder(tmp_path / "run").read_config()
