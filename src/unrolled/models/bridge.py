"""How the states of a decoder begin."""

import torch
from torch import Tensor, nn

from unrolled.errors import ConfigError
from unrolled.layers import Recurrent

BRIDGES = ZEROS, COPY, MAP, SUMMARY = "zeros", "copy", "map", "summary"

State = tuple[Tensor, ...]


class Bridge(nn.Module):
    """The first states of a decoder from the last ones of an encoder, for any two cells, numbers of layers and directions.

    `"zeros"`: all 0. `"copy"`: each layer's states are those of the same name in the encoder's layer, both directions side by side.
    `"map"`: a learned linear map of all states of all layers and directions (Bahdanau et al. 2015 map one of them, and take tanh of it:
    with the inner states of an LSTM, which are large, that saturates within a few steps of Adam, and the source is never heard of).

    `"summary"`: the same map of a `Summary` of all that the encoder gave.

    An `encoder` is given by the width of the one vector that is mapped, where it has no recurrent layers or is summed up.

    Raises `ConfigError` for another name, or if states cannot be copied.
    """

    def __init__(self, how: str, encoder: Recurrent | int, decoder: Recurrent) -> None:
        super().__init__()
        if how not in BRIDGES:
            raise ConfigError(f"`bridge` must be one of {', '.join(BRIDGES)}, got {how!r}.")
        self.how, self.layers, self.sizes = how, decoder.num_layers, tuple(decoder.state_sizes.values())
        self.directions = 1 if isinstance(encoder, int) else 1 + encoder.bidirectional
        self.places = _copied(encoder, decoder) if how == COPY else ()
        given = encoder if isinstance(encoder, int) else encoder.num_layers * self.directions * sum(encoder.state_sizes.values())
        self.map = nn.Linear(given, self.layers * sum(self.sizes)) if how in (MAP, SUMMARY) else None

    def forward(self, final: State) -> State:
        """States `[L, B, n]` of the decoder from states `[L * D, B, n]` of the encoder."""
        batch = final[0].shape[1]
        if self.map is not None:
            told = torch.cat([state.transpose(0, 1).flatten(1) for state in final], -1)
            mapped = self.map(told).view(batch, self.layers, -1).transpose(0, 1)
            return tuple(part.contiguous() for part in mapped.split(self.sizes, -1))
        if self.how == ZEROS:
            return tuple(final[0].new_zeros(self.layers, batch, size) for size in self.sizes)
        return tuple(self._side_by_side(final[place]) for place in self.places)

    def _side_by_side(self, state: Tensor) -> Tensor:
        """`[L, B, D * n]` for `[L * D, B, n]`."""
        return torch.cat(state.unflatten(0, (-1, self.directions)).unbind(1), -1)


def _copied(encoder: Recurrent | int, decoder: Recurrent) -> tuple[int, ...]:
    """Which state of the encoder is each of the decoder's. `ConfigError` if one has no counterpart."""
    cure = "Use `bridge='map'`, which takes any two."
    if isinstance(encoder, int):
        raise ConfigError(f"`bridge='copy'` needs recurrent layers in the encoder, which has none. {cure}")
    if encoder.num_layers != decoder.num_layers:
        raise ConfigError(f"`bridge='copy'` needs as many layers in both, got {encoder.num_layers} and {decoder.num_layers}. {cure}")
    known, directions = encoder.state_sizes, 1 + encoder.bidirectional
    for name, size in decoder.state_sizes.items():
        if name not in known:
            raise ConfigError(
                f"`bridge='copy'` needs the decoder's state {name!r} in the encoder's cell {encoder.cell.name!r}, "
                f"which has {', '.join(known)}. {cure}"
            )
        if known[name] * directions != size:
            raise ConfigError(
                f"`bridge='copy'` needs `decoder_hidden` equal to what the encoder has in all directions, {known[name] * directions}, "
                f"got {size}. {cure}"
            )
    return tuple(encoder.cell.states.index(name) for name in decoder.cell.states)
