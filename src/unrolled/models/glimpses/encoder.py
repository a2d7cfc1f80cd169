"""A recurrent network that reads a picture glimpse by glimpse, and says where to look next."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from unrolled.cells import Cell
from unrolled.data.batches import Batch
from unrolled.errors import ShapeError
from unrolled.models.encoder import Encoder, State
from unrolled.models.glimpses.options import RANDOM, GlimpseOptions
from unrolled.models.glimpses.sensor import GlimpseSensor
from unrolled.models.inputs import FRAMES, NUMBERS, InputSizes
from unrolled.models.options import EncoderOptions

_SEED = 2014
"""Seeds what is drawn when a network is not trained, so that it answers the same every time."""


@dataclass(frozen=True)
class Path:
    """How N pictures were looked at, in T glimpses each.

    Places are rows and columns from -1 to 1, where 0 is the middle of the picture. `means` `[T, N, 2]` are those that the network said, around
    which `places` `[T, N, 2]` were drawn, and `pixels` `[T, N, 2]` the rows and columns where these are. `read` `[T, N, H]` is what the layers
    read of each glimpse, and `before` and `after` `[T, N, H]` are the outputs of the last one before and after it. Of a network that may stop,
    `enough` `[T - 1, N]` are the log-odds that it does so after each glimpse but the last. It took `lengths` `[N]` glimpses.
    """

    means: Tensor
    places: Tensor
    pixels: Tensor
    read: Tensor
    before: Tensor
    after: Tensor
    lengths: Tensor
    enough: Tensor | None = None


class GlimpseEncoder(Encoder):
    """Recurrent layers over glimpses (Mnih et al. 2014, "Recurrent models of visual attention").

    What a glimpse shows and where it is become rectified units each, and both together one vector of the hidden size, which the layers read.
    Where to look next is tanh of a linear layer of their output; no gradient flows through it into the rest, as a place is learnt by what comes
    of it (`Glimpses`). So the first place is said before anything is seen. With `stop_action` a linear layer also says whether that was enough.

    Args:
        channels: those of the pictures.
        options: the recurrent layers.
        looking: how pictures are looked at.
        cell: taken in the place of the one that the options name.
    """

    def __init__(self, channels: int, options: EncoderOptions, looking: GlimpseOptions, cell: Cell | None = None) -> None:
        super().__init__(InputSizes(numbers=options.hidden), options, cell)
        self.looking, self.sensor = looking, GlimpseSensor(looking.glimpse_size, looking.scales)
        units = looking.glimpse_units
        self.what, self.where = nn.Linear(channels * self.sensor.numbers, units), nn.Linear(2, units)
        self.both = nn.Linear(2 * units, options.hidden)
        self.next_place = nn.Linear(self.width, 2)
        self.stop = nn.Linear(self.width, 1) if looking.stop_action else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Begin anew what begins in another way: all places are near the middle, and it is as likely to go on as to stop."""
        for layer in filter(None, (self.next_place, self.stop)):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """As many outputs for every picture as there are glimpses."""
        return torch.full_like(lengths, self.looking.glimpses)

    def forward(self, batch: Batch, state: State | None = None) -> tuple[Tensor, State]:
        """The output after each glimpse of each picture, `[T, B, width]`, where it looks by itself. No stream goes on from it: there are no states."""
        return self.look(batch).after, ()

    def read(self, batch: Batch, tail: Tensor | None = None) -> tuple[Tensor, State]:
        """What the recurrent layers read of each glimpse, `[T, B, I]`, where it looks by itself."""
        return self.look(batch).read, ()

    def look(self, batch: Batch, samples: int = 0) -> Path:
        """Look at pictures, the frames `[1, B, C, H, W]` of a batch, in so many ways each: N = B · samples, those of a picture in a row.

        Without `samples` it looks at each once, exactly where it says. In training what is drawn comes from torch's own generator, and else from
        one that begins anew at each call. `ShapeError` for a batch of videos.
        """
        pictures = _pictures(batch).to(self.both.weight.dtype)
        which = torch.arange(len(pictures), device=pictures.device).repeat_interleave(max(samples, 1))
        blurred, size = self.sensor.blurred(pictures), torch.tensor(pictures.shape[2:], device=pictures.device)
        generator = None if self.training else torch.Generator(pictures.device).manual_seed(_SEED)
        draw = self._drawing(samples, generator)
        state = self.begin(len(which))
        before, steps = state[0][-1], []
        for _ in range(self.looking.glimpses):
            mean = self.next_place(before.detach()).tanh()
            place = draw(mean.detach())
            at = ((place.clamp(-1, 1) + 1) / 2 * size).round().long()
            vector = self._vector(self.sensor.glimpses(blurred, which, at), place)
            outputs, state = super().forward(Batch({NUMBERS: vector[None]}), state)
            steps.append((mean, place, at, vector, before, outputs[0]))
            before = outputs[0]
        means, places, pixels, read, earlier, after = map(torch.stack, zip(*steps, strict=True))
        enough = None if self.stop is None else self.stop(after[:-1].detach())[..., 0]
        return Path(means, places, pixels, read, earlier, after, self._lengths(which, enough, samples, generator), enough)

    def _vector(self, seen: Tensor, places: Tensor) -> Tensor:
        """Glimpses `[N, G]` at `places` `[N, 2]`, each as one vector `[N, H]`."""
        parts = self.what(seen).relu(), self.where(places).relu()
        vector: Tensor = self.both(torch.cat(parts, 1)).relu()
        return vector

    def _drawing(self, samples: int, generator: torch.Generator | None) -> Callable[[Tensor], Tensor]:
        """What makes places of their means."""
        if self.looking.locations == RANDOM:
            return lambda mean: 2 * torch.rand(mean.shape, generator=generator, device=mean.device) - 1
        if not samples:
            return lambda mean: mean
        deviation = self.looking.location_deviation
        return lambda mean: mean + deviation * torch.randn(mean.shape, generator=generator, device=mean.device)

    def _lengths(self, which: Tensor, enough: Tensor | None, samples: int, generator: torch.Generator | None) -> Tensor:
        """How many glimpses were taken, `[N]`: up to the first that was enough."""
        if enough is None:
            return torch.full_like(which, self.looking.glimpses)
        drawn = torch.rand(enough.shape, generator=generator, device=enough.device) if samples else torch.full_like(enough, 0.5)
        goes_on = enough.detach().sigmoid() <= drawn
        return 1 + goes_on.long().cumprod(0).sum(0)


def _pictures(batch: Batch) -> Tensor:
    """`[B, C, H, W]`."""
    frames = batch.fields.get(FRAMES)
    if not isinstance(frames, Tensor) or len(frames) != 1:
        found = "none" if not isinstance(frames, Tensor) else f"shape {list(frames.shape)}"
        raise ShapeError(
            f"A network that looks in glimpses reads pictures of one frame, [1, B, C, H, W], got {found}. Pass pictures, or leave out `image='glimpses'`."
        )
    return frames[0]
