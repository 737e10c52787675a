"""Tiles of a laboratory: tile_1.npz with `image` (3, rows, cols), reflectance in per cent, and `landslide`."""

from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from slipmap.config.patches import ImportSettings
from slipmap.errors import InputError
from slipmap.patches.importing.importer import (
    WITHOUT_COORDINATES,
    Importer,
    Sample,
    SampleError,
    Source,
    check_sample,
    existing_folder,
)
from slipmap.patches.normalisation import BandStatistics

BANDS = ("B4", "B3", "B2")


class Tiles(Importer):
    """One NumPy archive for each tile."""

    title = "Laboratory tiles"
    source = "the laboratory's own note of its files"
    files = {"images and masks": "`tile_*.npz`"}
    bands = "red, green and blue of Sentinel-2 as reflectance, 10 m"
    classes = "1: landslide; 0: none"
    split = "drawn by tile"
    checks = "shapes, labels, reflectance (0 to 1)"

    def scan(self, settings: ImportSettings) -> Source:
        """List the tiles in the folder `settings.path`."""
        root = existing_folder(settings.path, "the laboratory's tiles (tile_*.npz)")
        tiles = [Sample(name=path.stem, files={"image": path}) for path in sorted(root.glob("tile_*.npz"))]
        if not tiles:
            raise InputError(f"source.path: {root} has no tile_*.npz; give the folder of the laboratory's tiles.")
        return Source(
            name=self.title,
            bands=[BandStatistics(name=name, units="1") for name in BANDS],
            samples=tiles,
            read=read,
            independence=WITHOUT_COORDINATES,
            pixel_size=10.0,
        )


def read(sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    """Read one tile; see `Source.read`. Per cent to a share."""
    path: Path = sample.files["image"]
    try:
        with np.load(path) as file:
            image, mask = file["image"].astype(np.float32) / 100, file["landslide"]
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise SampleError(f"{path} is not a whole tile ({type(error).__name__}: {error}); copy it again.") from error
    check_sample(sample, image, mask, dict.fromkeys(BANDS, (0.0, 1.0)), BANDS)
    return image, mask.astype(np.uint8)


IMPORTER = Tiles()
