"""What the numbers in rasters of classes and in masks mean, the same in every stage."""

# inventory.tif, class.tif, masks of patches
BACKGROUND, LANDSLIDE = 0, 1
# split.tif, and the names of its ground
TRAINING, VALIDATION, TEST = 0, 1, 2
SPLITS = ("training", "validation", "test")
# nodata of every raster of classes: unknown in an inventory or a map, left out in split.tif, not counted in a mask
IGNORE = 255

LANDSLIDE_CLASSES = {BACKGROUND: "no landslide", LANDSLIDE: "landslide"}
UNKNOWN = "spatial independence unknown"  # of patches, in words: their split is not of our making
SPLIT_CLASSES = dict(enumerate(SPLITS))
