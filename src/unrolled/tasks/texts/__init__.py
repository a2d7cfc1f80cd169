"""Texts and event logs whose next symbol is predicted: what a language model is beside its recipe."""
