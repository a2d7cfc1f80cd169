"""Numbers varied in training."""

import numpy as np
import pytest
import torch

from tones import tone
from unrolled.data.batches import Batch
from unrolled.data.sound.spectrogram import MelFrames, MelOptions
from unrolled.data.sound.warping import Warping
from unrolled.models import NUMBERS
from unrolled.tasks.sequences.augment import Variation
from unrolled.tasks.sequences.options import BatchOptions, VaryingOptions

LENGTHS = torch.tensor([40, 25, 3])


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


def heard(room=0, each_step=False, **options):
    torch.manual_seed(0)
    x = torch.arange(40.0)[:, None, None] + torch.zeros(40, 3, 6)
    x = (x + 1) * (torch.arange(40)[:, None] < LENGTHS)[..., None]
    batch = Batch({NUMBERS: x}, LENGTHS, x[..., 0].clone())
    found = Variation(VaryingOptions(**options), room=lambda batch: torch.full((3,), room), each_step=each_step)(batch)
    assert each_step or found.targets is batch.targets
    return x, found[NUMBERS], found.targets if each_step else found.lengths


def test_without_options_nothing_changes():
    x, y, lengths = heard()
    assert torch.equal(x, y) and torch.equal(lengths, LENGTHS)


@pytest.mark.parametrize("count", [1, 3])
def test_stretches_of_time_are_blanked_in_all_bands(count):
    x, y, _ = heard(time_masks=count, time_width=5)
    hidden = (y == 0) & (x != 0)
    assert torch.equal(hidden.any(-1), hidden.all(-1)) and hidden.any()
    assert (hidden[..., 0].sum(0) <= torch.minimum(LENGTHS, torch.tensor(5)) * count).all()
    assert torch.equal(y[~hidden], x[~hidden])


def test_bands_are_blanked_at_all_times():
    x, y, _ = heard(frequency_masks=1, frequency_width=0.5)
    hidden = ((y == 0) & (x != 0))[0]
    assert torch.equal(((y == 0) & (x != 0))[:3].all(0), hidden) and (hidden.sum(1) <= 3).all() and hidden.any()


def test_other_speeds_keep_both_ends_and_the_room_that_a_text_needs():
    x, y, lengths = heard(speed=0.5)
    assert (lengths != LENGTHS).any() and ((lengths >= (LENGTHS / 1.5).floor()) & (lengths <= LENGTHS * 2)).all()
    for row, (before, after) in enumerate(zip(LENGTHS.tolist(), lengths.tolist(), strict=True)):
        expected = np.interp(np.linspace(0, before - 1, after), np.arange(before), x[:before, row, 0].numpy())
        assert np.allclose(y[:after, row, 0], expected, atol=1e-4)
    assert heard(room=30, speed=0.5)[2].min() >= 30


def test_targets_of_steps_go_with_them_at_another_speed():
    _, y, targets = heard(50, speed=0.5, each_step=True)
    assert len(targets) == len(y) and len(y) != 40
    # The numbers of a step are its place, and so is its target.
    assert ((targets - y[..., 0]).abs() <= 0.5).all() and torch.equal(targets, targets.round())


def test_a_voice_that_is_warped_is_that_of_a_higher_tone():
    torch.manual_seed(0)
    mel = MelOptions(8000, 40)
    heard = {hertz: MelFrames(mel).feed(tone(hertz, 0.5))[8:24] for hertz in (500, 600, 1000, 1200, 1600, 2000)}
    logs = torch.from_numpy(np.stack(list(heard.values()), 1))
    mean, deviation = logs.mean((0, 1)), logs.std((0, 1)) + 0.1
    standard = (logs - mean) / deviation
    warping = Warping(mel, mean, deviation)
    bands = lambda x: (x * deviation + mean).mean(0).argmax(-1).tolist()  # noqa: E731
    at = dict(zip(heard, bands(standard), strict=True))
    found = dict(zip(heard, bands(warping(standard, torch.tensor([1.2, 1, 1.2, 1, 1.25, 0.8]))), strict=True))
    assert found == {500: at[600], 600: at[600], 1000: at[1200], 1200: at[1200], 1600: at[2000], 2000: at[1600]}
    assert torch.allclose(warping(standard, torch.ones(6)), standard, atol=1e-4)


def test_no_frequency_is_moved_beyond_the_highest():
    places = Warping(MelOptions(8000, 40), torch.zeros(40), torch.ones(40)).places(torch.tensor([0.8, 1.0, 1.25]))
    assert (places.diff(dim=1) > 0).all() and places.min() >= 0 and places.max() <= 39
    assert torch.allclose(places[1], torch.arange(40.0, dtype=torch.float64))
    assert (places[0, :39] > places[1, :39]).all() and (places[2, 1:39] < places[1, 1:39]).all()


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
