"""A run that was stopped and gone on with ends exactly like one left alone."""

import hashlib
import os
import signal
import subprocess
import sys
import time

import pytest

import unrolled as un
from unrolled.errors import ConfigError, RunError
from unrolled.training import loop
from unrolled.training.checkpoint import load_tensors
from unrolled.training.run_folder import CHECKPOINT, WEIGHTS

VARIANTS = {
    "plain": {},
    "dropout": {"dropout": 0.5, "recurrent_dropout": 0.3, "layers": 2},
    "accumulate": {"accumulate": 3},
    "further back": {"backprop": 17},
    "less far back": {"backprop": 4, "cell": "gru-reset-before"},
    "learned": {"initial_state": "learned", "embedding": 0},
    "tied": {"tied": True, "embedding": 8, "cell": "gru"},
    "half": {"precision": "bfloat16"},
}


def digest(folder):
    """Of the weights that are kept, and of everything else that training changes, without the clock."""
    tensors, _ = load_tensors(folder.path / CHECKPOINT)
    rest = {name: hashlib.sha256(tensor.contiguous().view(-1).numpy().tobytes()).hexdigest() if tensor.element_size() != 2 else tensor.float().tolist()
            for name, tensor in tensors.items()}  # fmt: skip
    return hashlib.sha256((folder.path / WEIGHTS).read_bytes()).hexdigest(), rest


@pytest.fixture
def after(monkeypatch):
    """Let something happen after the n-th update of the next run."""

    def arrange(updates, act):
        original, seen = loop.adamw, []

        def adamw(*arguments):
            optimiser = original(*arguments)
            optimiser.register_step_post_hook(lambda *_: (seen.append(1), len(seen) == updates and act()))
            return optimiser

        monkeypatch.setattr(loop, "adamw", adamw)

    return arrange


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


def crash():
    raise ZeroDivisionError


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_run_that_is_interrupted_and_crashes_ends_like_one_left_alone(train, after, variant):
    options = VARIANTS[variant]
    alone = train("alone", **options)
    after(7, interrupt)
    stopped = train("stopped", **options)
    assert not stopped.outcome.finished
    assert (stopped.path / "loss.png").read_bytes()[:4] == b"\x89PNG"
    after(4, crash)
    with pytest.raises(ZeroDivisionError):
        train("stopped", resume=True, checkpoint_seconds=0.0)
    after(-1, crash)
    stopped = train("stopped", resume=True)
    assert digest(stopped) == digest(alone)
    assert stopped.outcome == alone.outcome
    updates = [[r["update"] for r in f.history.records() if "held_out" in r] for f in (stopped, alone)]
    assert updates[0] == updates[1]


def test_a_process_killed_at_any_moment_can_be_resumed_to_the_same_end(train, text, tmp_path):
    flags = ["--hidden", "8", "--embedding", "6", "--batch", "3", "--window", "10", "--epochs", "8", "--evaluations", "40", "--warmup", "3"]
    folder = tmp_path / "killed"
    command = [sys.executable, "-c", "from unrolled.cli import main; main()", "train", "lm"]
    with subprocess.Popen(
        [*command, str(text), *flags, "--out", str(folder)], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as process:
        while not (folder / CHECKPOINT).exists():
            time.sleep(0.01)
        process.kill()
    subprocess.run([*command, "--resume", str(folder)], check=True, capture_output=True)
    alone = train("alone", epochs=8, evaluations=40)
    assert (folder / WEIGHTS).read_bytes() == (alone.path / WEIGHTS).read_bytes()


def test_stopped_while_measuring_it_measures_again(train, monkeypatch):
    alone = train("alone")
    original, calls = loop._Run._evaluated, []

    def evaluated(self, evaluate):
        calls.append(1)
        if len(calls) == 2:
            interrupt()
        return original(self, evaluate)

    monkeypatch.setattr(loop._Run, "_evaluated", evaluated)
    stopped = train("stopped")
    assert not stopped.outcome.finished
    stopped = train("stopped", resume=True)
    assert digest(stopped) == digest(alone)


def test_with_minutes_the_rest_of_the_time_is_spent(train, after):
    after(5, interrupt)
    options = {"epochs": None, "minutes": 0.02}
    stopped = train(**options)
    spent = stopped.history.records()[-1]["seconds"]
    begun = time.perf_counter()
    after(-1, crash)
    finished = train(resume=True)
    assert finished.outcome.finished
    total = finished.history.records()[-1]["seconds"]
    assert total >= 1.2
    assert time.perf_counter() - begun < 1.2 - spent + 3.0
    assert train(resume=True).outcome.finished


def test_a_finished_run_goes_on_when_told_of_more_epochs(train):
    folder = train()
    updates = folder.history.records()[-1]["update"]
    longer = train(resume=True, epochs=3)
    assert longer.history.records()[-1]["update"] == updates * 3 // 2
    assert "epochs = 3" in longer.read_text("config.toml")


def test_what_would_change_the_course_is_refused(train, text):
    train()
    for name, value in {"batch": 5, "hidden": 3, "seed": 1, "cell": "gru", "validation": [str(text)]}.items():
        with pytest.raises(ConfigError, match=f"--{name}` cannot change when a run is resumed"):
            train(resume=True, **{name: value})
    with pytest.raises(ConfigError, match="Leave DATA out"):
        un.train_language_model(str(text), out=train("other").path, resume=True)


def test_another_text_is_refused(train, text):
    folder = train()
    content = text.read_bytes()
    try:
        text.write_bytes(content + b"more")
        with pytest.raises(RunError, match="is not the one that"):
            train(resume=True)
    finally:
        text.write_bytes(content)
    assert folder.has_checkpoint()


def test_a_folder_belongs_to_one_process_and_to_one_run(train):
    folder = train()
    with pytest.raises(RunError, match="go on in it with `--resume"):
        train()
    with folder.hold(), pytest.raises(RunError, match="Another process is training"):
        train(resume=True)
