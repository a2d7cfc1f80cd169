"""Commands about a run, whose options are those that fit its task."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unrolled.cli.catalogue import known_tasks
from unrolled.cli.flags import flags, given, parts_of
from unrolled.cli.help import GroupedCommand
from unrolled.errors import ConfigError, RunError
from unrolled.later import Later
from unrolled.options import options_of

if TYPE_CHECKING:
    from unrolled import tasks
    from unrolled.tasks import places
    from unrolled.tasks.recipe import AnyRecipe
else:
    tasks, places = Later("unrolled.tasks"), Later("unrolled.tasks.places")

Parts = list[dict[str, Any]]
"""What was given for each of some option dataclasses."""

READ, SAY, SAMPLE, SCORE = "Reading", "Prediction", "Sampling", "Scoring"
"""The titles under which help shows options of commands about runs."""

_RECIPE = "unrolled.recipe"

_HELP = ("-h", "--help", "--help-all")


class RunCommand(GroupedCommand):
    """A command whose first argument is a run.

    `ask` names the attribute of recipes with the option dataclasses that the command has for their runs, which help shows under `titles`;
    `without` are options that it leaves out. Without a run, as in `--help` alone, it has the options that need none.
    """

    def __init__(self, *arguments: Any, ask: str, without: Sequence[str] = (), titles: Sequence[str] = (READ, SAY), **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.ask, self.without, self.titles = ask, without, titles

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Find the run first, then the options that fit it."""
        recipe = None if ctx.resilient_parsing else self._recipe_in(args)
        ctx.meta[_RECIPE] = recipe
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if recipe is not None and error.option_name in {
                name for flag in self._all_flags() for name in (*flag.opts, *flag.secondary_opts)
            }:
                raise ConfigError(f"`{error.option_name}` says nothing about {recipe.noun}. Leave it out.") from None
            raise

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The command's own, and those that fit the run."""
        recipe: AnyRecipe | None = ctx.meta.get(_RECIPE)
        fitting = [] if recipe is None else flags(getattr(recipe, self.ask), self.without, self.titles)
        own = super().get_params(ctx)
        return [*own[: len(self.params)], *fitting, *own[len(self.params) :]]

    def _all_flags(self) -> list[click.Parameter]:
        """The flags of all tasks, each name once."""
        every = (flag for task in known_tasks().values() for flag in flags(task.asked[self.ask], self.without))
        return list({flag.name: flag for flag in every}.values())

    def _recipe_in(self, args: Sequence[str]) -> "AnyRecipe | None":
        """The recipe of the run that was typed; None where help alone is wanted. `RunError` for what is no run, or none for this command."""
        if all(word in _HELP for word in args):
            return None
        run = args[0] if args and os.path.isdir(args[0]) else self._run_in(args)
        if run is None:
            return None
        recipe = tasks.recipe_of(run)
        _require(recipe, Path(run), str(self.name))
        return recipe

    def _run_in(self, args: Sequence[str]) -> str | None:
        """The run among what was typed, wherever it stands: which options take a value is known when those of all tasks are."""
        probe = GroupedCommand(self.name, params=[*self.params, *self._all_flags()])
        probe.ignore_unknown_options = probe.allow_extra_args = True
        with probe.make_context(self.name, list(args), resilient_parsing=True) as found:
            run = found.params.get("run")
        return None if run is None else str(run)


def open_run(run: Path, command: str) -> Any:
    """The trained network of a run that a command can be used with. `RunError` for one of another task."""
    _require(tasks.recipe_of(run), run, command)
    return tasks.load(run)


def _require(recipe: "AnyRecipe", run: Path, command: str) -> None:
    if command not in recipe.commands:
        others = ", ".join(f"`unrolled {other}`" for other in recipe.commands)
        raise RunError(f"{run} holds {recipe.noun}, which `unrolled {command}` is not for. Use it with {others}.")


def parts_for(run: Path, ask: str, options: dict[str, Any]) -> "tuple[AnyRecipe, Parts]":
    """The recipe of a run, and what was given for each of its option dataclasses. `ConfigError` for a value that an option can never have,
    and for a file that cannot be written."""
    recipe = tasks.recipe_of(run)
    return recipe, list(_checked(getattr(recipe, ask), given(options)))


def _checked(groups: Iterable[type], options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for group, part in zip(groups, parts_of(options, *groups), strict=True):
        group(**part)
        for option in options_of(group):
            if option.written and part.get(option.name) is not None:
                places.require_place(Path(part[option.name]), option.written, option.name)
        yield part
