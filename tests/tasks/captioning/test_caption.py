"""Networks that say what is in small pictures."""

import gzip
import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import unrolled as un
from at_the_terminal import call, notes
from coloured_shapes import SIDE, write_pictures
from unrolled.cells import find_cell
from unrolled.errors import ConfigError, DataError, UnrolledWarning
from unrolled.models import Captioner, blinded
from unrolled.tasks import find_recipe, load
from unrolled.tasks.captioning.inspecting import _logs, look_into
from unrolled.tasks.captioning.options import CaptioningOptions, WritingOptions
from unrolled.tasks.captioning.reading import read_caption_data
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.runs import run_training
from unrolled.training import Callback, RunFolder
from unrolled.training.display import Silent
from unrolled.training.interrupt import Stopped

TINY = {"hidden": 8, "embedding": 8, "filters": 8, "grid": 3, "frame_features": 16, "average": 0.0, "display": Silent()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run that has learnt what is in pictures, and pictures that it has not seen."""
    folder = tmp_path_factory.mktemp("shapes")
    table = write_pictures(folder / "learn", 6)
    write_pictures(folder / "test", 1, seed=5)
    wider = {"filters": 16, "frame_features": 32, "batch": 16, "hidden": 32}
    options = {
        **TINY,
        **wider,
        "epochs": 50,
        "learning_rate": 0.01,
        "final_rate": 0.2,
        "dropout": 0.0,
        "evaluations": 2,
        "label_smoothing": 0.0,
    }
    un.train_captioner(table, out=folder / "run", **options)
    return folder


@pytest.fixture(scope="module")
def captioner(folder):
    return load(folder / "run")


def test_other_pictures_are_described_better_than_by_rivals(folder):
    found = json.loads(call("evaluate", folder / "run", folder / "test" / "table.csv", "--json"))
    names = {
        "bleu",
        "bleu1",
        "bleu2",
        "bleu3",
        "bleu4",
        "cider",
        "rouge_l",
        "exact",
        "pictures",
        "perplexity",
        "edit_distance",
        "distinct",
        "copied",
        "cut",
    }
    assert found.keys() == {*names, "rivals"} and found["pictures"] == 6
    assert found["exact"] >= 5 / 6 and found["copied"] == 1 and found["cut"] == 0, found
    rivals = found["rivals"]
    assert rivals.keys() == {"constant", "nearest", "blind"}
    assert rivals["constant"]["distinct"] == rivals["blind"]["distinct"] == 1
    assert all(rival["cider"] < found["cider"] for rival in rivals.values())
    assert found["perplexity"] < rivals["blind"]["perplexity"]
    text = call("evaluate", folder / "run", folder / "test" / "table.csv")
    assert "without the picture: BLEU" in text and "The picture does not help" not in text


def test_a_picture_has_several_sentences_best_first(folder, captioner):
    path = folder / "test" / "red-square-5-0.png"
    (best,) = captioner.caption([path], nbest=3, beam=4)
    assert len(best) == 3 and [one.score for one in best] == sorted((one.score for one in best), reverse=True)
    assert "red" in best[0].text and best[0].written[-1] == "<EOS>"
    np.testing.assert_allclose(best[0].weights.sum(1), 1, atol=1e-5)
    assert best[0].weights.shape == (len(best[0].written), 9)


def test_sentences_begin_as_is_asked_for_or_are_drawn(folder, captioner):
    path = folder / "test" / "blue-bar-5-0.png"
    (best,) = captioner.caption([path], prefix="The bar", longest=20)
    assert best[0].text.startswith("the bar") and "blue" in best[0].text
    first, again, other = (captioner.caption([path], sampled=3.0, nbest=4, draw_seed=seed)[0] for seed in (1, 1, 2))
    texts = lambda some: [one.text for one in some]  # noqa: E731
    assert texts(first) == texts(again) != texts(other) and len({*texts(first)}) > 1
    with pytest.raises(ConfigError, match="`sampled` draws sentences"):
        WritingOptions(sampled=1.0, beam=2)


def test_what_is_drawn_has_the_probability_that_is_said(folder, captioner):
    example = str(folder / "test" / "blue-bar-5-0.png")
    ((drawn,),) = captioner.caption([example], sampled=1.0)
    seen = captioner.seen(captioner.read([example], captioner.reading_of().to_predict()))
    ids = torch.tensor([*captioner.codecs.target.ids(drawn.text), 1])[:, None]
    batch = seen.seen(np.arange(1))
    memory = captioner.model.read(batch)
    with torch.inference_mode():
        total = captioner.model._losses(memory, ids, torch.tensor([len(ids)]))[0].sum()
    assert drawn.log_probability == pytest.approx(total.item(), abs=1e-4)


def test_predictions_are_lines_objects_pictures_and_a_page(folder, tmp_path):
    (table := folder / "test" / "two.csv").write_text(
        "image,caption\nred-square-5-0.png,A square that is red.\nblue-bar-5-0.png,A blue bar.\n"
    )
    lines = call("predict", folder / "run", table).splitlines()
    assert len(lines) == 2
    files = ("--attention", tmp_path / "looked", "--page", tmp_path / "page.html", "--out", tmp_path / "o")
    assert "The page is" in notes("predict", folder / "run", table, "--json", *files)
    objects = [json.loads(line) for line in (tmp_path / "o").read_text().splitlines()]
    assert [one["text"] for one in objects] == lines
    assert objects[0]["file"].endswith("red-square-5-0.png") and len(objects[0]["weights"][0]) == 9
    drawn = sorted((tmp_path / "looked").iterdir())
    assert len(drawn) == 2 and drawn[0].name == "001-red-square-5-0.png"
    with Image.open(drawn[0]) as image:
        assert image.size[0] > 300
    page = (tmp_path / "page.html").read_text()
    assert (
        page.count("<figure>") == 2 and "A square that is red." in page and "data:image/png;base64," in page and 'data-size="3,3"' in page
    )
    several = call(
        "predict", folder / "run", folder / "test" / "red-bar-5-0.png", folder / "test" / "red-bar-5-0.png", "--nbest", "2"
    ).splitlines()
    assert len(several) == 4 and several[0].split("\t")[0] == "red-bar-5-0.png" and several[:2] == several[2:]


def test_packed_tables_folders_and_globs_are_described_as_their_files_are(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("red-bar", "red-square"):
        shutil.copy(folder / "test" / f"{name}-5-0.png", f"a {name}.png")
    rows = b"image,caption\na red-bar.png,A bar.\na red-square.png,A square.\n"
    Path("a table.csv").write_bytes(rows)
    Path("a table.csv.gz").write_bytes(gzip.compress(rows))
    with zipfile.ZipFile("its table.csv.zip", "w") as archive:
        archive.writestr("table.csv", rows)
    said = [call("predict", folder / "run", name) for name in ("a table.csv", "a table.csv.gz", "its table.csv.zip", "a *.png", ".")]
    assert said[0] == call("predict", folder / "run", "a red-bar.png", "a red-square.png") and said == said[:1] * 5
    with pytest.raises(ConfigError, match="There is no FILE to look at"):
        call("predict", folder / "run", "-", typed="x")
    Path("bad.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"bad.png cannot be read as a picture.* To leave such rows out, pass `--bad-rows skip`"):
        call("predict", folder / "run", "a red-bar.png", "bad.png")
    with pytest.warns(UnrolledWarning, match=r"^1 bad row is left out. The first: [^:]*bad.png: ") as told:
        some = call("predict", folder / "run", "a red-bar.png", "bad.png", "a red-square.png", "--bad-rows", "skip")
    assert len(told) == 1 and some == said[0]


def test_a_page_says_what_each_word_owes_to_the_picture(folder, captioner, tmp_path):
    path = folder / "test" / "red-square-5-0.png"
    out = call("inspect", folder / "run", path, "--out", tmp_path / "p.html", "--json")
    found = json.loads(out)
    assert found.keys() == {"worth", "looked", "moved", "training"}
    worth = found["worth"]
    red = worth["written"].index("red")
    assert worth["seeing"][red] > 0.7 > 0.5 > worth["blind"][red] and worth["bits"][red] == max(worth["bits"])
    ((best,),) = captioner.caption([path])
    assert np.log(worth["seeing"]).sum() == pytest.approx(best.log_probability, abs=1e-3)
    page = (tmp_path / "p.html").read_text()
    assert "What the picture is worth" in page and page.count("<svg") >= 2
    assert call("inspect", folder / "run", "--out", tmp_path / "h.html").startswith("What the picture is worth")


def test_pixels_that_move_a_word_are_those_of_finite_differences(folder, captioner):
    path = str(folder / "test" / "red-square-5-0.png")
    captions = captioner.seen(captioner.read([path], captioner.reading_of().to_predict()))
    looked = look_into(captioner, captions, 0, None)
    batch = captions.seen(np.arange(1))
    ids = torch.tensor([*captioner.codecs.target.ids(looked.caption.text).tolist(), 1])
    word, x = looked.caption.written.index("red"), batch["frames"]
    change = lambda by: float(_logs(captioner.model, replace(batch, fields={"frames": by}), ids)[word])  # noqa: E731
    found = []
    places = [np.unravel_index(i, looked.moved[word].shape) for i in np.argsort(looked.moved[word].ravel())[[-1, -9]]]
    for row, column in places:
        total = 0.0
        for colour in range(3):
            step = torch.zeros_like(x)
            step[0, 0, colour, row, column] = 1e-2
            with torch.inference_mode():
                total += abs((change(x + step) - change(x - step)) / 2e-2 * x[0, 0, colour, row, column].item())
        found.append(total)
    expected = [looked.moved[word][place] for place in places]
    assert expected[1] / expected[0] == pytest.approx(found[1] / found[0], rel=0.1)


def test_the_network_that_sees_and_the_blind_one_share_nothing(folder, captioner):
    seen = captioner.seen(captioner.read([str(folder / "test" / "table.csv")], captioner.reading_of()))
    batch = seen.batch(np.arange(4))
    torch.manual_seed(0)
    model = load(folder / "run").model.train()
    model.zero_grad()
    torch.manual_seed(1)
    loss, count = model.loss(batch)
    loss.backward()
    together = {name: p.grad.clone() for name, p in model.named_parameters()}
    assert count == int(batch.target_lengths.sum())
    model.zero_grad()
    model.blind.loss(blinded(batch))[0].backward()
    for name, parameter in model.named_parameters():
        if name.startswith("blind."):
            torch.testing.assert_close(together[name], parameter.grad)
        else:
            assert parameter.grad is None and together[name].any()
    assert model.eval().loss(batch)[0].item() == pytest.approx(super(Captioner, model).loss(batch)[0].item())


def test_pictures_are_held_out_with_all_their_sentences_and_equal_ones_together(tmp_path):
    table = write_pictures(tmp_path, 2)
    lines = table.read_text()
    for number in range(18):
        (tmp_path / f"copy{number}.png").write_bytes((tmp_path / "red-square-0-0.png").read_bytes())
        lines += f"copy{number}.png,A copy\n"
    table.write_text(lines)
    options = Configuration.from_flat("caption", CaptioningOptions, {"sources": [str(table)], "cell": "gru", "held_out": 0.3}).options
    data = read_caption_data(options, lambda *_: None)
    assert not {*data.learnt.tolist()} & {*data.held.tolist()} and len(data.learnt) + len(data.held) == 30
    copies = {i for i, name in enumerate(data.captions.names) if name.startswith("copy") or name == "red-square-0-0.png"}
    assert copies <= {*data.learnt.tolist()} or copies <= {*data.held.tolist()}
    pairs = data.captions.pairs_of(data.held)
    assert {*data.captions.picture_of[pairs].tolist()} == {*data.held.tolist()}


def test_pictures_that_are_measured_and_learnt_are_told(tmp_path):
    table = write_pictures(tmp_path, 1)
    (tmp_path / "other.png").write_bytes((tmp_path / "red-bar-0-0.png").read_bytes())
    (tmp_path / "v.csv").write_text("image,caption\nother.png,A bar\n")
    with pytest.warns(
        UnrolledWarning, match=r"1 of the 1 pictures to measure on are learnt, too: other\.png is the same as red-bar-0-0\.png"
    ):
        un.train_captioner(table, out=tmp_path / "run", **TINY, validation=[str(tmp_path / "v.csv")], epochs=1)


def test_pictures_are_moved_and_mirrored_in_training_alone(tmp_path):
    table = write_pictures(tmp_path, 1)
    recipe = find_recipe("caption")
    configuration = Configuration.from_flat(
        "caption", CaptioningOptions, {"sources": [str(table)], "flip": "across", "held_out": 0.0, "cell": "lstm"}
    )
    data = recipe.read(configuration, lambda *_: None)
    task = recipe.task(recipe.build(configuration, data.codecs, find_cell("lstm")), data, configuration)
    torch.manual_seed(0)
    batch = task.learner.get(np.arange(6))
    varied = task.learner.change(batch)
    mirrored = batch["frames"].flip(-1)
    same, other = (
        [torch.allclose(varied["frames"][:, i], frames[:, i], atol=1e-4) for i in range(6)] for frames in (batch["frames"], mirrored)
    )
    assert all(a or b for a, b in zip(same, other, strict=True)) and any(same) and any(other)
    assert varied.targets is batch.targets and varied.lengths is batch.lengths
    with pytest.raises(ConfigError, match="`flip` varies pictures that a network of its own learns to see, got `encoder=features`"):
        Configuration.from_flat(
            "caption", CaptioningOptions, {"sources": [str(table)], "flip": "across", "encoder": "features", "cell": "lstm"}
        )
    with pytest.raises(ConfigError, match="`zoom` must be a part from 0 to below 1"):
        Configuration.from_flat("caption", CaptioningOptions, {"sources": [str(table)], "zoom": 1.0, "cell": "lstm"})


def test_a_run_that_is_interrupted_ends_like_one_left_alone(tmp_path):
    class Stopping(Callback):
        def measured(self, record):
            raise Stopped

    table, recipe = write_pictures(tmp_path, 1), find_recipe("caption")
    options = {**{name: value for name, value in TINY.items() if name != "display"}, "updates": 4, "shift": 2, "batch": 3, "evaluations": 2}
    alone, stopped = RunFolder(tmp_path / "alone"), RunFolder(tmp_path / "stopped")
    run_training(recipe, str(table), alone, options, Silent())
    assert not run_training(recipe, str(table), stopped, options, Silent(), callbacks=[Stopping()]).finished
    assert run_training(recipe, (), stopped, {}, Silent(), resume=True).finished
    assert (alone.path / "model.safetensors").read_bytes() == (stopped.path / "model.safetensors").read_bytes()


def test_videos_are_read_frame_by_frame(tmp_path):
    for number in range(4):
        (clip := tmp_path / "clips" / f"clip{number}").mkdir(parents=True)
        for frame in range(3 + number):
            Image.fromarray(np.full((SIDE, SIDE), 40 * frame, np.uint8)).save(clip / f"{frame}.png")
        clip.with_suffix(".txt").write_text("it becomes brighter\n")
    trained = un.train_captioner(tmp_path / "clips", out=tmp_path / "run", **TINY, epochs=1)
    assert trained.codecs.moving and trained.model.encoder.recurrent.bidirectional
    best = trained.caption([tmp_path / "clips" / "clip0", tmp_path / "clips" / "clip3"], longest=5)
    assert [one[0].weights.shape[1] for one in best] == [3, 6]
    files = ("--attention", tmp_path / "looked", "--page", tmp_path / "page.html")
    out = call("predict", tmp_path / "run", tmp_path / "clips", "--longest", "5", *files)
    assert len(out.splitlines()) == 4 and len(list((tmp_path / "looked").iterdir())) == 4


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"encoder": "resnet"}, "`encoder` must be one of cnn, efficientnet-lite0, features, got 'resnet'"),
        ({"level": "latex"}, "`level` must be one of word, char, subword, formula"),
        ({"grid": 0}, "`grid` must be at least 1, got 0"),
        ({"held_out": 1.0}, "`held_out` must be a fraction from 0 to below 1"),
        ({"batch": 0}, "`batch` must be at least 1, got 0"),
    ],
)
def test_options_that_cannot_be_are_told(tmp_path, options, told):
    with pytest.raises(ConfigError, match=told):
        un.train_captioner(tmp_path / "t.csv", out=tmp_path / "run", **{**TINY, **options})
