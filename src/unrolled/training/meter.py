"""Loss, gradient norm and speed of the updates since one looked last."""

import time


class Meter:
    """What happened since it was read last."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self.since = time.perf_counter()
        self.losses: list[float] = []
        self.norms: list[float] = []
        self.tokens = 0

    def add(self, loss: float, norm: float, tokens: int) -> None:
        """One more update."""
        self.losses.append(loss)
        self.norms.append(norm)
        self.tokens += tokens

    def seconds(self) -> float:
        """Since it was read last."""
        return time.perf_counter() - self.since

    def read(self) -> dict[str, float]:
        """Mean loss and gradient norm, and tokens per second; then it begins anew."""
        read = {
            "loss": sum(self.losses) / len(self.losses),
            "gradient_norm": sum(self.norms) / len(self.norms),
            "tokens_per_second": self.tokens / max(self.seconds(), 1e-9),
        }
        self._begin()
        return read
