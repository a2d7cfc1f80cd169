"""Commands about a run, whose options are those that fit its task."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from unrolled.cli.flags import given, merged_flags, parts_of
from unrolled.errors import ConfigError, RunError
from unrolled.options import options_of
from unrolled.tasks import RECIPES, find_recipe, load, recipe_of
from unrolled.tasks.recipe import Recipe

Parts = list[dict[str, Any]]
"""What was given for each of some option dataclasses."""

_RECIPE = "unrolled.recipe"


class RunCommand(click.Command):
    """A command whose first argument is a run.

    `ask` names the attribute of recipes with the option dataclasses that the command has for their runs; `without` are options that it
    leaves out. Without a run, as in `--help` alone, it has the options that need none.
    """

    def __init__(self, *arguments: Any, ask: str, without: Sequence[str] = (), **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.ask, self.without = ask, without

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Find the run first, then the options that fit it."""
        ctx.meta[_RECIPE] = _recipe_in(args)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            recipe: Recipe | None = ctx.meta[_RECIPE]
            if recipe is not None and error.option_name in self._flags_of_others():
                raise ConfigError(f"`{error.option_name}` says nothing about {recipe.noun}. Leave it out.") from None
            raise

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The command's own, and those that fit the run."""
        recipe: Recipe | None = ctx.meta.get(_RECIPE)
        fitting = [] if recipe is None else merged_flags(*getattr(recipe, self.ask), without=self.without)
        return [*self.params, *fitting, *(o for o in [self.get_help_option(ctx)] if o is not None)]

    def _flags_of_others(self) -> set[str]:
        return {o.flag for name in RECIPES for group in getattr(find_recipe(name), self.ask) for o in options_of(group)}


def _recipe_in(args: Sequence[str]) -> Recipe | None:
    """The recipe of the run among what was typed. `RunError` where something was named that is none."""
    names = [arg for arg in args if not arg.startswith("-")]
    runs = [name for name in names if Path(name, "config.toml").exists()]
    if not runs and (not names or {"-h", "--help"} & {*args}):
        return None
    return recipe_of((runs or names)[0])


def open_run(run: Path, command: str) -> Any:
    """The trained network of a run that a command can be used with. `RunError` for one of another task."""
    recipe = recipe_of(run)
    if command not in recipe.commands:
        others = ", ".join(f"`unrolled {other}`" for other in recipe.commands)
        raise RunError(f"{run} holds {recipe.noun}, which `unrolled {command}` is not for. Use it with {others}.")
    return load(run)


def parts_for(run: Path, ask: str, options: dict[str, Any]) -> tuple[Recipe, Parts]:
    """The recipe of a run, and what was given for each of its option dataclasses. `ConfigError` for a value that an option can never have."""
    recipe = recipe_of(run)
    return recipe, list(_checked(getattr(recipe, ask), given(options)))


def _checked(groups: Iterable[type], options: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for group, part in zip(groups, parts_of(options, *groups), strict=True):
        group(**part)
        yield part
