"""`unrolled doctor`: what is installed, and what can run here."""

import json
import os
import platform
import shlex
import warnings
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import click

from unrolled import cells
from unrolled.errors import BuildError
from unrolled.extras import EXTRAS
from unrolled.folders import cache_folder
from unrolled.later import Later

if TYPE_CHECKING:
    import torch

    from unrolled import training
    from unrolled.engines import choice, fused
    from unrolled.engines.native import compilers, folder
else:
    torch, training = Later("torch"), Later("unrolled.training")
    choice, fused = Later("unrolled.engines.choice"), Later("unrolled.engines.fused")
    compilers, folder = Later("unrolled.engines.native.compilers"), Later("unrolled.engines.native.folder")

PACKAGES = ("unrolled", "torch", "numpy", "sympy", "safetensors", "click", "rich", "tokenizers")


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
    kernels = [name for name, cell in cells.BUILT_IN.items() if fused.kernel_of(cell.recurrence)]
    engines = {
        "native": "C made from the equations and compiled here, for every cell",
        "torch": f"torch's fused kernels, for {', '.join(kernels)}",
        "eager": "torch operations step by step, for every cell",
    }
    return {
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "extras": {package: _installed(package, group) for package, group in EXTRAS.values()},
        "processor": {
            "device": str(training.TrainingOptions().find_device()),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "instructions": torch.backends.cpu.get_cpu_capability(),
            "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
        },
        "engines": {name: engines[name] for name in choice.ENGINES},
        "native": _look_for_compiler(),
        "settings": {choice.VARIABLE: os.environ.get(choice.VARIABLE) or "not set", "cache folder": str(cache_folder())},
    }


def _installed(package: str, group: str) -> str:
    """The version of a package, or what installs it."""
    try:
        return version(package)
    except PackageNotFoundError:
        return f"not installed: pip install 'unrolled[{group}]'"


def _look_for_compiler() -> dict[str, Any]:
    """The compiler and what it has made, or why there is none; what is warned of elsewhere is part of the answer here."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            compiler = compilers.find_compiler()
            found: dict[str, Any] = {
                "compiler": shlex.join(compiler.command),
                "version": compiler.version,
                "target": compiler.target,
                "flags": shlex.join(compiler.flags),
            }
            if compiler.passed_over:
                found["passed over"] = "; ".join(compiler.passed_over)
            kept = folder.builds_folder()
            builds, size = folder.contents(kept)
            found |= {"kept in": str(kept), "builds": builds, "bytes": size}
        except BuildError as error:
            found = {"compiler": f"none: {error}"}
    if caught:
        found["warnings"] = " ".join(dict.fromkeys(str(warning.message) for warning in caught))
    return found
