"""A source with what was written after it, as `unrolled.inspect` looks at it."""

import numpy as np
import torch

from unrolled.data.pairs import Codings
from unrolled.data.vocabulary import END
from unrolled.inspect.specimen import Specimen
from unrolled.models import EncoderDecoder


def source_specimen(model: EncoderDecoder, codings: Codings, source: str, target: str, most: int) -> Specimen:
    """A source, of which `most` symbols are read, and a target, as the network numbers them."""
    device = next(model.parameters()).device
    column = lambda ids: torch.from_numpy(np.asarray(ids)[:, None]).to(device)  # noqa: E731
    (ids,), (read,) = codings.sources([source]), codings.read([source])
    targets = codings.copying_targets([target], [source]) if model.copies else codings.targets([target])
    (wanted,) = targets
    symbols = (*codings.source.shown(read), END)
    written = (*codings.target.shown(codings.written(wanted[:-1], source)), END)
    names = codings.target.names(range(codings.target.size))
    return Specimen(
        model,
        column(ids[:most]),
        symbols[:most],
        codings.source.level,
        [*names, *symbols],
        column(wanted),
        written=written,
        copies=column(next(codings.copies([source]))[:most]) if model.copies else None,
        note=f"These are the first {most:,} of {len(symbols):,}" if len(symbols) > most else "",
    )
