"""Recordings and other long sequences with a text that is said in them: what a network that writes it down is beside its recipe."""
