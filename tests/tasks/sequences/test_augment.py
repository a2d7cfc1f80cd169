"""Numbers varied in training."""

import torch

from unrolled.data.batches import Batch
from unrolled.tasks.sequences.augment import Variation
from unrolled.tasks.sequences.options import BatchOptions


def varied(noise, shift):
    return Variation(BatchOptions(noise=noise, shift=shift))


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


def clips(steps=5, batch=40, height=6, width=8):
    return torch.rand(steps, batch, 2, height, width)


def changed(frames, **ways):
    return Variation(BatchOptions(**ways))(Batch({"frames": frames}))["frames"]


def test_clips_are_moved_by_whole_pixels_all_frames_alike():
    torch.manual_seed(5)
    frames = clips()
    found, moves = changed(frames, shift=2), set()
    for row in range(40):
        padded = torch.nn.functional.pad(frames[:, row], (2, 2, 2, 2), mode="replicate")
        wanted = {(y, x): padded[..., y : y + 6, x : x + 8] for y in range(5) for x in range(5)}
        (move,) = [m for m, w in wanted.items() if torch.allclose(w, found[:, row], atol=1e-5)]
        moves.add(move)
    assert len(moves) > 10


def test_half_of_the_clips_are_mirrored():
    torch.manual_seed(6)
    frames = clips()
    found = changed(frames, flip="across")
    mirrored = [torch.allclose(found[:, row], frames[:, row].flip(-1), atol=1e-5) for row in range(40)]
    same = [torch.allclose(found[:, row], frames[:, row], atol=1e-5) for row in range(40)]
    assert all(a != b for a, b in zip(mirrored, same, strict=True)) and 8 < sum(mirrored) < 32


def test_clips_may_also_be_upside_down():
    torch.manual_seed(6)
    frames = clips()
    found, ways = changed(frames, flip="both"), [(), (-1,), (-2,), (-1, -2)]
    seen = [[torch.allclose(found[:, row], frames[:, row].flip(way), atol=1e-5) for way in ways].index(True) for row in range(40)]
    assert {*seen} == {0, 1, 2, 3}


def test_zoomed_clips_show_less_of_what_they_showed():
    torch.manual_seed(7)
    across = torch.linspace(-1, 1, 65)[None, None, None, None].expand(2, 30, 1, 65, 65)
    found = changed(across, zoom=0.5)
    spans = found.amax((0, 2, 3, 4)) - found.amin((0, 2, 3, 4))
    assert (spans > 0.95).all() and (spans < 2.01).all() and spans.std() > 0.1
    assert found.max() <= 1 and found.min() >= -1, "nothing from beyond the edge"


def test_brightness_is_one_for_a_clip():
    torch.manual_seed(8)
    frames = clips()
    apart = changed(frames, brightness=0.5) - frames
    by_clip = apart.mean((0, 2, 3, 4))
    assert torch.allclose(apart, by_clip[:, None, None, None].expand_as(apart), atol=1e-5)
    assert by_clip.abs().max() <= 0.5 and by_clip.std() > 0.15


def test_dropped_frames_show_the_one_before():
    torch.manual_seed(9)
    frames = clips(steps=20)
    found, kept = changed(frames, drop_frames=0.3), 0
    assert torch.equal(found[0], frames[0])
    for step in range(1, 20):
        for row in range(40):
            same = torch.equal(found[step, row], frames[step, row])
            assert same or torch.equal(found[step, row], found[step - 1, row])
            kept += same
    assert abs(kept / (19 * 40) - 0.7) < 0.05
    assert changed(frames) is frames
