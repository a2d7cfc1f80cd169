"""What a network makes of one picture: what each word owes to it, where it looked, and which parts of it moved the word."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log2

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unrolled import inspect
from unrolled.data.batches import Batch
from unrolled.data.pictures.pixels import Pixels
from unrolled.inspect.report import Bars, Drawing, Part, Section
from unrolled.models import FRAMES, NUMBERS, EncoderDecoder, blinded
from unrolled.tasks.captioning.caption import Caption
from unrolled.tasks.captioning.captions import Captions
from unrolled.tasks.captioning.looking import as_bytes
from unrolled.tasks.captioning.trained import TrainedCaptioner

_LEAST = 1e-9
"""Probabilities below are taken for this one, so that bits are numbers."""


@dataclass(frozen=True)
class Looked:
    """A picture with what was written about it: the probability of each symbol, seeing and blind `[T]`, and how much each pixel, place or frame `moved` each of
    them, `[T, …]`, the largest of each 1."""

    name: str
    caption: Caption
    seeing: NDArray[np.float64]
    blind: NDArray[np.float64] | None
    moved: NDArray[np.float32]
    frames: Pixels | None


def look_into(trained: TrainedCaptioner, captions: Captions, picture: int, frames: Pixels | None) -> Looked:
    """What is known of one of some pictures."""
    (best,) = trained.write(captions, np.array([picture]))
    batch = captions.seen(np.array([picture])).to(trained.device)
    ids = torch.tensor(best[0].ids, device=trained.device)
    field = FRAMES if FRAMES in batch.fields else NUMBERS
    x = batch[field].clone().requires_grad_()
    with torch.enable_grad():
        logs = _logs(trained.model, replace(batch, fields={field: x}), ids)
        found = [torch.autograd.grad(log, x, retain_graph=True)[0][:, 0] for log in logs]
    # Of pixels or numbers how much they moved a word altogether; of videos each frame.
    kept = 1 if len(x) > 1 or field == NUMBERS else 3
    moved = [_summed(gradient * x.detach()[:, 0], kept) for gradient in found]
    blind = trained.model.blind
    with torch.inference_mode():
        without = None if blind is None else _logs(blind, blinded(batch), ids).exp().double().cpu().numpy()
    return Looked(captions.names[picture], best[0], logs.detach().exp().double().cpu().numpy(), without, np.stack(moved), frames)


def _logs(model: EncoderDecoder, batch: Batch, ids: Tensor) -> Tensor:
    """log P of each symbol of one sentence, `[T]`."""
    asked = replace(batch, targets=ids[:, None], target_lengths=torch.tensor([len(ids)], device=ids.device))
    return model.log_probabilities(asked)[:, 0]


def _summed(moved: Tensor, kept: int) -> NDArray[np.float32]:
    """Absolute values `[T, C, H, W]` or `[T, C]` summed over channels, and over all of a frame if only frames are `kept`."""
    summed = moved.abs().sum(1)
    plain = summed[0] if kept > 1 else summed.flatten(1).sum(1) if summed.dim() > 1 else summed
    found: NDArray[np.float32] = (plain / plain.max().clamp(min=torch.finfo(plain.dtype).tiny)).cpu().numpy()
    return found


def sections_of(trained: TrainedCaptioner, looked: Looked) -> list[Section]:
    """The sections of a page."""
    sections = [_worth(looked)]
    if looked.caption.weights is not None:
        rows, columns = looked.caption.grid
        shown = f"Attention over {'frames' if trained.codecs.moving else f'{rows} × {columns} places'} at each word; light, or dark of frames, is much."
        figure = _drawing("looked", looked, looked.caption.weights, (rows, columns), shown)
        sections.append(Section("looked", "Where it looked", shown, _most_looked(looked), [figure]))
    shown = "The gradient of each word's log-probability, times what it is of, in absolute value: light, or dark of frames, is much."
    places = looked.moved.shape[1:] if looked.moved.ndim > 2 else looked.caption.grid
    verdict = "What of the picture would change a word if it were another."
    return [*sections, Section("moved", "What moved each word", shown, verdict, [_drawing("moved", looked, looked.moved, places, shown)])]


def _worth(looked: Looked) -> Section:
    symbols, seeing = looked.caption.written, looked.seeing
    titles = [f"P {p:.1%}" for p in seeing]
    numbers = {"picture": looked.name, "written": list(symbols), "seeing": seeing.round(6).tolist()}
    verdict = f"“{looked.caption.text}” has a probability of {float(np.exp(looked.caption.log_probability)):.2%}."
    shows = "The probability of each word after those before it: of the network that sees, and of the one that sees nothing."
    parts: list[Part] = []
    if looked.blind is not None:
        bits = [log2(max(p, _LEAST)) - log2(max(q, _LEAST)) for p, q in zip(seeing.tolist(), looked.blind.tolist(), strict=True)]
        most = int(np.argmax(bits))
        verdict += f" The picture is worth {sum(bits):.1f} bits, most at “{symbols[most]}”: {seeing[most]:.1%} instead of {looked.blind[most]:.1%}."
        titles = [f"seeing {p:.1%}, blind {q:.1%}: {b:+.1f} bits" for p, q, b in zip(seeing, looked.blind, bits, strict=True)]
        numbers |= {"blind": looked.blind.round(6).tolist(), "bits": [round(bit, 4) for bit in bits]}
        parts.append(Bars("Without the picture", symbols, looked.blind.tolist(), titles))
    return Section(
        "worth", "What the picture is worth", shows, verdict, [Bars("With the picture", symbols, seeing.tolist(), titles), *parts], numbers
    )


def _most_looked(looked: Looked) -> str:
    weights = looked.caption.weights
    assert weights is not None
    sure = weights.max(1)
    return f"It looked most narrowly at “{looked.caption.written[int(sure.argmax())]}”, {sure.max():.0%} at one place."


def _drawing(name: str, looked: Looked, weights: NDArray[np.float32], places: Sequence[int], told: str) -> Drawing:
    written = looked.caption.written
    if looked.frames is not None and len(looked.frames) > 1:
        return Drawing(name, inspect.draw.watching(as_bytes(looked.frames), written, weights), told, wide=True)
    rows, columns = places
    picture = np.full((8 * rows, 8 * columns, 1), 255, np.uint8) if looked.frames is None else as_bytes(looked.frames)[0]
    return Drawing(name, inspect.draw.attending(picture, written, weights.reshape(-1, rows, columns)), told, wide=True)
