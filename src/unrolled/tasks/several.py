"""Several runs, and what came of them."""

from collections.abc import Sequence
from typing import Any

from unrolled.data.text import Source
from unrolled.tasks import find_recipe
from unrolled.tasks.comparing import Comparison, compare
from unrolled.tasks.studies import begin_study, resume_study
from unrolled.training import Display, RunFolder, display_here


def study(
    task: str,
    data: Source | Sequence[Source] = (),
    *,
    out: Source,
    display: Display | None = None,
    resume: bool = False,
    **options: Any,
) -> Comparison:
    """Train several networks for a `task`, one after another, and compare them; each is a run in a folder inside `out`, as `unrolled.tasks.train` makes one.

    `folds=5` divides the examples into five parts, each of which another run holds out; `seeds=3` takes as many seeds, from `seed` on;
    `cell=["lstm", "gru"]` several cells, and `match="parameters"` gives these hidden sizes with which they have about as many parameters. All others of
    the `options` are those of each run. With `resume` the study in `out` goes on where it was stopped.

    Raises what `unrolled.tasks.train` raises, but no `TrainingError`: a run that fails is told, the others go on, and `resume` tries it again.
    """
    recipe, folder, display = find_recipe(task), RunFolder(out), display or display_here()
    way = resume_study if resume else begin_study
    way(recipe, data, folder, options, display)
    return compare(folder.path, progress=display.work)
