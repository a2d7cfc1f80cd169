"""Numbers varied in training."""

import torch

from unrolled.data.batches import Batch
from unrolled.tasks.sequences.augment import varied


def numbers_of(noise, shift, numbers):
    batch = Batch({"numbers": numbers, "words": torch.zeros(numbers.shape[:2], dtype=torch.int64)})
    return varied(noise, shift)(batch)["numbers"]


def test_moved_numbers_are_the_same_elsewhere_and_zero_where_nothing_was():
    torch.manual_seed(3)
    numbers = torch.arange(1.0, 1 + 6 * 40 * 5).reshape(6, 40, 5)
    moved, shifts = numbers_of(0.0, 2, numbers), set()
    for row in range(40):
        original, found = numbers[:, row], moved[:, row]
        wanted = {}
        for dt in range(-2, 3):
            for dc in range(-2, 3):
                shifted = torch.zeros_like(original)
                for t in range(6):
                    for c in range(5):
                        if 0 <= t + dt < 6 and 0 <= c + dc < 5:
                            shifted[t, c] = original[t + dt, c + dc]
                wanted[dt, dc] = shifted
        (shift,) = [s for s, w in wanted.items() if torch.equal(w, found)]
        shifts.add(shift)
    assert len(shifts) > 10


def test_noise_has_its_deviation_and_is_new_each_time():
    torch.manual_seed(4)
    numbers = torch.randn(50, 40, 5)
    once, again = (numbers_of(0.5, 0, numbers) - numbers for _ in range(2))
    for noise in (once, again):
        assert abs(noise.std() - 0.5) < 0.02 and abs(noise.mean()) < 0.02
    assert not torch.equal(once, again)


def test_nothing_else_is_changed():
    batch = Batch({"numbers": torch.zeros(3, 2, 4), "words": torch.ones(3, 2)}, torch.tensor([3, 2]), torch.tensor([0, 1]))
    assert varied(0.0, 0)(batch) is batch
    words = Batch({"words": torch.ones(3, 2)})
    assert varied(0.5, 2)(words) is words
    found = varied(0.5, 2)(batch)
    assert found.fields["words"] is batch.fields["words"]
    assert (found.lengths is batch.lengths, found.targets is batch.targets) == (True, True)
    assert not batch["numbers"].any(), "what was given stays as it was"
