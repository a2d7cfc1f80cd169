"""What stands beside a network that writes about pictures, and what is remembered for it."""

import numpy as np
import pytest
from PIL import Image

from unrolled.data.codecs.text import TextCodec
from unrolled.data.codecs.transcripts import TranscriptCodec
from unrolled.data.dataset import gather
from unrolled.data.examples import Example
from unrolled.tasks.captioning import rivals
from unrolled.tasks.captioning.cutting import cutter
from unrolled.tasks.captioning.rivals import Remembered, best_constant, looks
from unrolled.tasks.captioning.scores import CaptioningScores
from unrolled.tasks.measures.captions import caption_tokens, score_captions
from untrained_captioner import read_data


def dataset(clips):
    """Clips of grey frames `[T, H, W, 1]`."""
    return gather((Example(str(i), frames=clip.astype(np.uint8)) for i, clip in enumerate(clips)), "char", perceive=lambda seen: seen)


def codec(sentences, level="word", **options):
    return TranscriptCodec(TextCodec.learn([s.lower() for s in sentences], level, **options), lower=True)


def test_nothing_is_learnt_of_what_is_held_out(tmp_path):
    rows = ["image,caption"]
    for number in range(8):
        Image.fromarray(np.full((8, 8), 30 * number, np.uint8)).save(tmp_path / f"{number}.png")
        rows.append(f"{number}.png,word{number} is grey")
    (tmp_path / "t.csv").write_text("\n".join(rows) + "\n")
    data = read_data(tmp_path / "t.csv", held_out=0.25)
    learnt, held = ({data.captions.sentences[i][0] for i in part.tolist()} for part in (data.learnt, data.held))
    remembered, words = data.codecs.remembered, data.codecs.target.text.symbols
    assert len(held) == 2 and {*remembered.sentences} == learnt and remembered.constant in learnt
    assert [remembered.learnt(caption_tokens(s)) for some in (learnt, held) for s in some] == [True] * 6 + [False] * 2
    assert {s.split()[0] for s in learnt} == {word for word in words if word.startswith("word")}
    assert remembered.seen(data.captions.encoded.dataset).tolist() == data.learnt.tolist()


def test_the_constant_sentence_is_the_candidate_with_the_best_bleu(monkeypatch):
    sentences = [["a cat sits on the mat"], ["a dog runs on the grass"], ["a dog runs on the road"], ["a big dog runs on the grass"]]
    monkeypatch.setattr(rivals, "central", lambda tokens, count: [(0, 0), (2, 0), (1, 0)])
    assert best_constant(sentences, str.split) == "a dog runs on the grass"


def test_the_constant_sentence_is_the_best_by_four_words_in_a_row(monkeypatch):
    sentences = [["a b c d e"], ["a b c d e"], ["e d c b a z"], ["b a e c d z"]]
    monkeypatch.setattr(rivals, "central", lambda tokens, count: [(2, 0), (0, 0)])
    assert best_constant(sentences, str.split) == "a b c d e"


def test_words_that_are_joined_otherwise_are_another_sentence(tmp_path):
    sentences = [["a red car go"], ["a bar"]]
    remembered = Remembered.learn(dataset(np.eye(2)[:, None, :, None, None]), sentences, np.arange(2), codec(["a red car go a bar"]), 0)
    assert remembered.learnt(["a", "red", "car", "go"]) and not remembered.learnt(["a", "red", "cargo"])


def test_every_sentence_of_a_picture_is_known():
    sentences = [["a red car", "there is a car that is red"], ["a bar"]]
    target = codec([sentence for some in sentences for sentence in some])
    remembered = Remembered.learn(dataset(np.eye(2)[:, None, :, None, None]), sentences, np.arange(2), target, 0)
    assert all(remembered.learnt(sentence.split()) for some in sentences for sentence in some) and remembered.longest == 7


def test_the_constant_sentence_is_compared_with_every_sentence_of_a_picture(monkeypatch):
    monkeypatch.setattr(rivals, "central", lambda tokens, count: [(0, 0), (1, 1)])
    assert best_constant([["a b c d e", "x"], ["y", "f g h i j"], ["z", "f g h i j"]], str.split) == "f g h i j"


def test_the_nearest_picture_is_the_most_similar_one():
    remembered = Remembered("", np.eye(3, dtype=np.float32), ("x", "y", "z"), np.zeros(0, np.uint64), np.zeros(0, np.uint64), 1)
    assert remembered.nearest(np.array([[0.1, 0.9, 0.2], [0.8, 0.1, 0.6]], np.float32)) == ["y", "x"]


def test_pictures_are_compared_by_what_differs_from_their_mean():
    pattern = np.random.default_rng(0).integers(0, 50, (1, 8, 8, 1))
    dark, light, other = looks(dataset([pattern, pattern + 200, 50 - pattern]), np.arange(3))
    np.testing.assert_allclose(dark, light, atol=1e-6)
    np.testing.assert_allclose(dark, -other, atol=1e-6)


def test_videos_are_compared_by_their_first_middle_and_last_frame():
    frames = np.random.default_rng(0).integers(0, 255, (4, 8, 8, 1))
    clips = [frames[[0, 3, 1, 3, 2]], frames[[0, 0, 1, 0, 2]], frames[[0, 3, 1, 3, 3]], frames[[0, 3, 3, 3, 2]]]
    same, also, end, middle = looks(dataset(clips), np.arange(4))
    assert same @ also > 0.999 > max(same @ end, same @ middle)


@pytest.mark.parametrize("level", ["word", "char", "subword"])
def test_sentences_are_compared_by_words_whatever_they_are_written_in(level):
    pytest.importorskip("tokenizers")
    sentences = [["A red square."], ["A blue bar."]]
    target = codec(["a red square.", "a blue bar."], level, **({"size": 300} if level == "subword" else {}))
    remembered = Remembered.learn(dataset(np.eye(2)[:, None, :, None, None]), sentences, np.arange(2), target, 0)
    scores = score_captions(["a red bar", "a red square."], [["A red square"], ["a dog"]], cut=cutter(target), learnt=remembered.learnt)
    assert (scores.edits.errors, scores.edits.length) == (1 + 2, 3 + 2) and scores.copied == 0.5
    assert remembered.longest == max(len(target.ids(s)) for (s,) in sentences)


def scores(bleu, cider, exact=0.5):
    found = score_captions(["a"], [["a"]], cut=str.split)
    return type(found)(**{**vars(found), "bleu": (0.0, 0.0, 0.0, bleu), "cider": cider, "exact": exact})


def test_rivals_that_are_as_good_are_told():
    def doubts(cut=0, **rivals):
        found = {name: scores(*rival) for name, rival in rivals.items()}
        return CaptioningScores(scores(20.0, 0.5), found, 2.0, {}, "word", cut, 50).doubts()

    worse = (10.0, 0.4)
    assert doubts(constant=worse, nearest=worse, blind=worse) == []
    assert doubts(constant=worse, blind=(20.0, 0.5))[0].startswith("The picture does not help")
    assert doubts(constant=(20.0, 0.6), nearest=(21.0, 0.5), blind=worse) == [
        "It is no better than one sentence for all and that of the most similar picture. Learn more pictures, or longer."
    ]
    assert doubts(nearest=(10.0, 0.6), blind=(22.0, 0.4)) == [
        "By CIDEr it is worse than that of the most similar picture.",
        "By BLEU it is worse than without the picture.",
    ]
    every = scores(100.0, 1.0, exact=1.0)
    told = CaptioningScores(every, {"nearest": every, "blind": every}, 2.0, {}, "word").doubts()
    assert told == [
        "Every sentence is right, and so is that of the most similar picture and without the picture: harder pictures would tell them apart."
    ]
    assert doubts(cut=2) == [
        "2 sentences have 50 tokens, the most that `longest` allows, and may be cut. Raise `longest`, or train longer."
    ]
