"""A network of next frames, trained, measured and asked."""

import gzip
import json
import lzma
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from at_the_terminal import call
from pictures import save_gif, squares
from unrolled.data.codecs import FrameCodec
from unrolled.data.dataset import gather
from unrolled.data.examples import Example
from unrolled.data.pictures.pixels import Shape
from unrolled.errors import ConfigError, DataError
from unrolled.tasks import load, train
from unrolled.tasks.filming.options import FilmDataOptions
from unrolled.tasks.filming.reading import _end_of
from unrolled.tasks.filming.windows import Windows, begins_in
from unrolled.training import RunFolder
from unrolled.training.display import Silent

TINY = {
    "past": 3,
    "future": 2,
    "hidden": 4,
    "size": "8",
    "epochs": 2,
    "evaluations": 1,
    "batch": 4,
    "engine": "eager",
    "device": "cpu",
    "display": Silent(),
}


def clips(count=10, steps=6):
    found = np.zeros((count, steps, 8, 8), np.uint8)
    for number, clip in enumerate(found):
        for step, frame in enumerate(clip):
            frame[number % 5 : number % 5 + 2, step : step + 2] = 255
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    np.save(folder / "clips.npy", clips())
    train("frames", folder / "clips.npy", out=folder / "run", **TINY)
    return folder


def test_a_run_is_measured_beside_rivals(folder):
    found = json.loads(call("evaluate", folder / "run", folder / "clips.npy", "--json", "--gif", folder / "e.gif"))
    assert found["windows"] == 10 and {"mse", "mae", "ssim", "psnr"} <= found.keys(), "the second window of a clip would end after it"
    data = clips()
    last = ((data[:, 2:3] / 255.0 - data[:, 3:5] / 255.0) ** 2).mean()
    assert found["rivals"]["last-frame"]["mse"] == pytest.approx(last, rel=1e-5)
    assert len(found["steps"]["mse"]) == 2 and found["teacher_forcing"]["mse"] > 0
    with Image.open(folder / "e.gif") as gif:
        assert gif.n_frames == 5 and gif.size[0] > 2 * 96


def test_frames_are_said_of_files_and_arrays(folder):
    trained = load(folder / "run")
    said = trained.predict([clip[..., None] for clip in clips(3)], 7)
    assert said.said.shape == (7, 3, 8, 8, 1) and said.past.shape == (3, 3, 8, 8, 1) and said.true is None
    np.testing.assert_array_equal(said.past[..., 0], clips(3)[:, -3:].swapaxes(0, 1))
    save_gif(folder / "a.gif", squares(6))
    asked = ("--gif", folder / "p.gif", "--npy", folder / "p.npy", "--future", 3)
    rows = call("predict", folder / "run", folder / "a.gif", *asked).splitlines()
    assert rows[0] == "clip,frame,mean,change" and len(rows) == 4
    assert np.load(folder / "p.npy").shape == (1, 3, 8, 8, 1)
    with pytest.raises(DataError, match=r"A clip must have 3 frames, which are read, got one of 2"):
        trained.predict([clips(1, 2)[0][..., None]])
    with pytest.raises(ConfigError, match="by its own sections"):
        trained.inspection_input(folder / "a.gif")


def test_packed_clips_folders_and_globs_are_read_alike(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("my films").mkdir()
    np.save("my films/some clips.npy", clips(3))
    plain = Path("my films/some clips.npy").read_bytes()
    Path("packed clips.npy.gz").write_bytes(gzip.compress(plain))
    Path("packed clips.npy.xz").write_bytes(lzma.compress(plain))
    found = [
        call("predict", folder / "run", name) for name in ("my films/some clips.npy", *map(str, Path().glob("*.npy.*")), "my*/some *.npy")
    ]
    assert found[0].count("\n") == 1 + 3 * 2 and found == found[:1] * 4
    with pytest.raises(DataError, match="standard input has no text"):
        call("predict", folder / "run", "-")


def test_a_page_shows_gates_as_maps_and_what_moves_the_next_frame(folder):
    found = json.loads(call("inspect", folder / "run", folder / "clips.npy", "--json", "--out", folder / "page.html"))
    assert [*found] == ["pixels", "gates", "training"]
    trained = load(folder / "run")
    model, past = trained.model.double(), torch.from_numpy(clips()[:1, :3]).double().transpose(0, 1).unsqueeze(2) / 255
    apart = torch.eye(3 * 8 * 8, dtype=torch.float64).view(-1, 3, 1, 8, 8).transpose(0, 1) * 1e-5
    with torch.no_grad():
        more, less = ((model(past + by, 1)[0] - past[-1]).square().sum((1, 2, 3)) for by in (apart, -apart))
        parts = ((more - less) / 2e-5).view(3, 64).norm(dim=1)
        assert found["pixels"]["by_frame"] == pytest.approx((parts / parts.sum()).tolist(), abs=1e-4)
        values = {name: value[:, 0] for name, value in model.lines(past)[-1].values.items()}
    for name, channel in found["gates"]["channels"].items():
        assert channel == int(values[name].std((0, 2, 3)).argmax())
    left = found["gates"]["saturated"]["f"]["left"]
    assert left == pytest.approx(float((values["f"] <= 0.1).double().mean()))
    without = json.loads(call("inspect", folder / "run", "--json", "--out", folder / "page.html"))
    assert [*without] == ["pixels", "gates", "training"], "what was held out is read again"
    with pytest.raises(ConfigError, match="looks at clips, got the text 'hello'"):
        trained.sections("hello", None)


def test_a_network_without_recurrence_has_no_gates(folder, tmp_path):
    train("frames", folder / "clips.npy", out=tmp_path / "run", **{**TINY, "layers": 0, "epochs": 1})
    found = json.loads(call("inspect", tmp_path / "run", folder / "clips.npy", "--json"))
    assert [*found] == ["pixels", "training"]


def test_convolutional_gates_are_watched(folder, tmp_path):
    train("frames", folder / "clips.npy", out=tmp_path / "run", **{**TINY, "watch": True, "watch_every": 1})
    record = next(iter(RunFolder(tmp_path / "run").watched.records()))
    assert len(record["gates"]) == 4 and record["states"]


def test_the_end_of_one_clip_is_held_out(tmp_path, folder):
    np.save(tmp_path / "one.npy", clips(1, 40))
    train("frames", tmp_path / "one.npy", out=tmp_path / "run", **{**TINY, "stride": 1})
    assert "stride = 1" in (tmp_path / "run" / "config.toml").read_text()


def test_sensors_have_no_bounds(tmp_path):
    lines = [",".join(str(20 + ((t + k) % 7)) for k in range(12)) for t in range(40)]
    (tmp_path / "s.csv").write_text("\n".join(lines) + "\n")
    train("frames", tmp_path / "s.csv", out=tmp_path / "run", **{**TINY, "size": None, "shape": "3x4", "patch": 1})
    said = load(tmp_path / "run").predict(tmp_path / "s.csv")
    assert said.said.shape == (2, 1, 3, 4, 1) and said.past.max() == pytest.approx(26, abs=1e-3) and said.bounds is None
    with pytest.raises(ConfigError, match="`loss='cross-entropy'` is for pixels from 0 to 1"):
        train("frames", tmp_path / "s.csv", out=tmp_path / "other", **{**TINY, "size": None, "shape": "3x4", "loss": "cross-entropy"})


@pytest.mark.parametrize("low", [0.0, -1.0])
def test_numbers_are_measured_in_their_own_units(low, folder, tmp_path):
    data = (low + clips() / np.float32(255) * (1 - 2 * low)).astype(np.float32)
    np.save(tmp_path / "c.npy", data)
    train("frames", tmp_path / "c.npy", out=tmp_path / "run", **{**TINY, "epochs": 1, "size": None})
    trained = load(tmp_path / "run")
    scores = trained.evaluate(tmp_path / "c.npy")
    found, last = scores.to_json(), ((data[:, 2:3] - data[:, 3:5]) ** 2).mean()
    assert found["rivals"]["last-frame"]["mse"] == pytest.approx(last, rel=1e-5) and found["range"] == [low, 1 - low]
    bytes_too = load(folder / "run").evaluate(folder / "clips.npy").to_json()["rivals"]["last-frame"]
    for name in ("ssim", "psnr"):
        assert found["rivals"]["last-frame"][name] == pytest.approx(bytes_too[name], rel=1e-4), "these do not depend on units"
    assert trained.predict(tmp_path / "c.npy").bounds == ((0, 1) if low == 0 else None)
    if low == 0:
        for other in (clips(), (data * 2).astype(np.float32)):
            np.save(tmp_path / "other.npy", other)
            with pytest.raises(DataError, match="learnt from numbers from 0 to 1, and these are others"):
                trained.evaluate(tmp_path / "other.npy")


def test_pixels_that_are_no_numbers_are_told_before_training(tmp_path):
    data = clips().astype(np.float32)
    data[3, 2, 1, 1] = np.nan
    np.save(tmp_path / "c.npy", data)
    with pytest.raises(DataError, match=r"c\.npy, sequence 3: pixels must be finite numbers, got NaN"):
        train("frames", tmp_path / "c.npy", out=tmp_path / "run", **TINY)


def test_drawn_clips_are_different_ones(folder, tmp_path):
    np.save(tmp_path / "long.npy", clips(3, 12))
    assert (load(folder / "run").show(tmp_path / "long.npy").past[0, :, ..., 0] == clips(3, 12)[:, 0]).all()


def test_windows_fill_a_clip_and_the_held_out_end_is_not_learnt():
    dataset = gather((Example(str(n), frames=np.zeros((n, 1, 1, 1), np.uint8)) for n in (5, 9, 4)), "word", perceive=lambda one: one)
    assert begins_in(dataset, np.arange(3), 5, 2).tolist() == [0, 5, 7, 9]
    windows = Windows(dataset, FrameCodec(Shape(1, 1, 1)), np.arange(5, 10), 2)
    learnt, held = _end_of(windows, FilmDataOptions(held_out=0.4))
    assert held.begins.tolist() == [8, 9] and learnt.begins.tolist() == [5, 6], "no window has frames of both"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"past": 5, "future": 5}, r"No clip has 10 frames, `past` and `future` together: the longest has 6"),
        ({"past": 0}, "`past` must be at least 1"),
        ({"loss": "l2"}, "`loss` must be one of mse, mae, cross-entropy"),
        ({"teacher_forcing": 1.5}, "`teacher_forcing` must be a part from 0 to 1"),
        ({"digits": "x"}, "`digits` is "),
    ],
)
def test_what_cannot_be_is_told(options, message, folder, tmp_path):
    with pytest.raises((ConfigError, DataError), match=message):
        train("frames", folder / "clips.npy", out=tmp_path / "run", **{**TINY, **options})
