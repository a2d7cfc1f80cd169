"""Sequences with something to say of each, or of each of their steps: what the recipes for labels, tags and numbers have in common."""
