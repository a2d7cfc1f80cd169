"""Pictures and videos with sentences: what a network that says what is in them is beside its recipe."""
