"""The command line, run in this process."""

from click.testing import CliRunner

from unrolled.cli import cli, shown
from unrolled.errors import UnrolledError


def call(*words, typed=""):
    """What a command prints to the standard output; errors of the toolkit are raised with the words of the terminal."""
    return _done(words, typed).stdout


def notes(*words, typed=""):
    """What a command says beside it, on standard error."""
    return _done(words, typed).stderr


def _done(words, typed):
    result = CliRunner().invoke(cli, [str(word) for word in words], input=typed)
    if isinstance(result.exception, UnrolledError):
        raise type(result.exception)(shown(result.exception)) from result.exception
    if isinstance(result.exception, Warning):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result
