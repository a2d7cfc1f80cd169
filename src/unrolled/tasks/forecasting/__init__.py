"""Numbers over time: what forecasting is beside its recipe."""
