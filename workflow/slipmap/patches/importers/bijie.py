"""Bijie (Ji et al. 2020, Landslides 17, 1337): TripleSat RGB of 0.8 m, a mask for each landslide, and a DEM, as PNG."""

from functools import partial
from pathlib import Path

import numpy as np

from slipmap.config.patches import ImportSettings
from slipmap.errors import InputError
from slipmap.patches.importing.importer import (
    WITHOUT_COORDINATES,
    Importer,
    Sample,
    SampleError,
    Source,
    check_count,
    check_sample,
    existing_folder,
)
from slipmap.patches.importing.pictures import list_pictures, read_bands, read_labels
from slipmap.patches.normalisation import BandStatistics

COLOURS = ("red", "green", "blue")
COUNTS = {"landslide": 770, "non-landslide": 2003}
RANGES = {name: (0.0, 255.0) for name in COLOURS} | {"elevation": (-500.0, 9000.0)}


def read(sample: Sample, elevation: bool) -> tuple[np.ndarray, np.ndarray]:
    """Read one sample; see `Source.read`. Masks may have 1 or 255 for landslide; non-landslide images are all 0."""
    image = read_bands(sample.files["image"])
    if len(image) != len(COLOURS):
        raise SampleError(f"{sample.files['image']} has {len(image)} colours, not 3 (red, green, blue).")
    if "mask" in sample.files:
        mask = read_labels(sample.files["mask"], (1, 255), None)
    else:
        mask = np.zeros(image.shape[1:], np.uint8)
    names = list(COLOURS)
    if elevation:
        dem = read_bands(sample.files["dem"])[:1]
        if dem.shape[1:] != image.shape[1:]:
            raise SampleError(
                f"{sample.files['dem']} has {dem.shape[1]} x {dem.shape[2]} pixels but the image has "
                f"{image.shape[1]} x {image.shape[2]}; image and DEM must cover the same "
                f"pixels (or set source.elevation to false)."
            )
        image = np.concatenate([image, dem])
        names.append("elevation")
    check_sample(sample, image, mask, RANGES, names)
    return image, mask


def _beside(image: Path, folder: Path) -> Path:
    for suffix in (image.suffix, ".png", ".tif"):
        path = folder / f"{image.stem}{suffix}"
        if path.is_file():
            return path
    raise InputError(f"{image} has no {folder.name} ({folder / image.name}); fetch the data set again.")


class Bijie(Importer):
    """Landslides and other ground of Bijie, Guizhou."""

    title = "Bijie"
    source = "Ji et al. 2020, Landslides 17, 1337, doi:10.1007/s10346-020-01353-2"
    files = {
        "images": "`landslide/image/*.png`, `non-landslide/image/*.png`",
        "masks": "`landslide/mask/*.png`, of the images' names; images under `non-landslide` show none",
        "DEM": "`landslide/dem/*.png`, `non-landslide/dem/*.png`, of the images' names",
    }
    bands = "red, green and blue of 0.8 m as digital numbers, and elevation as published"
    classes = "1 or 255: landslide; 0: none"
    split = "drawn by image; the data set has none and no coordinates"
    checks = (
        f"the number of images ({' and '.join(map(str, COUNTS.values()))}), a mask and a DEM for each, shapes, labels, "
        f"colours (0 to 255), elevation"
    )
    settings = ("elevation",)
    by_hand = "its publisher gives it out on a page with terms (Ji et al. 2020): download it there"

    def scan(self, settings: ImportSettings) -> Source:
        """List the samples in the folder `settings.path` (it holds ``landslide`` and ``non-landslide``).

        The data set has no split and no coordinates: it is drawn by source image.

        Raises
        ------
        InputError : no such folders, an image without mask or DEM, or not the published number of files.
        """
        root = existing_folder(settings.path, "Bijie (it holds landslide and non-landslide)")
        samples = []
        for kind, published in COUNTS.items():
            folder = root / kind
            if not (folder / "image").is_dir():
                raise InputError(
                    f"source.path: {root} has no folder {kind}/image; give the folder that holds landslide and "
                    f"non-landslide."
                )
            images = list_pictures(folder / "image")
            check_count(f"Bijie {kind}", len(images), published, "images", settings.counts)
            for image in images:
                files = {"image": image}
                if kind == "landslide":
                    files["mask"] = _beside(image, folder / "mask")
                if settings.elevation:
                    files["dem"] = _beside(image, folder / "dem")
                samples.append(Sample(name=f"{kind}/{image.stem}", files=files))
        bands = [BandStatistics(name=name, units="digital number") for name in COLOURS]
        if settings.elevation:
            bands.append(BandStatistics(name="elevation", units="as published"))
        return Source(
            name="Bijie",
            bands=bands,
            samples=samples,
            read=partial(read, elevation=settings.elevation),
            independence=WITHOUT_COORDINATES,
            pixel_size=0.8,
        )


IMPORTER = Bijie()
