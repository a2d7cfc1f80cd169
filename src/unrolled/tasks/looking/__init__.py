"""What `train` would read of files, without training."""

from unrolled.tasks.looking.look import Look, look

__all__ = ["Look", "look"]
