"""`unrolled doctor`: what is installed, and what can run here."""

import json
import os
import platform
from importlib.metadata import version
from typing import Any

import click
import torch

from unrolled import cells
from unrolled.engines.choice import ENGINES, VARIABLE
from unrolled.engines.fused import KERNELS
from unrolled.folders import cache_folder
from unrolled.training import TrainingOptions

PACKAGES = ("unrolled", "torch", "numpy", "sympy", "safetensors", "click", "rich", "matplotlib")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(as_json: bool) -> None:
    """Print versions, threads and the engines that can run here."""
    found = _look()
    if as_json:
        click.echo(json.dumps(found))
        return
    for name, value in found.items():
        click.secho(name, bold=True)
        for key, text in value.items() if isinstance(value, dict) else [("", value)]:
            click.echo(f"  {key:14} {text}" if key else f"  {text}")


def _look() -> dict[str, Any]:
    fused = [name for name, cell in cells.BUILT_IN.items() if cell.recurrence in KERNELS]
    engines = {"torch": f"torch's fused kernels, for {', '.join(fused)}", "eager": "torch operations step by step, for every cell"}
    return {
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "processor": {
            "device": str(TrainingOptions().find_device()),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "instructions": torch.backends.cpu.get_cpu_capability(),
            "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
        },
        "engines": {name: engines[name] for name in ENGINES},
        "settings": {VARIABLE: os.environ.get(VARIABLE) or "not set", "cache folder": str(cache_folder())},
    }
