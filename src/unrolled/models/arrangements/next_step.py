"""What comes next: one to many, each step predicted from those before it."""

from torch import Tensor, nn

from unrolled.cells import Cell
from unrolled.data.batches import Batch
from unrolled.errors import ConfigError
from unrolled.layers import dropout
from unrolled.models.arrangements.arrangement import Scoring, full_lengths, probabilities_of
from unrolled.models.embedding import Embedding
from unrolled.models.encoder import Encoder, State
from unrolled.models.heads import Head, KeysHead, Softmax
from unrolled.models.inputs import NUMBERS, WORDS, InputSizes
from unrolled.models.options import NextStepOptions


class NextStep(Scoring):
    """P(y[t] | y[1] … y[t-1]): an encoder of one direction, of whose every step a linear layer makes scores for the step after it.

    Args:
        encoder: one that does not read ahead.
        head: what the scores mean.
        line_end: the symbol after which everything before is forgotten: lines are learnt, measured and drawn each as if it stood alone. Where
            numbers are read, the channel that is 1 before the first step of a sequence. None carries the state on, whatever comes.
        tied: the output layer reads the same matrix as the embeddings (Press & Wolf 2017).

    In training, parts of the encoder's outputs are dropped with its probability (Zaremba et al. 2014).
    """

    predicts_input = True
    head: Head

    def __init__(self, encoder: Encoder, head: Head, *, line_end: int | None = None, tied: bool = False) -> None:
        super().__init__()
        if not encoder.streams:
            raise ConfigError("What comes next cannot be read ahead of. Use `bidirectional=False`.")
        self.encoder, self.head, self.line_end = encoder, head, line_end
        self.field = WORDS if encoder.inputs.sizes.words else NUMBERS
        self.linear = nn.Linear(encoder.width, head.size)
        words = encoder.inputs.words
        if tied:
            if words is None or words.weight is None or words.weight.shape != self.linear.weight.shape:
                width = 0 if words is None or words.weight is None else words.width
                raise ConfigError(f"`tied` needs `embedding` equal to `hidden`, got {width} and {encoder.width}.")
            self.linear.weight = words.weight
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Begin anew what the parts begin in another way: the scores without a bias, but for those of keys, of which few sound."""
        super().reset_parameters()
        if isinstance(self.head, KeysHead):
            nn.init.constant_(self.linear.bias[: self.head.keys], self.head.start)

    def begin(self, batch: int) -> State:
        """Every state before the first step."""
        return self.encoder.begin(batch)

    def forward(self, x: Batch | Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Scores `[T, B, size]` for what comes after each step of a batch, and the state to go on with; a tensor has symbols `[T, B]`, or numbers."""
        batch = x if isinstance(x, Batch) else Batch({self.field: x})
        resets = self.resets_of(batch)
        outputs, state = self.encoder(batch if resets is None else Batch(batch.fields, batch.lengths, resets=resets), state)
        return self.linear(dropout(outputs, self.encoder.dropout, self.training)), state

    def resets_of(self, batch: Batch) -> Tensor | None:
        """Where lines begin, `[T, B]`, unless the state is carried on."""
        if self.line_end is None:
            return batch.resets
        return batch[WORDS] == self.line_end if self.field == WORDS else batch[NUMBERS][..., self.line_end] == 1

    def loss(self, batch: Batch, weights: Tensor | None = None) -> tuple[Tensor, int]:
        """The summed loss of the targets `[T, B]`, and how many there are."""
        assert batch.targets is not None
        scores, _ = self(batch)
        count = batch.targets.shape[0] * batch.targets.shape[1] if batch.lengths is None else int(batch.lengths.sum())
        return self.loss_of(scores, batch.targets, batch.lengths, weights), count

    def loss_of(self, scores: Tensor, targets: Tensor, lengths: Tensor | None = None, weights: Tensor | None = None) -> Tensor:
        """The summed loss of all real steps."""
        if lengths is None:
            return self.head.loss(scores, targets, weights)
        real = full_lengths(lengths, scores.shape[0], scores.shape[1], scores.device).mask
        return self.head.loss(scores[real], targets[real], weights)

    def losses_of(self, scores: Tensor, targets: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Of each step, `[T, B]`."""
        return self.head.losses(scores, targets)

    def probabilities_of(self, scores: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Of each symbol after each step, `[T, B, K]`."""
        return probabilities_of(self.head, scores)


def language_model(symbols: int, options: NextStepOptions, cell: Cell | None = None, *, line_end: int | None = None) -> NextStep:
    """A network of the next of so many symbols.

    With Glorot's input maps, embeddings from N(0, (E + H) / 2 E) add to every gate a value of variance one. Shorter ones are drowned by the
    recurrent part: characters are then learnt far more slowly (`docs/results.md`), and more starts are lost. Tied ones begin about as long
    as one, as they make the scores too, and are multiplied where they are read (as in Vaswani et al. 2017, section 3.4).
    """
    size, hidden = options.embedding or 0, options.hidden
    if options.tied and size != hidden:
        raise ConfigError(f"`tied` needs `embedding` equal to `hidden`, got {size} and {hidden}.")
    deviation = ((size + hidden) / (2 * size)) ** 0.5 if size else 1.0
    scale = deviation * size**0.5 if options.tied else 1.0
    encoding = options.encoder()
    words = Embedding(symbols, size, encoding.word_dropout, deviation=deviation / scale, scale=scale)
    return NextStep(Encoder(InputSizes(symbols), encoding, cell, words), Softmax(symbols), line_end=line_end, tied=options.tied)
