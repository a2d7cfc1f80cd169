"""Labels and tags of sound: which tone it is, and when there is one."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

import unrolled as un
from at_the_terminal import call
from tones import RATE, TONES, tone, write
from unrolled.errors import ConfigError, DataError, UnrolledWarning
from unrolled.inspect.draw import spoken
from unrolled.tasks import load
from unrolled.training.display import Silent

TINY = {"hidden": 8, "epochs": 12, "mels": 20, "batch": 4, "dropout": 0.0, "evaluations": 2, "learning_rate": 0.03, "display": Silent()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A network that has learnt three tones, by the names of files of two speakers."""
    folder, chance = tmp_path_factory.mktemp("tones"), np.random.default_rng(0)
    for place in ("learn", "test"):
        (folder / place).mkdir()
        for letter, hertz in TONES.items():
            for take in range(8 if place == "learn" else 2):
                wave = tone(hertz, chance.uniform(0.1, 0.2)) * chance.uniform(0.3, 1)
                write(folder / place / f"{letter}_s{take % 2}_{take}.wav", wave + 1e-3 * chance.standard_normal(len(wave)))
    un.train_classifier(
        folder / "learn", out=folder / "run", pattern="{label}_{speaker}_{take}.wav", group="speaker", subsampling=2, shift=1, **TINY
    )
    return folder


def test_tones_are_told_apart_in_other_recordings(folder):
    found = json.loads(call("evaluate", folder / "run", folder / "test", "--json"))
    assert found["accuracy"] == 1 and found["sequences"] == 6


def test_a_file_and_a_table_of_files_are_predicted(folder, tmp_path):
    path = folder / "test" / "b_s0_0.wav"
    first, second = call("predict", folder / "run", path).splitlines()
    assert first == "file,predicted,probability" and second.startswith(f"{path},b,")
    (tmp_path / "t.csv").write_text(f"n,path\n1,{path}\n")
    assert call("predict", folder / "run", tmp_path / "t.csv").splitlines()[1].startswith(f"1,{path},b,0.")
    trained = load(folder / "run")
    assert [one.labels for one in trained.predict([path, folder / "test" / "c_s0_0.wav"])] == [("b",), ("c",)]


def test_what_a_network_of_sound_cannot_read_is_told(folder, tmp_path):
    with pytest.raises(DataError, match="The network reads steps with no tokens and 20 channels"):
        load(folder / "run").predict(["a text"])
    (tmp_path / "t.csv").write_text("text,label\n" + "one,a\ntwo,b\n" * 4)
    with pytest.raises(ConfigError, match="`mels` is for sound, and DATA has none"):
        un.train_classifier(tmp_path / "t.csv", out=tmp_path / "run", mels=20, display=Silent())
    words = un.train_classifier(tmp_path / "t.csv", out=tmp_path / "run", epochs=1, hidden=4, display=Silent())
    with pytest.raises(DataError, match=r"b_s0_0\.wav is sound, and the network reads none|`sequences\[0\]` is sound"):
        words.predict([Path(folder / "test" / "b_s0_0.wav")])


def test_samples_with_their_rate_are_learnt_and_predicted_as_files_are(folder, tmp_path):
    path = folder / "test" / "b_s0_0.wav"
    samples, rate = soundfile.read(path, dtype="float32")
    trained = load(folder / "run")
    for given in ([(samples, rate)], [{"array": samples, "sampling_rate": rate}], [{"audio": {"array": samples, "sampling_rate": rate}}]):
        assert trained.predict(given) == trained.predict([path])
    for unread in (
        {"bytes": path.read_bytes(), "path": None},
        {"bytes": path.read_bytes(), "path": "x.wav"},
        {"bytes": None, "path": str(path)},
    ):
        assert trained.predict([unread]) == trained.predict([{"audio": unread}]) == trained.predict([path])
    with pytest.raises(DataError, match=r"`sequences\[0\]`: its bytes cannot be read as sound: .*\. Pass wav, flac, ogg or mp3"):
        trained.predict([{"bytes": b"none", "path": "x.wav"}])
    with pytest.raises(DataError, match=r"`sequences\[0\]`: nowhere\.wav cannot be read: No such file"):
        trained.predict([{"bytes": None, "path": "nowhere.wav"}])
    with pytest.raises(DataError, match=r"samples with their rate, \(samples, rate\)"):
        trained.predict([samples])
    rows = [{"audio": {"array": samples[number:], "sampling_rate": rate}, "label": "ab"[number % 2]} for number in range(4)]
    waves = [(row["audio"]["array"], rate) for row in rows]
    learnt = [
        un.train_classifier(*data, out=tmp_path / f"run{number}", **{**TINY, "epochs": 1}).predict(waves)
        for number, data in enumerate([(rows,), (waves, [row["label"] for row in rows])])
    ]
    assert learnt[0] == learnt[1]


def test_files_that_are_no_sound_are_left_out_of_what_is_measured(folder, tmp_path):
    path = folder / "test" / "b_s0_0.wav"
    (tmp_path / "bad.wav").write_text("no sound")
    (tmp_path / "t.csv").write_text(f"path,label\n{path},b\nbad.wav,a\n")
    trained = load(folder / "run")
    reading = {"input": "path", "target": "label", "pattern": None, "group": None}
    with pytest.raises(DataError, match=r"t\.csv, line 3: \S+bad\.wav cannot be read as sound"):
        trained.evaluate(tmp_path / "t.csv", reading=trained.reading_of(tmp_path / "t.csv", **reading))
    with pytest.warns(UnrolledWarning, match=r"1 bad row is left out\. The first: \S+t\.csv, line 3"):
        found = trained.evaluate(tmp_path / "t.csv", reading=trained.reading_of(tmp_path / "t.csv", bad_rows="skip", **reading))
    assert found.size == 1


def label_track(path, begin, end):
    path.with_suffix(".txt").write_text(f"{begin:.6f}\t{end:.6f}\ttone\n\\\t100\t2000\n")


def test_when_there_is_a_tone_is_learnt_frame_by_frame(tmp_path):
    chance = np.random.default_rng(1)
    for number in range(9):
        before, long = chance.uniform(0.05, 0.3), chance.uniform(0.1, 0.3)
        wave = np.concatenate([np.zeros(round(before * RATE), np.float32), tone(800, long), np.zeros(1200, np.float32)])
        path = write(tmp_path / f"{number}.wav", wave + 1e-3 * chance.standard_normal(len(wave)))
        label_track(path, before, before + long)
    trained = un.train_tagger(tmp_path, out=tmp_path / "run", **{**TINY, "epochs": 5})
    assert trained.labels == ("O", "tone")
    header, *rows = call("predict", tmp_path / "run", path).splitlines()
    assert header == "file,begin,end,predicted,probability"
    (begin, end) = next(map(float, row.split(",")[1:3]) for row in rows if ",tone," in row)
    assert abs(begin - before) < 0.04 and abs(end - before - long) < 0.04
    segments = json.loads(call("predict", tmp_path / "run", path, "--json"))["segments"]
    assert [one["label"] for one in segments] == ["O", "tone", "O"] and segments[1]["begin"] == begin
    path.with_suffix(".txt").write_text("0.1 late tone\n")
    with pytest.raises(DataError, match=r"8\.txt, line 1: a span must have a beginning and an end in seconds and a label"):
        un.train_tagger(tmp_path, out=tmp_path / "other", **TINY)


def test_a_picture_has_words_where_they_are_said():
    figure = spoken(np.zeros((50, 20)), 0.01, [("ab", 0.1, 0.3)], [("a", 0.1, 0.2), (" ", 0.2, 0.25)])
    above, below = figure.axes
    assert above.get_images()[0].get_extent() == [0, 0.5, 0, 20]
    texts = {text.get_text(): text.get_position()[0] for text in below.texts}
    assert texts == pytest.approx({"ab": 0.2, "a": 0.15, "␣": 0.225})
