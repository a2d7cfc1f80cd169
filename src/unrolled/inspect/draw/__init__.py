"""Arrays of `unrolled.inspect` as matplotlib figures: `draw.memory(…)` gives a figure, `draw.save(figure, path)` writes it."""

from unrolled.inspect.draw.attending import attending, watching
from unrolled.inspect.draw.backwards import flow, maps, steps
from unrolled.inspect.draw.data import data
from unrolled.inspect.draw.expecting import attention, surprise
from unrolled.inspect.draw.hearing import spoken
from unrolled.inspect.draw.inside import gates, saturation
from unrolled.inspect.draw.looking import Looked, looking
from unrolled.inspect.draw.planes import planes
from unrolled.inspect.draw.playing import roll
from unrolled.inspect.draw.remembering import forgetting, memory
from unrolled.inspect.draw.seeing import pixels
from unrolled.inspect.draw.style import save, to_svg

__all__ = [
    "Looked",
    "attending",
    "attention",
    "data",
    "flow",
    "forgetting",
    "gates",
    "looking",
    "maps",
    "memory",
    "pixels",
    "planes",
    "roll",
    "saturation",
    "save",
    "spoken",
    "steps",
    "surprise",
    "to_svg",
    "watching",
]
