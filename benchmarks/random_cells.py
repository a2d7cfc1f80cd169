"""Random cells on random problems, until one is found on which the engines native and eager differ.

    python benchmarks/random_cells.py --examples 500

Every cell is compiled, which takes about half a second. What fails is made as small as it gets, and printed. `--seed` begins elsewhere.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from hypothesis import HealthCheck, Phase, assume, given, seed, settings

from drawn_cells import Drawn, disagreement, drawn, problem_of, texts_with_matrices, with_matrices_of_their_own
from unrolled.equations import parse
from unrolled.errors import EquationError


def main() -> None:
    """Draw, compare, print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--examples", type=int, default=100)
    options.add_argument("--seed", type=int, default=0)
    given_options = options.parse_args()
    compared = 0

    @seed(given_options.seed)
    @given(texts_with_matrices(), drawn)
    @settings(
        max_examples=given_options.examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    def compare(text: str, how: Drawn) -> None:
        nonlocal compared
        text = with_matrices_of_their_own(text, how.seed)
        try:
            recurrence = parse(text)
        except EquationError:
            assume(False)
        compared += 1
        told = disagreement(problem_of(recurrence, how), how)
        assert not told, f"{text}\n{how}\n{told}"

    try:
        compare()
    finally:
        print(f"{compared} cells compared", file=sys.stderr)


if __name__ == "__main__":
    main()
