"""Which events may follow others, so that what is drawn is music."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import torch
from torch import Tensor

from unrolled.data.codecs.music import EventCodec
from unrolled.data.music.events import BARS, ENDINGS, LENGTH, METER, NOTE, TIE, TOGETHER, is_sound, meter_of
from unrolled.data.vocabulary import UNKNOWN

_MOST_UNITS = 10_080
"""Parts of a quarter note that lengths are counted in, at most; the rarer lengths that need more are not drawn where bars are kept."""


@dataclass(frozen=True)
class Place:
    """Where each of `B` pieces stands: its `last` event and the one `before`, and, in units, how long its bar is by now (`clock`) and should be
    (`meant`), how long the last note is (`sounded`), and whether the bar began at an `edge`, so that it may be shorter. All `[B]`."""

    last: Tensor
    before: Tensor
    clock: Tensor
    meant: Tensor
    sounded: Tensor
    edge: Tensor

    def repeated(self, count: int) -> "Place":
        """The same of `count` pieces in the place of one."""
        return Place(*(part.expand(count) for part in vars(self).values()))


class Grammar:
    """A length comes after each note and rest and nowhere else, a tie after a note, and what sounds together after its length.

    With `full_bars` no note goes over the end of its bar, a bar line stands where the bar is full, or where one ends that may be shorter: the first,
    and those beside a repeat, a double bar or an ending; lengths are such that the rest of the bar can be filled; and a piece begins with its meter.
    """

    def __init__(self, codec: EventCodec, device: torch.device, *, full_bars: bool) -> None:
        symbols = codec.vocabulary.symbols

        def which(holds: Callable[[str], bool]) -> Tensor:
            return torch.tensor([holds(symbol) for symbol in symbols], device=device)

        self.end, self.full_bars = codec.end, full_bars
        self.sounds, self.lengths, self.notes = which(is_sound), which(lambda s: s.startswith(LENGTH)), which(lambda s: s.startswith(NOTE))
        self.ties, self.together, self.bars = which(TIE.__eq__), which(TOGETHER.__eq__), which(BARS.__contains__)
        self.never, self.line, self.endings = which(UNKNOWN.__eq__), which(BARS[0].__eq__), which(ENDINGS.__contains__)
        self.meters = which(lambda s: s.startswith(METER))
        counted = [Fraction(symbol[len(LENGTH) :]) if symbol.startswith(LENGTH) else None for symbol in symbols]
        meant = [Fraction(4 * meter_of(symbol)[0], meter_of(symbol)[1]) if symbol.startswith(METER) else None for symbol in symbols]
        self.unit = _unit([4, *(one for one in (*meant, *counted) if one is not None)])
        self.ticks, self.bar_ticks = (torch.tensor([_ticks(one, self.unit) for one in some], device=device) for some in (counted, meant))
        fillable = _sums({*self.ticks.tolist()} - {0, -1}, max(4 * self.unit, *self.bar_ticks.tolist()))
        self.fillable = torch.tensor(fillable, device=device)

    def begin(self, known: Sequence[int]) -> Place:
        """Where one piece stands after some events."""
        device = self.ticks.device
        nothing = torch.zeros(1, dtype=torch.long, device=device)
        place = Place(nothing + self.end, nothing + self.end, nothing, nothing + 4 * self.unit, nothing, nothing == 0)
        for event in known:
            place = self.after(place, nothing + event)
        return place

    def after(self, place: Place, event: Tensor) -> Place:
        """Where pieces stand after one more event `[B]`."""
        length, bar, together = self.ticks[event].clamp(min=0), self.bars[event], self.together[event]
        clock = place.clock + length - torch.where(together, place.sounded, 0)
        edge = torch.where(bar, ~self.line[event] | (place.edge & (place.clock == 0)), place.edge | self.endings[event])
        return Place(
            event,
            place.last,
            torch.where(bar, 0, clock),
            torch.where(self.meters[event], self.bar_ticks[event], place.meant),
            torch.where(self.lengths[event], length, place.sounded),
            edge,
        )

    def allowed(self, place: Place) -> Tensor:
        """Which events may follow, `[B, V]`."""
        after_sound = self.sounds[place.last][:, None]
        of_note = (self.lengths[place.last] & self.notes[place.before])[:, None]
        tied = self.ties[place.last][:, None]
        plain = ~(self.lengths | self.ties | self.together)
        found = plain | (self.ties & of_note) | (self.together & (of_note | tied))
        found = torch.where(after_sound, self.lengths, found) & ~self.never
        if not self.full_bars:
            return found
        kept = found & self._in_bars(place)
        # Where nothing fills the bar, or what was given has overrun it, the network is left alone.
        return torch.where(kept.any(-1, keepdim=True), kept, found)

    def _in_bars(self, place: Place) -> Tensor:
        """Which events keep the bars as long as they are meant."""
        room = (place.meant - place.clock)[:, None]
        left = room - self.ticks
        fits = (left >= 0) & self.fillable[left.clamp(0, len(self.fillable) - 1)] & (self.ticks > 0)
        ends = (room <= 0) | (place.edge & (place.clock > 0))[:, None]
        found = torch.where(self.lengths, fits, torch.where(self.sounds, room > 0, torch.where(self.line, ends, True)))
        found &= ~self.meters | (place.clock == 0)[:, None]
        return found & (self.meters | (place.last != self.end)[:, None])


def _unit(lengths: Sequence[Fraction | int]) -> int:
    """Into how many parts a quarter note is divided so that the lengths, of which the first go first, are whole numbers of them, as far as that goes."""
    unit = 1
    for length in lengths:
        more = lcm(unit, Fraction(length).denominator)
        unit = more if more <= _MOST_UNITS else unit
    return unit


def _ticks(length: Fraction | None, unit: int) -> int:
    """A length in units; 0 for none, -1 for one that is no whole number of them."""
    return 0 if length is None else int(length * unit) if (length * unit).denominator == 1 else -1


def _sums(parts: set[int], most: int) -> list[bool]:
    """Whether each number from 0 to `most` is a sum of parts, any of them any number of times."""
    found, mask = 1, (1 << (most + 1)) - 1
    for part in parts:
        step = part
        while step <= most:
            found |= found << step & mask
            step *= 2
    return [bit == "1" for bit in reversed(f"{found:0{most + 1}b}")]
