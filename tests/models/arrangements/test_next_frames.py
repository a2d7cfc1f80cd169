"""Frames that are said from frames."""

import pytest
import torch

from unrolled.cells import find_cell
from unrolled.data.batches import Batch
from unrolled.errors import ConfigError
from unrolled.models import NextFrames, NextFramesOptions


def network(cell="lstm", shape=(2, 8, 8), past=3, future=4, bounded=True, loss="mse", forcing=0.0, **options):
    torch.manual_seed(0)
    values = {"hidden": 5, "patch": 2, **options}
    made = NextFrames(
        shape, past, future, NextFramesOptions(**values), find_cell(cell), bounded=bounded, loss=loss, teacher_forcing=forcing
    )
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return made


CLIP = torch.rand(7, 2, 2, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_free_running_reads_what_was_said(cell):
    made = network(cell)
    said = made(CLIP[:3])
    read = CLIP[:3]
    for step in range(4):
        following = made(read, 1)[0]
        torch.testing.assert_close(said[step], following)
        read = torch.cat([read, following[None]])


def test_teacher_forcing_reads_what_came():
    made = network()
    forced = made(CLIP[:3], 4, CLIP[3:])
    for step in range(4):
        torch.testing.assert_close(forced[step], made(CLIP[: 3 + step], 1)[0])
    assert not torch.allclose(forced[1:], made(CLIP[:3])[1:])


@pytest.mark.parametrize(("forcing", "truth"), [(0.0, None), (1.0, CLIP[3:])])
def test_the_loss_is_of_all_frames_but_the_first(forcing, truth):
    made = network(forcing=forcing)
    loss, count = made.loss(Batch({"frames": CLIP}))
    past = torch.stack([made(CLIP[: n + 1], 1)[0] for n in range(2)])
    apart = torch.cat([past, made(CLIP[:3], 4, truth)]) - CLIP[1:]
    assert count == apart.numel()
    torch.testing.assert_close(loss, apart.square().sum())


def test_what_is_bounded_stays_within_its_bounds_and_what_stands_still_may_stay():
    made = network()
    assert ((made(CLIP[:3]) >= 0) & (made(CLIP[:3]) <= 1)).all()
    torch.nn.init.constant_(made.last.bias, -20.0)
    torch.nn.init.zeros_(made.last.weight)
    torch.testing.assert_close(made(CLIP[:3]), CLIP[2:3].expand(4, -1, -1, -1, -1), atol=1e-6, rtol=0)
    assert network(bounded=False)(10 * CLIP[:3]).max() > 1


def test_places_are_squares_of_pixels_also_where_they_do_not_fit():
    clip = torch.rand(3, 1, 1, 5, 7)
    made = network(shape=(1, 5, 7), patch=3, kernel_size=1)
    said = made(clip, 1)
    assert said.shape == (1, 1, 1, 5, 7)
    changed = clip.clone()
    changed[:, :, :, :3, :3] = 0
    same = (made(changed, 1) == said)[0, 0, 0]
    assert not same[:3, :3].any() and same[3:].all() and same[:, 3:].all(), "with a kernel of one place squares know nothing of each other"


def test_without_recurrence_all_frames_are_read_side_by_side():
    made = network(layers=0)
    said = made(CLIP[:3])
    assert said.shape == (4, 2, 2, 8, 8) and made.recurrent is None
    loss, count = made.loss(Batch({"frames": CLIP}))
    torch.testing.assert_close(loss, (said - CLIP[3:]).square().sum())
    assert count == said.numel()
    for past, future in ((CLIP[:2], 4), (CLIP[:3], 5)):
        with pytest.raises(ConfigError, match=r"without recurrence says 4 frames from 3, got"):
            made(past, future)


def test_any_number_of_frames_can_be_said_and_losses_have_names():
    assert network()(CLIP[:2], 9).shape[0] == 9
    with pytest.raises(ConfigError, match=r"`loss='cross-entropy'` is for pixels from 0 to 1"):
        network(bounded=False, loss="cross-entropy")
    entropy, _ = network(loss="cross-entropy").loss(Batch({"frames": CLIP}))
    said = network(loss="cross-entropy")
    found = torch.cat([torch.stack([said(CLIP[: n + 1], 1)[0] for n in range(2)]), said(CLIP[:3])])
    torch.testing.assert_close(entropy, -(CLIP[1:] * found.log() + (1 - CLIP[1:]) * (1 - found).log()).sum())
    for options, told in (({"kernel_size": 2}, "odd"), ({"patch": 0}, "at least 1"), ({"input_window": 2}, "for rows of numbers")):
        with pytest.raises(ConfigError, match=told):
            NextFramesOptions(**options)
