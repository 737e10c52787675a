"""Stage 5: split, patch store, normalisation, augmentation, and importers of published benchmarks.

`split` divides an area, `store` writes patches, `normalisation` is shared with prediction, `dataset` feeds training.
Nothing here imports torch but `dataset`.
"""

SPLITS = ("training", "validation", "test")  # their codes in split.tif are 0, 1, 2
IGNORE = 255  # in masks: nodata, padding, other splits; in split.tif: left out
