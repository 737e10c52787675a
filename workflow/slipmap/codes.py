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
PROBABILITY_CLASSES = {
    2: ("low", "high"),
    3: ("low", "medium", "high"),
    4: ("low", "medium", "high", "very high"),
    5: ("very low", "low", "medium", "high", "very high"),
}


def probability_class_names(count: int) -> tuple[str, ...]:
    """Names of so many classes of probability, lowest first."""
    return PROBABILITY_CLASSES.get(count) or tuple(f"class {i}" for i in range(1, count + 1))
