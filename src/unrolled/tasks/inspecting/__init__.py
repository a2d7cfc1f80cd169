"""What can be seen of a run: its network with an input, and how it was trained."""

from unrolled.tasks.inspecting.run import inspect_run

__all__ = ["inspect_run"]
