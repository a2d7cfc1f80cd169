"""`unrolled completion`: what makes a shell complete commands and options."""

import click
from click.shell_completion import get_completion_class

_VARIABLE = "_UNROLLED_COMPLETE"

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    r"""Print what makes SHELL complete the commands and options of unrolled; put it where the shell looks for such files.

    \b
    unrolled completion bash > ~/.local/share/bash-completion/completions/unrolled
    unrolled completion zsh > ~/.zfunc/_unrolled
    unrolled completion fish > ~/.config/fish/completions/unrolled.fish
    """
    root = click.get_current_context().find_root().command
    script = get_completion_class(shell)
    assert script is not None
    click.echo(script(root, {}, "unrolled", _VARIABLE).source())
