"""What every command can be told: where to compute, with how many threads, and to keep quiet."""

import os
from typing import TYPE_CHECKING, Any

import click

from unrolled.cli.flags import Flag, as_flags

if TYPE_CHECKING:
    from unrolled.training import Display

TITLE = "Machine"

_QUIET = "unrolled.quiet"

_DEVICE = "UNROLLED_DEVICE"
"""The variable by which `unrolled.training` knows the device that is meant where nothing is said."""


def equipped(command: click.Command) -> click.Command:
    """The command with --device, --threads and --quiet, as far as it has none of its own."""
    if isinstance(command, click.Group):
        return command
    known = {name for param in command.params for name in param.opts}
    command.params += [flag for flag in _flags() if flag.opts[0] not in known]
    return command


def _flags() -> list[Flag]:
    about: dict[str, Any] = {"group": TITLE, "rare": True, "expose_value": False}
    return [
        Flag(["--device"], callback=_use_device, help="Where to run: auto, cpu, cuda, …  [default: auto]", **about),
        Flag(
            ["--threads"],
            type=click.IntRange(1),
            callback=_use_threads,
            help="Threads to compute with.  [default: one for each core]",
            **about,
        ),
        Flag(["--quiet"], is_flag=True, callback=_keep_quiet, help="Show no progress: results, warnings and errors alone.", **about),
    ]


def _use_device(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is None or ctx.resilient_parsing:
        return
    before = os.environ.get(_DEVICE)
    os.environ[_DEVICE] = value

    def restore() -> None:
        os.environ.pop(_DEVICE, None)
        if before is not None:
            os.environ[_DEVICE] = before

    ctx.call_on_close(restore)


def _use_threads(ctx: click.Context, param: click.Parameter, value: int | None) -> None:
    if value is None or ctx.resilient_parsing:
        return
    import torch  # noqa: PLC0415 -- loaded only where it is asked for

    before = torch.get_num_threads()
    torch.set_num_threads(value)
    ctx.call_on_close(lambda: torch.set_num_threads(before))


def _keep_quiet(ctx: click.Context, param: click.Parameter, value: bool | None) -> None:
    if value:
        ctx.meta[_QUIET] = True


def progress() -> "Display":
    """Where the progress of the command goes that is running."""
    from unrolled.training import Silent, display_here  # noqa: PLC0415 -- only commands that compute load it

    ctx = click.get_current_context(silent=True)
    return Silent() if ctx is not None and ctx.meta.get(_QUIET) else display_here(as_flags)
