"""How fast a large product of matrices is: the yardstick of the same run."""

import torch

from side_by_side.timing import rest, time_calls


class Peak:
    """The best of torch's own product and oneDNN's of square matrices of `side` rows, over all times it was looked at."""

    def __init__(self, dtype: str, side: int) -> None:
        self._side = side
        a = torch.randn(side, side, dtype=getattr(torch, dtype))
        b = torch.randn_like(a)
        self._products = {"torch.mm": lambda: torch.mm(a, b)}
        if dtype == "float32" and torch.backends.mkldnn.is_available():
            self._products["oneDNN (mkldnn._linear_pointwise)"] = lambda: torch.ops.mkldnn._linear_pointwise(a, b, None, "none", [], "")
        self._best = dict.fromkeys(self._products, 0.0)

    def look(self) -> None:
        """Measure each product a few times more."""
        rest()
        with torch.inference_mode():
            for name, product in self._products.items():
                seconds = min(time_calls(product, lambda: None, 1) for _ in range(3))
                self._best[name] = max(self._best[name], 2e-9 * self._side**3 / seconds)

    def found(self) -> dict[str, object]:
        """GFLOP/s of the best, which it is, and all."""
        by = max(self._best, key=self._best.__getitem__)
        return {"gflops": self._best[by], "by": by, "side": self._side, "all": self._best}
