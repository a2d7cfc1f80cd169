"""The tasks: one recipe each, by the name that `unrolled train` has for it."""
