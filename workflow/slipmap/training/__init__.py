"""Stage 6: train any model of the index by one recipe, score it, and keep weights with all that using them needs.

`train` and `evaluate` are the drivers; `weights` is what prediction reads; `losses`, `metrics` and `objects` are
functions on arrays.
"""
