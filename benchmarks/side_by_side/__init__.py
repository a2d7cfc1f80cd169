"""Layers of this package beside other libraries' on the same weights and inputs; `benchmarks/layers.py` is the command."""
