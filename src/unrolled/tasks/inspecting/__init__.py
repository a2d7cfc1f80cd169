"""What can be seen of a run: its network with an input, and how it was trained."""

from unrolled.tasks.inspecting.run import PAGE, inspect_run

__all__ = ["PAGE", "inspect_run"]
