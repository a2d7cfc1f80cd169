"""Texts as they are drawn, where they stop, and how likely lines are."""

import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import unrolled as un
from at_the_terminal import call
from unrolled.cli import cli
from unrolled.decoding import draw
from unrolled.errors import ConfigError, DataError
from unrolled.training import Silent

QUICK = {"updates": 3, "evaluations": 1, "hidden": 6, "batch": 4, "window": 8, "display": Silent()}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("writing")
    (folder / "a.txt").write_text("one two\nthree, four.\n" * 30)
    un.train_language_model(folder / "a.txt", out=folder / "run", embedding=4, **QUICK)
    un.train_language_model(folder / "a.txt", out=folder / "words", embedding=4, level="word", **{**QUICK, "window": 4})
    return folder


@pytest.fixture(scope="module", params=["run", "words"])
def model(request, run):
    return un.load(run / request.param)


def test_pieces_make_the_text(model):
    pieces = list(model.sample_stream("one two", 30, count=2, seed=3))
    assert len(pieces) == 32 and pieces[0] == ["one two"] * 2
    assert ["".join(parts) for parts in zip(*pieces, strict=True)] == model.sample("one two", 30, count=2, seed=3)


def test_prompts_of_different_lengths_are_read_side_by_side(model):
    assert model.sample(["one", "three, four"], 20, temperature=0) == [
        *model.sample("one", 20, temperature=0),
        *model.sample("three, four", 20, temperature=0),
    ]


def test_it_stops_before_a_text_however_it_comes_about(model):
    (whole,) = model.sample("one", 60, seed=1)
    stop = whole[20:24]
    pieces = [piece for (piece,) in model.sample_stream("one", 60, seed=1, stop=stop)]
    assert "".join(pieces) == whole[: whole.index(stop, 3)]
    assert model.sample("one", 60, seed=1, stop="never comes")[0] == whole


def test_it_does_not_stop_at_what_the_prompt_says(model):
    (whole,) = model.sample("one two", 30, seed=1)
    stop = "one t"
    (said,) = model.sample("one two", 30, seed=1, stop=stop)
    assert len(whole) > len("one two") and said == whole[: whole.find(stop, len("one two")) % (len(whole) + 1)]


def test_a_penalty_makes_what_was_drawn_less_likely():
    logits = torch.tensor([[2.0, 1.9, -1.0]])
    drawn = [int(s) for s in draw(lambda s, state: (logits, state), logits, None, 3, temperature=0, repetition_penalty=3.0)]
    # 2 / 3 < 1.9; then 2 / 3 > 1.9 / 3 for good.
    assert drawn == [0, 1, 0]
    seen = torch.tensor([[True, True, False]])
    (first,) = draw(lambda s, state: (logits, state), logits, None, 1, temperature=0, repetition_penalty=1e9, seen=seen)
    assert int(first) == 0
    below = torch.tensor([[-1.0, -1.5]])
    (first,) = draw(
        lambda s, state: (below, state), below, None, 1, temperature=0, repetition_penalty=2.0, seen=torch.tensor([[True, False]])
    )
    assert int(first) == 1


@pytest.mark.parametrize("options", [{"stop": ""}, {"repetition_penalty": 0.0}, {"length": 0}, {"lines": 0}, {"count": 0}])
def test_what_cannot_be_asked_for(model, options):
    with pytest.raises(ConfigError, match=f"`{next(iter(options))}` must be"):
        model.sample(**options)


def test_lines_scored_side_by_side_are_as_each_alone(model):
    lines = ["one two", "four", "", "three, four. one two one"]
    found = model.score_lines(lines)
    for line, score in zip(lines, found, strict=True):
        ids = torch.tensor([model.codec.end, *model.codec.encode(line), model.codec.end])[:, None]
        with torch.inference_mode():
            logs = model.model(ids[:-1])[0].double().log_softmax(-1)
        expected = [float(logs[t, 0, ids[t + 1, 0]]) for t in range(len(ids) - 1)]
        np.testing.assert_allclose(score.log_probabilities, expected, atol=1e-5)
        assert score.perplexity == pytest.approx(np.exp(-np.mean(expected)), rel=1e-5)
        assert len(score.tokens) == len(expected) and score.tokens[-1] == "\n"


def test_a_file_is_scored_line_by_line_and_on_the_whole(run):
    text = (run / "a.txt").read_text().splitlines()[:3]
    (run / "b.txt").write_text("\n".join([*text, ""]))
    said = call("score", run / "run", run / "b.txt").splitlines()
    assert [line[24:] for line in said[:3]] == text
    total = sum(s.log_probability for s in un.load(run / "run").score_lines(text))
    count = sum(len(line) + 1 for line in text)
    assert said[3] == f"3 lines, {count} tokens: log-probability {total:.3f}, perplexity {np.exp(-total / count):.3f}"
    assert call("score", run / "run", "-", typed="\n".join(text)) == "\n".join([*said, ""])
    (first,) = json.loads(call("score", run / "run", "-", "--json", "--tokens", typed="one\n"))
    assert [token for token, _ in first["tokens"]] == [*"one", "\n"]
    with pytest.raises(DataError, match="has no line with something in it"):
        call("score", run / "run", "-", typed="\n")
    places = json.loads(call("score", run / "run", "-", "--json", typed="\none\n\ntwo\n"))
    assert [one["sentence"] for one in places] == ["", "one", "", "two"]
    for given, told in (
        ([run / "c.txt"], "names no file that is there"),
        ([run], "is a folder"),
        ([run / "a.txt", run / "b.txt"], "is one file of several"),
    ):
        with pytest.raises(DataError, match=told):
            call("score", run / "run", *given)


def test_prompts_from_a_file_and_typed_line_ends(run):
    (run / "prompts.txt").write_text("one\n\ntwo\n")
    lines = call("sample", run / "run", "--prompts", run / "prompts.txt", "--length", "5", "--seed", "1", "--json").splitlines()
    assert [json.loads(line)["prompt"] for line in lines] == ["one", "", "two"]
    assert all(json.loads(line)["text"].startswith(json.loads(line)["prompt"]) for line in lines)
    assert call("sample", run / "run", "--prompt", r"a\nb\\n", "--length", "1").startswith("a\nb\\n")
    with pytest.raises(ConfigError, match="`--prompt` and `--prompts` both"):
        call("sample", run / "run", "--prompts", "-", "--prompt", "x")
    (run / "prompts.txt").write_bytes("né\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"prompts.txt is not UTF-8 text. Give a text file"):
        call("sample", run / "run", "--prompts", run / "prompts.txt")


def test_an_interrupt_keeps_what_was_written(run, monkeypatch):
    def interrupted(self, prompts, length=500, **options):
        yield ["one", "one"]
        yield [" t", " x"]
        raise KeyboardInterrupt

    monkeypatch.setattr("unrolled.tasks.texts.trained.TrainedLanguageModel.sample_stream", interrupted)
    result = CliRunner().invoke(cli, ["sample", str(run / "run"), "--count", "2"])
    assert result.exit_code == 130
    assert result.stdout == f"one t\n{'-' * 40}\none x\n"


def test_translators_draw_texts_as_well(tmp_path):
    (tmp_path / "a.tsv").write_text("".join(f"{word}\t{word[::-1]}\n" for word in ("ab", "ba", "aab", "bba", "abab", "bb") * 3))
    model = un.train_translator(tmp_path / "a.tsv", out=tmp_path / "run", level="char", updates=1, hidden=4, display=Silent())
    said = call("sample", tmp_path / "run", "--prompt", "ab", "--count", "2", "--seed", "1", "--length", "4")
    assert said == "\n".join([*f"\n{'-' * 40}\n".join(model.sample("ab", 2, seed=1, length=4)).split("\n"), ""])
    assert all(len(text) <= 4 for text in model.sample("ab", 5, length=4))
