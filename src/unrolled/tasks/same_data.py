"""Whether the data of a run that goes on is there, and what to say where it is no longer what it was."""

import os
from typing import Any

from unrolled.data.builtin import PREFIX
from unrolled.errors import RunError
from unrolled.tasks.configuration import Configuration
from unrolled.training import RunFolder


def require_there(configuration: Configuration[Any], folder: RunFolder, data_name: str) -> None:
    """`RunError` for data that a run was begun with and that lies there no more."""
    data: Any = getattr(configuration.options, "data", None)
    for name, paths in (("sources", data.sources), ("validation", getattr(data, "validation", ()))):
        gone = next((path for path in paths if not path.startswith(PREFIX) and not os.path.lexists(path)), None)
        if gone is not None:
            where = f"pass {data_name} with `resume`" if name == "sources" else "pass `validation` with `resume`"
            raise RunError(
                f"{gone}, which {folder} was begun with, is not there. If it was moved, {where}: that it is the same is seen by what is in it."
            )


def other_data(configuration: Configuration[Any], begun: RunFolder) -> RunError:
    """What to say where files are no longer what they were when a run, or a study of several, was begun."""
    options = configuration.options
    reading: Any = getattr(options, "reading", None)
    paired = [reading.source, *reading.target] if hasattr(reading, "source") and not options.data.sources else []
    files = ", ".join(filter(None, [*options.data.sources, *paired, *getattr(options.data, "validation", ())])) or "a data frame"
    return RunError(f"The data is not the one that {begun} was begun with: {files}. Put it back as it was, or begin anew with `out`.")
