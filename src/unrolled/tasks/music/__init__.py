"""Music whose next frame or event is predicted: what a network for it is beside its recipe."""
