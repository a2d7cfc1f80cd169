"""Checkers of what was written: whether it is true of what is seen."""
