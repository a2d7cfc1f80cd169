"""The native engine: a recurrence becomes C source, which is compiled at first use and kept."""
