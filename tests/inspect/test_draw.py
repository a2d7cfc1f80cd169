from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import unrolled as un
from unrolled.inspect import draw
from unrolled.models import NextStepOptions, language_model

X = torch.randn(9, 2, 3, generator=torch.Generator().manual_seed(4))


@pytest.fixture
def layer():
    torch.manual_seed(1)
    return un.LSTM(3, 5, num_layers=2, bidirectional=True)


def lines(figure):
    return {line.get_label(): line.get_ydata() for line in figure.axes[0].lines}


def test_curves_are_the_arrays(layer):
    ours, theirs = (un.inspect.memory(model, X, at=4) for model in (layer, un.inspect.elman_like(layer)))
    drawn = lines(draw.memory({"A": ours, "B": theirs}))
    np.testing.assert_array_equal(drawn["state, A"], ours.share[-1, :, 0])
    np.testing.assert_array_equal(drawn["state, B"], theirs.share[-1, :, 0])
    flow = un.inspect.gradient_flow(layer, X, at=4)
    drawn = lines(draw.flow({"trained": flow}))
    past = flow.total[1, 0, :, 0]
    np.testing.assert_array_equal(drawn["trained, layer 1, forward"], np.where(past > 0, past, np.nan))
    spectrum = un.inspect.jacobian_spectrum(layer, X)
    drawn = lines(draw.maps(spectrum.maps))
    np.testing.assert_array_equal(drawn["R_f, layer 0, reverse"], spectrum.places[1].maps["R_f"])


def test_what_dies_at_once_does_not_flatten_the_rest():
    layer = un.RNN(3, 5)
    layer.block("R_h").mul_(1e-6)
    figure = draw.forgetting({"Elman": un.inspect.forgetting(layer, X)})
    low, high = figure.axes[0].get_ylim()
    assert high / low == pytest.approx(1e12**1.1)


def test_steps_at_which_nothing_is_seen_take_no_room():
    layer = un.RNN(3, 5)
    layer.block("R_h").copy_(torch.eye(5) * 0.01)
    found = un.inspect.memory(layer, torch.randn(90, 1, 3) * 1e-3, at=60)
    first, last = draw.memory({"A": found}).axes[0].get_xlim()
    assert 52 < first < 55 and 60 < last < 62
    first, last = draw.memory({"A": found}, ["a"] * 40).axes[0].get_xlim()
    assert first <= 0
    assert draw.memory({"nothing": replace(found, state=0 * found.state)}).axes[0].lines
    one = replace(found, state=np.where(np.arange(90)[:, None] == 60, found.state, 0))
    np.testing.assert_allclose(draw.memory({"one step": one}).axes[0].get_xlim(), [59.5, 60.5])


def test_many_lines_are_named_below_and_few_inside(layer):
    few, many = (draw.maps(un.inspect.recurrent_maps(looked)) for looked in (un.RNN(3, 5, 2), layer))
    assert len(few.axes[0].get_legend().texts) == 2 and not few.legends
    assert len(many.legends[0].texts) == 16 and many.axes[0].get_legend() is None
    assert many.get_figheight() == pytest.approx(few.get_figheight() + 1.6)
    assert len(draw.steps(un.inspect.jacobian_spectrum(layer, X)).axes[0].lines) == 5


def test_what_few_pairs_of_steps_say_is_not_drawn():
    layer = un.Recurrent("gru", 3, 4)
    found = un.inspect.forgetting(layer, torch.randn(40, 20, 3), [40] + [20] * 19, steps=4)
    assert found.count[19] > 16 and found.count[30] < 4 and len(found.distance) == 40
    (line,) = draw.forgetting({"A": found}).axes[0].lines
    last = int(line.get_xdata()[-1])
    assert found.count[last] * 16 >= found.count[0] > found.count[last + 1] * 16
    np.testing.assert_array_equal(line.get_ydata(), found.quartiles[1, : last + 1])


def test_single_letters_stand_upright_beside_longer_symbols():
    layer = un.RNN(3, 5)
    figure = draw.memory({"A": un.inspect.memory(layer, X[:3], at=-1)}, ["a", "<EOS>", "b"])
    assert [label.get_rotation() for label in figure.axes[0].get_xticklabels()] == [0, 90, 0]


def test_heat_maps_name_steps_and_leave_padding_out(layer):
    figure = draw.gates(un.inspect.gates(layer, X, [6, 9]), ["a", "$b", "\n", " ", "c", "d"])
    images = [axes.images[0] for axes in figure.axes if axes.images and axes.get_ylabel()]
    assert [image.get_array().shape for image in images] == [(5, 6)] * 6
    assert [label.get_text() for label in figure.axes[5].get_xticklabels()] == ["a", r"\$b", "⏎", "␣", "c", "d"]


def test_names_of_runs_stand_in_legends_as_they_are(layer):
    name, shown = "_a $x$ b\udcff", r" _a \$x\$ b?"
    memories = {name: un.inspect.memory(layer, X, at=4)}
    figures = (
        draw.memory(memories),
        draw.forgetting({name: un.inspect.forgetting(layer, X, steps=4)}),
        draw.flow({name: un.inspect.gradient_flow(layer, X, at=4)}),
    )
    for figure in figures:
        texts = [text.get_text() for legend in (figure.axes[0].get_legend(), *figure.legends) if legend for text in legend.texts]
        assert texts and all(shown.strip() in text for text in texts)
        figure.canvas.draw()
    assert [text.get_text() for text in figures[1].axes[0].get_legend().texts] == [shown]


def test_svg_for_pages_has_ids_of_its_own_and_colours_that_pages_set(layer):
    figure = draw.saturation(un.inspect.gates(layer, X))
    text = draw.to_svg(figure, "mine")
    assert text.startswith("<svg") and 'id="mine-' in text and 'id="axes' not in text
    assert "var(--ink, #1b2430)" in text
    assert text == draw.to_svg(figure, "mine")


def test_files_of_every_kind_and_letters_that_the_font_has_not(layer, tmp_path):
    found = un.inspect.memory(layer, X, at=-1)
    figure = draw.memory({"網": found}, list("時間は何ですか？x"))
    for name in ("a.png", "a.svg", "a.pdf"):
        for path in (tmp_path / name, str(tmp_path / f"s{name}")):
            draw.save(figure, path)
            assert Path(path).stat().st_size > 1000


def test_an_elman_network_takes_the_place_of_the_layers_alone():
    torch.manual_seed(2)
    model = language_model(7, NextStepOptions(hidden=6, layers=2, embedding=4, residual=True)).double()
    other = un.inspect.elman_like(model)
    assert (other.recurrent.cell.name, other.recurrent.num_layers, other.recurrent.residual) == ("elman", 2, True)
    assert other.recurrent.block("R_h").dtype == torch.float64
    assert float(other.recurrent.block("R_h", layer=1).abs().max()) <= 6**-0.5
    assert other(torch.randint(7, (5, 2)))[0].shape == (5, 2, 7)
    assert model.recurrent.cell.name == "lstm"


def test_bars_of_a_piano_roll_begin_after_its_pickup():
    figure = draw.roll(np.array([[0, 1, 60], [1, 9, 64]]), None, 4.0, 1.0)
    assert [line.get_xdata()[0] for line in figure.axes[0].lines] == [1, 5]
