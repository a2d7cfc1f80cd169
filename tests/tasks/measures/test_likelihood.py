"""What is measured, scored and sampled, against the same computed the long way."""

import math
import random

import numpy as np
import pytest
import torch

from unrolled.data.codecs import TextCodec
from unrolled.data.corpus import encode
from unrolled.data.vocabulary import TEXTS, Vocabulary
from unrolled.errors import ConfigError
from unrolled.models import NextStepOptions, language_model
from unrolled.tasks.measures.likelihood import LOGITS_AT_ONCE, PART, WARM_UP, Likelihood, measure, streams_for
from unrolled.tasks.texts.trained import TrainedLanguageModel

CHARACTERS = TextCodec("char", Vocabulary(("a", "b", "c"), TEXTS), lines=True)
WORDS = TextCodec("word", Vocabulary(("the", "king", "."), TEXTS), lines=True)


def model_of(codec, *, line_end=None, **options):
    torch.manual_seed(2)
    model = language_model(codec.size, NextStepOptions(hidden=7, embedding=4, **options), line_end=line_end)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.7)
    return model.eval()


@pytest.fixture
def tokens(tmp_path):
    """More tokens than one window holds, in an awkward number."""
    chance = random.Random(1)
    path = tmp_path / "text"
    path.write_text("".join(chance.choices("ab\nc", k=5 * WARM_UP * 4 + 13)), encoding="utf-8")
    return encode(path, CHARACTERS)


def losses(model, ids):
    """The loss of every token in one pass, from `<EOS>` on."""
    symbols = torch.tensor([TextCodec.end, *ids])[:, None]
    with torch.no_grad():
        chances = model(symbols[:-1])[0].double().log_softmax(-1)
    return -chances.gather(-1, symbols[1:, :, None])[:, 0, 0]


def test_one_stream_is_one_pass_over_everything(tokens, monkeypatch):
    model = model_of(CHARACTERS)
    wanted = losses(model, tokens.read(0, len(tokens))).mean().item()
    for window in (LOGITS_AT_ONCE, 5 * 33):
        monkeypatch.setattr("unrolled.tasks.measures.likelihood.LOGITS_AT_ONCE", window)
        found = measure(model, tokens)
        assert found.tokens == len(tokens)
        assert found.nats == pytest.approx(wanted, abs=1e-6)
        assert found.bits == pytest.approx(wanted / math.log(2))
        assert found.perplexity == pytest.approx(math.exp(wanted))


@pytest.mark.parametrize("streams", [2, 3, 5])
@pytest.mark.parametrize("window", [LOGITS_AT_ONCE, 5 * 5 * 100])
def test_more_streams_count_each_token_once_after_warming_up(tokens, streams, window, monkeypatch):
    monkeypatch.setattr("unrolled.tasks.measures.likelihood.LOGITS_AT_ONCE", window)
    model = model_of(CHARACTERS)
    ids = tokens.read(0, len(tokens)).tolist()
    length = -(-len(ids) // streams)
    total = 0.0
    for part in range(streams):
        first = part * length
        before = ids[first - WARM_UP - 1 : first] if part else [TextCodec.end]
        symbols = torch.tensor([*before, *ids[first : first + length]])[:, None]
        with torch.no_grad():
            chances = model(symbols[:-1])[0].double().log_softmax(-1)
        each = -chances.gather(-1, symbols[1:, :, None])[:, 0, 0]
        total += each[len(before) - 1 :].sum().item()
    found = measure(model, tokens, streams)
    assert found.nats == pytest.approx(total / len(ids), abs=1e-6)
    assert found.parts == streams


@pytest.mark.parametrize("streams", [1, 3, 5])
def test_parts_that_are_no_better_than_guessing_by_frequency_are_lost(tmp_path, streams):
    counts = {"a": 60, "b": 25, "c": 5, "\n": 10}
    codec = TextCodec.of_lines("char", counts)
    ids = random.Random(3).choices("ab\n", weights=[60, 25, 10], k=5 * WARM_UP * 4 + 13)
    ids[-WARM_UP * 4 :] = "c" * WARM_UP * 4  # The last of five parts is nothing but what is rare: dear to guess, whatever is learnt.
    path = tmp_path / "text"
    path.write_text("".join(ids), encoding="utf-8")
    tokens, frequencies = encode(path, codec), codec.vocabulary.log_frequencies
    by_hand = {"a": 61, "b": 26, "c": 6, "\n": 11}
    unigram = -sum(math.log(by_hand[s] / (104 + 1)) for s in ids) / len(ids)
    model = model_of(codec)
    found = measure(model, tokens, streams, codec=codec)
    assert found.unigram == pytest.approx(unigram, abs=1e-9)
    # Frequencies with more for the rare symbol: a part is better than the guess where it has many of them, and lost where it has none.
    torch.nn.init.zeros_(model.linear.weight)
    with torch.no_grad():
        model.linear.bias.copy_(torch.from_numpy(frequencies) + torch.tensor([0, 0, 0, 0, 0.2]))
        assert codec.symbols[-1] == "c"
    raised = measure(model, tokens, streams, codec=codec)
    assert (raised.parts, raised.lost) == (streams, {1: 0, 3: 2, 5: 4}[streams])
    torch.nn.init.constant_(model.linear.bias, float("nan"))
    broken = measure(model, tokens, streams, codec=codec)
    assert broken.lost == streams and math.isnan(broken.nats)
    for uncounted in (None, CHARACTERS):
        unknown = measure(model, tokens, streams, codec=uncounted)
        assert (unknown.unigram, unknown.lost) == (None, 0)


@pytest.mark.parametrize("streams", [1, 3])
def test_where_lines_stand_alone_each_is_measured_as_if_it_did(tokens, streams, monkeypatch):
    monkeypatch.setattr("unrolled.tasks.measures.likelihood.LOGITS_AT_ONCE", 5 * 100)
    ids = tokens.read(0, len(tokens)).tolist()
    lines = "".join(map(chr, ids)).split(chr(TextCodec.end))
    model = model_of(CHARACTERS, initial_state="learned")
    parts = [losses(model, [*map(ord, line), TextCodec.end]) for line in lines]
    parts[-1] = parts[-1][:-1]  # The text does not say where its last line ends.
    model.line_end = TextCodec.end
    found = measure(model, tokens, streams)
    assert found.nats == pytest.approx(torch.cat(parts).mean().item(), abs=1e-6)
    trained = TrainedLanguageModel(model, CHARACTERS)
    assert trained.score("ab\nc") == pytest.approx(trained.score("ab") + trained.score("c"), abs=1e-5)
    assert trained.score("ab") == pytest.approx(-losses(model, [2, 3, 1]).sum().item(), abs=1e-6)


@pytest.mark.parametrize("line_end", [None, TextCodec.end])
@pytest.mark.parametrize("streams", [1, 3])
def test_accuracies_count_the_likeliest_symbols(tmp_path, line_end, streams):
    model = model_of(CHARACTERS, line_end=line_end)
    path = tmp_path / "text"
    path.write_text("".join(random.Random(3).choices("ab\nc?", k=9 * WARM_UP)), encoding="utf-8")
    tokens = encode(path, CHARACTERS)
    ids = [TextCodec.end, *tokens.read(0, len(tokens)).tolist()]
    with torch.no_grad():
        guesses = model(torch.tensor(ids[:-1])[:, None])[0].argmax(-1).flatten().tolist()
    right = [guess == wanted != TextCodec.unknown for guess, wanted in zip(guesses, ids[1:], strict=True)]
    within = [each for each, before in zip(right, ids, strict=False) if before != TextCodec.end]
    found = measure(model, tokens, streams)
    assert found.accuracy == pytest.approx(sum(right) / len(right), abs=1e-9 if line_end or streams == 1 else 2e-3)
    if line_end is None:
        assert found.accuracy_within is None
    else:
        assert found.accuracy_within == pytest.approx(sum(within) / len(within), abs=1e-9)


@pytest.mark.parametrize("streams", [1, 2, 4])
def test_unknown_symbols_are_counted_once_wherever_they_lie(tmp_path, streams):
    text = "?" + "ab" * (2 * WARM_UP) + "?c" * (3 * WARM_UP) + "a" * (8 * WARM_UP) + "??"
    path = tmp_path / "text"
    path.write_text(text, encoding="utf-8")
    found = measure(model_of(CHARACTERS), encode(path, CHARACTERS), streams)
    assert (found.tokens, found.unknown) == (len(text), text.count("?"))


@pytest.mark.parametrize("streams", [1, 3])
def test_progress_grows_from_above_nothing_to_all(tokens, streams, monkeypatch):
    monkeypatch.setattr("unrolled.tasks.measures.likelihood.LOGITS_AT_ONCE", 1)
    told = []
    measure(model_of(CHARACTERS), tokens, streams, lambda done, all_of_it: told.append((done, all_of_it)))
    done, whole = zip(*told, strict=True)
    assert done[0] > 0 and list(done) == sorted(set(done)) and done[-1] == whole[0] and len(set(whole)) == 1


def test_short_texts_are_read_in_one_stream_and_long_ones_in_parts(tokens):
    model = model_of(CHARACTERS)
    assert measure(model, tokens, 10**6).nats == pytest.approx(measure(model, tokens, 5).nats)
    assert [streams_for(n) for n in (1, PART - 1, 2 * PART, 10**9)] == [1, 1, 2, 64]


def test_a_score_is_the_sum_of_log_probabilities_of_tokens_and_line_end():
    model = model_of(CHARACTERS)
    trained = TrainedLanguageModel(model, CHARACTERS)
    assert trained.score("cab") == pytest.approx(-losses(model, [4, 2, 3, 1]).sum().item(), abs=1e-6)
    assert trained.score("") == pytest.approx(-losses(model, [1]).sum().item(), abs=1e-6)
    assert trained.score("c?b") == pytest.approx(-losses(model, [4, 0, 3, 1]).sum().item(), abs=1e-6)


def test_the_probabilities_of_all_lines_of_a_length_sum_to_that_of_no_earlier_end():
    """All lines of at most two symbols, and all beginnings of longer ones, are every possibility there is."""
    model = model_of(CHARACTERS)
    trained = TrainedLanguageModel(model, CHARACTERS)
    letters = ["a", "b", "c", "?"]
    ended = sum(math.exp(trained.score(a)) for a in ["", *letters, *(a + b for a in letters for b in letters)])
    going_on = sum(math.exp(-losses(model, [i, j, k]).sum().item()) for i in (0, 2, 3, 4) for j in (0, 2, 3, 4) for k in (0, 2, 3, 4))
    assert ended + going_on == pytest.approx(1.0, abs=1e-6)


def test_samples_repeat_with_their_seed_and_never_hold_what_is_unknown():
    trained = TrainedLanguageModel(model_of(CHARACTERS), CHARACTERS)
    first = trained.sample("ab", 200, seed=5, count=3)
    assert first == trained.sample("ab", 200, seed=5, count=3)
    assert len(set(first)) == 3
    assert all(len(text) == 202 and text.startswith("ab") and "\N{REPLACEMENT CHARACTER}" not in text for text in first)
    assert trained.sample("ab", 200) != trained.sample("ab", 200)


def test_the_first_symbol_follows_the_distribution_after_the_prompt():
    model = model_of(CHARACTERS)
    trained = TrainedLanguageModel(model, CHARACTERS)
    drawn = [text[1] for text in trained.sample("b", 1, count=4000, seed=1)]
    with torch.no_grad():
        chances = model(torch.tensor([[1], [3]]))[0][-1, 0].double()
    chances[0] = -math.inf
    expected = chances.softmax(-1).numpy()
    found = np.array([drawn.count(s) / 4000 for s in ("\n", "a", "b", "c")])
    np.testing.assert_allclose(found, expected[1:], atol=0.03)


def test_no_temperature_always_takes_the_likeliest():
    model = model_of(CHARACTERS)
    trained = TrainedLanguageModel(model, CHARACTERS)
    text = trained.sample("a", 12, temperature=0.0)[0]
    ids = [1, *CHARACTERS.encode("a").tolist()]
    for symbol in CHARACTERS.encode(text[1:]).tolist():
        with torch.no_grad():
            logits = model(torch.tensor(ids)[:, None])[0][-1, 0]
        logits[0] = -math.inf
        assert int(logits.argmax()) == symbol
        ids.append(symbol)


def test_sampling_stops_after_so_many_lines():
    trained = TrainedLanguageModel(model_of(CHARACTERS), CHARACTERS)
    for text in trained.sample("", 500, lines=2, count=4, seed=0):
        assert text.count("\n") == 1
    with pytest.raises(ConfigError, match="`lines` must be at least 1, got 0"):
        trained.sample(lines=0)
    with pytest.raises(ConfigError, match="`length` must be at least 1, got 0"):
        trained.sample(length=0)
    with pytest.raises(ConfigError, match="`count` must be at least 1, got 0"):
        trained.sample(count=0)


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_that_the_generator_cannot_take_is_refused(seed):
    with pytest.raises(ConfigError, match="`seed` must be a whole number"):
        TrainedLanguageModel(model_of(CHARACTERS), CHARACTERS).sample(length=1, seed=seed)


@pytest.mark.parametrize("prompt", ["", "The king", "the king ", "The king.", "Who? ", "the\n"])
def test_words_go_on_from_the_prompt_as_it_was_typed_and_are_set_as_in_print(prompt):
    text = TrainedLanguageModel(model_of(WORDS), WORDS).sample(prompt, 30, seed=1)[0]
    assert text.startswith(prompt.rstrip(" "))
    assert "  " not in text
    assert " ." not in text
    assert "<UNK>" not in text
    assert "\n " not in text


def test_a_likelihood_is_said_as_is_usual_for_its_tokens_and_beside_guessing_by_frequency():
    said = str(Likelihood(math.log(2), 200, unknown=3, accuracy=0.5, unigram=1.25, parts=7, lost=2))
    assert said == (
        "0.6931 nats (1.000 bits per character, accuracy 50.00%, 1.50% of the tokens are <UNK>; guessing by frequency: 1.250; "
        "2 of 7 parts are no better)"
    )
    assert str(Likelihood(math.log(8), 9, level="word")) == "2.0794 nats (perplexity 8.0 per word, accuracy 0.00%)"
    event = Likelihood(math.log(8), 9, accuracy=0.25, accuracy_within=0.75, level="event", lost=1)
    assert str(event) == "2.0794 nats (perplexity 8.000 per event, accuracy 75.00% after the first of a line)"
    assert event.text == f"{event}, perplexity 8.000, over 9 tokens"
    assert event.to_json() == {
        "nats": math.log(8),
        "bits": pytest.approx(3),
        "perplexity": pytest.approx(8),
        "accuracy": 0.25,
        "accuracy_within": 0.75,
        "tokens": 9,
        "unknown": 0,
        "unigram": None,
        "parts": 1,
        "lost": 1,
    }
    assert Likelihood(1e4, 1).perplexity == math.inf
    assert Likelihood(1e4, 1).to_json()["perplexity"] is None
