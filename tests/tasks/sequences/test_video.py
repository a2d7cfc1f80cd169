"""Networks that say something of videos, or of their frames."""

import warnings

import numpy as np
import pytest
import torch

import unrolled as un
from pictures import save_gif, squares
from unrolled.data.batches import Batch
from unrolled.errors import ConfigError, DataError, UnrolledWarning
from unrolled.inspect.pixels import saliency
from unrolled.tasks.inspecting import inspect_run
from unrolled.training import RunFolder, Silent

TINY = {"hidden": 6, "filters": 8, "frame_features": 8, "epochs": 2, "seed": 1, "device": "cpu", "display": Silent()}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    root = tmp_path_factory.mktemp("clips")
    for kind, step in (("slow", 1), ("fast", 3)):
        (root / "classes" / kind).mkdir(parents=True)
        for number in range(4):
            save_gif(root / "classes" / kind / f"{number}.gif", squares(4 + number, step=step), 100)
    rows = [
        f"classes/{k}/{n}.gif,{a},{b},{t}" for k in ("slow", "fast") for n in range(4) for a, b, t in ((0, 0.2, "begin"), (0.2, 0.4, "end"))
    ]
    (root / "intervals.csv").write_text("\n".join(["file,start,end,label", *rows]) + "\n")
    return root


@pytest.fixture(scope="module")
def classifier(clips):
    un.train_classifier(clips / "classes", out=clips / "classifier", held_out=0.25, flip="across", frame_pooling="points", **TINY)
    return un.load(clips / "classifier")


@pytest.fixture(scope="module")
def tagger(clips):
    un.train_tagger(clips / "intervals.csv", out=clips / "tagger", outside="ignore", bidirectional=False, **TINY)
    return un.load(clips / "tagger")


def test_a_folder_of_classes_is_learnt_and_files_are_predicted(classifier, clips):
    assert classifier.labels == ("fast", "slow")
    file = clips / "classes" / "slow" / "2.gif"
    by_path, by_array = classifier.predict([file, squares(6)])
    assert by_path.labels[0] in classifier.labels and sum(by_path.scores) == pytest.approx(1)
    assert by_path.scores == pytest.approx(by_array.scores, abs=0.05)
    assert classifier.evaluate(clips / "classes").size == 8
    with pytest.raises(DataError, match=r"sequences\[0\]` must be a text"):
        classifier.predict([np.zeros((2, 4, 4, 3, 1), np.uint8)])


def test_frames_are_labelled_live_by_a_network_that_reads_forwards(tagger):
    frames = squares(7)
    (whole,) = tagger.predict([frames])
    assert len(whole.tags) == 7 and {*whole.tags} <= {"begin", "end"}
    assert whole.seconds == pytest.approx(0.1)
    for end in (1, 3, 6):
        (part,) = tagger.predict([frames[:end]])
        assert part.tags == whole.tags[:end], "what comes later changes nothing"
        assert part.probabilities == pytest.approx(whole.probabilities[:end], abs=1e-5)
    (pieces,) = tagger.predict([frames], window=2)
    assert pieces.probabilities == pytest.approx(whole.probabilities, abs=1e-5)


def test_frames_outside_all_intervals_are_neither_learnt_nor_measured(tagger, clips):
    scores = tagger.evaluate(clips / "intervals.csv")
    assert scores.size == 8 * 4 and scores.names == ("begin", "end")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UnrolledWarning)
        un.train_tagger(clips / "intervals.csv", out=clips / "outside", held_out=0.0, **TINY)
    assert un.load(clips / "outside").labels == ("O", "begin", "end")


def test_positions_are_learnt_from_frames(tmp_path, clips):
    rows = [f"classes/{kind}/{n}.gif,{n},{step}" for kind, step in (("slow", 1), ("fast", 3)) for n in range(4)]
    (clips / "numbers.csv").write_text("\n".join(["clip,x,y", *rows]) + "\n")
    trained = un.train_regressor(clips / "numbers.csv", out=tmp_path / "run", input="clip", target=["x", "y"], held_out=0.25, **TINY)
    assert trained.predict([squares(5)])[0].values.shape == (2,)


@pytest.mark.parametrize("once", [True, False])
def test_saliency_is_the_derivative_of_the_score(once, classifier, tagger):
    trained = classifier if once else tagger
    codec = trained.codecs.inputs.frames
    frames = torch.from_numpy(codec.apply(squares(4))).unsqueeze(1)
    batch = Batch({"frames": frames}, torch.tensor([4]))
    found = saliency(trained.model, batch, 2)
    model = trained.model.double()

    def score(pixels):
        with torch.no_grad():
            scores = model(Batch({"frames": pixels.double()}, torch.tensor([4])))
        return scores[0][which] if once else scores[0][2, 0][which]

    with torch.no_grad():
        said = model(Batch({"frames": frames.double()}, torch.tensor([4])))
    which = int((said[0] if once else said[0][2, 0]).argmax())
    for place in ((0, 3, 1), (2, 4, 5), (3, 2, 4)):
        parts = []
        for channel in range(3):
            moved = [frames.double().clone() for _ in range(2)]
            for pixels, by in zip(moved, (1e-5, -1e-5), strict=True):
                pixels[place[0], 0, channel, place[1], place[2]] += by
            parts.append(float(score(moved[0]) - score(moved[1])) / 2e-5)
        assert found.moves[place] == pytest.approx(np.linalg.norm(parts), rel=1e-3, abs=1e-9)
    trained.model.float()
    assert found.by_frame.sum() == pytest.approx(1) and (once or found.by_frame[3] == 0), "no frame moves what was said before it"


def test_a_page_shows_what_is_looked_at(classifier, clips):
    report = inspect_run(RunFolder(clips / "classifier"), clips / "classes" / "slow" / "1.gif")
    (section,) = [section for section in report.sections if section.name == "pixels"]
    assert section.title == "What it looks at" and sum(section.numbers["by_frame"]) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": "0"}, "`size` must be a number of pixels"),
        ({"crop": "left"}, "`crop` must be centre"),
        ({"fps": -1.0}, "`fps` must be above 0"),
        ({"frame_pooling": "sum"}, "`frame_pooling` must be one of flatten, mean, points"),
        ({"filters": 0}, "`filters` must be at least 1"),
        ({"flip": "down"}, "`flip` must be one of none, across, both"),
        ({"zoom": 1.0}, "`zoom` must be a part from 0 to below 1"),
        ({"encoder": "vgg"}, "`encoder` must be one of efficientnet-lite0"),
        ({"mels": 3}, "`mels` is for sound, and DATA has none"),
    ],
)
def test_what_cannot_be_is_told(options, message, clips, tmp_path):
    with pytest.raises(ConfigError, match=message):
        un.train_classifier(clips / "classes", out=tmp_path / "run", **{**TINY, **options})


def test_options_of_pictures_are_refused_where_there_are_none(tmp_path):
    (tmp_path / "t.csv").write_text("text,label\n" + "a b,x\nb c,y\n" * 6)
    for options, message in (({"size": "8"}, "`size` is for pictures and videos"), ({"flip": "both"}, "`flip` varies pictures and videos")):
        with pytest.raises(ConfigError, match=message):
            un.train_classifier(tmp_path / "t.csv", out=tmp_path / "run", hidden=4, epochs=1, display=Silent(), **options)


def test_frames_without_a_tag_and_chains_of_tags_do_not_go_together(tmp_path, clips):
    with pytest.raises(ConfigError, match=r"`crf` scores whole sequences of tags, and `outside='ignore'` leaves frames without one"):
        un.train_tagger(clips / "intervals.csv", out=tmp_path / "run", outside="ignore", crf=True, **TINY)


def test_what_stands_still_is_taken_away(tmp_path, clips):
    trained = un.train_tagger(clips / "intervals.csv", out=tmp_path / "run", moving=True, bidirectional=False, held_out=0.0, **TINY)
    frames, bright = squares(6), squares(6) // 2 + np.uint8(60)
    codec = trained.codecs.inputs.frames
    assert codec.describe().endswith("less what stands still")
    assert codec.without_background(frames, "here") == pytest.approx(frames - np.median(frames, 0))
    (one,), (other,) = trained.predict([frames]), un.load(tmp_path / "run").predict([np.minimum(frames, 200) + np.uint8(55)])
    (wall,) = trained.predict([np.minimum(frames, 200)])
    assert other.probabilities == pytest.approx(wall.probabilities, abs=1e-5), "how bright it is does not matter"
    assert one.probabilities != pytest.approx(trained.predict([bright])[0].probabilities, abs=1e-5)
    with pytest.raises(DataError, match=r"has one frame, so that `moving` would leave nothing"):
        trained.predict([frames[:1]])
    with pytest.raises(ConfigError, match=r"`encoder='efficientnet-lite0'` reads pictures as they are, so that `moving`"):
        un.train_tagger(clips / "intervals.csv", out=tmp_path / "no", moving=True, encoder="efficientnet-lite0", **TINY)
