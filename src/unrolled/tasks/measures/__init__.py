"""Measures: how good labels, texts, numbers and probabilities are, each beside what one would say without reading."""
