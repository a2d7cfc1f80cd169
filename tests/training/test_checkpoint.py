"""Files of a run: in place whole or not at all, and never trusted when they are read."""

import errno
import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file

import unrolled as un
from heard import Heard
from unrolled.cli import main
from unrolled.errors import RunError, UnrolledError
from unrolled.tasks import find_recipe, run_training
from unrolled.training import RunFolder, Silent
from unrolled.training.checkpoint import load_into, load_tensors, save_tensors, save_text, save_whole

FILES = ["config.toml", "codecs.json", "recurrence.cell", "model.safetensors", "checkpoint.safetensors", "metrics.jsonl"]


def test_a_failing_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    save_text(path, "old")

    def full(file):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(
        RunError, match=r"file could not be written: No space left on device\. The one that was there before is intact"
    ) as caught:
        save_whole(path, full)
    assert "Make room" in str(caught.value)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_disk_that_is_full_leaves_the_previous_checkpoint(tmp_path):
    """A limit on the size of files stands for the disk: the process is told in the middle of a write."""
    path = tmp_path / "checkpoint.safetensors"
    save_tensors(path, {"a": torch.arange(10.0)})
    before = path.read_bytes()
    code = (
        "import resource, signal, sys, torch; from pathlib import Path; from unrolled.training.checkpoint import save_tensors;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000));"
        "save_tensors(Path(sys.argv[1]), {'a': torch.zeros(1_000_000)})"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert "unrolled.errors.RunError" in done.stderr
    assert "could not be written" in done.stderr
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.fixture(scope="session")
def whole(tmp_path_factory, text):
    """A finished run, to be copied."""
    folder = RunFolder(tmp_path_factory.mktemp("whole") / "run")
    run_training(
        find_recipe("lm"),
        str(text),
        folder,
        {"hidden": 5, "embedding": 4, "batch": 3, "window": 20, "epochs": 1, "evaluations": 1, "average": 0.9},
        Silent(),
    )
    return folder.path


@pytest.fixture
def copy(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "copy")


def use(folder):
    """Everything that reads a run folder. Only the toolkit's own errors may come out."""
    for act in (
        lambda: un.load(folder).sample(length=3),
        lambda: run_training(find_recipe("lm"), (), RunFolder(folder), {"epochs": 2}, Silent(), resume=True),
    ):
        try:
            act()
        except UnrolledError as error:
            assert str(error)


@pytest.mark.parametrize("name", FILES)
@given(data=st.data())
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_to_any_file_is_an_error_of_our_own(whole, tmp_path, name, data):
    folder = tmp_path / "damaged"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(whole, folder)
    content = (folder / name).read_bytes()
    cut = data.draw(st.integers(0, len(content)))
    kind = data.draw(st.sampled_from(["cut", "flipped", "garbage", "foreign", "gone"]))
    if kind == "cut":
        content = content[:cut]
    elif kind == "flipped" and cut < len(content):
        content = content[:cut] + bytes([content[cut] ^ data.draw(st.integers(1, 255))]) + content[cut + 1 :]
    elif kind == "garbage":
        content = data.draw(st.binary(max_size=200))
    elif kind == "foreign":
        content = (folder / data.draw(st.sampled_from(FILES))).read_bytes()
    (folder / name).write_bytes(content)
    if kind == "gone":
        (folder / name).unlink()
    use(folder)


@pytest.mark.parametrize(
    ("group", "name", "value"),
    [
        (None, "task", ["lm"]),
        ("data", "held_out", 0),
        ("data", "held_out", 10**400),
        ("data", "sources", ["\0"]),
        ("data", "encoding", "\0"),
        ("model", "hidden", 10**9),
        ("model", "hidden", 10**30),
        ("model", "dropout", float("nan")),
        ("streams", "window", 10**30),
        ("training", "evaluations", 10**400),
        ("training", "seed", 2**63),
        ("training", "device", ""),
        ("training", "epochs", -1),
    ],
)
def test_a_configuration_with_an_impossible_value_is_an_error_of_our_own(copy, group, name, value):
    config = RunFolder(copy).read_config()
    (config[group] if group else config)[name] = value
    RunFolder(copy).write_config(config)
    with pytest.raises(UnrolledError):
        run_training(find_recipe("lm"), (), RunFolder(copy), {"clip": 1.0}, Silent(), resume=True) if group else un.load(copy)


@pytest.mark.parametrize(
    "position",
    [
        "",
        "[]",
        "{}",
        "null",
        '{"epoch": 1}',
        lambda p: {**p, "extra": 1},
        lambda p: {**p, "updates": 1.5},
        lambda p: {**p, "seconds": math.inf},
    ],
)
def test_a_checkpoint_that_does_not_say_where_the_run_stood_is_refused(copy, position):
    folder = RunFolder(copy)
    tensors, metadata = folder.load_checkpoint()
    text = position if isinstance(position, str) else json.dumps(position(json.loads(metadata["position"])))
    folder.save_checkpoint(tensors, {"position": text})
    with pytest.raises(RunError, match="does not say where the run stood"):
        run_training(find_recipe("lm"), (), folder, {}, Silent(), resume=True)


@pytest.mark.parametrize("name", ["random.cpu", "optimiser.linear.weight.exp_avg", "carried.state.0", "carried.state.1", "carried.other"])
@pytest.mark.parametrize("tensor", [torch.zeros(3), torch.zeros(1, 3, 4), torch.zeros(1, 3, 5, dtype=torch.int64)])
def test_a_checkpoint_with_a_tensor_of_another_shape_is_refused(copy, name, tensor):
    folder = RunFolder(copy)
    tensors, metadata = folder.load_checkpoint()
    within = {"position": json.dumps({**json.loads(metadata["position"]), "in_epoch": 1})}
    folder.save_checkpoint({**tensors, name: tensor}, within)
    with pytest.raises(UnrolledError):
        run_training(find_recipe("lm"), (), folder, {"epochs": 2}, Silent(), resume=True)


@pytest.mark.parametrize("name", [f for f in FILES if f not in ("metrics.jsonl", "checkpoint.safetensors")])
def test_a_missing_file_is_named(copy, name):
    (copy / name).unlink()
    with pytest.raises(RunError, match=name):
        un.load(copy)


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(RunError, match="holds no run yet"):
        un.load(tmp_path)
    (tmp_path / "notes").touch()
    with pytest.raises(RunError, match=r"config\.toml cannot be read"):
        un.load(tmp_path)
    (tmp_path / "config.toml").write_text('format = 1\ntask = "dance"')
    with pytest.raises(RunError, match=r"task 'dance'\. This version knows lm"):
        un.load(tmp_path)
    (tmp_path / "config.toml").write_text("format = 99")
    with pytest.raises(RunError, match="must have `format = 1`, got 99"):
        un.load(tmp_path)


def test_weights_of_another_shape_are_named(copy):
    tensors, _ = load_tensors(copy / "model.safetensors")
    save_file({**tensors, "linear.weight": torch.zeros(3, 3)}, copy / "model.safetensors")
    with pytest.raises(RunError, match=r"must have 'linear.weight' of \[\d+, 5\] torch.float32, got \[3, 3\]"):
        un.load(copy)
    save_file({k: v for k, v in tensors.items() if k != "linear.bias"}, copy / "model.safetensors")
    with pytest.raises(RunError, match=r"has no tensor 'linear\.bias'"):
        un.load(copy)
    save_file({**tensors, "extra": torch.zeros(1)}, copy / "model.safetensors")
    with pytest.raises(RunError, match="has an unexpected tensor 'extra'"):
        un.load(copy)


def spoilt(folder, name, tensor, value, places=1):
    """Writes a value that is no number into some places of a tensor of a file."""
    with safe_open(folder / name, "pt") as file:
        tensors, metadata = {key: file.get_tensor(key) for key in file.keys()}, file.metadata()  # noqa: SIM118
    tensors[tensor].view(-1)[:places] = value
    save_file(tensors, folder / name, metadata)


def resumed(folder, display=None, **options):
    return run_training(find_recipe("lm"), (), RunFolder(folder), {"epochs": 2, **options}, display or Silent(), resume=True)


COMMANDS = [["sample"], ["score", "the cat"], ["evaluate", "{text}"], ["inspect", "the cat"]]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_weights_that_are_no_numbers_are_refused_wherever_they_are_read(copy, text, command, value, capsys):
    spoilt(copy, "model.safetensors", "linear.weight", value, places=3)
    name, *more = (part.format(text=text) for part in command)
    with pytest.raises(SystemExit) as ended:
        main([name, str(copy), *more])
    said = capsys.readouterr()
    assert ended.value.code == 1 and said.out == ""
    assert "model.safetensors is of no use: 3 of the " in said.err
    assert "numbers of the tensor 'linear.weight' are not finite. Take it from a copy of the run" in said.err
    assert f"Or resume {copy}" in said.err


def test_how_many_tensors_are_no_numbers_is_said(copy):
    for tensor in ("linear.bias", "linear.weight"):
        spoilt(copy, "model.safetensors", tensor, math.nan)
    (copy / "checkpoint.safetensors").unlink()
    with pytest.raises(RunError, match=r"1 of the .* are not finite \(2 tensors have such numbers\)") as caught:
        un.load(copy)
    assert "resume" not in str(caught.value)


@pytest.mark.parametrize("tensor", ["model.linear.weight", "optimiser.linear.bias.exp_avg_sq", "carried.state.0", "average.linear.bias"])
def test_a_checkpoint_with_what_is_no_number_is_refused(copy, tensor):
    spoilt(copy, "checkpoint.safetensors", tensor, math.nan)
    with pytest.raises(RunError, match=f"checkpoint.safetensors is of no use: 1 of the .*'{tensor}' are not finite"):
        resumed(copy)
    assert un.load(copy).score("the cat") < 0


SPOIL = {
    "gone": Path.unlink,
    "half": lambda path: path.write_bytes(b"half"),
    "nan": lambda path: spoilt(path.parent, path.name, "linear.bias", math.nan),
}


@pytest.mark.parametrize("kind", SPOIL)
@pytest.mark.parametrize("epochs", [1, 2])
def test_a_run_without_its_best_weights_is_gone_on_with_and_has_some_again(copy, kind, epochs):
    told = Heard()
    SPOIL[kind](copy / "model.safetensors")
    assert resumed(copy, told, epochs=epochs).finished
    assert sum("model.safetensors" in line and "goes on from its checkpoint" in line for line in told.said) == 1
    assert un.load(copy).score("the cat") < 0


def test_nothing_is_copied_unless_everything_fits(tmp_path):
    own = {"a": torch.zeros(2), "b": torch.zeros(3)}
    with pytest.raises(RunError):
        load_into(own, {"a": torch.ones(2), "b": torch.ones(4)}, tmp_path)
    assert not own["a"].any()


def test_a_pickle_in_the_place_of_the_weights_is_not_opened(copy, tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    torch.save({"x": Trap()}, copy / "model.safetensors")
    with pytest.raises(RunError, match="not a safetensors file"):
        un.load(copy)
    assert not (tmp_path / "sprung").exists()


def test_a_history_line_cut_short_is_passed_over(copy):
    folder = RunFolder(copy)
    records = folder.history.records()
    with open(folder.history.path, "ab") as file:
        file.write(b'{"update": 99, "lo')
    assert folder.history.records() == records
    lines = folder.history.path.read_bytes().splitlines(keepends=True)
    folder.history.cut(len(lines[0]))
    assert folder.history.records() == records[:1]
    assert folder.history.size() == len(lines[0])
