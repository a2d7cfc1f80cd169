"""One label for a sequence."""

from torch import Tensor, nn

from unrolled.layers import dropout
from unrolled.models.encoder import Encoder
from unrolled.models.inputs import Inputs
from unrolled.models.outputs import Output
from unrolled.models.pooling import Pooling


class Classifier(nn.Module):
    """An encoder, whose steps become one vector, of which a linear layer makes scores; `output` says what these mean.

    In training, parts of the vector are dropped with the encoder's probability.
    """

    def __init__(self, encoder: Encoder, pooling: str, output: Output) -> None:
        super().__init__()
        self.encoder, self.output = encoder, output
        self.pooling = Pooling(pooling, encoder.width, encoder.directions)
        self.linear = nn.Linear(encoder.width, output.size)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Begin anew what the parts begin in another way: the scores without a bias."""
        nn.init.zeros_(self.linear.bias)

    def forward(self, inputs: Inputs) -> Tensor:
        """Scores `[B, size]`."""
        outputs, _ = self.encoder(inputs)
        pooled = self.pooling(outputs, inputs.lengths)
        return self.linear(dropout(pooled, self.encoder.dropout, self.training))
