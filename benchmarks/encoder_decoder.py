"""What an encoder-decoder network costs: training, the output layer's share of it, and greedy and beam search.

    python benchmarks/encoder_decoder.py                        # a vocabulary of 8000, 512 units, LSTM; some minutes
    python benchmarks/encoder_decoder.py --symbols 60 --hidden 128 --cell gru --attention additive

Everything is timed in turn, in one process, with weights as they are drawn. Milliseconds are medians with quartiles. Tokens are symbols of
the target with its end; a search writes until its limit, as the network has learnt no end. "output layer" is the product with the output
matrix and the loss, forward and back, by themselves.
"""

import argparse
import statistics
from collections.abc import Callable

import torch
from torch import Tensor

from side_by_side.material import Contender
from side_by_side.method import WARM_UP_SECONDS
from side_by_side.timing import take_turns
from unrolled.decoding import BeamOptions, beam_search
from unrolled.models import EncoderDecoder, EncoderDecoderOptions

BATCH, STEPS, LIMIT, WIDTHS = 64, 10, 12, (1, 5)


def training(model: EncoderDecoder, source: Tensor, lengths: Tensor) -> Callable[[], None]:
    """A step of learning to repeat the source."""
    optimiser = torch.optim.AdamW(model.parameters(), 1e-4, fused=True)

    def call() -> None:
        optimiser.zero_grad()
        model.loss_of(source, lengths, source, lengths).backward()
        optimiser.step()

    return call


def output_layer(model: EncoderDecoder, rows: int) -> Callable[[], None]:
    """What training does with the output matrix, for so many symbols."""
    features, wanted = torch.randn(rows, model.decoder.width, requires_grad=True), torch.randint(model.symbols, (rows,))

    def call() -> None:
        model.zero_grad()
        torch.nn.functional.cross_entropy(model.logits(features), wanted, reduction="sum").backward()

    return call


def search(model: EncoderDecoder, source: Tensor, lengths: Tensor, width: int) -> Callable[[], None]:
    """Reading, and writing as much as there may be: the end has next to no probability."""

    @torch.no_grad()
    def call() -> None:
        model.output.bias[model.end] = -50.0
        memory = model.encode(source, lengths)
        beam_search(model.step, model.begin(memory), memory, [LIMIT] * len(lengths), BeamOptions(width=width))

    return call


def calls(options: EncoderDecoderOptions, symbols: int, tag: str) -> dict[str, tuple[Callable[[], None], int]]:
    """Everything that is timed, and the tokens that it learns or writes."""
    torch.manual_seed(0)
    source, lengths = torch.randint(2, symbols, (STEPS, BATCH)), torch.randint(STEPS // 2, STEPS + 1, (BATCH,))
    tokens = int(lengths.sum())
    learning, writing = (EncoderDecoder(symbols, symbols, options) for _ in range(2))
    found = {
        f"training{tag}": (training(learning, source, lengths), tokens),
        f"its output layer alone{tag}": (output_layer(learning, tokens), tokens),
    }
    for batch in (1, BATCH):
        for width in WIDTHS:
            name = f"{'greedy search' if width == 1 else f'beam {width}'}, batch {batch}{tag}"
            found[name] = search(writing.eval(), source[:, :batch], lengths[:batch], width), batch * (LIMIT + 1)
    return found


def main() -> None:
    """Time everything in turn and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("symbols", 8000), ("hidden", 512), ("embedding", 256), ("rounds", 15), ("threads", torch.get_num_threads())):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--cell", default="lstm")
    parser.add_argument("--attention", default="general")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    timed: dict[str, tuple[Callable[[], None], int]] = {}
    for narrow, tag in ((False, ""), (True, ", bfloat16")):
        shape = {name: getattr(asked, name) for name in ("cell", "hidden", "embedding", "attention")}
        timed |= calls(EncoderDecoderOptions(bfloat16=narrow, **shape), asked.symbols, tag)
    contenders = [Contender(name, call, dict) for name, (call, _) in timed.items()]
    samples = take_turns(contenders, asked.rounds, None, WARM_UP_SECONDS, 0, lambda: False)
    print(f"{'':44} {'ms':>9} {'quartiles':>17} {'tokens/s':>9}")
    for name, (_, tokens) in timed.items():
        low, middle, high = (1e3 * q for q in statistics.quantiles(samples[name].seconds, n=4, method="inclusive"))
        print(f"{name:44} {middle:9.2f} {low:8.2f} {high:8.2f} {1e3 * tokens / middle:9.0f}")


if __name__ == "__main__":
    main()
