"""Any folder of images and masks, GeoTIFF or PNG."""

from functools import partial
from pathlib import Path

import numpy as np

from slipmap.codes import SPLITS
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
from slipmap.patches.importing.mask_values import MaskValues, decide
from slipmap.patches.importing.pictures import georeference, list_pictures, read_bands, read_labels
from slipmap.patches.normalisation import BandStatistics

APART = "split by source image, none of which overlap another split's"


def _folders(settings: ImportSettings) -> tuple[Path, Path, Path]:
    """The data set's folder, that of its images and that of its masks."""
    root = existing_folder(settings.path, f"the data set (it holds {settings.images} and {settings.masks})")
    images, masks = root / settings.images, root / settings.masks
    for key, folder in (("images", images), ("masks", masks)):
        if not folder.is_dir():
            raise InputError(f"source.{key}: {folder} is not a folder; correct the name.")
    return root, images, masks


def list_pictures_named(folder: Path, stem: str) -> list[Path]:
    """Pictures in `folder` with that stem."""
    if not folder.is_dir():
        return []
    found = (folder / f"{stem}{suffix}" for suffix in (".tif", ".tiff", ".png", ".TIF", ".PNG"))
    return [path for path in found if path.is_file()]


def read(sample: Sample, names: list[str], meaning: MaskValues) -> tuple[np.ndarray, np.ndarray]:
    """Read one sample; see `Source.read`."""
    image = read_bands(sample.files["image"])
    mask = read_labels(sample.files["mask"], meaning.landslide, meaning.ignore, meaning.background)
    described = [name for name in georeference(sample.files["image"])[2] if name]
    if len(described) == len(names) and described != list(names) and sorted(described) == sorted(names):
        raise SampleError(
            f"{sample.files['image']} has its bands in the order {', '.join(described)}, not {', '.join(names)}; give "
            f"all images the same order."
        )
    check_sample(sample, image, mask, {}, names)
    return image, mask


def _described(path: Path) -> list[str]:
    described = georeference(path)[2]
    names = [name for name in described if name]
    if len(names) < len(described):
        raise InputError(
            f"{path} does not name its {len(described)} bands; name them in source.bands or in the files' descriptions."
        )
    return names


class Folder(Importer):
    """A folder of images and a folder of masks."""

    title = "images and masks"
    source = "GeoTIFF or PNG"
    files = {
        "images": "`images/*.tif`, `*.tiff` or `*.png`, or in its subfolders `training`, `validation` and `test`",
        "masks": "`masks/`, of the images' names",
    }
    bands = "as the files describe them, or as `source.bands` names them"
    classes = "1, or 255 in masks of 0 and 255: landslide; 0: none; 255 beside 1: unknown; other values are asked about"
    split = "the subfolders, or drawn by image; images that show the same ground stay together"
    checks = "a mask for each image, shapes, the order of the bands, the values of the masks, ground in two splits"
    settings = ("images", "masks", "bands", "landslide_value", "background_value", "ignore_value")

    def scan(self, settings: ImportSettings) -> Source:
        """List the images in ``{path}/{images}`` and the masks of the same names in ``{path}/{masks}``.

        Where ``{images}`` and ``{masks}`` have the subfolders training, validation and test, those are the split.

        Raises
        ------
        InputError : no such folders, no image, an image without mask, bands without names, masks whose values may mean
            anything (`mask_values.decide`).
        """
        root, images, masks = _folders(settings)
        own = [split for split in SPLITS if (images / split).is_dir()]
        samples = []
        for split in own or [""]:
            for path in list_pictures(images / split):
                mask = next((p for p in list_pictures_named(masks / split, path.stem)), None)
                if mask is None:
                    raise InputError(f"{path} has no mask of its name in {masks / split}; add it or remove the image.")
                try:
                    bounds, crs, _ = georeference(path)
                except SampleError:
                    bounds, crs = None, ""  # reading it will say so
                samples.append(
                    Sample(
                        name=f"{split}/{path.stem}".strip("/"),
                        files={"image": path, "mask": mask},
                        split=split,
                        bounds=bounds,
                        crs=crs,
                    )
                )
        if not samples:
            raise InputError(f"source.images: {images} has no GeoTIFF or PNG; correct the folder.")
        names = settings.bands or _described(samples[0].files["image"])
        placed = all(sample.bounds for sample in samples)
        return Source(
            name=root.name,
            bands=[BandStatistics(name=name) for name in names],
            samples=samples,
            read=partial(read, names=names, meaning=decide([sample.files["mask"] for sample in samples], settings)),
            independence=APART if placed else WITHOUT_COORDINATES,
        )

    def check(self, settings: ImportSettings) -> None:
        """Raise `InputError` for folders that are not there and for masks whose values may mean anything.

        Looks at some of the masks; whether each image has one is for `scan`.
        """
        _, _, masks = _folders(settings)
        folders = [masks, *(masks / split for split in SPLITS if (masks / split).is_dir())]
        if found := [path for folder in folders for path in list_pictures(folder)]:
            decide(found, settings)


IMPORTER = Folder()
