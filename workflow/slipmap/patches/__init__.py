"""Stage 5: split, patch store, normalisation, augmentation, and importers of published data sets.

`split` divides an area, `store` writes patches, `normalisation` is shared with prediction, `dataset` feeds training.
Nothing here imports torch but `dataset`.
"""
