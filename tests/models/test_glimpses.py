"""Glimpses of pictures: the sensor beside a loop in NumPy, what REINFORCE moves and by how much, and ways of looking."""

import math

import numpy as np
import pytest
import torch

from unrolled.data.batches import Batch
from unrolled.errors import ConfigError, ShapeError
from unrolled.models import EncoderOptions, GlimpseEncoder, GlimpseOptions, Glimpses, GlimpseSensor, Softmax
from unrolled.models.glimpses import Path

ENCODER = EncoderOptions(cell="gru", hidden=6, bidirectional=False, dropout=0.0)


def network(channels=1, options=ENCODER, **looking):
    torch.manual_seed(1)
    chosen = GlimpseOptions(**{"glimpses": 3, "glimpse_size": 4, "glimpse_units": 5, "samples": 2, **looking})
    model = Glimpses(GlimpseEncoder(channels, options, chosen), "last", Softmax(3))
    torch.nn.init.normal_(model.encoder.next_place.weight)
    return model


def pictures(count=4, channels=1, side=9):
    chance = torch.Generator().manual_seed(2)
    return Batch({"frames": torch.rand(1, count, channels, side, side + 1, generator=chance)}, None, torch.arange(count) % 3)


def seen_by_hand(picture, row, column, size, scales):
    """One glimpse, pixel by pixel."""
    found = []
    for zoom in (2**scale for scale in range(scales)):
        for plane in picture:
            for i in range(size):
                for j in range(size):
                    total = 0.0
                    for y in range(zoom):
                        for x in range(zoom):
                            at = row - size * zoom // 2 + i * zoom + y, column - size * zoom // 2 + j * zoom + x
                            total += plane[at] if 0 <= at[0] < plane.shape[0] and 0 <= at[1] < plane.shape[1] else 0.0
                    found.append(total / zoom**2)
    return found


@pytest.mark.parametrize(("size", "scales", "channels"), [(4, 1, 1), (3, 3, 1), (2, 2, 3), (1, 1, 1)])
def test_the_sensor_sees_what_a_loop_sees_up_to_every_corner(size, scales, channels):
    batch = pictures(3, channels)["frames"][0]
    sensor = GlimpseSensor(size, scales)
    at = torch.tensor([[0, 0], [9, 10], [0, 10], [4, 3], [9, 0], [8, 7]])
    which = torch.tensor([0, 1, 2, 0, 1, 2])
    found = sensor.glimpses(sensor.blurred(batch), which, at)
    wanted = [seen_by_hand(batch[w].double().numpy(), *place, size, scales) for w, place in zip(which, at.tolist(), strict=True)]
    assert found.shape == (6, channels * sensor.numbers)
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-5, atol=1e-6)


def drawn(means, places, **more):
    """A way of looking that was drawn, before which the outputs `[T, N, 2]` were some numbers."""
    steps, count = means.shape[:2]
    before = torch.arange(2.0 * steps * count).reshape(steps, count, 2) / 10
    given = {"pixels": places, "read": before, "before": before, "after": before, "lengths": torch.full((count,), steps), **more}
    return Path(means, places, **given)


def of_two(**looking):
    model = network(options=EncoderOptions(cell="gru", hidden=2, bidirectional=False, dropout=0.0), **looking)
    with torch.no_grad():
        model.expected.weight.copy_(torch.tensor([[0.5, -0.25]]))
        model.expected.bias.fill_(0.125)
    return model


def expected_by_hand(path):
    return (path.before.numpy() @ np.array([0.5, -0.25]) + 0.125).astype(np.float64)


def test_places_are_moved_by_how_much_better_they_came_out_than_expected():
    """The gradient of REINFORCE with a baseline, worked out by hand: of -log N(place; mean, σ²) times what was gained, for each place."""
    model = of_two(location_deviation=0.2)
    means = torch.tensor([[[0.1, -0.2], [0.0, 0.3]], [[0.4, 0.4], [-0.5, 0.2]]], requires_grad=True)
    places = torch.tensor([[[0.3, -0.1], [0.1, 0.1]], [[0.4, 0.5], [-0.2, 0.1]]])
    path, rewards = drawn(means, places), torch.tensor([1.0, 0.0])
    loss = model.loss_of_looking(path, rewards)
    loss.backward()
    apart = rewards.numpy() - expected_by_hand(path)
    np.testing.assert_allclose(means.grad, -(places - means.detach()).numpy() / 0.2**2 * apart[..., None], rtol=1e-5)
    before = path.before.numpy()
    np.testing.assert_allclose(model.expected.weight.grad[0], -2 * (apart[..., None] * before).sum((0, 1)), rtol=1e-5)
    np.testing.assert_allclose(model.expected.bias.grad[0], -2 * apart.sum(), rtol=1e-5)
    likely = -((places - means.detach()).numpy() ** 2).sum(-1) / (2 * 0.2**2)
    np.testing.assert_allclose(loss.item(), (apart**2).sum() - (apart * likely).sum(), rtol=1e-5)


def test_reinforce_estimates_the_derivative_of_what_is_expected():
    """A place above 0.1 gives 1: of the mean m of a normal place the derivative of that chance is the density there."""
    model = network(location_deviation=0.5)
    torch.manual_seed(5)
    mean = torch.tensor(0.3, requires_grad=True)
    means = torch.stack([mean, torch.tensor(0.0)]).expand(1, 200_000, 2)
    places = means.detach() + 0.5 * torch.randn(means.shape)
    rewards = (places[0, :, 0] > 0.1).float()
    before = torch.zeros(1, len(rewards), 6)
    path = Path(means, places, places, before, before, before, torch.ones(len(rewards), dtype=torch.int64))
    (-model.loss_of_looking(path, rewards) / len(rewards)).backward()
    density = math.exp(-(((0.1 - 0.3) / 0.5) ** 2) / 2) / (0.5 * math.sqrt(2 * math.pi))
    assert abs(mean.grad.item() - density) < 0.02 * density


def test_stopping_is_learnt_by_hand_too_and_what_was_not_taken_does_not_count():
    """Of three ways one stopped after the first glimpse, one after the second, one never."""
    model = of_two(stop_action=True, location_deviation=0.2)
    places = torch.rand(3, 3, 2, generator=torch.Generator().manual_seed(3))
    means = torch.zeros(3, 3, 2, requires_grad=True)
    enough = torch.tensor([[0.5, -0.5, 0.2], [0.1, 0.3, -1.0]], requires_grad=True)
    path = drawn(means, places, lengths=torch.tensor([1, 2, 3]), enough=enough)
    rewards = torch.tensor([1.0, 0.5, 0.0])
    model.loss_of_looking(path, rewards).backward()
    apart = rewards.numpy() - expected_by_hand(path)
    stops = 1 / (1 + np.exp(-enough.detach().numpy()))
    took = np.array([[1, 0, 0], [0, 1, 0]])
    asked = np.array([[1, 1, 1], [0, 1, 1]])
    np.testing.assert_allclose(enough.grad, -(took - stops) * apart[1:] * asked, rtol=1e-5, atol=1e-7)
    known = np.array([[1, 1, 1], [1, 1, 1], [0, 1, 1]])
    np.testing.assert_allclose(model.expected.bias.grad[0], -2 * (apart * known).sum(), rtol=1e-5)
    taken = np.array([[1, 1, 1], [0, 1, 1], [0, 0, 1]])
    np.testing.assert_allclose(means.grad, -places.numpy() / 0.2**2 * (apart * taken)[..., None], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("stop", [False, True])
def test_the_labels_do_not_teach_where_to_look_nor_that_how_to_read(stop):
    model = network(stop_action=stop)
    looking = {"encoder.next_place.weight", "encoder.next_place.bias"} | ({"encoder.stop.weight", "encoder.stop.bias"} if stop else set())
    expected = {"expected.weight", "expected.bias"}
    path = model.encoder.look(pictures(), 2)
    model.head.loss(model.scores_of(path), torch.arange(8) % 3).backward()
    reading = {name for name, parameter in model.named_parameters() if parameter.grad is not None and parameter.grad.any()}
    assert reading.isdisjoint(looking | expected) and {"encoder.what.weight", "encoder.where.weight", "linear.weight"} <= reading
    model.zero_grad()
    path = model.encoder.look(pictures(), 2)
    model.loss_of_looking(path, torch.arange(8.0) % 2).backward()
    assert {name for name, parameter in model.named_parameters() if parameter.grad is not None} == looking | expected
    assert not path.places.requires_grad


def test_the_loss_is_the_mean_of_all_ways_summed_over_pictures():
    model, batch = network(samples=3), pictures()
    torch.manual_seed(7)
    loss, count = model.loss(batch)
    torch.manual_seed(7)
    path = model.encoder.look(batch, 3)
    scores, targets = model.scores_of(path), batch.targets.repeat_interleave(3)
    rewards = (scores.argmax(1) == targets).float()
    wanted = torch.nn.functional.cross_entropy(scores, targets, reduction="sum") + model.loss_of_looking(path, rewards)
    assert count == 4 and 0 < rewards.sum() < 12
    torch.testing.assert_close(loss, wanted / 3)


def test_glimpses_cost_what_they_take_where_the_network_may_stop():
    model = network(stop_action=True, glimpse_cost=0.1)
    scores, targets = torch.eye(3), torch.tensor([0, 1, 0])
    torch.testing.assert_close(model._rewards(scores, targets, torch.tensor([1, 3, 2])), torch.tensor([0.9, 0.7, -0.2]))


@pytest.mark.parametrize("cell", ["elman", "lstm", "gru"])
@pytest.mark.parametrize("layers", [1, 2])
def test_any_cell_reads_the_glimpses_step_by_step_as_it_would_at_once(cell, layers):
    options = EncoderOptions(cell=cell, hidden=6, layers=layers, bidirectional=False, dropout=0.0)
    model = network(options=options).eval()
    path = model.encoder.look(pictures())
    outputs, _ = model.encoder.recurrent(path.read)
    torch.testing.assert_close(path.after, outputs)
    torch.testing.assert_close(path.before[1:], outputs[:-1])
    torch.testing.assert_close(path.means, model.encoder.next_place(path.before).tanh())


def test_without_samples_it_looks_where_it_says_and_draws_nothing():
    model = network().eval()
    state = torch.random.get_rng_state()
    path = model.encoder.look(pictures())
    assert torch.equal(path.places, path.means) and torch.equal(torch.random.get_rng_state(), state)
    sizes = torch.tensor([9, 10])
    assert torch.equal(path.pixels, ((path.places + 1) / 2 * sizes).round().long())
    assert path.places[1:].std() > 0


def test_samples_at_test_are_averaged_and_the_same_every_time():
    model, batch = network(test_samples=5, location_deviation=0.5).eval(), pictures()
    state = torch.random.get_rng_state()
    scores = model(batch)
    assert torch.equal(torch.random.get_rng_state(), state) and torch.equal(model(batch), scores)
    path = model.encoder.look(batch, 5)
    torch.testing.assert_close(scores, model.scores_of(path).view(4, 5, 3).mean(1))
    with model.looking_otherwise(test_samples=0):
        assert not torch.allclose(model(batch), scores)
    assert torch.equal(model(batch), scores)


def test_drawn_places_lie_around_what_was_said():
    model = network(location_deviation=0.1)
    path = model.encoder.look(pictures(1), 4000)
    apart = (path.places - path.means).detach()
    assert abs(apart.mean()) < 0.005 and abs(apart.std() - 0.1) < 0.005


def test_random_glimpses_are_anywhere_and_are_not_learnt():
    model = network(locations="random")
    path = model.encoder.look(pictures(1), 4000)
    assert -1 <= path.places.min() < -0.99 and 0.99 < path.places.max() <= 1 and abs(path.places.mean()) < 0.02
    model.loss(pictures())[0].backward()
    assert model.encoder.next_place.weight.grad is None and model.expected.weight.grad is None


def test_a_network_stops_where_it_is_as_likely_as_not_enough():
    model = network(stop_action=True).eval()
    with torch.no_grad():
        model.encoder.stop.weight.copy_(torch.linspace(-9, 9, 6))
    path = model.encoder.look(pictures(30))
    for row, length in enumerate(path.lengths.tolist()):
        wanted = next((step + 1 for step in range(2) if path.enough[step, row] > 0), 3)
        assert length == wanted
    assert len({*path.lengths.tolist()}) > 1
    torch.testing.assert_close(model(pictures(30)), model.linear(path.after[path.lengths - 1, torch.arange(30)]))


def test_videos_are_refused():
    with pytest.raises(ShapeError, match=r"reads pictures of one frame, \[1, B, C, H, W\], got shape \[2, 4, 1, 9, 10\]"):
        network().encoder.look(Batch({"frames": torch.zeros(2, 4, 1, 9, 10)}))
    with pytest.raises(ShapeError, match="got none"):
        network().encoder.look(Batch({"numbers": torch.zeros(2, 4, 1)}))


@pytest.mark.parametrize(
    ("name", "value"),
    [("glimpses", 0), ("glimpse_size", 0), ("scales", 9), ("samples", 0), ("test_samples", -1), ("locations", "here"),
     ("location_deviation", 0.0), ("location_deviation", math.inf), ("glimpse_cost", -0.1)],
)  # fmt: skip
def test_options_that_cannot_be(name, value):
    with pytest.raises(ConfigError, match=f"`{name}` must be .* got {value!r}"):
        GlimpseOptions(**{name: value})
