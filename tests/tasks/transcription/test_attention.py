"""Networks that hear all of a recording and then write, looking at it."""

import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import unrolled as un
from tones import write_table
from unrolled.cli import cli
from unrolled.data.examples import Example
from unrolled.data.sound.recordings import Recording
from unrolled.errors import ConfigError, DataError
from unrolled.models import EncoderDecoder
from unrolled.tasks import load
from unrolled.tasks.transcription import by_attention
from unrolled.tasks.transcription.streaming import Listener
from unrolled.training.display import Silent

TINY = {
    "hidden": 24,
    "layers": 1,
    "mels": 20,
    "batch": 8,
    "display": Silent(),
    "speed": 0.0,
    "noise": 0.0,
    "time_masks": 0,
    "frequency_masks": 0,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run that has learnt to tell which of three tones comes first and which second."""
    folder = tmp_path_factory.mktemp("tones")
    chance = np.random.default_rng(0)
    texts = ["".join(chance.choice(list("abc"), 2)) for _ in range(72)]
    table = write_table(folder / "learn", texts[:64])
    write_table(folder / "test", texts[64:], seed=3)
    options = {**TINY, "epochs": 25, "dropout": 0.0, "average": 0.0, "learning_rate": 0.02, "evaluations": 2}
    un.train_transcriber(table, out=folder / "run", attention=True, **options)
    return folder


@pytest.fixture(scope="module")
def transcriber(folder):
    return load(folder / "run")


def test_what_was_learnt_is_heard_in_other_recordings(folder, transcriber):
    assert isinstance(transcriber.model, EncoderDecoder)
    assert transcriber.evaluate(folder / "test" / "table.csv").characters.rate <= 0.2


def test_a_beam_finds_no_less_probable_texts_whose_probability_is_that_of_the_network(folder, transcriber):
    recordings = [folder / "test" / f"{number}.wav" for number in range(4)]
    narrow, wide = (transcriber.transcribe(recordings, beam=beam, nbest=min(beam, 3)) for beam in (1, 6))
    heard = transcriber._heard([Example(str(path), sound=Recording(path)) for path in recordings])
    for number, ((first,), several) in enumerate(zip(narrow, wide, strict=True)):
        assert several[0].log_probability >= first.log_probability - 1e-6
        assert [one.score for one in several] == sorted((one.score for one in several), reverse=True) and len(several) == 3
        ids = [*transcriber.codecs.target.ids(first.text), transcriber.codecs.target.blank]
        batch = heard.batch(np.array([number]))
        with torch.no_grad():
            logits = transcriber.model.read(batch)
            logs, symbols = 0.0, [transcriber.codecs.target.blank, *ids[:-1]]
            state = transcriber.model.begin(logits)
            for read, wanted in zip(symbols, ids, strict=True):
                step, state, _ = transcriber.model.step(torch.tensor([read]), state, logits)
                logs += float(step[0, wanted])
        assert first.log_probability == pytest.approx(logs, abs=1e-4)


def test_symbols_stand_where_they_were_looked_at(folder, transcriber):
    path = folder / "test" / "0.wav"
    done = CliRunner().invoke(cli, ["predict", str(folder / "run"), str(path), "--json"], catch_exceptions=False)
    found = json.loads(done.stdout)
    times = [(one["begin"], one["end"]) for one in found["symbols"]]
    assert len(times) == len(found["text"]) and all(0 <= begin < end <= found["seconds"] for begin, end in times)
    assert times == sorted(times) and 0 < found["confidence"] <= 1
    assert found["words"][0]["word"] == found["text"] and found["words"][0]["end"] == times[-1][1]


def test_what_was_looked_at_is_drawn(folder, transcriber, tmp_path):
    path = folder / "test" / "0.wav"
    ((best,),) = transcriber.transcribe([path])
    looked = transcriber.influence(Example(str(path), sound=Recording(path)))
    assert looked.shape == (len(best.text), round(best.seconds / 0.01)) and (looked.max(1) == 1).all() and looked.min() >= 0
    # The four steps of an output are looked at alike, and most where the symbol is said to stand.
    assert all(np.array_equal(looked[:, at], looked[:, at // 4 * 4]) for at in range(looked.shape[1]))
    assert any(one.begin <= row.argmax() * 0.01 < one.end for row, one in zip(looked, best.symbols, strict=True))
    CliRunner().invoke(cli, ["predict", str(folder / "run"), str(path), "--spectrogram", str(tmp_path / "a.svg")], catch_exceptions=False)
    assert "<svg" in (tmp_path / "a.svg").read_text()


def test_a_recording_is_looked_into_with_what_was_written_where(folder, transcriber, tmp_path):
    path = folder / "test" / "table.csv"
    found = transcriber.inspection_input(path)
    best = transcriber.transcribe([folder / "test" / "0.wav"])[0][0]
    assert "".join(found.written[:-1]) == best.text and found.written[-1] == "<EOS>" and len(found.targets) == len(best.text) + 1
    # Symbols stand at the outputs that were looked at while they were written, in order.
    stands = [symbol for symbol, before in zip(found.symbols, (None, *found.symbols), strict=False) if symbol != before]
    assert [symbol for symbol in stands if symbol != "·"] == list(best.text)
    assert "table.csv, line 2, the first of 8 recordings" in found.note
    expected = un.inspect.predictions(found.model, found.x, found.targets)
    assert expected.attention.shape == (len(found.written), 1, len(found.symbols))
    np.testing.assert_allclose(-np.log(2) * expected.surprise.sum(), best.log_probability, rtol=1e-4)
    run = CliRunner().invoke(cli, ["inspect", str(folder / "run"), str(path), "--out", str(tmp_path / "page.html")], catch_exceptions=False)
    assert run.exit_code == 0 and f"It writes “{best.text}”" in run.output


def test_what_attention_cannot_do_is_told(folder, transcriber, monkeypatch):
    path = folder / "test" / "0.wav"
    with pytest.raises(ConfigError, match="`language_model` and `words` have their say in the beam of CTC"):
        transcriber.transcribe([path], beam=4, words="words.txt")
    with pytest.raises(ConfigError, match="`stream` needs a network of CTC"):
        Listener(transcriber)
    monkeypatch.setattr(by_attention, "LONGEST", 8)
    with pytest.raises(DataError, match=r"0\.wav has \d+ steps, and a network with attention hears at most 8\. Cut it at pauses"):
        transcriber.transcribe([path])
    with pytest.raises(ConfigError, match="`layers` must be at least 1 here"):
        un.train_transcriber(folder / "test" / "table.csv", out=folder / "other", **{**TINY, "layers": 0}, attention=True, epochs=1)
