"""What a network of next frames makes of a clip: which frames and pixels move what it says, and what its gates do, as maps."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from unrolled.inspect import draw
from unrolled.inspect.report import Drawing, Section
from unrolled.inspect.report.wording import plain
from unrolled.inspect.subject import still
from unrolled.layers import Lines
from unrolled.models import NextFrames


def sections_of(model: NextFrames, past: Tensor) -> list[Section]:
    """About one clip, of which the `past` `[P, 1, C, H, W]` is read."""
    copied = still(model)
    past = past.double()
    shown = past[:, 0].mean(1).cpu().numpy()
    lines = copied.lines(past)
    return [_moves(copied, past, shown), *([_gates(lines, shown, copied)] if lines else [])]


def _moves(model: NextFrames, past: Tensor, shown: np.ndarray) -> Section:
    frames = past.clone().requires_grad_()
    with torch.enable_grad():
        said = model(frames, model.future)[0]
        # Less the last frame as it is, which would else move its own copy most.
        (slopes,) = torch.autograd.grad((said - past[-1]).square().sum(), frames)
    moves = slopes[:, 0].square().sum(1).sqrt().cpu().numpy()
    each = np.sqrt((moves**2).sum((1, 2)))
    parts = each / max(float(each.sum()), 1e-300)
    most = int(parts.argmax())
    return Section(
        "pixels",
        "What it looks at",
        "The derivative, with respect to each pixel of the past, of how much the next frame differs from the last one: its norm over the channels. It says "
        "what a small change would do, not what the network would say without that part.",
        f"Frame {most} of {len(parts)} moves the next frame most: {parts[most]:.0%} of what all do; those before the last two {parts[:-2].sum():.0%}.",
        [Drawing("pixels", draw.pixels(shown, moves, parts), "The frames that move the next one most, and where", wide=True)],
        {"by_frame": plain(parts)},
    )


def _gates(lines: Sequence[Lines], shown: np.ndarray, model: NextFrames) -> Section:
    """The lines of the last layer, of each the channel that changes most."""
    assert model.recurrent is not None
    last, texts = lines[-1], {e.name: e.expression for e in model.recurrent.cell.recurrence.equations}
    bounds = {name: found for name, text in texts.items() if (found := getattr(text, "bounds", None))}
    ends = {name: found for name, text in texts.items() if (found := getattr(text, "ends", None))}
    values = {name: value[:, 0].cpu().numpy() for name, value in last.values.items()}
    channels = {name: int(value.std((0, 2, 3)).argmax()) for name, value in values.items()}
    saturated = {name: (float((values[name] <= low).mean()), float((values[name] >= high).mean())) for name, (low, high) in ends.items()}
    told = "; ".join(f"{name} {left:.0%} left and {right:.0%} right" for name, (left, right) in saturated.items())
    caption = f"Layer {last.place[0]}: " + ", ".join(f"channel {channel} of {name}" for name, channel in channels.items())
    return Section(
        "gates",
        "Gates as maps",
        "All that the equations of the last layer name while the past is read: below each frame a map of the channel that changes most. Saturated is a sigmoid "
        "below 0.1 or above 0.9, a tanh below -0.9 or above 0.9, a relu at 0: left is the lower end, right the upper one.",
        f"Saturated: {told}." if told else "No line of the equations ends with a sigmoid, a tanh or a relu.",
        [Drawing("gates", draw.planes(shown, {name: v[:, channels[name]] for name, v in values.items()}, bounds), caption, wide=True)],
        {
            "channels": channels,
            "saturated": {name: {"left": plain(left), "right": plain(right)} for name, (left, right) in saturated.items()},
        },
    )
