"""A source with what was written after it, and with others like it, as `unrolled.inspect` looks at it."""

from collections.abc import Sequence

import numpy as np
import torch

from unrolled.data.codecs import PairCodec
from unrolled.data.vocabulary import END
from unrolled.inspect.inspection_input import InspectionInput, sample_of_ids
from unrolled.models import EncoderDecoder


def source_input(model: EncoderDecoder, codecs: PairCodec, sources: Sequence[str], target: str, whence: str, most: int) -> InspectionInput:
    """The first source, of which `most` symbols are read, and what was written after it, as the network numbers them; and some of the others.

    `whence` says where they are from.
    """
    device, source = next(model.parameters()).device, sources[0].strip()
    column = lambda ids: torch.from_numpy(np.asarray(ids)[:, None]).to(device)  # noqa: E731
    (ids,), (read,) = codecs.sources([source]), codecs.read([source])
    targets = codecs.copying_targets([target], [source]) if model.copies else codecs.targets([target])
    (wanted,) = targets
    symbols = (*codecs.source.shown(read), END)
    written = (*codecs.target.shown(codecs.written(wanted[:-1], source)), END)
    names = codecs.target.strings(range(codecs.target.size))
    one = f"It is the first of {len(sources):,} sources {whence}" if len(sources) > 1 else ""
    cut = f"These are the first {most:,} of {len(symbols):,}" if len(symbols) > most else ""
    return InspectionInput(
        model,
        column(ids[:most]),
        symbols[:most],
        codecs.source.level,
        [*names, *symbols],
        column(wanted),
        written=written,
        copies=column(next(codecs.copies([source]))[:most]) if model.copies else None,
        note=". ".join(filter(None, [one, cut])),
        sample=sample_of_ids([i[:most] for i in codecs.sources(sources)], f"sources {whence}", device),
    )
