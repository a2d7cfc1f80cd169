"""What networks that have learnt nothing write about pictures: how long, how probable, and where they looked."""

import io
import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from unrolled.data.codecs.text import TextCodec
from unrolled.data.examples import Example
from unrolled.errors import ConfigError, DataError, UnrolledWarning
from unrolled.inspect.draw import attending
from unrolled.tasks import find_recipe
from unrolled.tasks.captioning import inspecting, measuring
from unrolled.tasks.captioning.answers import answer
from unrolled.tasks.captioning.caption import Caption
from unrolled.tasks.captioning.inspecting import look_into, sections_of
from unrolled.tasks.captioning.looking import LookingOptions, Page
from unrolled.tasks.captioning.options import WritingOptions
from unrolled.tasks.inspecting import run
from unrolled.tasks.recipe import Answering
from unrolled.training import RunFolder
from untrained_captioner import untrained

SENTENCES = ("A red square on white.", "A blue bar")


@pytest.fixture
def table(tmp_path):
    """Two wide pictures of 12 by 24 pixels, which become 2 by 3 places."""
    for number in range(2):
        pixels = np.random.default_rng(number).integers(0, 255, (12, 24, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    (tmp_path / "t.csv").write_text("image,caption\n" + "".join(f"{number}.png,{text}\n" for number, text in enumerate(SENTENCES)))
    return tmp_path / "t.csv"


def log_probability(captioner, captions, picture, ids):
    """log P of ids, step by step."""
    memory, total = captioner.model.read(captions.seen(np.array([picture]))), 0.0
    state, last = captioner.model.begin(memory), torch.tensor([1])
    with torch.inference_mode():
        for symbol in ids:
            logs, state, _ = captioner.model.step(last, state, memory)
            total, last = total + float(logs[0, symbol]), torch.tensor([symbol])
    return total


@pytest.mark.parametrize(("level", "options"), [("subword", {"vocabulary": 280}), ("char", {}), ("word", {})])
def test_a_page_looks_at_the_symbols_that_were_written(table, level, options):
    captioner, data = untrained(table, level=level, **options)
    looked = look_into(captioner, data.captions, 1, None)
    assert len(looked.caption.ids) == len(looked.caption.written) == len(looked.seeing)
    assert np.log(looked.seeing).sum() == pytest.approx(looked.caption.log_probability, abs=1e-4)
    assert looked.caption.log_probability == pytest.approx(log_probability(captioner, data.captions, 1, looked.caption.ids), abs=1e-4)


def test_sentences_that_are_drawn_and_cut_end_with_what_the_end_costs(table):
    captioner, data = untrained(table)
    (drawn,) = captioner.write(data.captions, np.array([0]), WritingOptions(sampled=1.0, longest=2, nbest=12))
    lengths = {len(one.ids) for one in drawn}
    assert max(lengths) == 3
    for one in drawn:
        assert len(one.written) == len(one.weights) == len(one.ids) and one.ids[-1] == 1
        assert one.log_probability == pytest.approx(log_probability(captioner, data.captions, 0, one.ids), abs=1e-4)
        Page(captioner).add(next(captioner.read([str(table)], captioner.reading_of())), None, one)


def test_sentences_are_drawn_after_a_beginning(table):
    captioner, data = untrained(table)
    writing = WritingOptions(sampled=3.0, prefix="A red", longest=5, nbest=8)
    (drawn,) = captioner.write(data.captions, np.array([0]), writing)
    assert all(one.text.startswith("a red") and len(one.ids) <= 6 for one in drawn) and len({one.text for one in drawn}) > 1
    for one in drawn:
        assert one.log_probability == pytest.approx(log_probability(captioner, data.captions, 0, one.ids), abs=1e-4)
        assert len(one.written) == len(one.weights) == len(one.ids)


def test_a_beginning_must_fit_into_the_longest_sentence(table):
    captioner, data = untrained(table)
    for more in ({}, {"sampled": 1.0}):
        with pytest.raises(
            ConfigError, match=r"`prefix` has 2 tokens, and `longest` allows 1 token\. Raise `longest`, or shorten `prefix`"
        ):
            captioner.caption([table.parent / "0.png"], prefix="a red", longest=1, **more)
    long = "a red " * 9
    captioner.model.output.bias.data[1] = -100.0
    (best,) = captioner.write(data.captions, np.array([0]), WritingOptions(prefix=long, beam=1))
    assert len(best[0].ids) == 18 + captioner.codecs.remembered.longest + 1


@pytest.mark.parametrize("given", [np.zeros((4, 4, 3), np.uint8), Image.new("L", (4, 4)), 7])
def test_pictures_are_given_by_their_paths(table, given):
    captioner, _ = untrained(table)
    with pytest.raises(
        DataError, match=r"Files are given by their paths, got (ndarray of shape \[4, 4, 3\]|Image|int) as number 2. Save it"
    ):
        captioner.caption([table.parent / "0.png", given])


def test_the_error_about_a_picture_in_a_call_offers_no_option_that_there_is_not(table):
    captioner, _ = untrained(table)
    with pytest.raises(DataError, match="does not exist") as raised:
        captioner.caption([table.parent / "nope.png"])
    assert "bad_rows" not in str(raised.value)


def test_pictures_of_where_it_looked_have_an_edge_on_white_paper():
    figure = attending(np.full((4, 4, 1), 255, np.uint8), ["a"], np.full((1, 2, 2), 0.25))
    figure.savefig(buffer := io.BytesIO(), format="png", facecolor="white")
    with Image.open(buffer) as image:
        assert np.asarray(image.convert("L"))[40:].min() < 200


def test_drawing_stops_where_all_sentences_have_ended(table):
    captioner, data = untrained(table)
    captioner.model.output.bias.data[1] = 100.0
    steps, step = [], captioner.model.step
    captioner.model.step = lambda *given: steps.append(1) or step(*given)
    (drawn,) = captioner.write(data.captions, np.array([0]), WritingOptions(sampled=1.0, longest=500))
    assert drawn[0].ids == (1,) and len(steps) == 1


def test_places_of_a_wide_picture_are_rows_and_columns(table):
    captioner, data = untrained(table)
    (best,) = captioner.write(data.captions, np.array([0]))
    assert best[0].grid == (2, 3) and best[0].weights.shape[1] == 6
    page = Page(captioner)
    page.add(next(captioner.read([str(table)], captioner.reading_of())), np.zeros((1, 12, 24, 3), np.uint8), best[0])
    assert 'data-size="2,3"' in page.parts[0] and "aspect-ratio" not in page.parts[0]
    page.add(next(captioner.read([str(table)], captioner.reading_of())), None, best[0])
    assert 'data-size="2,3" style="aspect-ratio: 3 / 2"' in page.parts[1]


def test_of_pictures_each_pixel_and_of_videos_each_frame_moves_a_word(table, tmp_path):
    captioner, data = untrained(table)
    assert look_into(captioner, data.captions, 0, None).moved.shape[1:] == (12, 24)
    for frame in range(4):
        (tmp_path / "film" / "clip").mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((12, 12), 40 * frame, np.uint8)).save(tmp_path / "film" / "clip" / f"{frame}.png")
    (tmp_path / "film" / "clip.txt").write_text("it becomes brighter\n")
    captioner, data = untrained(tmp_path / "film")
    looked = look_into(captioner, data.captions, 0, np.zeros((4, 12, 12, 1), np.uint8))
    assert looked.moved.shape == (len(looked.caption.ids), 4)
    np.testing.assert_allclose(looked.moved.max(1), 1, rtol=1e-5)
    assert [section.name for section in sections_of(captioner, looked)] == ["worth", "looked", "moved"]
    (page := Page(captioner)).add(Example(""), np.zeros((4, 12, 12, 1), np.uint8), looked.caption)
    assert '<div class="look wide" data-size="1,4">' in page.parts[0]
    assert [example.name for example in captioner.read([str(tmp_path / "film" / "clip")], captioner.reading_of().to_predict())] == ["clip"]


def test_sentences_may_be_as_long_as_the_level_needs_and_those_that_are_cut_are_told(table):
    captioner, data = untrained(table, level="char")
    assert captioner.longest(WritingOptions()) == len(SENTENCES[0]) * 5 // 4 + 1 and captioner.longest(WritingOptions(longest=3)) == 3
    captioner.model.output.bias.data[1] = -100.0
    assert [len(best[0].ids) for best in captioner.write(data.captions, np.arange(2))] == [29, 29]
    with pytest.warns(UnrolledWarning, match="2 sentences have 3 tokens, the most that `longest` allows, and may be cut"):
        captioner.caption([table.parent / "0.png", table.parent / "1.png"], longest=3)
    with pytest.warns(UnrolledWarning, match="1 sentence has 1 token, the most"):
        captioner.caption([table.parent / "0.png"], longest=1)
    found = captioner.scores(data.captions, np.arange(2), WritingOptions(longest=3, beam=1))
    assert found.to_json()["cut"] == 2 and "2 sentences have 3 tokens" in found.text


def test_perplexity_is_of_symbols_and_of_all_references(table):
    captioner, data = untrained(table)
    logs = [
        log_probability(captioner, data.captions, i, [*captioner.codecs.target.ids(text).tolist(), 1]) for i, text in enumerate(SENTENCES)
    ]
    symbols = sum(len(captioner.codecs.target.ids(text)) + 1 for text in SENTENCES)
    found = captioner.scores(data.captions, np.arange(2), WritingOptions(beam=1)).perplexity
    assert found == pytest.approx(math.exp(-sum(logs) / symbols), rel=1e-4)


def test_pictures_that_were_learnt_are_told_when_they_are_measured(table):
    captioner, _ = untrained(table)
    pixels = np.random.default_rng(5).integers(0, 255, (12, 24, 3), np.uint8)
    Image.fromarray(pixels).save(table.parent / "new.png")
    (other := table.parent / "other.csv").write_text("image,caption\nnew.png,A bar\n")
    captioner.evaluate(other)
    other.write_text("image,caption\nnew.png,A bar\n1.png,A bar\n")
    with pytest.warns(UnrolledWarning, match=r"1 of the 2 pictures that are measured were learnt, such as 1\.png"):
        captioner.evaluate(other)


def test_bad_rows_are_left_out_where_they_are_measured(table):
    captioner, _ = untrained(table)
    (table.parent / "new.png").write_bytes(b"no picture")
    Image.fromarray(np.full((12, 24, 3), 9, np.uint8)).save(table.parent / "grey.png")
    (other := table.parent / "other.csv").write_text("image,caption\nnew.png,A bar\ngrey.png,A bar\n")
    with pytest.raises(DataError, match="cannot be read as a picture"):
        captioner.evaluate(other)
    with pytest.warns(UnrolledWarning, match="1 bad row is left out"):
        assert captioner.evaluate(other, reading=captioner.reading_of(bad_rows="skip")).scores.size == 1


def test_a_page_needs_no_attention_and_weights_are_short_numbers(table):
    captioner, _ = untrained(table, attention="none")
    how = Answering(as_json=True, typed=False, say=lambda text: None)
    write = answer(captioner, [str(table)], {}, WritingOptions(), LookingOptions(page=str(table.parent / "page.html")), how)
    with open(table.parent / "out.jsonl", "w") as target:
        write(target)
    assert (table.parent / "page.html").read_text().count("<figure>") == 2
    captioner, _ = untrained(table)
    write = answer(captioner, [str(table)], {}, WritingOptions(), LookingOptions(attention=str(table.parent / "looked")), how)
    with open(table.parent / "out.jsonl", "w") as target:
        write(target)
    for line in (table.parent / "out.jsonl").read_text().splitlines():
        weights = [weight for row in json.loads(line)["weights"] for weight in row]
        assert weights == [round(weight, 4) for weight in weights]


def test_a_page_says_what_there_is_to_see(table):
    def told(captioner, asked):
        page = Page(captioner)
        for example, best in captioner.caption_stream(captioner.read([str(asked)], captioner.reading_of().to_predict())):
            page.add(example, None, best[0])
        page.save(table.parent / "page.html")
        return (table.parent / "page.html").read_text()

    seeing, plain = untrained(table)[0], untrained(table, attention="none")[0]
    look, people = "Point at a word to see where the network looked as it wrote it: it is light there.", "Below stands what people wrote."
    assert f"<p>2 pictures. {look} {people}</p>" in told(seeing, table) and f"<p>2 pictures. {people}</p>" in told(plain, table)
    assert f"<p>1 picture. {look}</p>" in told(seeing, table.parent / "0.png")


def test_a_picture_that_was_held_out_is_shown_as_it_is_whatever_sees_it(table, monkeypatch):
    for number in range(2):
        np.save(table.parent / f"{number}.npy", np.full((2, 3, 4), number, np.float32))
    captioner, data = untrained(table, encoder="features")
    monkeypatch.setattr(inspecting, "look_into", lambda *given: given[-1])
    monkeypatch.setattr(inspecting, "sections_of", lambda _, frames: [frames])
    (frames,) = captioner.sections(None, replace(data, held=np.array([1])))
    with Image.open(table.parent / "1.png") as image:
        np.testing.assert_array_equal(frames, np.asarray(image)[None])


def test_an_error_about_the_one_picture_that_is_inspected_offers_to_leave_none_out(table, monkeypatch):
    captioner, _ = untrained(table)
    (table.parent / "new.png").write_bytes(b"no picture")
    monkeypatch.setattr(run, "load", lambda _: captioner)
    monkeypatch.setattr(run, "recipe_of", lambda _: find_recipe("caption"))
    with pytest.raises(DataError, match=r"new\.png cannot be read as a picture.*get it again\.$"):
        run.inspect_run(RunFolder(table.parent), table.parent / "new.png")


def test_a_page_has_weights_of_each_word_and_texts_as_they_are(table):
    captioner, _ = untrained(table)
    page, weights = Page(captioner), np.array([[0.1, 0.2, 0.1, 0.2, 0.2, 0.2], [0.5, 0.0, 0.25, 0.25, 0.0, 0.0]], np.float32)
    for text in ("a blue bar", "a blue <bar>"):
        page.add(Example("", name="<i>.png", texts=("x < y",)), None, Caption(text, 0.0, 0.0, ("<b>", "<EOS>"), (3, 1), weights, (2, 3)))
    first, second = page.parts
    assert 'data-at="[4,9,4,9,9,9]">&lt;b&gt;</b>' in first and 'data-at="[9,0,4,4,0,0]"' in first
    assert "<li>x &lt; y</li>" in first and "<small>&lt;i&gt;.png</small>" in first
    assert "(learnt as it is)" in first and "(learnt as it is)" not in second


@pytest.mark.parametrize(("level", "written"), [("char", ("a", " ", "b")), ("word", ("a", "b"))])
def test_a_page_has_blanks_between_words_alone(table, level, written):
    page = Page(untrained(table, level=level)[0])
    page.add(Example(""), None, Caption("a b", 0.0, 0.0, (*written, "<EOS>"), (3,) * len(written), None, (2, 3)))
    assert re.search("<p>(.*)</p>", page.parts[0])[1].replace("</b>", "").replace('<b data-at="[]">', "") == "a b &lt;EOS&gt;"


def test_each_of_several_sentences_has_its_own_score(table):
    captioner, data = untrained(table)
    how = Answering(as_json=False, typed=False, say=lambda text: None)
    answer(captioner, [str(table)], {}, WritingOptions(nbest=3), LookingOptions(), how)(target := io.StringIO())
    found = captioner.write(data.captions, np.arange(2), WritingOptions(nbest=3))
    wanted = [f"{number}.png\t{one.score:.4f}\t{one.text}" for number, best in enumerate(found) for one in best]
    assert target.getvalue().splitlines() == wanted and len({line.split("\t")[1] for line in wanted}) > 2


def test_what_is_unknown_is_never_drawn(table):
    captioner, data = untrained(table)
    captioner.model.output.bias.data[TextCodec.unknown] = 100.0
    (drawn,) = captioner.write(data.captions, np.array([0]), WritingOptions(sampled=1.0, nbest=4, longest=3))
    assert not any(TextCodec.unknown in one.ids for one in drawn)


def test_on_the_way_some_are_measured_and_in_the_end_all_beside_rivals(table, monkeypatch):
    captioner, data = untrained(table)
    data, tick = replace(data, held=np.arange(2)), lambda *_: None
    measured = measuring.CaptionMeasuring(captioner.model, data, captioner.options)
    monkeypatch.setattr(measuring, "WRITTEN", 1)
    assert measured.measure(tick, exactly=False)["written"] == 1
    found = measured.measure(tick, exactly=True)
    rivals = captioner.scores(data.captions, np.arange(2), WritingOptions()).rivals
    assert found["written"] == 2 and {*rivals} == {"constant", "nearest", "blind"}
    for name, rival in rivals.items():
        assert (found[f"{name}_bleu"], found[f"{name}_cider"]) == (rival.bleu[-1], rival.cider)
