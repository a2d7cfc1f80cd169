"""What a network looks at in pictures and videos."""

from unrolled.data.batches import Batch
from unrolled.inspect import draw
from unrolled.inspect.inspection_input import InspectionInput
from unrolled.inspect.pixels import saliency
from unrolled.inspect.report.page import Section
from unrolled.inspect.report.parts import Drawing
from unrolled.inspect.report.wording import plain
from unrolled.models import FRAMES, Scoring


def pixels_section(inspected: InspectionInput, at: int) -> Section | None:
    """Which frames and pixels move the answer; None for a network that reads none."""
    x, model = inspected.x, inspected.model
    if not isinstance(x, Batch) or FRAMES not in x.fields or not isinstance(model, Scoring):
        return None
    found = saliency(model, x, at)
    most = int(found.by_frame.argmax())
    whose = "the answer" if model.once else f"the answer of frame {at}"
    return Section(
        "pixels",
        "What it looks at",
        "The derivative of the highest score with respect to each pixel, its norm over the channels. It says what a small change would do, not what "
        "the network would say without that part.",
        f"Frame {most} moves {whose} most: {found.by_frame[most]:.0%} of what all {len(found.by_frame)} frames do.",
        [
            Drawing(
                "pixels", draw.pixels(found.frames, found.moves, found.by_frame), f"The frames that move {whose} most, and where", wide=True
            )
        ],
        {"by_frame": plain(found.by_frame), "at": found.at},
    )
