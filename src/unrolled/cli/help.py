"""Help in groups: the usual options, and all of them with --help-all."""

from typing import Any

import click

from unrolled.cli.flags import Flag
from unrolled.cli.hints import hinted

_ALL = "unrolled.help_all"

TITLES = {
    "data": "Data",
    "reading": "Reading",
    "symbols": "Reading",
    "forecast": "Forecast",
    "model": "Model",
    "batches": "Training",
    "streams": "Training",
    "training": "Training",
}
"""The titles under which help shows the groups of a task's options."""

RUNS, OUTPUT = "Several runs", "Output"


class GroupedCommand(click.Command):
    """A command whose help shows options by group, and the rare ones with --help-all alone."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """With --help-all before --help."""
        *params, last = super().get_params(ctx)
        return [*params, _HELP_ALL, last]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """With a hint where an option has the name that another toolkit gives it."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            known = [name for param in self.get_params(ctx) for name in (*param.opts, *param.secondary_opts)]
            raise hinted(error, known) from None

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """A section for each group, in their order, and one for the others."""
        everything = bool(ctx.meta.get(_ALL))
        groups: dict[str, list[tuple[str, str]]] = {}
        hidden = 0
        for param in self.get_params(ctx):
            if isinstance(param, click.Argument) or (record := param.get_help_record(ctx)) is None:
                continue
            if isinstance(param, Flag) and param.rare and not everything:
                hidden += 1
                continue
            groups.setdefault((param.group if isinstance(param, Flag) else "") or OUTPUT, []).append(record)
        for title in (*(name for name in groups if name != OUTPUT), OUTPUT):
            if groups.get(title):
                with formatter.section(title):
                    formatter.write_dl(groups[title])
        if hidden:
            formatter.write_paragraph()
            formatter.write_text(f"{hidden} more options are seldom needed: --help-all shows them.")


def _show(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value and not ctx.resilient_parsing:
        ctx.meta[_ALL] = True
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()


_HELP_ALL = click.Option(["--help-all"], is_flag=True, is_eager=True, expose_value=False, callback=_show, help="Show all options and exit.")
