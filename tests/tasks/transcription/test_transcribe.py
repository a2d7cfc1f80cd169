"""Networks that write down tones: letters that are each a tone of its own."""

import gzip
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from click.testing import CliRunner

import unrolled as un
from at_the_terminal import call, notes
from tones import RATE, said, tone, write, write_table
from unrolled.cli import cli
from unrolled.data.examples import Example
from unrolled.data.sound.recordings import Recording
from unrolled.errors import ConfigError, DataError, RunError, UnrolledWarning
from unrolled.tasks import load
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.recipes.transcribe import Transcribing
from unrolled.tasks.transcription import by_ctc as transcribing
from unrolled.tasks.transcription.streaming import Listener
from unrolled.training import RunFolder
from unrolled.training.display import Silent

PLAIN = {"speed": 0.0, "noise": 0.0, "time_masks": 0, "frequency_masks": 0, "dropout": 0.0}
TINY = {**PLAIN, "hidden": 16, "layers": 1, "mels": 20, "batch": 4, "display": Silent()}


def texts(count, seed=0):
    chance = np.random.default_rng(seed)
    word = lambda: "".join(chance.choice(list("abc"), chance.integers(1, 4)))  # noqa: E731
    return [f"{word()} {word()}" for _ in range(count)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run that has learnt to hear tones, and recordings that it has not heard."""
    folder = tmp_path_factory.mktemp("tones")
    table = write_table(folder / "learn", texts(64))
    write_table(folder / "test", texts(8, seed=5), seed=5)
    options = {**TINY, "bidirectional": False, "epochs": 12, "average": 0.9, "learning_rate": 0.03, "evaluations": 2}
    un.train_transcriber(table, out=folder / "run", **options)
    return folder


@pytest.fixture(scope="module")
def transcriber(folder):
    return load(folder / "run")


def test_what_was_learnt_is_heard_in_other_recordings(folder):
    found = json.loads(call("evaluate", folder / "run", folder / "test" / "table.csv", "--json"))
    assert {"wer", "cer", "insertions", "deletions", "substitutions", "utterances"} <= found.keys()
    assert found["utterances"] == 8 and found["words"] == 16
    assert found["cer"] <= 0.05 and found["wer"] <= 0.15
    assert found["wer"] == pytest.approx((found["insertions"] + found["deletions"] + found["substitutions"]) / 16)


def test_words_stand_where_they_are_said(folder, tmp_path):
    pause = np.zeros(RATE, np.float32)
    half = pause[: RATE // 2]
    wave = np.concatenate([half, tone(500, 0.09), pause[:300], tone(1100, 0.09), pause, tone(2300, 0.09), half])
    path = write(tmp_path / "x.wav", wave + 1e-3 * np.random.default_rng(1).standard_normal(len(wave)).astype(np.float32))
    found = json.loads(call("predict", folder / "run", path, "--json"))
    words = found["words"]
    assert found["text"].replace(" ", "") == "abc" and found["file"] == str(path)
    assert abs(words[0]["begin"] - 0.5) < 0.15 and abs(words[-1]["begin"] - (0.5 + 0.09 + 0.0375 + 0.09 + 1)) < 0.15
    assert all(0 < word["confidence"] <= 1 and word["begin"] < word["end"] <= found["seconds"] for word in words)


def test_samples_with_their_rate_are_heard_as_a_file_is(folder, transcriber):
    path = folder / "test" / "0.wav"
    samples, rate = soundfile.read(path, dtype="float32")
    (found, *others) = transcriber.transcribe(
        [path, (samples, rate), (torch.from_numpy(samples)[None], rate), {"path": None, "array": samples, "sampling_rate": rate}]
    )
    assert others == [found] * 3
    for without in (samples, torch.from_numpy(samples), samples[None]):
        with pytest.raises(DataError, match=r"samples with their rate, \(samples, rate\)"):
            transcriber.transcribe([without])


def test_several_files_are_predicted_in_their_order(folder):
    paths = [folder / "test" / f"{number}.wav" for number in (3, 0)]
    found = [json.loads(line) for line in call("predict", folder / "run", *paths, "--json").splitlines()]
    assert [one["file"] for one in found] == list(map(str, paths))


def test_packed_tables_folders_and_globs_are_heard_as_their_files_are(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number in range(3):
        shutil.copy(folder / "test" / f"{number}.wav", f"a tone {number}.wav")
    rows = b"audio,text\na tone 0.wav,a\na tone 1.wav,b\na tone 2.wav,c\n"
    Path("a table.csv").write_bytes(rows)
    Path("a table.csv.gz").write_bytes(gzip.compress(rows))
    with zipfile.ZipFile("its table.csv.zip", "w") as archive:
        archive.writestr("table.csv", rows)
    heard = [call("predict", folder / "run", name) for name in ("a table.csv", "a table.csv.gz", "its table.csv.zip", "a *.wav", ".")]
    assert heard[0] == call("predict", folder / "run", *(f"a tone {number}.wav" for number in range(3))) and heard == heard[:1] * 5
    with pytest.raises(ConfigError, match=r"There is no FILE to hear. Pass a recording, or take `stream`"):
        CliRunner().invoke(cli, ["predict", str(folder / "run"), "-"], catch_exceptions=False)


def test_recordings_that_cannot_be_heard_end_the_answer_or_are_left_out_and_told_once(folder, tmp_path):
    good, bad = folder / "test" / "0.wav", tmp_path / "bad.wav"
    bad.write_bytes(b"no sound")
    with pytest.raises(DataError, match=r"^[^:]*bad.wav cannot be read as sound"):
        call("predict", folder / "run", good, bad, good)
    with pytest.warns(UnrolledWarning, match=r"^2 bad rows are left out. The first: [^:]*bad.wav cannot be read as sound") as told:
        heard = call("predict", folder / "run", good, bad, good, bad, "--bad-rows", "skip")
    assert len(told) == 1 and heard == 2 * call("predict", folder / "run", good)
    with pytest.raises(DataError, match=r"^Nothing is left, as 2 rows are bad. The first: [^:]*bad.wav cannot be read as sound"):
        call("predict", folder / "run", bad, bad, "--bad-rows", "skip")


def test_subtitles_and_grids_have_the_words(folder):
    path = folder / "test" / "0.wav"
    text = call("predict", folder / "run", path).strip()
    assert call("predict", folder / "run", path, "--form", "srt").splitlines()[0] == "1"
    assert call("predict", folder / "run", path, "--form", "vtt").startswith("WEBVTT\n\n00:00:0")
    grid = call("predict", folder / "run", path, "--form", "textgrid")
    said_words = [line.split('"')[1] for line in grid.split('name = "symbols"')[0].splitlines() if line.strip().startswith("text = ")]
    assert " ".join(filter(None, said_words)) == text
    with pytest.raises(ConfigError, match=r"is for one recording, and there are several"):
        CliRunner().invoke(
            cli, ["predict", str(folder / "run"), str(folder / "test"), "--form", "srt"], catch_exceptions=False, standalone_mode=False
        )
    with pytest.raises(ConfigError, match=r"is for one recording, and there are several"):
        CliRunner().invoke(
            cli, ["predict", str(folder / "run"), str(path), str(path), "--form", "srt"], catch_exceptions=False, standalone_mode=False
        )


def test_a_beam_gives_several_texts_of_which_the_first_is_the_best(transcriber, folder):
    (best,) = transcriber.transcribe([folder / "test" / "0.wav"], beam=8, nbest=3)
    assert len(best) == 3 and best[0].score > best[1].score > best[2].score
    assert best[0].text == transcriber.transcribe([folder / "test" / "0.wav"])[0][0].text


def test_several_texts_without_a_beam_are_told_to_take_one(transcriber, folder):
    with pytest.raises(ConfigError, match=r"`nbest` must lie between 1 and `beam` = 1, got 3\. Take `beam=3` or more"):
        transcriber.transcribe([folder / "test" / "0.wav"], nbest=3)


def test_a_word_list_is_kept_to(transcriber, folder, tmp_path):
    (tmp_path / "words").write_text("abc\ncba\nzzz\n")
    for (found,) in transcriber.transcribe(sorted((folder / "test").glob("*.wav"))[:3], beam=8, words=str(tmp_path / "words")):
        assert set(found.text.split()) <= {"abc", "cba"}
    with pytest.raises(ConfigError, match="`words` has its say in a beam"):
        transcriber.transcribe([folder / "test" / "0.wav"], words=str(tmp_path / "words"))


def test_a_language_model_of_ours_has_its_say(transcriber, folder, tmp_path):
    (tmp_path / "text").write_text("cc cc\n" * 600)
    un.train_language_model(
        tmp_path / "text", out=tmp_path / "lm", hidden=8, epochs=3, batch=4, window=16, learning_rate=0.02, evaluations=1, display=Silent()
    )
    path = folder / "test" / "0.wav"
    (plain,) = transcriber.transcribe([path], beam=8, language_model=str(tmp_path / "lm"), weight=0.0)
    (heavy,) = transcriber.transcribe([path], beam=8, language_model=str(tmp_path / "lm"), weight=20.0)
    assert plain[0].text == transcriber.transcribe([path])[0][0].text
    assert heavy[0].text != plain[0].text and heavy[0].log_probability < plain[0].log_probability
    with pytest.raises(RunError, match="holds a run of the task 'transcribe'"):
        transcriber.transcribe([path], beam=8, language_model=str(folder / "run"))


@pytest.mark.parametrize("size", [37, 400, 5000])
def test_a_stream_says_the_same_whatever_its_pieces(transcriber, folder, size):
    path = folder / "test" / "1.wav"
    samples, _ = soundfile.read(path, dtype="float32")
    listener = Listener(transcriber)
    parts = [listener.feed(samples[at : at + size]).text for at in range(0, len(samples), size)]
    assert "".join([*parts, listener.finish().text]).strip() == transcriber.transcribe([path])[0][0].text


def test_raw_sound_comes_through_a_pipe_at_any_rate(folder, monkeypatch):
    samples, _ = soundfile.read(folder / "test" / "1.wav", dtype="int16")
    text = call("predict", folder / "run", folder / "test" / "1.wav").strip()
    assert call("predict", folder / "run", "--stream", "--rate", RATE, typed=samples.tobytes()).strip() == text
    twice = np.repeat(samples, 2)
    assert call("predict", folder / "run", "--stream", "--rate", 2 * RATE, typed=twice.tobytes()).strip() == text


def test_a_stream_has_the_blanks_of_the_whole_text(transcriber):
    listener, codec = Listener(transcriber), transcriber.codecs.target
    blank, space, a = codec.blank, codec.text.symbols.index(" "), codec.text.symbols.index("a")
    classes = torch.tensor([space, blank, a, space, blank, space, a, blank, a, space])
    listener._model = lambda batch, state: (torch.nn.functional.one_hot(classes, 2 + max(classes.tolist()))[:, None].float(), state)
    assert listener.feed(np.zeros(RATE, np.float32)).text == "a aa"


def test_a_stream_of_nothing_and_of_impossible_rates_is_told(folder, transcriber):
    with pytest.raises(DataError, match="What came has no samples"):
        Listener(transcriber).finish()
    for more, told in (
        ([("--stream", "--rate", "-5")], "`--rate` must be from 1,000"),
        ([("--rate", "8000")], "that of the sound that comes with"),
        (
            [("--stream", str(folder / "test" / "1.wav"))],
            "hears the standard input, and",
        ),
    ):
        with pytest.raises(ConfigError, match=told.replace("--", "")):
            CliRunner().invoke(cli, ["predict", str(folder / "run"), *more[0]], catch_exceptions=False, standalone_mode=False)


def test_samples_beyond_all_sound_are_told(transcriber, tmp_path):
    write(tmp_path / "x.wav", np.full(4000, 1e30), subtype="FLOAT")
    with pytest.raises(DataError, match=r"x\.wav has samples up to 1e\+30, which are no sound"):
        transcriber.transcribe([tmp_path / "x.wav"])


def test_words_come_before_the_end(transcriber):
    listener = Listener(transcriber)
    wave = said("abc abc abc", np.random.default_rng(0))
    early = listener.feed(wave[: len(wave) // 2])
    assert len(early.text) > 2 and early.seconds > len(wave) / 2 / RATE - 0.2


def test_pieces_of_long_recordings_are_told_and_change_little(transcriber, folder, monkeypatch):
    path = folder / "test" / "2.wav"
    whole = transcriber.transcribe([path])[0][0].text
    monkeypatch.setattr(transcribing, "WINDOW", 16)
    assert transcriber.transcribe([path])[0][0].text == whole
    monkeypatch.setattr(transcribing, "OVERLAP", 8)
    monkeypatch.setattr(transcriber.model.encoder, "streams", False)
    with pytest.warns(UnrolledWarning, match=r"2\.wav has \d+ steps, and is heard in pieces of 16"):
        transcriber.transcribe([path])


@pytest.mark.parametrize("bad", ["a text", "a rate"])
def test_a_row_whose_file_is_no_sound_is_told_with_its_row(tmp_path, transcriber, bad):
    table = write_table(tmp_path, ["a", "b", "c"])
    if bad == "a text":
        (tmp_path / "1.wav").write_text("no sound")
        told = r"table\.csv, line 3: \S+1\.wav cannot be read as sound"
    else:
        write(tmp_path / "1.wav", tone(10, 1), 100)
        told = r"table\.csv, line 3: \S+1\.wav has 100 samples a second, and sound must have 1,000 to 768,000"
    with pytest.raises(DataError, match=told):
        un.train_transcriber(table, out=tmp_path / "run", **TINY)
    with pytest.raises(DataError, match=told):
        transcriber.evaluate(table)
    with pytest.warns(UnrolledWarning, match=rf"1 bad row is left out\. The first: \S+{told}"):
        assert transcriber.evaluate(table, reading=transcriber.reading_of(table, bad_rows="skip")).characters.length == 2


def test_a_text_that_does_not_fit_is_left_out_and_told(tmp_path):
    table = write_table(tmp_path, [*texts(6), "a"])
    table.write_text(table.read_text().replace(",a\n", f",{'abc' * 30}\n"))
    with pytest.warns(
        UnrolledWarning, match=r"table\.csv, line 8: its text needs at least 90 outputs of the network.* It is left out, 1 recordings"
    ):
        un.train_transcriber(table, out=tmp_path / "run", **TINY, epochs=1, held_out=0, evaluations=1)


@pytest.mark.parametrize("more", [(), ("--attention",)], ids=["ctc", "attention"])
def test_a_network_that_says_nothing_is_told_what_to_try(tmp_path, capsys, more):
    table = write_table(tmp_path, texts(6))
    sizes = ("--epochs", 1, "--hidden", 4, "--learning-rate", 1e-6, *more)
    call("train", "transcribe", table, "--out", tmp_path / "run", "--validation", table, *sizes)
    model = load(tmp_path / "run")
    linear = model.model.output if more else model.model.linear
    with torch.no_grad():
        linear.bias[model.codecs.target.blank] = 50.0
    configuration = Configuration.read("transcribe", Transcribing.options, RunFolder(tmp_path / "run"))
    data = Transcribing().read(configuration, lambda *told: None)
    measuring = Transcribing().task(model.model, data, configuration).measuring
    told = "It writes nothing: the first symbol is the end of the text" if more else "It still says nothing but blanks"
    for _ in range(3):
        measures = measuring.measure(lambda *told: None, exactly=False)
    assert measures["empty"] == 1 and told in measuring.describe(measures)
    measures = measuring.measure(lambda *told: None, exactly=True)
    assert told not in measuring.describe(measures)
    (remark,) = measuring.remarks(measures, None)
    assert told in remark and ("`layers=0` and `input_window=11`" in remark) is not bool(more)


def test_signs_that_were_not_learnt_are_counted(transcriber, folder, tmp_path):
    table = write_table(tmp_path, ["ab", "ca"])
    table.write_text(table.read_text().replace("ca", "çä"))
    with pytest.warns(UnrolledWarning, match="2 symbols of the texts to measure were not learnt, and count as errors"):
        assert transcriber.evaluate(table).characters.length == 4


def test_other_characters_than_those_of_an_alphabet_are_counted_and_left_out(tmp_path):
    table = write_table(tmp_path, ["ab", "ca", "b a"])
    table.write_text(table.read_text().replace(",ab", ",A-b!").replace(",ca", ",Ca."))
    with pytest.warns(
        UnrolledWarning, match=r"3 characters of the texts to learn are not in `alphabet`, and are read as blanks: '-' \(1\)"
    ):
        trained = un.train_transcriber(table, out=tmp_path / "run", **TINY, epochs=1, held_out=0, lower=True, alphabet="abc")
    assert trained.codecs.target.plain("A-b!") == "a b" and set(trained.codecs.target.text.vocabulary.names) == set("abc ")


def test_speakers_that_are_held_out_are_not_learnt(tmp_path):
    for number, text in enumerate(texts(9)):
        write(tmp_path / f"{text.replace(' ', '_')}-s{number % 3}-{number}.wav", said(text, np.random.default_rng(number)))
    said_so = notes(
        "train",
        "transcribe",
        tmp_path,
        "--pattern",
        "{text}-{speaker}-{take}.wav",
        "--split-by",
        "speaker",
        "--epochs",
        1,
        "--hidden",
        4,
        "--out",
        tmp_path / "run",
    )
    assert "Groups: 2 to learn, 1 held out." in said_so


def test_words_and_pieces_of_words_are_levels_too(tmp_path):
    table = write_table(tmp_path, ["ab c", "c ab", "ab ab", "c c"] * 2)
    for level, options in (("word", {}), ("subword", {"vocabulary": 262})):
        trained = un.train_transcriber(table, out=tmp_path / level, **TINY, epochs=1, held_out=0, evaluations=1, level=level, **options)
        assert trained.codecs.target.decode(trained.codecs.target.ids("c ab")) == "c ab"
        (found,) = trained.transcribe([tmp_path / "0.wav"])
        assert found[0].text == " ".join(word.text for word in found[0].words)


def test_numbers_are_written_down_like_sound(tmp_path):
    rows = [json.dumps({"x": [[float(s == k)] * 2 for s in "aabbc" for k in "ab"][:9], "text": "abc"[: 1 + n % 3]}) for n in range(6)]
    (tmp_path / "strokes.jsonl").write_text("\n".join(rows))
    options = {name: value for name, value in TINY.items() if name != "mels"}
    trained = un.train_transcriber(
        tmp_path / "strokes.jsonl", out=tmp_path / "run", input="x", target="text", **options, subsampling=1, epochs=1, held_out=0
    )
    assert trained.transcribe([np.zeros((9, 2), np.float32)])[0][0].seconds == 9


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"level": "phone"}, "`level` must be one of char, word, subword"),
        ({"held_out": 1.0}, "`held_out` must be a fraction"),
        ({"time_masks": -1}, "`time_masks` must be from 0 to 100"),
        ({"rate": 10}, "`rate` must be from 1000"),
        ({"top_db": 0.0}, "`top_db` must be a number of decibels above 0"),
        ({"top_db": 30.0, "mels": 0}, "`top_db` is about bands"),
        ({"warp": 0.1, "mels": 0, "epochs": 1, "held_out": 0.0}, "`warp` changes the frequencies of sound that is heard in bands"),
        ({"warp": 0.6}, "`warp` must be from 0 to 0.5"),
        ({"standardise": "day"}, "`standardise` must be one of training, recording, speaker"),
        ({"standardise": "speaker"}, "`standardise='speaker'` needs `group`"),
    ],
)
def test_options_that_cannot_be_are_told(tmp_path, options, told):
    with pytest.raises(ConfigError, match=told):
        un.train_transcriber(write_table(tmp_path, ["a"]), out=tmp_path / "run", display=Silent(), **options)


def test_what_has_no_sound_and_what_cannot_stream_is_told(folder, transcriber, tmp_path):
    (tmp_path / "t.csv").write_text("text,label\ngood film,one\nbad film,two\n")
    with pytest.raises(DataError, match="has text to read, and what is said is heard in sound"):
        un.train_transcriber(tmp_path / "t.csv", out=tmp_path / "run", display=Silent())
    with pytest.raises(DataError, match="line 2: there is no file 'good film', which 'text' names"):
        un.train_transcriber(tmp_path / "t.csv", audio="text", text="label", out=tmp_path / "run", display=Silent())
    table = write_table(tmp_path / "more", ["ab", "ba"])
    both = un.train_transcriber(table, out=tmp_path / "both", **TINY, epochs=1, held_out=0)
    with pytest.raises(ConfigError, match="`stream` needs a network that reads forwards alone"):
        Listener(both)
    limited = un.train_transcriber(table, out=tmp_path / "limited", **TINY, epochs=1, held_out=0, bidirectional=False, top_db=30.0)
    with pytest.raises(ConfigError, match="`stream` cannot know the loudest moment before the end"):
        Listener(limited)
    assert load(tmp_path / "limited").codecs.inputs.sound == limited.codecs.inputs.sound
    with pytest.raises(DataError, match="`recordings` must be a list"):
        both.transcribe(str(table))


def test_a_spectrogram_is_drawn_with_what_is_said_under_it(folder, tmp_path):
    paths = [folder / "test" / f"{number}.wav" for number in (0, 1)]
    said = notes("predict", folder / "run", paths[0], "--spectrogram", tmp_path / "a.svg")
    assert "What was heard is drawn in" in said
    assert "<svg" in (tmp_path / "a.svg").read_text()
    call("predict", folder / "run", *paths, "--spectrogram", tmp_path / "b.svg")
    assert (tmp_path / "b.svg").exists() and (tmp_path / "b-2.svg").exists()
    with pytest.raises(ConfigError, match=r"`spectrogram` must end in \.png"):
        CliRunner().invoke(cli, ["predict", str(folder / "run"), str(paths[0]), "--spectrogram", "a.txt"], catch_exceptions=False)


def test_a_symbol_is_moved_by_what_is_heard_where_it_is_said(transcriber, folder):
    path = folder / "test" / "0.wav"
    (found,) = transcriber.transcribe([path])
    moved = transcriber.influence(_recording(path))
    assert moved.shape == (len(found[0].text), round(found[0].seconds / 0.01)) and (moved.max(1) == 1).all()
    # A network that reads forwards is moved by nothing that comes after the surest output of a symbol.
    for row, symbol in zip(moved, found[0].symbols, strict=True):
        assert not row[round(symbol.end / 0.01) :].any()


def _recording(path):
    return Example(str(path), sound=Recording(path))


def test_a_page_looks_into_what_was_heard(transcriber, folder, tmp_path):
    found = transcriber.inspection_input(folder / "test" / "0.wav", 10)
    assert found.symbols[:3] and len(found.symbols) == 10 and set(found.symbols) <= {"·", "a", "b", "c", " "}
    assert "These are the first 40 of" in found.note
    call("inspect", folder / "run", folder / "test" / "table.csv", "--out", tmp_path / "page.html")
    assert "of table.csv" in (tmp_path / "page.html").read_text()
    with pytest.raises(ConfigError, match="This network hears recordings, got the text 'hello'"):
        transcriber.inspection_input("hello")
