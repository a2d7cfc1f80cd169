"""What becomes of the outputs of a network: in batches, in pieces of long recordings, and as text that comes while it is heard."""

import json
from itertools import groupby

import numpy as np
import pytest
import soxr
import torch
from torch.nn import functional

from tones import RATE, said, write_table
from unrolled.cells import find_cell
from unrolled.decoding.alignment import Stretch
from unrolled.errors import NotFiniteError, UnrolledWarning
from unrolled.models import NUMBERS
from unrolled.tasks.configuration import Configuration
from unrolled.tasks.recipes.transcribe import Transcribing
from unrolled.tasks.transcription import by_ctc
from unrolled.tasks.transcription.streaming import LEFT, Listener
from unrolled.tasks.transcription.transcript import timed
from unrolled.tasks.transcription.ways import Found

FACTOR = 4
"""Steps of an output."""

STEPS = (50, 23)
"""Of two sequences, neither a multiple of those of an output or a piece."""

CHANNELS = 9

HOP = RATE // 100
"""Samples of a step."""


def untrained(sources, **options):
    """A transcriber as it is before it learns, and its recordings."""
    recipe = Transcribing()
    flat = {"sources": [str(sources)], "held_out": 0.0, "hidden": 8, "layers": 1, "subsampling": FACTOR, "engine": "eager", **options}
    configuration = Configuration.from_flat("transcribe", recipe.options, flat)
    data = recipe.read(configuration, lambda *told: None)
    torch.manual_seed(0)
    model = recipe.build(configuration, data.codecs, find_cell("gru"))
    return recipe.trained(model.eval(), data.codecs, configuration), data.utterances


@pytest.fixture(scope="module")
def numbers():
    """Those of two sequences, `[T, CHANNELS]`."""
    chance = np.random.default_rng(0)
    return [chance.standard_normal((steps, CHANNELS)).astype(np.float32) for steps in STEPS]


@pytest.fixture(scope="module")
def table(tmp_path_factory, numbers):
    path = tmp_path_factory.mktemp("numbers") / "x.jsonl"
    path.write_text("\n".join(json.dumps({"x": x.tolist(), "text": "ab c"}) for x in numbers))
    return path


@pytest.fixture(scope="module")
def standard(numbers):
    """The numbers as a network reads them."""
    every = np.concatenate(numbers).astype(np.float64)
    return [(x - every.mean(0)) / every.std(0) for x in numbers]


@pytest.fixture(scope="module", params=[False, True], ids=["forwards", "both ways"])
def network(request, table):
    return untrained(table, input="x", target="text", bidirectional=request.param)


def sums(batch, state=None):
    """Scores that are sums of the steps of each output, of as many channels as there are symbols."""
    x = batch[NUMBERS]
    x = functional.pad(x, (0, 0, 0, 0, 0, -len(x) % FACTOR))
    return x.unflatten(0, (-1, FACTOR)).sum(1)[..., :SYMBOLS], state


SYMBOLS = 6
"""Of a network that has learnt four: one that is unknown and the blank with them."""


def logs_by_hand(x):
    x = np.concatenate([x, np.zeros((-len(x) % FACTOR, CHANNELS))])[:, :SYMBOLS]
    scores = x.reshape(-1, FACTOR, SYMBOLS).sum(1)
    return scores - np.log(np.exp(scores).sum(1, keepdims=True))


def test_each_recording_has_its_own_outputs_and_none_of_padding(network, standard, monkeypatch):
    transcriber, utterances = network
    together = transcriber.way.logs(utterances, np.array([1, 0]))
    assert [len(logs) for logs in together] == [6, 13]
    alone = transcriber.way.logs(utterances, np.array([1]))
    assert np.allclose(together[0], alone[0], atol=1e-5)
    monkeypatch.setattr(transcriber.model, "forward", sums)
    for logs, x in zip(transcriber.way.logs(utterances, np.arange(2)), standard, strict=True):
        assert np.allclose(logs, logs_by_hand(x), atol=1e-4)


@pytest.mark.parametrize("network", [False], indirect=True)
def test_a_network_that_reads_forwards_goes_on_from_piece_to_piece(network, monkeypatch):
    transcriber, utterances = network
    whole = transcriber.way.logs(utterances, np.arange(1))[0]
    monkeypatch.setattr(by_ctc, "WINDOW", 16)
    assert np.allclose(transcriber.way.logs(utterances, np.arange(1))[0], whole, atol=1e-5)


@pytest.mark.parametrize("network", [True], indirect=True)
def test_what_pieces_have_in_common_is_said_once(network, standard, monkeypatch):
    transcriber, utterances = network
    monkeypatch.setattr(transcriber.model, "forward", sums)
    monkeypatch.setattr(by_ctc, "WINDOW", 16)
    monkeypatch.setattr(by_ctc, "OVERLAP", 8)
    with pytest.warns(UnrolledWarning, match=r"line 1.* has 50 steps, and is heard in pieces of 16 that each overlap by 8"):
        (logs,) = transcriber.way.logs(utterances, np.arange(1))
    assert logs.shape == (13, SYMBOLS) and np.allclose(logs, logs_by_hand(standard[0]), atol=1e-4)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_outputs_that_are_not_finite_are_told_with_their_recording(network, broken, monkeypatch):
    transcriber, utterances = network

    def some(batch, state=None):
        scores, state = sums(batch, state)
        scores[-1, batch.lengths.argmax()] = broken
        return scores, state

    monkeypatch.setattr(transcriber.model, "forward", some)
    with pytest.raises(NotFiniteError, match=r"x\.jsonl, line 1 is not finite"):
        transcriber.way.logs(utterances, np.arange(2))


def test_what_moves_a_symbol_is_the_slope_times_what_is_heard(network, standard, monkeypatch):
    transcriber, utterances = network
    monkeypatch.setattr(transcriber.model, "forward", sums)
    places = [Stretch(2, 0, 3, 0.0), Stretch(4, 7, 8, 0.0)]
    found = transcriber.way.moved(utterances, Found((2, 4), 0.0, 0.0, lambda: places))
    logs = logs_by_hand(standard[0])
    for row, place in zip(found, places, strict=True):
        at = place.begin + logs[place.begin : place.end, place.symbol].argmax()
        slope = (np.arange(SYMBOLS) == place.symbol) - np.exp(logs[at])
        steps = slice(at * FACTOR, (at + 1) * FACTOR)
        expected = np.zeros(STEPS[0])
        expected[steps] = np.abs(slope * standard[0][steps, :SYMBOLS]).sum(1)
        assert np.allclose(row, expected / expected.max(), atol=1e-5)


@pytest.fixture(scope="module")
def hearing(tmp_path_factory):
    """A network that reads samples as they are."""
    table = write_table(tmp_path_factory.mktemp("sound"), ["abc", "a c"])
    return untrained(table, mels=0, bidirectional=False)[0]


def says(classes, size):
    """A network that says so many classes of `size`, one after the other, whatever it hears."""
    coming = iter(classes)

    def forward(batch, state):
        given = [next(coming) for _ in range(-(-len(batch[NUMBERS]) // FACTOR))]
        return functional.one_hot(torch.tensor(given), size).float()[:, None], state

    return forward


def listened(transcriber, classes, monkeypatch):
    """What is written as so many classes are said, in blocks of sound of many sizes."""
    monkeypatch.setattr(transcriber.model, "forward", says(classes, transcriber.codecs.target.size))
    listener, chance = Listener(transcriber), np.random.default_rng(0)
    silence = np.zeros(FACTOR * len(classes) * HOP, np.float32)
    parts = np.split(silence, np.sort(chance.integers(0, len(silence), 9)))
    return "".join([listener.feed(part).text for part in parts] + [listener.finish().text])


def text_by_hand(transcriber, classes):
    codec = transcriber.codecs.target
    names = codec.text.strings(np.arange(SYMBOLS))
    return " ".join("".join(names[symbol] for symbol, _ in groupby(classes) if symbol != codec.blank).split())


def test_a_letter_that_is_said_twice_is_written_twice_and_one_that_lasts_once(hearing, monkeypatch):
    a, b = hearing.codecs.target.ids("ab").tolist()
    blank = hearing.codecs.target.blank
    assert listened(hearing, [blank, a, a, blank, blank, a, b, b, blank, b, a, a], monkeypatch) == "aabba"


def test_no_text_is_lost_however_long_it_is(hearing, monkeypatch):
    ids, blank = hearing.codecs.target.ids("ab c").tolist(), hearing.codecs.target.blank
    classes = np.random.default_rng(1).choice([*ids, blank], 4 * LEFT).tolist()
    expected = text_by_hand(hearing, classes)
    assert len(expected) > 2 * LEFT
    assert listened(hearing, classes, monkeypatch) == expected


def test_signs_of_several_bytes_come_whole_however_long_the_text_is(tmp_path, monkeypatch):
    hearing = untrained(write_table(tmp_path, ["a", "b"]), mels=0, bidirectional=False, level="subword", vocabulary=258)[0]
    codec = hearing.codecs.target
    text = " ".join("".join(np.random.default_rng(2).choice([*"aé€𝄞"], LEFT)))
    classes = [one for symbol in codec.ids(text).tolist() for one in (symbol, codec.blank)]
    assert len(classes) > 4 * LEFT and listened(hearing, classes, monkeypatch) == text


@pytest.mark.parametrize("rate", [RATE, 2 * RATE, 44_100])
def test_a_stream_is_heard_to_its_last_sample(hearing, rate, monkeypatch):
    samples = soxr.resample(said("ab", np.random.default_rng(0)), RATE, rate)
    read, plain = [], hearing.model.forward
    monkeypatch.setattr(hearing.model, "forward", lambda batch, state: read.append(batch[NUMBERS][:, 0].numpy()) or plain(batch, state))
    listener = Listener(hearing, rate)
    listener.feed(samples)
    seconds = listener.finish().seconds
    heard = soxr.resample(samples, rate, RATE)
    steps = np.concatenate([heard, np.zeros(-len(heard) % HOP, np.float32)]).reshape(-1, HOP)
    expected = hearing.codecs.inputs.numbers.apply(steps)
    assert seconds == pytest.approx(-(-len(expected) // FACTOR) * FACTOR * 0.01)
    assert np.concatenate(read).shape == expected.shape and np.allclose(np.concatenate(read), expected, atol=1e-3)


def test_times_end_with_the_recording(hearing):
    codec = hearing.codecs.target
    ids = codec.ids("ab c").tolist()
    places = [Stretch(symbol, begin, begin + 1, 0.0) for begin, symbol in enumerate(ids)]
    found = timed(ids, places, codec, 0.04, 0.13, score=0.0, log_probability=0.0)
    assert [(one.text, one.begin, one.end) for one in found.words] == [("ab", 0.0, 0.08), ("c", 0.12, 0.13)]
    assert [(one.begin, one.end) for one in found.symbols] == [(0.0, 0.04), (0.04, 0.08), (0.08, 0.12), (0.12, 0.13)]


def test_all_recordings_are_measured_at_the_end_and_some_on_the_way(table, monkeypatch):
    recipe = Transcribing()
    flat = {
        "sources": [str(table)],
        "validation": [str(table)],
        "input": "x",
        "target": "text",
        "hidden": 8,
        "layers": 1,
        "engine": "eager",
    }
    configuration = Configuration.from_flat("transcribe", recipe.options, flat)
    data = recipe.read(configuration, lambda *told: None)
    measuring = recipe.task(recipe.build(configuration, data.codecs, find_cell("gru")).eval(), data, configuration).measuring
    monkeypatch.setattr("unrolled.tasks.transcription.measuring.WRITTEN", 1)
    told = []
    for exactly in (True, False):
        measuring.measure(lambda done, total: told.append((done, total)), exactly=exactly)
    assert told[1] == (len(STEPS), len(STEPS)) and told[2:] == [(1, 1)]
