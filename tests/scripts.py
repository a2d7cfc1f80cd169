"""Scripts of `benchmarks`, run in this process: to load torch once more takes longer than most of them."""

import contextlib
import io
import runpy
import sys
from pathlib import Path

import pytest
import torch

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def run(script, *arguments, **constants):
    """What a script prints, which must end well, with other values of its constants."""
    path, threads, said = BENCHMARKS / f"{script}.py", torch.get_num_threads(), io.StringIO()
    try:
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said):
            patch.setattr(sys, "argv", [str(path), *map(str, arguments)])
            main = runpy.run_path(str(path), run_name="imported")["main"]
            # What click makes of a function has it as its callback.
            getattr(main, "callback", main).__globals__.update(constants)
            assert not main()
    except SystemExit as ended:
        assert not ended.code
    finally:
        torch.set_num_threads(threads)
    return said.getvalue()
