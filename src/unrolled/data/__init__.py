"""F5: text and what becomes of it on the way to a network.

`vocabulary` (symbols and ids), `text` (files and built-in texts, read in pieces), `corpus` (a text encoded once, on disk), `streams`
(batches for truncated back-propagation); `examples` (labelled sequences), `formats` (the files they come from), `builtin_examples`,
`standardise` (channels of numbers); `pairs` (sources and their targets), `coding` (texts as ids for networks that write), `batches`.
Only `streams`, `batches` and `pairs.bitext` need torch, so nothing is imported here.
"""
