"""Phones through a lexicon."""

import numpy as np
import pytest
import soundfile

import unrolled as un
from tones import write_table
from unrolled.data.codecs.lexicon import Lexicon, read_lexicon
from unrolled.data.codecs.transcripts import TranscriptCodec
from unrolled.errors import ConfigError, DataError, RunError, UnrolledWarning
from unrolled.tasks import load
from unrolled.tasks.transcription.streaming import Listener
from unrolled.training.display import Silent

TINY = {
    "hidden": 16,
    "layers": 1,
    "mels": 20,
    "batch": 4,
    "dropout": 0.0,
    "speed": 0.0,
    "noise": 0.0,
    "time_masks": 0,
    "frequency_masks": 0,
}
SPELT = {"Ada": "a", "Bob": "b c", "cab": "c a b", "ab": "a b"}


def test_lines_of_kaldi_and_cmudict(tmp_path):
    path = tmp_path / "lexicon.txt"
    path.write_text(";;; about\nREAD  R IY1 D\nread(2)\tR EH1 D # past\nRED R EH1 D\n\nREAD R IY1 D\n")
    found = read_lexicon(path, "utf-8", lower=True)
    assert found.words == {"read": (("R", "IY1", "D"), ("R", "EH1", "D")), "red": (("R", "EH1", "D"),)}
    assert found.spell("red read what") == ["R", "EH1", "D", "|", "R", "IY1", "D", "|", "<UNK>"]
    assert found.read(["R", "EH1", "D", "|", "|", "R", "IY1", "|"]) == "read [R-IY1]"
    assert found.missing("red what") == ["what"] and Lexicon.from_json(found.to_json()) == found
    for wrong in ("word\n", "word a | b\n", "word <UNK>\n"):
        path.write_text(f"a b\n{wrong}")
        with pytest.raises(DataError, match=r"lexicon\.txt, line 2: a line must have a word and its phones"):
            read_lexicon(path, "utf-8")
    path.write_text(";;; nothing\n")
    with pytest.raises(DataError, match="has no word in it"):
        read_lexicon(path, "utf-8")
    for damaged in ({"a": []}, {"a": [""]}, ["a"], {"a": [1]}):
        with pytest.raises(RunError):
            Lexicon.from_json(damaged)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run that has learnt to hear words whose phones are tones."""
    folder, chance = tmp_path_factory.mktemp("words"), np.random.default_rng(0)
    for name, count in (("learn", 64), ("test", 8)):
        words = [list(chance.choice(list(SPELT), 2)) for _ in range(count)]
        # The tones are written as letters, and the words that they spell stand in the table.
        table = write_table(folder / name, [" ".join(SPELT[word].replace(" ", "") for word in pair) for pair in words], seed=count)
        table.write_text("audio,text\n" + "".join(f"{n}.wav,{' '.join(pair)}\n" for n, pair in enumerate(words)))
    (folder / "lexicon").write_text("".join(f"{word} {phones}\n" for word, phones in SPELT.items()) + "never x y z\n")
    options = {**TINY, "epochs": 12, "average": 0.9, "learning_rate": 0.03, "evaluations": 2, "display": Silent()}
    un.train_transcriber(folder / "learn" / "table.csv", out=folder / "run", bidirectional=False, lexicon=folder / "lexicon", **options)
    return folder


def test_words_are_heard_through_their_phones(folder):
    trained = load(folder / "run")
    assert {*trained.codecs.target.text.vocabulary.names} == {*"abc|"}
    scores = trained.evaluate(folder / "test" / "table.csv")
    assert scores.words.rate <= 0.15 and scores.words.length == 16
    path = folder / "test" / "0.wav"
    ((greedy,), (searched,)) = (trained.transcribe([path], beam=beam)[0] for beam in (1, 8))
    assert [word.text for word in greedy.words] == greedy.text.split() and "|" in [one.text for one in greedy.symbols]
    assert {*searched.text.split()} <= {*SPELT} and searched.text


def test_a_stream_writes_whole_words(folder):
    trained, path = load(folder / "run"), folder / "test" / "0.wav"
    samples, _ = soundfile.read(path, dtype="float32")
    listener = Listener(trained)
    parts = [listener.feed(samples[at : at + 300]).text for at in range(0, len(samples), 300)]
    text = "".join([*parts, listener.finish().text])
    assert text.strip() == trained.transcribe([path])[0][0].text and all(
        part in ("", *(f"{word} " for word in text.split())) for part in parts
    )


def test_words_without_phones_are_told(folder, tmp_path):
    trained = load(folder / "run")
    table = write_table(tmp_path, ["ab", "bc"])
    with pytest.warns(UnrolledWarning, match=r"1 symbols of the texts to measure were not learnt, and count as errors: 'bc' \(1\)"):
        trained.evaluate(table)
    with pytest.raises(DataError, match=r"1 words of the texts to learn are not in `lexicon`: 'bc' \(1\)\. Add them"):
        un.train_transcriber(table, out=tmp_path / "run", lexicon=str(folder / "lexicon"), **TINY, display=Silent())
    with pytest.raises(ConfigError, match="With a `lexicon` symbols are phones"):
        un.train_transcriber(table, out=tmp_path / "run", lexicon="x", level="word")
    with pytest.raises(ConfigError, match="those of the `lexicon` are kept to here"):
        trained.transcribe([tmp_path / "0.wav"], beam=4, words="words")
    with pytest.raises(RunError, match="'lexicon'"):
        TranscriptCodec.from_json({"text": {}, "lower": False, "alphabet": None})
