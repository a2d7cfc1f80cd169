"""What is seen of pictures, of videos, and of files of features."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from unrolled.data.examples import Example
from unrolled.data.pictures.clips import Clip
from unrolled.errors import DataError, UnrolledWarning
from unrolled.models import EncoderDecoder, blinded
from unrolled.tasks.captioning import seeing
from unrolled.tasks.captioning.captions import CaptionCodecs
from unrolled.tasks.captioning.options import EFFICIENTNET, FEATURES
from unrolled.tasks.captioning.seeing import Eyes, View, frozen_numbers, read_features
from untrained_captioner import read_data, untrained


def example(path, name=None):
    return Example(str(path), clip=Clip(path), name=name or path.name)


def write_frames(folder, values, size=(8, 8)):
    folder.mkdir(parents=True)
    for number, value in enumerate(values):
        Image.fromarray(np.full((*size, 3), value, np.uint8)).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def frozen(monkeypatch):
    """In the place of the frozen network one that gives the mean of each of 2 by 3 parts of a picture, in two channels, the second from its end."""

    def network(pictures):
        found = torch.nn.functional.adaptive_avg_pool2d(pictures, (2, 3)).mean(1)
        return torch.stack([found, -found], 1)

    monkeypatch.setattr(seeing, "frozen_encoder", lambda: network)


def test_places_of_a_frozen_grid_come_row_by_row_and_frames_as_means(frozen):
    picture = np.zeros((1, 4, 6, 3), np.uint8)
    picture[0, :2, 2:4], picture[0, 2:, :2] = 100, 40
    expected = np.array([0, 100, 0, 40, 0, 0], np.float32)
    np.testing.assert_allclose(frozen_numbers(picture, moving=False), np.stack([expected, -expected], 1))
    video = np.concatenate([picture, 2 * picture])
    means = np.array([140 / 6, 280 / 6])
    np.testing.assert_allclose(frozen_numbers(video, moving=True), np.stack([means, -means], 1), rtol=1e-5)


def test_frames_of_a_video_through_the_frozen_network_are_read_by_recurrent_layers(frozen, tmp_path):
    for name, values in (("a", (0, 90, 250)), ("b", (250, 90, 0)), ("c", (9, 9))):
        write_frames(tmp_path / name, values).with_suffix(".txt").write_text(f"clip {name}\n")
    captioner, data = untrained(tmp_path, encoder=EFFICIENTNET)
    assert data.codecs.moving and data.summary().startswith("3 videos with 3 sentences")
    assert captioner.model.encoder.recurrent is not None and data.captions.grids == [(1, 3), (1, 3), (1, 2)]
    # The same frames in another order are something else.
    first, second = (captioner.model.encoder(data.captions.seen(np.array([i])))[0] for i in (0, 1))
    assert first.shape[0] == 3 and not torch.allclose(first, second.flip(0), atol=1e-4)
    eyes = Eyes(View(EFFICIENTNET), moving=True)
    Image.fromarray(np.full((8, 8, 3), 7, np.uint8)).save(tmp_path / "one.png")
    assert eyes(example(tmp_path / "one.png")).example.numbers.shape == (1, 2)
    assert Eyes(View(EFFICIENTNET), moving=None)(example(tmp_path / "one.png")).grid == (7, 7)


def test_a_frame_alone_of_a_video_is_a_video(frozen, tmp_path):
    clip = write_frames(tmp_path / "clip", (10,))
    sight = Eyes(View(EFFICIENTNET))(example(clip))
    assert (sight.moving, sight.grid, sight.example.numbers.shape) == (True, (1, 1), (1, 2))


@pytest.mark.parametrize(
    ("shape", "name", "grid", "moving"),
    [
        ((5,), "a.npy", (1, 1), None),
        ((6, 5), "a.npy", (1, 6), None),
        ((6, 5), "a.jpg", (1, 6), False),
        ((6, 5), "a.mp4", (1, 6), True),
        ((4, 9, 5), "a.npy", (4, 9), False),
    ],
)
def test_features_keep_their_rows_and_columns(tmp_path, shape, name, grid, moving):
    np.save(tmp_path / "a.npy", np.arange(np.prod(shape)).reshape(shape))
    sight = Eyes(View(FEATURES))(example(tmp_path / "a.npy", name))
    assert (sight.grid, sight.moving) == (grid, moving)
    np.testing.assert_array_equal(sight.example.numbers.ravel(), np.arange(np.prod(shape)))


def write_features(folder, shape, ends="npy", count=3):
    chance = np.random.default_rng(0)
    lines = ["image,caption"]
    for number in range(count):
        np.save(folder / f"p{number}.npy", chance.standard_normal(shape))
        lines.append(f"p{number}.{ends},it is {number}")
    (folder / "t.csv").write_text("\n".join(lines) + "\n")
    return folder / "t.csv"


def test_features_of_frames_are_read_by_recurrent_layers_and_those_of_places_are_not(tmp_path):
    captioner, data = untrained(write_features(tmp_path, (6, 5)), encoder=FEATURES)
    assert data.codecs.moving and captioner.model.encoder.recurrent is not None
    assert CaptionCodecs.from_json(json.loads(json.dumps(data.codecs.to_json()))).moving
    captioner, data = untrained(write_features(tmp_path, (4, 9, 5)), encoder=FEATURES)
    assert not data.codecs.moving and captioner.model.encoder.recurrent is None
    (best,) = captioner.write(data.captions, np.array([1]))
    assert best[0].grid == (4, 9) and best[0].weights.shape == (len(best[0].ids), 36)
    captioner, data = untrained(write_features(tmp_path, (6, 5), "jpg"), encoder=FEATURES)
    assert not data.codecs.moving and captioner.seen([example(tmp_path / "p0.npy")]).grids == [(1, 6)]


def test_features_of_other_shapes_are_told(tmp_path):
    captioner, _ = untrained(write_features(tmp_path, (2, 2, 5)), encoder=FEATURES)
    np.save(tmp_path / "wrong.npy", np.zeros((2, 2, 2, 2)))
    with pytest.raises(DataError, match=r"must have numbers \[D\], \[T, D\] or \[h, w, D\], got an array float64 of shape \[2, 2, 2, 2\]"):
        captioner.caption([tmp_path / "wrong.npy"])
    np.save(tmp_path / "other.npy", np.zeros((4, 3)))
    with pytest.raises(DataError, match="got no tokens and 3 channels of numbers"):
        captioner.caption([tmp_path / "other.npy"])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_features_that_are_not_finite_are_told_with_their_file(tmp_path, bad):
    table = write_features(tmp_path, (2, 2, 5))
    captioner, _ = untrained(table, encoder=FEATURES)
    np.save(tmp_path / "p1.npy", np.full((2, 2, 5), bad))
    told = r"p1\.npy has 20 of 20 numbers that are NaN or infinite"
    with pytest.raises(DataError, match=told):
        captioner.caption([tmp_path / "p1.npy"])
    with pytest.raises(DataError, match=told):
        read_data(table, encoder=FEATURES)


def test_what_is_no_array_is_told(tmp_path):
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    (tmp_path / "t.npy").write_text("text")
    np.save(tmp_path / "o.npy", np.array([{}], object), allow_pickle=True)
    for name, told in (
        ("a.png", "is a picture, and the network reads features"),
        ("t.npy", "is no file of NumPy, and the network"),
        ("o.npy", "objects of Python, which could run programs"),
        ("nope.npy", "No such file or directory"),
    ):
        with pytest.raises(DataError, match=told) as raised:
            read_features(tmp_path / name)
        assert "unsafely" not in str(raised.value) and "Errno" not in str(raised.value)


def test_a_picture_is_one_by_its_first_bytes(tmp_path):
    (table := tmp_path / "t.csv").write_text("image,caption\na.png,it is dark\n")
    for name, kind in (
        ("a.png", "PNG"),
        ("plain", "PNG"),
        ("other", "JPEG"),
        ("third", "BMP"),
        ("fourth", "GIF"),
        ("fifth", "TIFF"),
        ("sixth", "WEBP"),
    ):
        Image.new("RGB", (8, 8)).save(tmp_path / name, kind)
    captioner, _ = untrained(table)
    assert len(captioner.caption([tmp_path / name for name in ("plain", "other", "third", "fourth", "fifth", "sixth")])) == 6


def test_the_picture_beside_its_features_is_shown(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((2, 2, 3)))
    eyes = Eyes(View(FEATURES))
    assert eyes.shown(example(tmp_path / "a.npy", "a.png")) is None
    Image.fromarray(np.full((10, 20, 3), 200, np.uint8)).save(tmp_path / "a.png")
    assert eyes.shown(example(tmp_path / "a.npy", "a.png")).shape == eyes.shown(example(tmp_path / "a.npy")).shape == (1, 10, 20, 3)


def test_several_arrays_in_one_file_are_told(tmp_path):
    np.savez(tmp_path / "two.npz", x=np.ones((2, 3)), y=np.zeros((5, 3)))
    with pytest.raises(DataError, match=r"two\.npz has 2 arrays: x, y\. Save the features of one picture or video alone"):
        read_features(tmp_path / "two.npz")
    np.savez(tmp_path / "one.npz", x=np.ones((2, 3)))
    assert read_features(tmp_path / "one.npz").shape == (2, 3)


def test_a_network_of_pictures_takes_no_video_and_pictures_stand_among_no_videos(tmp_path):
    clip, still = write_frames(tmp_path / "clip", (0, 90)), write_frames(tmp_path / "still", (5,)) / "0.png"
    (table := tmp_path / "t.csv").write_text(f"image,caption\n{still},it is dark\n")
    captioner, _ = untrained(table)
    with pytest.raises(
        DataError, match=r"^\S*clip is a video, and the network looks at pictures\. Pass pictures, or train a network on videos"
    ):
        captioner.caption([clip])
    table.write_text(f"image,caption\n{still},it is dark\n{clip},it becomes brighter\n")
    with pytest.raises(DataError, match=r"There are pictures and videos, such as .*0\.png and .*clip\. Pass either"):
        read_data(table)


def test_parts_of_one_video_are_on_one_side(tmp_path):
    rows = ["video,start,end,caption"]
    for name in "abcd":
        write_frames(tmp_path / name, range(0, 60, 10))
        rows += [f"{name},{at},{at + 3},part {at} of {name}" for at in range(4)]
    (tmp_path / "t.csv").write_text("\n".join(rows) + "\n")
    data = read_data(tmp_path / "t.csv", held_out=0.25)
    files = [{data.captions.names[i] for i in part.tolist()} for part in (data.learnt, data.held)]
    assert len(data.captions) == 16 and files[1] and not files[0] & files[1]


def test_parts_of_videos_of_which_other_parts_are_learnt_are_told(tmp_path):
    for name in "ab":
        write_frames(tmp_path / name, range(0, 60, 10))
    for table, rows in (("t", "a,0,3,it begins\nb,0,3,it begins\n"), ("v", "a,3,6,it ends\n")):
        (tmp_path / f"{table}.csv").write_text(f"video,start,end,caption\n{rows}")
    with pytest.warns(
        UnrolledWarning, match="1 of the 1 videos to measure on are of files of which other parts are learnt, such as a. Have all"
    ):
        read_data(tmp_path / "t.csv", validation=[str(tmp_path / "v.csv")])


def test_batches_to_learn_from_are_of_any_sentences_unless_some_are_much_longer(tmp_path):
    def mixed(sentences):
        """How many of six batches have sentences of both lengths."""
        for number in range(24):
            name = f"{number}.png"
            Image.fromarray(np.full((8, 8, 3), 9 * number, np.uint8)).save(tmp_path / name)
            (tmp_path / f"{number}.txt").write_text(sentences[number % 4 == 0])
        captions = read_data(tmp_path, held_out=0.0).captions
        order = captions.order(np.arange(24), 4, np.random.default_rng(0))
        assert sorted(np.concatenate(order).tolist()) == list(range(24))
        return sum(len({*captions.lengths[batch].tolist()}) > 1 for batch in order)

    assert mixed(("a dog", "a large dog")) > 3
    assert mixed(("a dog", f"a {'very ' * 9}large dog")) <= 3


def test_inputs_are_standardised_by_what_is_learnt(tmp_path):
    table = write_features(tmp_path, (2, 2, 5), count=4)
    data = read_data(table, encoder=FEATURES, held_out=0.25)
    learnt = np.concatenate([np.load(tmp_path / data.captions.names[i]).reshape(-1, 5) for i in data.learnt.tolist()])
    np.testing.assert_allclose(data.codecs.inputs.numbers.mean, learnt.mean(0), rtol=1e-5)


def test_nothing_is_seen_blindly(tmp_path):
    _, data = untrained(write_features(tmp_path, (2, 2, 5)), encoder=FEATURES)
    batch = blinded(data.captions.batch(np.arange(3)))
    assert batch["numbers"].shape == (1, 3, 1) and not batch["numbers"].any()
    assert batch.targets is not None and batch.lengths.tolist() == [1, 1, 1]


def test_the_blind_network_changes_no_loss(tmp_path):
    captioner, data = untrained(write_features(tmp_path, (2, 2, 5)), encoder=FEATURES, dropout=0.0)
    model, batch = captioner.model.train(), data.captions.batch(np.arange(3))
    assert model.loss(batch)[0].item() == pytest.approx(EncoderDecoder.loss(model, batch)[0].item(), rel=1e-6)


def test_folds_are_held_out_once_each_and_sentences_are_told_apart(tmp_path):
    table = write_features(tmp_path, (2, 2, 5), count=5)
    held = [read_data(table, encoder=FEATURES, fold=(k, 3)).held.tolist() for k in (1, 2, 3)]
    assert sorted(np.concatenate(held).tolist()) == [0, 1, 2, 3, 4]
    before = read_data(table, encoder=FEATURES).fingerprint
    assert before == read_data(table, encoder=FEATURES).fingerprint
    table.write_text(table.read_text().rstrip() + " more\n")
    assert before != read_data(table, encoder=FEATURES).fingerprint


def test_words_are_known_as_they_are_written_if_they_come_often_enough(tmp_path):
    (table := write_features(tmp_path, (2, 2, 5), count=2)).write_text("image,caption\np0.npy,One dog\np1.npy,Two dogs One\n")

    def found(**options):
        target = read_data(table, encoder=FEATURES, held_out=0.0, **options).codecs.target
        return target.text.join(target.text.strings(target.ids("One Two dogs").tolist()))

    assert found(lower=False) == "One Two dogs" and found() == "one two dogs" and found(min_count=2) == "one <UNK> <UNK>"
