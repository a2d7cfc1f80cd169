"""What a trained translator says, beside loops by hand over its network's steps."""

import dataclasses
import itertools
import warnings

import numpy as np
import pytest
import sacrebleu
import torch

from unrolled.data.bitext import Bitext
from unrolled.data.codecs import PairCodec, TextCodec
from unrolled.data.examples import Example
from unrolled.data.formats.pair_options import PairOptions
from unrolled.errors import ConfigError, DataError
from unrolled.inspect.draw import attention
from unrolled.models import EncoderDecoder, EncoderDecoderOptions
from unrolled.tasks import find_recipe
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.measures.texts import score_texts
from unrolled.tasks.translation.alignment import draw_alignment, require_attention
from unrolled.tasks.translation.options import Reading, SearchOptions
from unrolled.tasks.translation.reading import PairData
from unrolled.tasks.translation.trained import TrainedTranslator

PAIRS = [
    Example("1", text="a red cat", texts=("un chat rouge",)),
    Example("2", text="the dog runs", texts=("le chien court", "il court")),
    Example("3", text="Zoë, the cat!", texts=("Zoë, le chat !",)),
]
SOURCES = ["the red dog", "a cat runs", "cat", "Zoë, the dog, the cat, a dog runs!", "a red red red cat"]
OPTIONS = EncoderDecoderOptions(hidden=5, embedding=4)
LEVELS = {"char": {"level": "char"}, "word": {"level": "word"}, "subword": {"level": "subword", "reverse_source": True}}


def translator_of(level="char", seed=0, **options):
    """A network with random weights, whose ends come soon enough."""
    codecs = PairCodec.learn(PAIRS, **LEVELS[level])
    torch.manual_seed(seed)
    model = EncoderDecoder(codecs.source.size, codecs.target.size, dataclasses.replace(OPTIONS, **options), end=TextCodec.end)
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.6)
    with torch.no_grad():
        model.output.bias[TextCodec.end] += 1.5
    return TrainedTranslator(model.double().eval(), codecs)


def log_softmax(logits):
    logits = logits - logits.max()
    return logits - np.log(np.exp(logits).sum())


@torch.no_grad()
def by_hand(translator, source, choose):
    """Write symbol after symbol as `choose(t, log-probabilities)` says, up to the end; the ids, and the sum of their log P."""
    model, codecs = translator.model, translator.codecs
    symbols = codecs.source.split(source)[:: -1 if codecs.reverse_source else 1]
    ids = [*(codecs.source.look_up([s])[0] for s in symbols), TextCodec.end]
    memory = model.encode(torch.tensor(ids)[:, None], torch.tensor([len(ids)]))
    state, last, found, total = model.begin(memory), TextCodec.end, [], 0.0
    for t in itertools.count():
        seen, state = model.decoder.step(torch.tensor([last]), state, memory)
        chances = log_softmax(model.output(seen.features)[0].numpy())
        last = choose(t, chances)
        total += chances[last]
        if last == TextCodec.end:
            return found, total
        found.append(last)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("options", [{}, {"attention": "none", "cell": "gru"}, {"input_feeding": True, "attention": "additive"}])
def test_score_is_the_sum_over_the_steps(level, options):
    translator = translator_of(level, **options)
    for source, target in (("the red dog", "le chien rouge"), ("cat", "chat"), ("a cat runs", "il court")):
        wanted = [*translator.codecs.target.encode(target), TextCodec.end]
        _, total = by_hand(translator, source, lambda t, chances, wanted=wanted: wanted[t])
        assert translator.score(source, target) == pytest.approx(total, rel=1e-12)
        assert translator.score(f" {source} ", f"{target}\n") == translator.score(source, target)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("options", [{}, {"attention": "none"}, {"input_feeding": True, "layers": 2}])
def test_greedy_search_takes_the_likeliest_symbol_at_every_step(level, options):
    translator = translator_of(level, **options)
    with torch.no_grad():
        translator.model.output.bias[TextCodec.unknown] += 2.0
    for source, (said,) in zip(SOURCES, translator.translate(SOURCES), strict=True):
        most = SearchOptions().most(len(next(translator.codecs.sources([source]))))

        def likeliest(t, chances, most=most):
            return TextCodec.end if t == most else int(np.delete(chances, TextCodec.unknown).argmax()) + 1

        found, total = by_hand(translator, source, likeliest)
        assert said.text == translator.codecs.target.decode(found)
        assert said.log_probability == pytest.approx(total, rel=1e-9)
        assert said.score == pytest.approx(total / ((5 + len(found) + 1) / 6) ** 0.6, rel=1e-9)
        assert len(said.written) == len(found) + 1


def test_a_wide_beam_finds_what_is_at_least_as_probable_and_gives_it_in_order():
    translator, better = translator_of("word", seed=3), 0
    wide = SearchOptions(beam=12, nbest=12, length_penalty=0.0, limit=0.0)
    narrow = SearchOptions(length_penalty=0.0, limit=0.0)
    for some, (greedy,) in zip(translator.translate(SOURCES, wide), translator.translate(SOURCES, narrow), strict=True):
        assert len(some) == 12
        assert some[0].log_probability >= greedy.log_probability
        better += some[0].log_probability > greedy.log_probability + 1e-6
        assert [s.log_probability for s in some] == sorted((s.log_probability for s in some), reverse=True)
        assert len({s.written for s in some}) == 12
        assert sum(np.exp(s.log_probability) for s in some) < 1
    assert better


def test_what_is_found_has_the_probability_that_score_gives():
    translator = translator_of("char")
    for source, some in zip(SOURCES, translator.translate(SOURCES, SearchOptions(beam=4, nbest=4, length_penalty=0.0)), strict=True):
        for said in some:
            if said.text == said.text.strip() != "":
                assert translator.score(source, said.text) == pytest.approx(said.log_probability, rel=1e-9)


def test_translations_keep_their_order_however_many_are_at_once():
    translator, rng = translator_of("char"), np.random.default_rng(1)
    sources = ["".join(rng.choice(list("aredct "), rng.integers(0, 9))) for _ in range(90)]
    alone = {source: translator.translate([source], SearchOptions(limit=0.0))[0][0].text for source in set(sources)}
    ticks = []
    search = SearchOptions(limit=0.0)
    for at_once in (None, 1, 7):
        found = translator.translate_stream(iter(sources), search, at_once=at_once, tick=ticks.append)
        assert [best[0].text for best in found] == [alone[source] for source in sources]
        assert ticks[-1] == 90
        assert ticks == sorted(ticks)
        ticks.clear()
    pairs = [Example(str(i), text=source) for i, source in enumerate(sources)]
    assert [(pair.place, best[0].text) for pair, best in translator.translate_pairs(pairs, search)] == [
        (str(i), alone[source]) for i, source in enumerate(sources)
    ]


def test_a_stream_is_answered_as_it_comes():
    translator, taken = translator_of("word"), []

    def sources():
        for source in SOURCES:
            taken.append(source)
            yield source

    stream = translator.translate_stream(sources(), at_once=2)
    next(stream)
    assert len(taken) == 2


def test_empty_sources_have_empty_translations():
    translator = translator_of("char")
    found = translator.translate(["", "cat", "  \t"], SearchOptions(beam=2, nbest=2))
    assert [(some[0].text, some[0].log_probability, len(some)) for some in (found[0], found[2])] == [("", 0.0, 1)] * 2
    assert len(found[1]) == 2
    assert translator.translate([]) == []
    assert translator.sample(" ", 2) == ["", ""]
    for sides in (("", "chat"), ("cat", " ")):
        with pytest.raises(DataError, match="Both sides must have a text"):
            translator.score(*sides)


def test_a_single_text_is_no_list_of_texts():
    with pytest.raises(DataError, match=r"`sources` must be a list of texts, got the text 'a cat'. Pass \['a cat'\]"):
        translator_of().translate("a cat")
    assert translator_of().converse().reply(" ") == ""


def test_every_translation_begins_with_the_prefix():
    for level in LEVELS:
        translator = translator_of(level)
        for beam in (1, 3):
            some = translator.translate(SOURCES, SearchOptions(beam=beam, nbest=beam, prefix="le chat"))
            assert all(said.text.startswith("le chat") for said in itertools.chain(*some))
    (said,) = translator_of("word").translate(["cat"], SearchOptions(prefix="un zèbre"))[0]
    assert said.text.startswith("un zèbre")
    assert said.written[:2] == ("un", "zèbre")


def test_the_limit_follows_the_source():
    translator = translator_of("char")
    with torch.no_grad():
        translator.model.output.bias[TextCodec.end] = -100.0
    for limit in (0.0, 2.0, 0.3):
        lengths = [len(said.written) - 1 for (said,) in translator.translate(SOURCES, SearchOptions(limit=limit))]
        assert lengths == [int(np.ceil(limit * (len(source) + 1))) + 50 for source in SOURCES]


def test_what_the_target_does_not_know_is_copied_from_the_source():
    translator = translator_of("word", copy=True)
    with torch.no_grad():
        translator.model.decoder.gate.bias.fill_(-1000.0)
    for source in ("zebra", "yak", "zebra yak"):
        words = source.split()
        (said,) = translator.translate([source])[0]
        assert {*said.written[:-1]} <= {*words}
        total = sum(np.exp(translator.score(source, text)) for text in words)
        assert 0 < total < 1
        assert set(" ".join(translator.sample(source, 20, seed=1)).split()) <= {*words}
    (said,) = translator.translate(["the yak"], SearchOptions(prefix="yak"))[0]
    assert said.written[0] == "yak"
    assert np.isfinite(said.log_probability)


def test_samples_follow_the_probabilities():
    translator, count = translator_of("word", seed=5), 4000
    texts = translator.sample("a cat", count, seed=2)
    assert texts == translator.sample("a cat", count, seed=2) != translator.sample("a cat", count, seed=3)
    common = max(set(texts) - {""}, key=texts.count)
    expected = np.exp(translator.score("a cat", common))
    deviation = np.sqrt(expected * (1 - expected) / count)
    assert texts.count(common) / count == pytest.approx(expected, abs=5 * deviation)
    (greedy,) = translator.translate(["a cat"])[0]
    assert translator.sample("a cat", 3, temperature=0) == [greedy.text] * 3
    with pytest.raises(ConfigError, match="`count` must be at least 1, got 0"):
        translator.sample("a cat", 0)


def test_evaluation_measures_each_source_once_beside_all_its_references(tmp_path):
    translator = translator_of("word")
    lines = [
        ("a red cat", "un chat rouge"),
        ("the dog", "le chien"),
        ("a  red cat", "chat rouge"),
        ("", "x"),
        ("a red cat", "un chat rouge"),
    ]
    (tmp_path / "p.tsv").write_text("".join(f"{source}\t{target}\n" for source, target in lines), encoding="utf-8")
    found = translator.evaluate(tmp_path / "p.tsv")
    scored = [("a red cat", "un chat rouge"), ("a red cat", "chat rouge"), ("the dog", "le chien")]
    symbols = sum(len(target.split()) + 1 for _, target in scored)
    assert found.perplexity == pytest.approx(np.exp(-sum(translator.score(*pair) for pair in scored) / symbols), rel=1e-9)
    assert (found.scores.size, found.tally.pairs, found.tally.left_out) == (2, 5, 1)
    said = translator.translate(["a red cat", "the dog"])
    exact = (said[0][0].text in ("un chat rouge", "chat rouge")) + (said[1][0].text == "le chien")
    assert found.scores.exact == exact / 2
    search = SearchOptions(prefix="le")
    (best,) = translator.translate(["a red cat"], search)[0]
    (tmp_path / "right.tsv").write_text(f"a red cat\tsomething else\tmore\t{best.text}\n", encoding="utf-8")
    for references in (True, False):
        reading = translator.reading_of(references=references)
        assert translator.evaluate(tmp_path / "right.tsv", reading=reading, search=search).scores.exact == references
    with pytest.raises(DataError, match=r"There is no pair to measure: 5 pairs; 1 with an empty side left out, first .*line 4; 4 with"):
        translator.evaluate(tmp_path / "p.tsv", reading=PairOptions(longest=1))


@pytest.mark.parametrize(("bidirectional", "remembers"), [(False, True), (True, False)])
@pytest.mark.parametrize("temperature", [None, 0.8])
def test_a_conversation_remembers_what_was_said_if_the_network_can(bidirectional, remembers, temperature):
    translator = translator_of("word", bidirectional=bidirectional, seed=1)
    talk = translator.converse(temperature=temperature, seed=4)
    assert talk.remembers == remembers
    first = talk.reply("the dog runs")
    assert (talk.state is not None) == remembers
    if remembers:
        texts = ["the dog runs", first, "cat"]
        ids = [np.append(translator.codecs.source.encode(text), TextCodec.end) for text in texts]
        with torch.inference_mode():
            for length, state in ((2, talk.state), (3, None)):
                whole = torch.from_numpy(np.concatenate(ids[:length]))[:, None]
                final = translator.model.encode(whole, torch.tensor([len(whole)])).final
                state = translator.encode(["cat"], talk.state).final if state is None else state
                for given, wanted in zip(state, final, strict=True):
                    assert torch.allclose(given, wanted)
        assert not torch.allclose(translator.encode(["cat"], talk.state).final[0], translator.encode(["cat"]).final[0])
    talk.begin_anew()
    assert talk.state is None
    if temperature is None:
        assert talk.reply("the dog runs") == first == translator.translate(["the dog runs"])[0][0].text


def test_drawn_answers_keep_to_the_limit():
    translator = translator_of("char")
    with torch.no_grad():
        translator.model.output.bias[TextCodec.end] = -100.0
    assert len(translator.converse(SearchOptions(limit=0.0), temperature=1.0).reply("cat")) == 50


@pytest.mark.parametrize("level", LEVELS)
def test_weights_of_the_attention_are_those_of_the_real_steps(level):
    translator = translator_of(level)
    for source, some in zip(SOURCES, translator.translate(SOURCES, SearchOptions(beam=2, nbest=2)), strict=True):
        for said in some:
            assert said.weights.shape == (len(said.written), len(said.read))
            assert said.read[-1] == said.written[-1] == "<EOS>"
            np.testing.assert_allclose(said.weights.sum(1), 1, rtol=1e-5)
            assert "".join(said.written[:-1]).replace(" ", "") == said.text.replace(" ", "") or level == "subword"
        read = some[0].read[:-1]
        assert "".join(read[::-1] if level == "subword" else read).replace(" ", "") == source.replace(" ", "") or "Zo" in source


def test_alignments_are_drawn(tmp_path):
    translator = translator_of("char")
    (said,) = translator.translate(["a 日 $x$ _{"])[0]
    for name, begins in (("a.png", b"\x89PNG"), ("a.svg", b"<?xml"), ("a.PDF", b"%PDF")):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            draw_alignment(said, tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(begins)
    with pytest.raises(ConfigError, match=r"must end in .png, .svg, .pdf, got .*a\.xyz"):
        draw_alignment(said, tmp_path / "a.xyz")
    with pytest.raises(ConfigError, match=r"folder of `path` must exist, got .*Make .*nowhere first"):
        draw_alignment(said, tmp_path / "nowhere" / "a.png")
    without = translator_of("char", attention="none")
    with pytest.raises(ConfigError, match="no attention, so there is nothing to draw"):
        require_attention(without)
    with pytest.raises(ConfigError, match="no attention, so there is nothing to draw"):
        draw_alignment(without.translate(["cat"])[0][0], tmp_path / "a.png")


def test_the_picture_shows_the_weights():
    (said,) = translator_of("word").translate(["a red cat"])[0]
    axes = attention(said.weights, said.read, said.written).axes[0]
    np.testing.assert_array_equal(axes.images[0].get_array(), said.weights)
    assert [label.get_text() for label in axes.get_xticklabels()] == list(said.read)
    assert [label.get_text() for label in axes.get_yticklabels()] == list(said.written)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beam": 0}, "`beam` must be at least 1 .*got 0"),
        ({"nbest": 3, "beam": 2}, "`nbest` must lie between 1 and `beam` = 2, got 3"),
        ({"nbest": 0}, "`nbest` must be at least 1, got 0"),
        ({"limit": -1.0}, "`limit` must be a number from 0 to 1e.06, got -1.0"),
        ({"limit": float("inf")}, "`limit`"),
        ({"limit": 1e30}, "`limit`"),
        ({"length_penalty": float("nan")}, "`length_penalty`"),
        ({"length_penalty": 1e5}, "`length_penalty`"),
        ({"coverage_penalty": -0.1}, "`coverage_penalty`"),
    ],
)
def test_searches_that_cannot_be_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        SearchOptions(**options)


def test_the_loss_of_a_batch_is_per_symbol_and_measures_look_at_all_sources():
    translator, recipe = translator_of(), find_recipe("translate")
    data = PairData(translator.codecs, Bitext(PAIRS, translator.codecs), PAIRS, "", "what was read", Reading(), 0)
    task = recipe.task(translator.model, data, Configuration.from_flat("translate", recipe.options, {"batch": 4}))
    objective = task.objective(range(1))
    lengths = data.train.batch(task.learner.order[0]).target_lengths
    assert objective.count == int(lengths.sum()) > len(lengths)
    measures = task.evaluate(lambda done, total: None)
    assert [criterion.name for criterion in task.measuring.criteria] == ["loss", "BLEU", "chrF", "exact"]
    assert all(np.isfinite(criterion.read(measures)) for criterion in task.measuring.criteria)
    assert measures["written"] == len(PAIRS)
    texts = [best[0].text for best in translator.translate([pair.text for pair in PAIRS])]
    assert measures["chrf"] == pytest.approx(score_texts(texts, [pair.texts for pair in PAIRS]).chrf)
    assert (task.held_out_size, task.summary) == (int(data.train.target_lengths.sum()), "what was read")


def test_a_source_counts_as_often_as_it_has_targets():
    pairs = [Example("1", text="bb", texts=("x", "y", "z")), Example("2", text="aaaa", texts=("x",))]
    names = PairCodec.learn(pairs, "char").source.vocabulary.names
    assert names.index("b") < names.index("a")


def test_translations_stand_beside_the_sources_themselves(tmp_path):
    lines = [("the cat sat on a mat", "the cat sat on the mat"), ("le chat", "le  chat"), ("le chat", "le chien"), ("cat", "chat")]
    (tmp_path / "p.tsv").write_text("".join(f"{source}\t{target}\n" for source, target in lines), encoding="utf-8")
    found = translator_of("word").evaluate(tmp_path / "p.tsv")
    bleu = sacrebleu.corpus_bleu(
        ["the cat sat on a mat", "le chat", "cat"], [["the cat sat on the mat", "le  chat", "chat"], [None, "le chien", None]]
    )
    assert 10 < found.copied.bleu == bleu.score
    assert found.copied.exact == 1 / 3
    told = found.to_json()
    assert (told["baseline_bleu"], told["baseline_exact"], told["sequences"], told["pairs"]) == (bleu.score, 1 / 3, 3, 4)
    assert {name: told[name] for name in found.scores.to_json()} == found.scores.to_json()
    assert f"over 3 sources (the sources themselves: BLEU {bleu.score:.2f}, exact 33.33%)" in found.text
