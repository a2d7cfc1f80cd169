"""A network that looks at pictures in glimpses: trained, resumed, measured beside random glimpses, and its ways drawn."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

import unrolled as un
from at_the_terminal import call
from glimpsed import LOOK, save_bars, save_idx
from unrolled.data.formats import read_examples
from unrolled.errors import ConfigError
from unrolled.models import Glimpses
from unrolled.models.glimpses.options import GlimpseOptions
from unrolled.tasks import find_recipe, run_training
from unrolled.tasks.glimpsing.paths import mean_glimpses
from unrolled.training import RunFolder, Silent
from unrolled.training.interrupt import Stopped


@pytest.fixture(scope="module")
def bars(tmp_path_factory):
    return save_bars(tmp_path_factory.mktemp("bars"))


@pytest.fixture(scope="module")
def run(bars, tmp_path_factory):
    out = tmp_path_factory.mktemp("glimpses") / "run"
    un.train_classifier(bars, out=out, **LOOK, epochs=8, learning_rate=2e-2, average=0.0, dropout=0.0)
    return out


def test_it_learns_where_the_bar_is(run, bars):
    found = json.loads(call("evaluate", run, bars, "--json"))
    assert found["accuracy"] == 1 and found["glimpses"] == 3 and found["sequences"] == 48 and found["rivals"] == {}
    assert "3.00 glimpses of each; " in call("evaluate", run, bars, "--test-samples", 2)


def test_where_it_looked_is_drawn_in_order(run, bars, tmp_path, monkeypatch):
    drawn, draw = [], un.inspect.draw.looking
    monkeypatch.setattr(un.inspect.draw, "looking", lambda *given: drawn.append(given) or draw(*given))
    path = tmp_path / "ways.png"
    table = call("predict", run, bars, "--path", path).splitlines()
    assert path.read_bytes()[:4] == b"\x89PNG" and table[0] == "file,image,predicted,probability" and len(table) == 49
    ((looked, size, scales),) = drawn
    trained = un.load(run)
    encoded = trained.encoded(read_examples(bars, trained.reading, trained.wanted))
    way = trained.model.encoder.look(encoded.batch(np.arange(24)))
    assert size == 4 and scales == 1 and len(looked) == 24
    for number, one in enumerate(looked):
        assert (one.picture == encoded.dataset.columns["frames"].elements.read(number, number + 1)[0]).all()
        assert one.corners.tolist() == [[row - 2, column - 2] for row, column in way.pixels[:, number].tolist()]
        assert one.title == table[number + 1].split(",")[2]


def test_glimpses_are_counted_in_all_ways_of_looking():
    class Model:
        looking = GlimpseOptions(stop_action=True, test_samples=2)
        encoder = SimpleNamespace(look=lambda batch, ways: SimpleNamespace(lengths=torch.tensor([1, 6, 2, 5])[: batch * ways]))
        parameters = staticmethod(lambda: iter([torch.zeros(1)]))

    batches = SimpleNamespace(batch=lambda which: SimpleNamespace(to=lambda device: len(which)))
    assert mean_glimpses(SimpleNamespace(encoded=lambda examples: batches), Model, ["one", "other"]) == 3.5


@pytest.mark.parametrize("beside", [True, False])
def test_what_is_true_stands_above_a_way_if_it_is_known(beside, run, tmp_path, monkeypatch):
    drawn, draw = [], un.inspect.draw.looking
    monkeypatch.setattr(un.inspect.draw, "looking", lambda *given: drawn.append(given) or draw(*given))
    path = save_idx(tmp_path, "some", np.full((2, 10, 12), 9), np.array([0, 1]))
    if not beside:
        (tmp_path / "some-labels-idx1-ubyte.gz").unlink()
    said = [line.split(",")[2] for line in call("predict", run, path, "--path", tmp_path / "ways.png").splitlines()[1:]]
    titles = [one.title for one in drawn[0][0]]
    assert titles == [one if not beside or one == str(true) else f"{one}, not {true}" for true, one in enumerate(said)]
    assert any("not" in title for title in titles) is beside, "both pictures are the same, and one of them is taken for the other"


def test_a_drawing_has_a_square_for_each_glimpse_where_it_was():
    picture, corners = np.zeros((9, 8, 3), np.uint8), np.array([[0, 1], [-2, 5]])
    figure = un.inspect.draw.looking([un.inspect.draw.Looked(picture, corners, "$7")], 4)
    (axes,) = figure.axes
    assert [(patch.get_xy(), patch.get_width()) for patch in axes.patches] == [((0.5, -0.5), 4), ((4.5, -2.5), 4)]
    (axes,) = un.inspect.draw.looking([un.inspect.draw.Looked(picture, corners[:1], "")], 4, 3).axes
    assert [(patch.get_xy(), patch.get_width()) for patch in axes.patches] == [((0.5, -0.5), 4), ((-1.5, -2.5), 8), ((-5.5, -6.5), 16)]
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["1", "2"] and axes.get_title() == r"\$7"
    assert axes.lines[0].get_xydata().tolist() == [[2.5, 1.5], [6.5, -0.5]]


@pytest.mark.parametrize("more", [{}, {"stop_action": True, "shift": 1, "dropout": 0.3}, {"locations": "random"}])
def test_a_run_that_is_interrupted_ends_like_one_left_alone(bars, tmp_path, monkeypatch, more):
    class Stopping(Silent):
        def status(self, status):
            monkeypatch.setattr("unrolled.training.interrupt.Interrupts.check", stop)

    def stop(self):
        monkeypatch.undo()
        raise Stopped

    recipe, alone, stopped = find_recipe("classify"), RunFolder(tmp_path / "alone"), RunFolder(tmp_path / "stopped")
    options = {**LOOK, **more, "epochs": 2}
    run_training(recipe, str(bars), alone, options, Silent())
    assert not run_training(recipe, str(bars), stopped, options, Stopping()).finished
    assert run_training(recipe, (), stopped, {}, Silent(), resume=True).finished
    assert (alone.path / "model.safetensors").read_bytes() == (stopped.path / "model.safetensors").read_bytes()


def test_inspect_reads_the_glimpses_where_the_network_looks(run, bars):
    trained = un.load(run)
    found = trained.inspection_input(bars)
    memory = un.inspect.memory(found.model, found.x)
    assert found.symbols == ("0", "1", "2") and memory.state.shape[1] == 3 and memory.state[-1, -1].all()


def test_a_network_that_may_stop_takes_fewer_glimpses_where_they_cost_more(bars, tmp_path):
    options = {**LOOK, "epochs": 4, "learning_rate": 2e-2, "average": 0.0, "stop_action": True, "glimpse_cost": 10.0}
    un.train_classifier(bars, out=tmp_path / "run", **options)
    assert json.loads(call("evaluate", tmp_path / "run", bars, "--json"))["glimpses"] == 1


def test_pictures_of_any_format_are_looked_at(bars, tmp_path):
    for label in ("a", "b"):
        for number in range(4):
            folder = tmp_path / "data" / label
            folder.mkdir(parents=True, exist_ok=True)
            pixels = np.random.default_rng(number).integers(0, 256, (8, 9, 3), np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png")
    trained = un.train_classifier(tmp_path / "data", out=tmp_path / "run", **LOOK, epochs=1)
    assert isinstance(trained.model, Glimpses) and trained.model.encoder.what.in_features == 3 * 4 * 4
    call("predict", tmp_path / "run", tmp_path / "data" / "a" / "0.png", "--path", tmp_path / "a.png")
    assert (tmp_path / "a.png").exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"glimpses": 3}, "`glimpses` is for pictures that are looked at in glimpses. Give `image='glimpses'`"),
        ({"image": "whole", "rivals": False}, "`rivals` is for pictures that are looked at in glimpses"),
        ({"image": "whole", "stop_action": True}, "`stop_action` is for pictures that are looked at in glimpses"),
        ({"image": "glimpse"}, "`image` must be one of rows, whole, frame, glimpses, got 'glimpse'"),
        ({"image": "glimpses", "layers": 0}, "`layers=0` remembers nothing"),
        ({"image": "glimpses", "convolution": 4}, "`convolution` reads steps together"),
        ({"image": "glimpses", "filters": 4}, "`filters` is for networks that read whole pictures"),
        ({"digits": "a"}, "builtin:translated-digits, builtin:cluttered-digits, and DATA has none of these"),
    ],
)
def test_options_that_do_not_fit_are_told_before_anything_is_written(bars, tmp_path, options, told):
    with pytest.raises(ConfigError, match=re.escape(told)):
        un.train_classifier(bars, out=tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


def test_what_only_glimpses_have_is_refused_elsewhere(bars, tmp_path):
    un.train_classifier(bars, out=tmp_path / "run", hidden=4, epochs=1, bidirectional=False)
    for command, flag in (("evaluate", ("--test-samples", 2)), ("predict", ("--path", tmp_path / "a.png"))):
        with pytest.raises(ConfigError, match=f"`{flag[0]}` is for networks that look at pictures in glimpses .`--image glimpses`"):
            call(command, tmp_path / "run", bars, *flag)
    with pytest.raises(ConfigError, match=r"`image='glimpses'` is for networks that label pictures, and not for a network of numbers"):
        un.train_regressor(bars, out=tmp_path / "other", image="glimpses")


def test_a_drawing_needs_a_name_of_a_picture(run, bars, tmp_path):
    with pytest.raises(ConfigError, match=r"must end in \.png, \.svg, \.pdf"):
        call("predict", run, bars, "--path", tmp_path / "a.txt")


def test_digits_are_named_anew_for_other_files(bars, tmp_path):
    un.train_classifier("builtin:translated-digits", out=tmp_path / "run", digits=bars, copies=2, epochs=1, **LOOK)
    with pytest.raises(ConfigError, match=r"builtin:translated-digits is made of digits\. Name an idx file with some as `--digits`"):
        call("evaluate", tmp_path / "run", "builtin:translated-digits")
    found = json.loads(call("evaluate", tmp_path / "run", "builtin:translated-digits", "--digits", bars, "--json"))
    assert found["sequences"] == 48
