import dataclasses
import math

import numpy as np
import pytest
import torch

from by_hand import COMMON
from slopes import assert_slopes
from unrolled.cells import find_cell
from unrolled.data.batches import Batch
from unrolled.errors import ConfigError, DataError, ShapeError
from unrolled.models import COPIES, EncoderDecoder, EncoderDecoderOptions

SOURCE, TARGET, END = 7, 6, 1
LENGTHS, TARGET_LENGTHS = (4, 0, 1, 3), (3, 1, 5, 0)
OPTIONS = EncoderDecoderOptions(cell="gru", hidden=3, decoder_hidden=4, embedding=2, attention="general", dropout=0.0, label_smoothing=0.0)
ARRANGEMENTS = {
    "vector": {"attention": "none"},
    "additive": {"attention": "additive", "cell": "lstm", "layers": 2},
    "dot": {"attention": "dot", "decoder_hidden": 6, "decoder_cell": "lstm"},
    "general": {"bridge": "zeros", "tied": True, "embedding": 4},
    "one-hot": {"embedding": 0, "bidirectional": False},
    "feeding": {"input_feeding": True, "layers": 2},
    "one-hot feeding": {"input_feeding": True, "embedding": 0},
    "copy": {"copy": True},
    "copy feeding": {"copy": True, "input_feeding": True, "attention": "additive"},
    "window": {"input_window": 3, "initial_state": "learned"},
    "one-hot window of one direction": {"input_window": 2, "bidirectional": False, "cell": "lstm", "embedding": 0},
}


def model_of(**changes):
    torch.manual_seed(0)
    model = EncoderDecoder(SOURCE, TARGET, dataclasses.replace(OPTIONS, **changes)).double()
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.7)
    return model


def padded(lengths, symbols, poison, seed):
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(symbols, (max(lengths), len(lengths)), generator=generator)
    return drawn.masked_fill(torch.arange(max(lengths))[:, None] >= torch.tensor(lengths), poison)


def batch_of(model, poison=-9):
    """Sources, targets and, for a model that copies, what is copied: the last sources' symbols are unknown to the target."""
    source, target = padded(LENGTHS, SOURCE, poison, 1), padded(TARGET_LENGTHS, TARGET, poison, 2)
    batch = [source, torch.tensor(LENGTHS), target, torch.tensor(TARGET_LENGTHS)]
    if model.decoder.gate is None:
        return batch
    copies = padded(LENGTHS, TARGET, poison, 3)
    copies[1, 0] = copies[3, 0] = TARGET + 1
    copies[0, 2] = TARGET
    target[1, 0], target[0, 2], target[3, 2] = TARGET + 1, TARGET, TARGET
    return [*batch, copies]


def as_batch(parts):
    """The same as networks are trained on."""
    source, lengths, target, target_lengths, *copies = parts
    fields = {"words": source} | ({COPIES: copies[0]} if copies else {})
    return Batch(fields, lengths, target, target_lengths)


def alone(batch, row):
    """One row of a batch without padding."""
    source, lengths, target, target_lengths, *copies = batch
    read, wrote = int(lengths[row]), int(target_lengths[row])
    at = slice(row, row + 1)
    return [source[:read, at], lengths[at], target[:wrote, at], target_lengths[at], *(part[:read, at] for part in copies)]


def step_by_step(model, batch):
    """log P of each symbol, and of all that might have come, one row and one step after the other."""
    chosen, every = [], []
    for row in range(len(LENGTHS)):
        source, lengths, target, target_lengths, *copies = alone(batch, row)
        memory = model.encode(source, lengths, *copies)
        state, symbol, likely = model.begin(memory), torch.tensor([END]), []
        for t in range(int(target_lengths)):
            logs, state, weights = model.step(symbol, state, memory)
            assert weights is None or weights.shape == (1, int(lengths))
            symbol = target[t]
            likely.append(logs[0])
        every.append(likely)
        chosen.append([c[int(s)] for c, s in zip(likely, target[:, 0], strict=True)])
    return chosen, every


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_given_targets_are_what_steps_give_one_by_one(name):
    model = model_of(**ARRANGEMENTS[name])
    batch = batch_of(model)
    chosen, every = step_by_step(model, batch)
    found = model.log_probabilities(as_batch(batch))
    logits = model(*batch).log_softmax(-1)
    for row, wrote in enumerate(TARGET_LENGTHS):
        for t in range(wrote):
            torch.testing.assert_close(found[t, row], chosen[row][t])
            assert math.isclose(every[row][t].exp().sum().item(), 1)
            same = min(len(every[row][t]), logits.shape[-1])
            torch.testing.assert_close(logits[t, row, :same].exp(), every[row][t][:same].exp())
        assert not found[wrote:, row].any()
    torch.testing.assert_close(model.loss_of(*batch), -sum(sum(c) for c in chosen))


@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_the_loss_of_a_batch_is_that_of_its_parts(name):
    model = model_of(**ARRANGEMENTS[name])
    parts = batch_of(model)
    loss, count = model.loss(as_batch(parts))
    assert torch.equal(loss, model.loss_of(*parts)) and count == sum(TARGET_LENGTHS)
    chosen, _ = step_by_step(model, parts)
    torch.testing.assert_close(loss, -sum(sum(c) for c in chosen))


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_padding_reaches_no_loss_and_no_gradient(name):
    model = model_of(**ARRANGEMENTS[name])
    found = []
    for poison in (0, -9, 99):
        loss = model.loss_of(*batch_of(model, poison))
        found.append((loss, *torch.autograd.grad(loss, list(model.parameters()))))
    for other in found[1:]:
        torch.testing.assert_close(other, found[0])
    each = [model.loss_of(*alone(batch_of(model), row)) for row in range(3)]
    torch.testing.assert_close(found[0][0], sum(each))


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_derivatives(name):
    model = model_of(**ARRANGEMENTS[name])
    batch = batch_of(model)
    assert_slopes(lambda: model.loss_of(*batch), model.parameters())


@pytest.mark.parametrize("cell", COMMON)
@pytest.mark.parametrize("decoder_cell", ["elman", "lstm"])
def test_any_two_cells(cell, decoder_cell):
    model = model_of(cell=cell, decoder_cell=decoder_cell, engine="eager")
    batch = batch_of(model)
    chosen, _ = step_by_step(model, batch)
    torch.testing.assert_close(model.loss_of(*batch), -sum(sum(c) for c in chosen))


def by_hand(model, batch, row):
    """log P of a row's symbols for one layer of an Elman network in each direction, general attention and the bridge `map`."""
    weight = {name: value.numpy(force=True) for name, value in model.named_parameters()}
    source, _, target, _ = (part.numpy() for part in alone(batch, row))

    def cell(prefix, x, h, suffix="l0"):
        part = {name: weight[f"{prefix}.recurrent.{name}_{suffix}"] for name in ("W_h", "R_h", "b_h")}
        return np.tanh(part["W_h"] @ x + part["R_h"] @ h + part["b_h"])

    vectors = [weight["encoder.inputs.words.weight"][symbol] for symbol in source[:, 0]]
    ahead, back = [np.zeros(3)], [np.zeros(3)]
    for x in vectors:
        ahead.append(cell("encoder", x, ahead[-1]))
    for x in vectors[::-1]:
        back.append(cell("encoder", x, back[-1], "l0_reverse"))
    memory = [np.concatenate(pair) for pair in zip(ahead[1:], back[:0:-1], strict=True)]
    h = weight["bridge.map.weight"] @ np.concatenate([ahead[-1], back[-1]]) + weight["bridge.map.bias"]
    symbol, logs = END, []
    for wanted in target[:, 0]:
        h = cell("decoder", weight["decoder.vectors.weight"][symbol], h)
        scores = np.exp([h @ weight["decoder.attention.key.weight"] @ m / len(h) ** 0.25 for m in memory])
        context = sum((s * m for s, m in zip(scores / scores.sum(), memory, strict=True)), np.zeros(6))
        features = np.tanh(weight["decoder.combine.weight"] @ np.concatenate([context, h]))
        likely = np.exp(weight["output.weight"] @ features + weight["output.bias"])
        logs.append(np.log(likely[wanted] / likely.sum()))
        symbol = wanted
    return logs


@pytest.mark.usefixtures("each_engine")
def test_everything_by_hand():
    model = model_of(cell="elman")
    batch = batch_of(model)
    found = model.log_probabilities(as_batch(batch)).numpy(force=True)
    for row, wrote in enumerate(TARGET_LENGTHS):
        np.testing.assert_allclose(found[:wrote, row], by_hand(model, batch, row), rtol=1e-10)


@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_rows_of_one_source_share_its_memory(name):
    model = model_of(**ARRANGEMENTS[name]).eval()
    batch = batch_of(model)
    memory = model.encode(batch[0], batch[1], *batch[4:])
    begun = model.begin(memory)
    rows = torch.arange(4).repeat_interleave(3)
    symbols = torch.randint(TARGET, (12,))
    state = type(begun)(tuple(s[:, rows] for s in begun.states), begun.fed if begun.fed is None else begun.fed[:, rows])
    logs, after, weights = model.step(symbols, state, memory)
    for k in range(3):
        one, end, seen = model.step(symbols[k::3], begun, memory)
        torch.testing.assert_close(logs[k::3], one)
        torch.testing.assert_close(tuple(s[:, k::3] for s in after.states), end.states)
        assert weights is None or torch.equal(weights[k::3], seen)


def test_steps_without_gradients_are_the_same(each_engine):
    model = model_of(input_feeding=True).eval()
    batch = batch_of(model)
    memory = model.encode(*batch[:2])
    state = model.begin(memory)
    expected = model.step(torch.full((4,), END), state, memory)
    for _ in range(3):
        with torch.no_grad():
            found = model.step(torch.full((4,), END), state, memory)
        torch.testing.assert_close(found, expected)


def test_label_smoothing_is_that_of_torch_in_training_alone():
    model = model_of(label_smoothing=0.3)
    batch = batch_of(model)
    real = torch.arange(5)[:, None] < batch[3]
    logits, wanted = model(*batch)[real], batch[2][real]
    smooth, plain = (torch.nn.functional.cross_entropy(logits, wanted, reduction="sum", label_smoothing=e) for e in (0.3, 0.0))
    torch.testing.assert_close(model.loss_of(*batch), smooth)
    torch.testing.assert_close(model.eval().loss_of(*batch), plain)


@pytest.mark.parametrize("copy", [False, True])
def test_scheduled_sampling_reads_what_was_drawn_in_training_alone(copy, monkeypatch):
    model = model_of(scheduled_sampling=1.0, copy=copy)
    batch = batch_of(model)
    plain = model.eval().loss_of(*batch)
    model.train()
    drawn = torch.tensor([2, 3, 4, 5])
    monkeypatch.setattr(model, "_draw", lambda seen, memory: drawn)
    memory = model.encode(batch[0], batch[1], *batch[4:])
    state, symbols, expected = model.begin(memory), torch.full((4,), END), 0.0
    for t in range(5):
        logs, state, _ = model.step(symbols, state, memory)
        expected = expected - sum(logs[row, batch[2][t, row]] for row in range(4) if t < TARGET_LENGTHS[row])
        symbols = drawn
    torch.testing.assert_close(model.loss_of(*batch), expected)
    model.scheduled_sampling = 1e-12
    torch.testing.assert_close(model.loss_of(*batch), plain)


@pytest.mark.parametrize("feeding", [False, True])
def test_word_dropout_of_the_target_hides_what_was_written_in_training_alone(feeding):
    """What comes first is hidden, too; what is to be written is not."""
    model = model_of(target_dropout=1.0, input_feeding=feeding)
    batch = batch_of(model)
    memory = model.encode(*batch[:2])
    state, expected = model.begin(memory), 0.0
    for t in range(5):
        logs, state, _ = model.step(torch.zeros(4, dtype=torch.long), state, memory)
        expected = expected - sum(logs[row, batch[2][t, row]] for row in range(4) if t < TARGET_LENGTHS[row])
    torch.testing.assert_close(model.loss_of(*batch), expected)
    torch.testing.assert_close(model.eval().loss_of(*batch), model_of(input_feeding=feeding).eval().loss_of(*batch))


def test_about_the_part_is_hidden(monkeypatch):
    model, read = model_of(target_dropout=0.25), []
    whole = model.decoder.whole
    monkeypatch.setattr(model.decoder, "whole", lambda symbols, *rest: read.append(symbols) or whole(symbols, *rest))
    target = torch.full((200, 4), 3)
    model.loss_of(*batch_of(model)[:2], target, torch.full((4,), 200))
    assert 0.2 < (read[0] == 0).double().mean() < 0.3 and (read[0] == 3).any()


@pytest.mark.parametrize(("copy", "bridge"), [(False, "summary"), (True, "summary"), (False, "map"), (False, "zeros")])
def test_words_in_any_order_are_said_by_the_summary_in_training_alone(copy, bridge):
    model = model_of(bag_of_words=0.5, bridge=bridge, copy=copy)
    batch = batch_of(model)
    summary = model.encode(batch[0], batch[1], *batch[4:]).final[-1][0]
    logs = (summary @ model.bag.weight.T + model.bag.bias).log_softmax(-1)
    said = sum(logs[row, word] for row, length in enumerate(TARGET_LENGTHS) for word in batch[2][:length, row].tolist() if word < TARGET)
    found = model.loss_of(*batch)
    model.bag = None
    torch.testing.assert_close(found, model.loss_of(*batch) - 0.5 * said)
    measured = model.eval().loss_of(*batch)
    model.bag = torch.nn.Linear(12, TARGET)
    assert model.loss_of(*batch) == measured


def test_draws_follow_the_distribution():
    model = model_of(scheduled_sampling=0.5, copy=True)
    batch = batch_of(model)
    memory = model.encode(batch[0], batch[1], *batch[4:])
    seen, _ = model.decoder.step(torch.full((4,), END), model.begin(memory), memory)
    logs, _, _ = model.step(torch.full((4,), END), model.begin(memory), memory)
    drawn = torch.stack([model._draw(seen, memory) for _ in range(4000)])
    for row in range(4):
        found = drawn[:, row].bincount(minlength=logs.shape[-1]) / 4000
        np.testing.assert_allclose(found, logs[row].exp().numpy(force=True), atol=0.04)


def test_dropout_in_training_alone():
    model = model_of(dropout=0.5)
    batch = batch_of(model)
    assert not torch.equal(model.loss_of(*batch), model.loss_of(*batch))
    memory = model.encode(*batch[:2])
    seen, _ = model.decoder.step(torch.full((4,), END), model.begin(memory), memory)
    assert not torch.equal(model.logits(seen.features), model.logits(seen.features))
    model.eval()
    assert torch.equal(model.loss_of(*batch), model.loss_of(*batch))


def test_vectors_of_symbols_are_dropped_in_training_alone_and_what_is_fed_is_not():
    model = model_of(dropout=0.5, input_feeding=True, embedding=40)
    decoder, symbols, fed = model.decoder, torch.arange(TARGET).repeat(50), torch.rand(1, 50 * TARGET, 4).double()
    whole = torch.cat([decoder.vectors(symbols), fed[0]], -1)
    read = decoder._read(symbols, fed)
    left = read[:, :40] != 0
    assert 0.45 < left.double().mean() < 0.55 and len(left.unique(dim=0)) == len(left)
    torch.testing.assert_close(read, torch.cat([whole[:, :40] * left / 0.5, fed[0]], -1))
    assert torch.equal(decoder.eval()._read(symbols, fed), whole)


def test_bfloat16_products_are_close_and_parameters_stay():
    model, narrow = (model_of(bfloat16=narrow, dropout=0.0).float().train() for narrow in (False, True))
    batch = batch_of(model)
    wide, rounded = model(*batch), narrow(*batch)
    assert torch.equal(model.eval()(*batch), narrow.eval()(*batch))
    assert rounded.dtype == torch.float32 and not torch.equal(wide, rounded)
    torch.testing.assert_close(rounded, wide, rtol=0.05, atol=0.05)
    rounded.square().sum().backward()
    assert all(weight.dtype == torch.float32 and weight.grad.isfinite().all() for weight in narrow.parameters())


def test_autocast():
    model = model_of(copy=True, input_feeding=True, cell="lstm").float()
    batch = batch_of(model)
    with torch.autocast("cpu", torch.bfloat16):
        loss = model.loss_of(*batch)
    assert loss.dtype == torch.float32
    loss.backward()
    assert all(weight.grad.isfinite().all() for weight in model.parameters() if weight.grad is not None)


def test_shared_and_tied_vectors_are_one_tensor():
    torch.manual_seed(0)
    model = EncoderDecoder(TARGET, TARGET, dataclasses.replace(OPTIONS, shared=True, tied=True, embedding=4))
    assert model.output.weight is model.decoder.vectors.weight is model.encoder.inputs.words.weight
    with pytest.raises(ConfigError, match="`shared`"):
        model_of(shared=True)


@pytest.mark.parametrize("bridge", ["map", "copy", "zeros"])
@pytest.mark.parametrize("window", [1, 3])
def test_a_network_of_one_direction_goes_on_from_what_it_has_read(bridge, window):
    model = model_of(bidirectional=False, bridge=bridge, decoder_hidden=3, input_window=window)
    source = torch.randint(SOURCE, (5, 2))
    whole = model.encode(source, torch.tensor([5, 5]))
    first = model.encode(source[:3], torch.tensor([3, 3]))
    second = model.encode(source[3:], torch.tensor([2, 2]), state=first.final)
    torch.testing.assert_close(second.final, whole.final)
    torch.testing.assert_close(model.begin(second), model.begin(whole))


def test_a_summary_of_what_was_read_begins_the_decoder():
    model = model_of(bridge="summary", decoder_hidden=3)
    source, lengths = torch.randint(SOURCE, (5, 3)), torch.tensor([5, 2, 0])
    memory = model.train().encode(source, lengths)
    outputs = memory.outputs.detach().numpy()
    told = [
        np.concatenate([of.mean(0), of.max(0)]) if len(of) else np.zeros(12) for of in (outputs[:n, row] for row, n in enumerate((5, 2, 0)))
    ]
    told = (told - np.mean(told, 0)) / np.sqrt(np.var(told, 0) + 1e-5)
    torch.testing.assert_close(memory.final[-1][0].detach(), torch.from_numpy(told))
    mapped = told @ model.bridge.map.weight.detach().numpy().T + model.bridge.map.bias.detach().numpy()
    torch.testing.assert_close(model.begin(memory).states[0][0].detach(), torch.from_numpy(mapped))


def test_a_summary_does_not_hinder_going_on():
    model = model_of(bidirectional=False, bridge="summary").eval()
    source = torch.randint(SOURCE, (5, 2))
    first = model.encode(source[:3], torch.tensor([3, 3]))
    second = model.encode(source[3:], torch.tensor([2, 2]), state=first.final)
    whole = model.encode(source, torch.tensor([5, 5]))
    torch.testing.assert_close(second.final[:-1], whole.final[:-1])


def test_options_reach_the_layers():
    model = model_of(cell="lstm", decoder_cell="gru", layers=2, engine="eager", dropout=0.25, word_dropout=0.5, bidirectional=False)
    reader, writer = model.encoder.recurrent, model.decoder.recurrent
    assert (reader.cell.name, writer.cell.name) == ("lstm", "gru") and not reader.bidirectional
    for layer in (reader, writer):
        assert (layer.num_layers, layer.dropout, layer.engine) == (2, 0.25, "eager")
    assert (reader.hidden_size, writer.hidden_size, model.encoder.inputs.words.word_dropout) == (3, 4, 0.5)
    given = EncoderDecoder(SOURCE, TARGET, OPTIONS, cell=find_cell("lstm"), decoder_cell=find_cell("elman"))
    assert (given.encoder.recurrent.cell.name, given.decoder.recurrent.cell.name) == ("lstm", "elman")
    same = EncoderDecoder(SOURCE, TARGET, OPTIONS, cell=find_cell("lstm"))
    assert same.decoder.recurrent.cell.name == "lstm"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"layers": 0}, "`layers` must be at least 1 here"),
        ({"attention": "some"}, "`attention`"),
        ({"bridge": "tunnel"}, "`bridge`"),
        ({"attention": "none", "copy": True}, "`copy`"),
        ({"attention": "none", "input_feeding": True}, "`input_feeding`"),
        ({"attention": "dot"}, "`decoder_hidden=6`"),
        ({"decoder_hidden": 0}, "`decoder_hidden`"),
        ({"label_smoothing": 1.5}, "`label_smoothing`"),
        ({"scheduled_sampling": -0.5}, "`scheduled_sampling`"),
        ({"target_dropout": 1.1}, "`target_dropout`"),
        ({"bag_of_words": -1.0}, "`bag_of_words`"),
        ({"tied": True}, "`embedding`"),
        ({"tied": True, "embedding": 0}, "`embedding`"),
    ],
)
def test_options_that_cannot_be(changes, said):
    with pytest.raises(ConfigError, match=said):
        model_of(**changes)


def test_what_is_copied_must_be_told():
    model = model_of(copy=True)
    source, lengths, target, target_lengths, copies = batch_of(model)
    with pytest.raises(ShapeError, match="`copies`"):
        model.loss_of(source, lengths, target, target_lengths)
    with pytest.raises(ShapeError, match="`copies`"):
        model.loss_of(source, lengths, target, target_lengths, copies[1:])
    target[0, 0] = TARGET + 2
    with pytest.raises(DataError, match="`copies`"):
        model.loss_of(source, lengths, target, target_lengths, copies)


def test_a_source_of_length_0_is_written_from_the_vocabulary_alone():
    model = model_of(copy=True)
    batch = batch_of(model)
    memory = model.encode(batch[0], batch[1], batch[4])
    logs, _, weights = model.step(torch.full((4,), END), model.begin(memory), memory)
    assert not weights[1].any() and math.isclose(logs[1, :TARGET].exp().sum().item(), 1)
    assert (logs[1, TARGET:] == -torch.inf).all()


def test_reversed_strings_are_learnt():
    torch.manual_seed(0)
    options = dataclasses.replace(OPTIONS, hidden=24, decoder_hidden=32, embedding=8, cell="gru")
    model = EncoderDecoder(SOURCE, SOURCE, options)
    optimiser = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(150):
        source, lengths = torch.randint(2, SOURCE, (5, 32)), torch.randint(1, 6, (32,))
        times = torch.arange(6)[:, None]
        back = source.gather(0, (lengths - 1 - times).clamp(min=0))
        target = torch.where(times < lengths, back, END)
        loss = model.loss_of(source, lengths, target, lengths + 1) / (lengths + 1).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss < 0.1


@pytest.mark.usefixtures("each_engine")
@pytest.mark.parametrize("name", ARRANGEMENTS)
def test_a_batch_of_nothing_but_empty_sources(name):
    model = model_of(**ARRANGEMENTS[name])
    source, target = torch.zeros(0, 2, dtype=torch.long), torch.tensor([[3, 1], [1, 0]])
    copies = [source] if model.decoder.gate is not None else []
    loss = model.loss_of(source, torch.tensor([0, 0]), target, torch.tensor([2, 1]), *copies)
    loss.backward()
    assert loss.isfinite() and all(w.grad is None or w.grad.isfinite().all() for w in model.parameters())
    padded = torch.full((3, 2), -9)
    same = model.loss_of(padded, torch.tensor([0, 0]), target, torch.tensor([2, 1]), *([padded] if copies else []))
    torch.testing.assert_close(same, loss)
