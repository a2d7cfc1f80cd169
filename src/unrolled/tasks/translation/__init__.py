"""Pairs of texts: what a network that writes one after reading another is beside its recipe."""
