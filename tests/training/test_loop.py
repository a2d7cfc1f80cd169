import io
import json
import math

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

from unrolled.errors import ConfigError, TrainingError
from unrolled.training import Objective, RunFolder, Silent, TrainingOptions, display_here, train
from unrolled.training import loop as loop_module
from unrolled.training.criterion import LOSS, Criterion
from unrolled.training.display import Lines, Live, Status
from unrolled.training.schedule import learning_rate
from unrolled.training.state import adamw


class Quadratic:
    """A task whose gradients are known: the losses of a batch sum up to `||w - batch||²`, over two weights and one bias.

    There are as many of them as `sizes` says of the batch, or else 3; their sum comes in `parts`.
    """

    name = "lm"
    held_out_size = 1
    unit = "nats"
    criterion = LOSS

    def __init__(self, batches=6, losses=None, parts=1, sizes=None):
        torch.manual_seed(0)
        self.model = torch.nn.Linear(2, 1)
        self.batches, self.parts, self.sizes = batches, parts, sizes or [3] * batches
        self.losses = iter(losses or [])
        self.asked: list[int] = []
        self.epochs: list[int] = []

    def begin(self, epoch):
        self.epochs.append(epoch)

    def objective(self, batches):
        return Objective(sum(self.sizes[batch] for batch in batches), (part for batch in batches for part in self.sums(batch)))

    def sums(self, batch):
        assert self.model.training
        self.asked.append(batch)
        for _ in range(self.parts):
            total = ((self.model.weight - batch) ** 2).sum() + (self.model.bias - batch).square().sum()
            yield total / self.parts

    def evaluate(self, tick):
        tick(1, 1)
        assert not self.model.training
        return {"held_out": next(self.losses, 0.0)}

    evaluate_exactly = evaluate

    def describe(self, measures):
        return f"{measures['held_out']:.3f}"

    def remarks(self, measures, best):
        yield f"{measures['held_out']:.3f} beside {best}"

    def state_dict(self):
        return {}

    def load_state_dict(self, memory):
        assert not memory


class Telling(Silent):
    """Keeps what is said."""

    def __init__(self):
        self.lines: list[str] = []

    def say(self, line):
        self.lines.append(line)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "run").mkdir()
    return RunFolder(tmp_path / "run")


def test_nan_stops_the_run_with_all_that_is_needed_to_go_on(folder):
    task = Quadratic()
    original = task.sums

    def sums(batch):
        if len(task.asked) == 8:
            task.model.weight.data[0, 0] = math.nan
        return original(batch)

    task.sums = sums
    with pytest.raises(TrainingError) as caught:
        train(task, TrainingOptions(epochs=9, evaluations=9), folder, Silent())
    message = str(caught.value)
    assert "Update 9 (epoch 2) gives a loss of nan with a gradient of norm nan" in message
    assert message.count(",") >= 4
    assert "last good checkpoint is that of update 6" in message
    assert f"resume {folder} with `learning_rate=0.001`" in message
    kept = folder.load_checkpoint()[0]
    assert all(t.isfinite().all() for name, t in kept.items() if name.startswith("model."))


def spoil(monkeypatch, task, after):
    """Lets the update of that number leave a weight that is no number, though its loss and gradient were some."""

    def spoiling(*arguments):
        optimiser, steps = adamw(*arguments), []

        def step(*_):
            steps.append(1)
            if len(steps) == after:
                task.model.weight.data[0, 0] = math.inf

        optimiser.register_step_post_hook(step)
        return optimiser

    monkeypatch.setattr(loop_module, "adamw", spoiling)


@pytest.mark.parametrize("average", [0.0, 0.5])
@pytest.mark.parametrize(
    ("after", "held_out", "seconds", "saved"), [(5, 1, 0.0, 4), (6, 1, 99.0, None), (12, 1, 99.0, 6), (12, 0, 99.0, None)]
)
def test_weights_that_are_no_numbers_are_never_written(folder, monkeypatch, average, after, held_out, seconds, saved):
    """Be it before a measurement, before the run ends, or where the clock asks for a checkpoint."""
    task = Quadratic()
    task.held_out_size = held_out
    spoil(monkeypatch, task, after)
    options = TrainingOptions(epochs=2, evaluations=2, average=average, checkpoint_seconds=seconds)
    with pytest.raises(TrainingError, match=f"After update {after} 1 of the 2 numbers of the tensor 'model.weight' are not finite"):
        train(task, options, folder, Silent())
    assert folder.has_checkpoint() == (saved is not None)
    if saved:
        tensors, metadata = folder.load_checkpoint()
        assert json.loads(metadata["position"])["updates"] == saved
        assert all(t.isfinite().all() for t in tensors.values())
        folder.load_weights(task.model)


def test_where_nothing_was_clipped_clipping_is_advised(folder):
    task = Quadratic()
    task.sums = lambda batch: iter([task.model.weight.sum() * math.nan])
    with pytest.raises(TrainingError, match=r"There is no checkpoint yet.*`learning_rate=0.001, clip=1.0`"):
        train(task, TrainingOptions(epochs=1, clip=0.0), folder, Silent())


@pytest.mark.parametrize("losses", [[math.nan], [1.0, math.inf]])
def test_a_held_out_loss_that_is_no_number_ends_the_run_on_the_way_and_at_its_end(folder, losses):
    with pytest.raises(TrainingError, match=f"After update 6 the held-out loss is {losses[-1]}.*`learning_rate=0.001`"):
        train(Quadratic(losses=losses), TrainingOptions(epochs=1, evaluations=1), folder, Silent())


@pytest.mark.parametrize("accumulate", [1, 2, 4])
@pytest.mark.parametrize("parts", [1, 3])
def test_every_loss_of_the_batches_of_an_update_counts_the_same_and_what_they_sum_up_to_is_clipped(folder, accumulate, parts, monkeypatch):
    weights, seen, norms, logged = [], [], [], []
    original, add = torch.nn.utils.clip_grad_norm_, loop_module.Meter.add

    def clip(parameters, limit):
        parameters = list(parameters)
        weights.append(np.concatenate([p.detach().flatten().numpy().copy() for p in parameters]))
        seen.append(np.concatenate([p.grad.flatten().numpy().copy() for p in parameters]))
        norm = original(parameters, limit)
        norms.append((float(norm), math.sqrt(sum(float((p.grad**2).sum()) for p in parameters)), limit))
        return norm

    monkeypatch.setattr(loop_module.nn.utils, "clip_grad_norm_", clip)
    monkeypatch.setattr(
        loop_module.Meter, "add", lambda self, loss, norm, tokens: (logged.append((loss, tokens)), add(self, loss, norm, tokens))
    )
    task = Quadratic(batches=6, parts=parts, sizes=[3, 1, 4, 1, 5, 9])
    train(task, TrainingOptions(epochs=1, accumulate=accumulate, clip=0.7, evaluations=1), folder, Silent())
    groups = [range(first, min(first + accumulate, 6)) for first in range(0, 6, accumulate)]
    for group, now, found, (loss, tokens) in zip(groups, weights, seen, logged, strict=True):
        size = sum(task.sizes[batch] for batch in group)
        np.testing.assert_allclose(found, np.sum([2 * (now - batch) for batch in group], axis=0) / size, rtol=1e-5)
        assert tokens == size
        assert loss == pytest.approx(sum(((now - batch) ** 2).sum() for batch in group) / size, rel=1e-5)
    for before, after, limit in norms:
        assert limit == 0.7
        assert after == pytest.approx(min(before, 0.7), rel=1e-4)
    assert task.asked == list(range(6))


def test_the_learning_rate_rises_and_falls():
    options = TrainingOptions(epochs=1, learning_rate=2.0, warmup=4, final_rate=0.1)
    assert [learning_rate(options, u, 0.0) for u in range(5)] == pytest.approx([0.5, 1.0, 1.5, 2.0, 2.0])
    assert learning_rate(options, 0, 0.05) == pytest.approx(1.0, rel=0.01)
    assert learning_rate(options, 0, 0.1) == pytest.approx(2.0, rel=0.03)
    assert learning_rate(options, 99, 0.5) == pytest.approx(2.0 * (0.1 + 0.9 * 0.5))
    assert learning_rate(options, 99, 1.0) == learning_rate(options, 99, 1.7) == pytest.approx(0.2)


def test_adamw_is_that_of_the_paper_and_decays_matrices_only():
    """One step by hand: Loshchilov & Hutter (2019), algorithm 2."""
    options = TrainingOptions(learning_rate=0.1, weight_decay=0.5)
    model = torch.nn.Linear(3, 2)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    optimiser = adamw(model, options)
    model(torch.ones(1, 3)).sum().backward()
    optimiser.step()
    for name, p in model.named_parameters():
        moved = before[name] * (1 - 0.1 * 0.5 if name == "weight" else 1) - 0.1 * p.grad / (p.grad.abs() + 1e-8)
        torch.testing.assert_close(p.detach(), moved, atol=1e-6, rtol=0)


def test_the_best_weights_are_kept_and_the_last_are_gone_on_with(folder):
    task = Quadratic(losses=[3.0, 1.0, 2.0, 5.0, 1.0])
    saved = []
    keep = folder.save_weights
    folder.save_weights = lambda model: (saved.append(model.weight.detach().clone()), keep(model))
    outcome = train(task, TrainingOptions(epochs=4, evaluations=4), folder, Silent())
    measured = [(r["update"], r["held_out"]) for r in folder.history.records() if "held_out" in r]
    assert measured == [(6, 3.0), (12, 1.0), (18, 2.0), (24, 5.0)]
    assert outcome.measures == {"held_out": 1.0}
    assert torch.equal(task.model.weight.detach(), saved[-1])
    assert not torch.equal(folder.load_checkpoint()[0]["model.weight"], saved[-1])
    assert task.epochs == [0, 1, 2, 3]


def test_a_run_stops_when_nothing_has_been_better_for_as_long_as_its_patience(folder):
    task, told = Quadratic(losses=[3.0, 2.0, 2.5, 2.0, 1.0, 0.5]), Telling()
    train(task, TrainingOptions(epochs=6, evaluations=6, patience=2), folder, told)
    assert [line for line in told.lines if line.startswith("stopped")] == [
        "stopped at update 24: 2 measurements without a better loss (early stopping, `patience`)"
    ]
    assert [r["held_out"] for r in folder.history.records() if "held_out" in r] == [3.0, 2.0, 2.5, 2.0]
    assert len(task.asked) == 24


class Scored(Quadratic):
    """A task whose accuracy is known, and its loss from it: the less accurate, the lower."""

    criterion = Criterion("accuracy")

    def evaluate(self, tick):
        found = super().evaluate(tick)["held_out"]
        return {"held_out": 1.0 if math.isnan(found) else found, "accuracy": found}

    evaluate_exactly = evaluate


def test_weights_are_kept_and_patience_goes_by_the_measure_that_decides_and_it_is_said(folder):
    task, told = Scored(losses=[0.5, math.nan, 0.7, 0.6, 0.7, 0.9, 0.7]), Telling()
    train(task, TrainingOptions(epochs=6, evaluations=6, patience=2), folder, told)
    assert [line for line in told.lines if line.startswith(("stopped", "The"))] == [
        "stopped at update 30: 2 measurements without a better accuracy (early stopping, `patience`)",
        "The weights of update 18 are kept, with the highest accuracy on the way: 0.7 (`best_by`).",
    ]
    final = folder.history.records()[-1]
    assert (final["best_by"], final["best"], final["best_update"]) == ("accuracy", 0.7, 18)
    assert told.lines[-1].endswith(" beside 0.7")


def test_where_nothing_can_decide_the_last_weights_are_kept(folder):
    task, told = Scored(losses=[math.nan] * 4), Telling()
    train(task, TrainingOptions(epochs=3, evaluations=3), folder, told)
    assert "The last weights are kept: no measurement on the way gave a number to choose by, accuracy (`best_by`)." in told.lines
    assert torch.equal(folder.load_checkpoint()[0]["model.weight"], task.model.weight.detach())


def test_what_decides_is_remembered_in_a_run_that_goes_on(folder):
    train(Scored(losses=[0.5, 0.7, 0.7]), TrainingOptions(epochs=2, evaluations=2), folder, Silent())
    kept, told = (folder.path / "model.safetensors").read_bytes(), Telling()
    train(Scored(losses=[0.6, 0.6, 0.7]), TrainingOptions(epochs=4, evaluations=4), folder, told, resume=True)
    assert (folder.path / "model.safetensors").read_bytes() == kept
    assert "The weights of update 12 are kept, with the highest accuracy on the way: 0.7 (`best_by`)." in told.lines


def test_a_run_that_ends_as_asked_says_nothing_of_patience(folder):
    told = Telling()
    train(Quadratic(losses=[3.0, 2.0, 2.5]), TrainingOptions(epochs=3, evaluations=3, patience=2), folder, told)
    assert told.lines and not any("patience" in line for line in told.lines)


def test_without_a_held_out_part_the_last_weights_are_kept(folder):
    task = Quadratic()
    task.held_out_size = 0
    task.evaluate = task.evaluate_exactly = None
    outcome = train(task, TrainingOptions(epochs=2), folder, Silent())
    assert outcome.finished
    assert outcome.measures == {}
    weights = task.model.weight.detach().clone()
    folder.load_weights(task.model)
    assert torch.equal(task.model.weight.detach(), weights)


def test_the_mean_of_the_weights_is_what_is_measured_and_kept_and_not_what_learns(folder):
    class Watched(Quadratic):
        def sums(self, batch):
            seen.append(self.model.weight.detach().clone())
            return super().sums(batch)

        def evaluate(self, tick):
            measured.append(self.model.weight.detach().clone())
            return super().evaluate(tick)

    seen, measured = [], []
    task = Watched()
    train(task, TrainingOptions(epochs=2, evaluations=2, average=0.5), folder, Silent())
    after = [*seen[1:], folder.load_checkpoint()[0]["model.weight"]]
    mean, means = seen[0], []
    for updates, weight in enumerate(after, 1):
        decay = min(0.5, (1 + updates) / (10 + updates))
        mean = decay * mean + (1 - decay) * weight
        means.append(mean)
    torch.testing.assert_close(measured[0], means[5])
    torch.testing.assert_close(measured[1], means[11])
    folder.load_weights(task.model)
    torch.testing.assert_close(task.model.weight.detach(), means[5])
    torch.testing.assert_close(folder.load_checkpoint()[0]["average.weight"], means[11])


@pytest.mark.parametrize("first", [math.nan, math.inf])
def test_a_held_out_loss_that_is_no_number_stops_the_run_and_leaves_the_good_checkpoint(folder, first):
    with pytest.raises(
        TrainingError, match=r"After update 12 the held-out loss is (nan|inf)\. The last good checkpoint is that of update 6"
    ):
        train(Quadratic(losses=[3.0, first]), TrainingOptions(epochs=4, evaluations=4), folder, Silent())
    _, metadata = folder.load_checkpoint()
    assert json.loads(metadata["position"])["updates"] == 6


def test_without_a_checkpoint_there_is_none_to_go_on_from(folder):
    task = Quadratic()
    task.model.weight.data[0, 0] = math.inf
    with pytest.raises(TrainingError, match=r"norms before it were none.*There is no checkpoint yet"):
        train(task, TrainingOptions(epochs=1), folder, Silent())
    assert not folder.has_checkpoint()


@pytest.mark.parametrize(
    ("epochs", "accumulate", "evaluations", "wanted"),
    [(2, 1, 3, [4, 8, 12]), (1, 1, 1, [6]), (2, 4, 4, [1, 2, 3, 4]), (1, 1, 99, [1, 2, 3, 4, 5, 6]), (3, 1, 4, [5, 9, 14, 18])],
)
def test_the_held_out_loss_is_measured_at_even_parts_of_the_run_and_at_its_end(folder, epochs, accumulate, evaluations, wanted):
    train(Quadratic(), TrainingOptions(epochs=epochs, accumulate=accumulate, evaluations=evaluations), folder, Silent())
    assert [r["update"] for r in folder.history.records() if "held_out" in r] == wanted
    assert [r["update"] for r in folder.history.records() if "final_held_out" in r] == [epochs * math.ceil(6 / accumulate)]


def test_measuring_that_would_take_most_of_the_minutes_is_done_at_the_end_only(folder):
    task = Quadratic()
    task.held_out_size = 10**9
    outcome = train(task, TrainingOptions(minutes=0.002), folder, Silent())
    assert [key for r in folder.history.records() for key in r if "held_out" in key] == ["final_held_out"]
    assert outcome.finished
    assert torch.equal(folder.load_checkpoint()[0]["model.weight"], task.model.weight.detach())


@pytest.mark.parametrize("clip", [0.0, 1e9])
def test_a_gradient_below_the_limit_or_without_one_is_left_alone(folder, clip):
    task = Quadratic(batches=1)
    before = [p.detach().clone() for p in task.model.parameters()]
    norms = math.sqrt(sum(float(((2 * p / 3) ** 2).sum()) for p in before))
    train(task, TrainingOptions(epochs=1, clip=clip), folder, Silent())
    assert folder.history.records()[0]["gradient_norm"] == pytest.approx(norms, rel=1e-5)


def test_a_step_is_made_with_the_rate_of_the_schedule(folder, monkeypatch):
    """Adam's steps on a constant gradient are as long as the rate, so the path tells the schedule."""
    options = TrainingOptions(epochs=3, learning_rate=0.1, warmup=3, final_rate=0.2, weight_decay=0.0, clip=0.0)
    task = Quadratic(batches=4)
    path = [task.model.bias.detach().clone()]
    task.sums = lambda batch: path.append(task.model.bias.detach().clone()) or iter([sum(p.sum() for p in task.model.parameters())])
    train(task, options, folder, Silent())
    final = folder.load_checkpoint()[0]["model.bias"]
    points = torch.cat([*path[1:], final]).double()
    wanted = [learning_rate(options, update, update / 12) for update in range(12)]
    np.testing.assert_allclose(-points.diff().numpy(), wanted, rtol=1e-4)


def test_half_precision_is_used_for_products_and_not_for_weights_and_loss(folder, monkeypatch):
    task, seen = Quadratic(batches=2), []

    def sums(batch):
        product = task.model(torch.ones(4, 2))
        total = product.float().square().sum()
        seen.append((product.dtype, total.dtype, torch.is_autocast_enabled("cpu")))
        yield total

    task.sums = sums
    train(task, TrainingOptions(epochs=1, precision="bfloat16"), folder, Silent())
    assert seen == [(torch.bfloat16, torch.float32, True)] * 2
    assert {t.dtype for name, t in folder.load_checkpoint()[0].items() if name.startswith("model.")} == {torch.float32}


@pytest.mark.usefixtures("painted")
def test_history_and_picture_tell_the_course(folder):
    train(Quadratic(), TrainingOptions(epochs=2, evaluations=2), folder, Silent())
    first = folder.history.records()[0]
    assert {"update", "epoch", "tokens", "seconds", "loss", "gradient_norm", "learning_rate", "tokens_per_second"} <= set(first)
    assert first["tokens"] == 3
    assert first["loss"] > 0
    with Image.open(folder.path / "loss.png") as picture:
        assert picture.size == (840, 504)


def test_lines_are_plain_and_not_too_many(capsys, monkeypatch):
    display = display_here()
    assert isinstance(display, Lines)
    status = Status(0.5, 10, 1.25, 1.5, 12345.0, 0.33, 75.0)
    for _ in range(100):
        display.status(status)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(display, "_last", -1e9)
    display.status(status)
    assert capsys.readouterr().err == " 50%  update 10  loss 1.250  held-out 1.500  12,345 tokens/s  gradient 0.33  1:15 left\n"


def test_a_line_that_is_said_goes_through_the_words_of_its_reader(capsys, monkeypatch):
    display = display_here(lambda line: line.replace("`warmup`", "--warmup"))
    display.say("more `warmup`")
    monkeypatch.setattr(display, "_last", -1e9)
    display.work("reading `warmup`", 1, 2)
    display_here().say("more `warmup`")
    assert capsys.readouterr().err == "more --warmup\nreading --warmup: 50%\nmore `warmup`\n"


def test_a_terminal_is_told_in_the_words_of_its_reader_too(monkeypatch):
    output = io.StringIO()

    class Terminal(Console):
        def __init__(self, stderr):
            super().__init__(file=output, force_terminal=True, width=120)

    monkeypatch.setattr("rich.console.Console", Terminal)
    with display_here(str.swapcase) as display:
        assert isinstance(display, Live)
        display.say("[held-out] As it is")
    assert "[HELD-OUT] aS IT IS" in output.getvalue()


def test_all_that_a_run_says_goes_through_the_words_of_its_reader(folder, capsys):
    options = TrainingOptions(epochs=6, evaluations=6, patience=2)
    train(Quadratic(losses=[3.0, 2.0, 2.5, 2.0, 1.0]), options, folder, display_here(lambda line: f"> {line.upper()}"))
    *lines, last = capsys.readouterr().err.splitlines()
    assert last == "> 1.000 BESIDE 2.0"
    assert "> STOPPED AT UPDATE 24: 2 MEASUREMENTS WITHOUT A BETTER LOSS (EARLY STOPPING, `PATIENCE`)" in lines
    assert len(lines) == 7 and all(line.startswith("> ") for line in lines)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"epochs": 1, "minutes": 1.0}, "`epochs` and `minutes` both say when to stop. Give one of them"),
        ({"epochs": 0}, "`epochs` must be at least 1"),
        ({"minutes": 0.0}, "`minutes` must be a number above 0"),
        ({"learning_rate": math.inf}, "`learning_rate` must be a number above 0"),
        ({"weight_decay": -1.0}, "`weight_decay` must be a number of at least 0"),
        ({"clip": -0.1}, "`clip` must be"),
        ({"final_rate": 1.1}, "`final_rate` must be a fraction"),
        ({"accumulate": 0}, "`accumulate` must be at least 1"),
        ({"evaluations": 0}, "`evaluations` must be at least 1"),
        ({"warmup": -1}, "`warmup` must be at least 0"),
        ({"minutes": math.nan}, "`minutes` must be a number above 0"),
        ({"learning_rate": 0.0}, "`learning_rate` must be a number above 0"),
        ({"final_rate": math.nan}, "`final_rate` must be a fraction"),
        ({"checkpoint_seconds": -1.0}, "`checkpoint_seconds` must be a number of at least 0"),
        ({"seed": 2**63}, "`seed` must be a whole number"),
        ({"seed": -1}, "`seed` must be a whole number"),
        ({"precision": "float16"}, "`precision` must be one of"),
    ],
)
def test_options_that_cannot_be_are_refused(options, said):
    with pytest.raises(ConfigError) as caught:
        TrainingOptions(**options)
    assert said in str(caught.value)


@pytest.mark.parametrize("device", ["warp", "", "cuda:99", "cpu:x"])
def test_a_device_that_is_not_here_is_refused(device):
    with pytest.raises(ConfigError, match=f"`device={device!r}` cannot be used here: .* Use `device='auto'`"):
        TrainingOptions(device=device).require()


def test_a_live_display_shows_bars_and_puts_them_away():
    output = io.StringIO()
    with Live(Console(file=output, force_terminal=True, width=120)) as display:
        display.work("reading", 1, 2)
        display.work("reading", 2, 2)
        display.status(Status(0.5, 10, 1.25, None, 12345.0, 0.33, 3675.0))
        display.say("[held-out] as it is")
    assert "[held-out] as it is" in output.getvalue()
    assert "1:01:15 left" in output.getvalue()
