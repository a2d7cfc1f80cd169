"""A run that was stopped and gone on with ends exactly like one left alone."""

import hashlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch

import unrolled as un
from unrolled.cli import main
from unrolled.errors import ConfigError, RunError
from unrolled.training import RunFolder, Silent, loop
from unrolled.training.checkpoint import load_tensors
from unrolled.training.run_folder import CHECKPOINT, WEIGHTS

VARIANTS = {
    "plain": {},
    "dropout": {"dropout": 0.5, "recurrent_dropout": 0.3, "layers": 2},
    "accumulate": {"accumulate": 3},
    "further back": {"backprop": 17},
    "less far back": {"backprop": 4, "cell": "gru-reset-before"},
    "learned": {"initial_state": "learned", "embedding": 0},
    "resets": {"reset_probability": 0.3, "backprop": 17, "initial_state": "learned"},
    "lines": {"lines": True, "backprop": 17, "initial_state": "learned"},
    "tied": {"tied": True, "embedding": 8, "cell": "gru"},
    "half": {"precision": "bfloat16"},
    "averaged": {"average": 0.9, "patience": 9},
    "input window": {"input_window": 4, "backprop": 17, "reset_probability": 0.3, "embedding": 0},
    "lines with an input window": {"lines": True, "input_window": 3, "backprop": 4},
    "feed-forward": {"layers": 0, "input_window": 5, "dropout": 0.3},
    "without a past": {"layers": 0},
}


def digest(folder):
    """Of the weights that are kept, and of everything else that training changes, without the clock."""
    tensors, _ = load_tensors(folder.path / CHECKPOINT)
    rest = {name: hashlib.sha256(tensor.flatten().view(torch.uint8).numpy().tobytes()).hexdigest() for name, tensor in tensors.items()}
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


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_run_that_is_watched_ends_like_one_that_is_not(train, variant):
    """Bit by bit, in all that training changes."""
    alone, watched = train("alone", **VARIANTS[variant]), train("watched", watch=True, watch_every=3, **VARIANTS[variant])
    assert digest(watched) == digest(alone)
    assert not alone.watched.path.exists()
    assert [r["update"] for r in watched.watched.records()] == list(range(1, alone.history.records()[-1]["update"] + 1, 3))


def seen(folder):
    """All that was watched, without the clock."""
    return [{name: value for name, value in record.items() if name != "seconds"} for record in folder.watched.records()]


def test_wherever_a_watched_run_is_stopped_or_crashes_its_records_are_those_of_one_left_alone(train, after):
    options = {"dropout": 0.5, "clip": 0.3, "watch": True, "watch_every": 4, "layers": 2}
    alone = train("alone", **options)
    wanted = seen(alone)
    assert 0 < wanted[-1]["clipped"] < wanted[-1]["update"]
    for stop in (1, 6, 8, 9, wanted[-1]["update"]):
        after(stop, interrupt)
        assert not train(f"at {stop}", **options).outcome.finished
        after(3, crash)
        with pytest.raises(ZeroDivisionError):
            train(f"at {stop}", resume=True, epochs=3)
        after(-1, crash)
        stopped = train(f"at {stop}", resume=True, epochs=2)
        assert seen(stopped) == wanted
        assert digest(stopped) == digest(alone)


@pytest.mark.parametrize("accumulate", [1, 3])
def test_wherever_a_run_is_stopped_its_history_is_that_of_one_left_alone(train, after, monkeypatch, accumulate):
    """Every update is logged; among the stops are the first update, the ends of both epochs, and what comes after a measurement."""
    monkeypatch.setattr(loop, "LOG_SECONDS", 0.0)
    options = {"dropout": 0.5, "accumulate": accumulate, "window": 30, "checkpoint_seconds": 0.02}
    alone = train("alone", **options)
    updates = course(alone)
    last = alone.history.records()[-1]["update"]
    assert [u for u, what in updates if what == "loss"] == list(range(1, last + 1))
    for stop in (1, last // 4, last // 4 + 1, last // 2, last // 2 + 1, last):
        after(stop, interrupt)
        assert not train(f"at {stop}", **options).outcome.finished
        after(-1, crash)
        stopped = train(f"at {stop}", resume=True)
        assert digest(stopped) == digest(alone)
        assert course(stopped) == updates


def course(folder):
    """What was recorded when, without what depends on the clock."""
    return [(r["update"], what) for r in folder.history.records() for what in ("loss", "held_out", "final_held_out") if what in r]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_run_that_dies_at_any_file_it_writes_ends_like_one_left_alone(train, monkeypatch, moment):
    """Killed just before or just after one file takes the place of the old one, for each such file of a run."""
    monkeypatch.setattr(loop, "LOG_SECONDS", 0.0)
    options = {"window": 70, "epochs": 1, "checkpoint_seconds": 0.0, "evaluations": 3}
    begun = len(BEGINNING) + 1
    alone = train("alone", **options)
    replace = os.replace
    for fatal in range(begun, 60):
        count = itertools.count(1)

        def dying(source, target, fatal=fatal, count=count):
            now = next(count) == fatal
            if now and moment == "before":
                raise Killed
            replace(source, target)
            if now:
                raise Killed

        monkeypatch.setattr(os, "replace", dying)
        name = f"run {fatal}"
        try:
            train(name, **options)
            break
        except Killed:
            monkeypatch.setattr(os, "replace", replace)
        stopped = train(name, resume=True)
        assert digest(stopped) == digest(alone)
        assert course(stopped) == course(alone)
    assert 15 < fatal < 59


BEGINNING = ("recurrence.cell", "codecs.json", "config.toml")
"""Before these are there, there is no run to resume."""


class Killed(BaseException):
    pass


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_termination_request_saves_like_an_interrupt(train, after, name):
    number = getattr(signal, name)
    before = signal.getsignal(number)
    after(5, lambda: os.kill(os.getpid(), number))
    stopped = train()
    assert not stopped.outcome.finished
    position = json.loads(stopped.load_checkpoint()[1]["position"])
    assert position["updates"] == 5
    assert signal.getsignal(number) == before


def test_a_signal_that_is_ignored_stays_so(train, after):
    previous = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        after(5, lambda: os.kill(os.getpid(), signal.SIGHUP))
        assert train().outcome.finished
    finally:
        signal.signal(signal.SIGHUP, previous)


def test_a_second_interrupt_does_not_wait(train, after):
    def twice():
        interrupt()
        interrupt()

    after(5, twice)
    with pytest.raises(KeyboardInterrupt):
        train()


def test_a_finished_run_that_is_resumed_stays_as_it_is(train):
    folder = train()
    before = digest(folder), course(folder), folder.outcome
    for _ in range(2):
        again = train(resume=True)
        assert (digest(again), course(again), again.outcome) == before


def test_a_process_killed_at_any_moment_can_be_resumed_to_the_same_end(train, text, tmp_path):
    flags = ["--hidden", "8", "--embedding", "6", "--batch", "3", "--window", "10", "--epochs", "2", "--evaluations", "8", "--warmup", "3"]
    flags += ["--watch", "--watch-every", "2"]
    folder = tmp_path / "killed"
    process = torch.multiprocessing.get_context("fork").Process(
        target=main, args=(["train", "lm", str(text), *flags, "--out", str(folder)],)
    )
    process.start()
    while not (folder / CHECKPOINT).exists():
        time.sleep(0.01)
    process.kill()
    process.join()
    # In a process that has nothing of this one's memory.
    again = "import sys; from unrolled.cli import main; main(['train', 'lm', '--resume', sys.argv[1]])"
    subprocess.run([sys.executable, "-c", again, str(folder)], check=True, capture_output=True)
    alone = train("alone", epochs=2, evaluations=8)
    assert (folder / WEIGHTS).read_bytes() == (alone.path / WEIGHTS).read_bytes()
    assert seen(RunFolder(folder)) == seen(train("watched", epochs=2, evaluations=8, watch=True, watch_every=2))


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
    for name, value in {"batch": 5, "hidden": 3, "seed": 1, "cell": "gru"}.items():
        with pytest.raises(ConfigError, match=f"`{name}` cannot change when a run is resumed"):
            train(resume=True, **{name: value})
    with pytest.raises(RunError, match="is not the one that"):
        train(resume=True, validation=[str(text)])
    un.train_language_model(str(text), out=train("other").path, resume=True, display=Silent())


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
    with pytest.raises(RunError, match="another folder with `out`, or go on in it with `resume`"):
        train()
    with folder.hold(), pytest.raises(RunError, match=r"Another process is training in .* another folder with `out`"):
        train(resume=True)
    code = "import sys; from unrolled.training import RunFolder; hold = RunFolder(sys.argv[1]).hold(); hold.__enter__(); print('held', flush=True);"
    code += "sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(RunError, match="Another process is training"):
            train(resume=True)
        process.kill()
    # Nobody has to take away the lock of a process that died.
    assert train(resume=True).outcome.finished
