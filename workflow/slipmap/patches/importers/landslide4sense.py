"""Landslide4Sense (Ghorbanzadeh et al. 2022, IEEE TGRS 60, 5633017): HDF5, 14 bands of 128 × 128 pixels."""

from pathlib import Path

import h5py
import numpy as np

from slipmap.config.patches import ImportSettings
from slipmap.errors import InputError
from slipmap.patches.importing.importer import (
    WITHOUT_COORDINATES,
    Importer,
    Published,
    Sample,
    SampleError,
    Source,
    check_count,
    check_sample,
    existing_folder,
    numbered,
)
from slipmap.patches.normalisation import BandStatistics

# Names as published: twelve Sentinel-2 bands, then ALOS PALSAR slope and DEM ("B13", "B14" there).
BANDS = (*(f"B{i}" for i in range(1, 13)), "slope", "elevation")
SIZE = 128
COUNTS = {"training": 3799, "validation": 245, "test": 800}
# (images, masks) of each split: the competition's own folders, and those of the mirror ibm-nasa-geospatial.
LAYOUTS = (
    {
        "training": ("TrainData/img", "TrainData/mask"),
        "validation": ("ValidData/img", "ValidData/mask"),
        "test": ("TestData/img", "TestData/mask"),
    },
    {
        "training": ("images/train", "annotations/train"),
        "validation": ("images/validation", "annotations/validation"),
        "test": ("images/test", "annotations/test"),
    },
)
# The files hold values scaled by the publishers, without unit; anything beyond this is not such a value.
RANGES = {name: (-1e3, 1e3) for name in BANDS}


def read(sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    """Read one sample; see `Source.read`. The file has (rows, cols, bands); NaN counts as missing."""
    image = _dataset(sample.files["image"], "img")
    mask = _dataset(sample.files["mask"], "mask")
    if image.shape != (SIZE, SIZE, len(BANDS)):
        raise SampleError(
            f"{sample.files['image']}: img has shape {image.shape}, not {(SIZE, SIZE, len(BANDS))}; fetch it again."
        )
    image = np.ascontiguousarray(np.moveaxis(image, -1, 0), np.float32)
    check_sample(sample, image, mask, RANGES, BANDS)
    return image, mask.astype(np.uint8)


def _dataset(path: Path, name: str) -> np.ndarray:
    try:
        with h5py.File(path, "r") as file:
            if name not in file:
                raise SampleError(f"{path} has no data set '{name}' (it has {', '.join(file) or 'none'}).")
            values: np.ndarray = file[name][:]
            return values
    except OSError as error:
        raise SampleError(f"{path} is not a whole HDF5 file; fetch it again.") from error


class Landslide4Sense(Importer):
    """The data set of the Landslide4Sense competition."""

    title = "Landslide4Sense"
    source = "Ghorbanzadeh et al. 2022, IEEE TGRS 60, 5633017, doi:10.1109/TGRS.2022.3215209"
    files = {
        "images": "`{Train,Valid,Test}Data/img/image_*.h5`, or `images/{train,validation,test}/image_*.h5`",
        "masks": "`{Train,Valid,Test}Data/mask/mask_*.h5`, or `annotations/{train,validation,test}/mask_*.h5`",
    }
    bands = "B1 to B12 of Sentinel-2, slope and elevation of ALOS PALSAR, scaled by the publishers, 10 m"
    classes = "1: landslide; 0: none"
    split = "the data set's own; drawn by image where only the training images have masks"
    checks = (
        f"the number of images ({', '.join(map(str, COUNTS.values()))}), a mask for each, the shape ({SIZE} x {SIZE} x "
        f"{len(BANDS)}), labels, values within 1000"
    )
    published = Published(
        "zenodo",
        "10463239",
        r"^(Train|Valid|Test)Data\.zip$",
        "Ghorbanzadeh et al. 2022, doi:10.1109/TGRS.2022.3215209",
    )

    def scan(self, settings: ImportSettings) -> Source:
        """List the samples of the data set in the folder `settings.path`.

        The data set's own split is kept. Where only training has masks (as the competition gave them out), its images
        are drawn by `settings.ratios`.

        Raises
        ------
        InputError : no such folders, an image without mask, or not the published number of files.
        """
        root = existing_folder(settings.path, "Landslide4Sense (it holds TrainData, or images and annotations)")
        layout = next((layout for layout in LAYOUTS if (root / layout["training"][0]).is_dir()), None)
        if layout is None:
            raise InputError(
                f"source.path: {root} has neither TrainData/img nor images/train; give the folder that Landslide4Sense "
                f"was unpacked to."
            )
        labelled = [split for split, (_, masks) in layout.items() if any((root / masks).glob("*.h5"))]
        samples = []
        for split in labelled:
            images, masks = (root / folder for folder in layout[split])
            paths = sorted(images.glob("image_*.h5"), key=numbered)
            check_count(f"Landslide4Sense {split}", len(paths), COUNTS[split], "images", settings.counts)
            for image in paths:
                mask = masks / image.name.replace("image_", "mask_")
                if not mask.is_file():
                    raise InputError(f"{image} has no mask {mask.name} in {masks}; fetch the masks again.")
                samples.append(
                    Sample(
                        name=f"{split}/{image.stem}",
                        files={"image": image, "mask": mask},
                        split=split if len(labelled) > 1 else "",
                    )
                )
        if not samples:
            raise InputError(f"source.path: {root} has no mask; fetch Landslide4Sense with its masks.")
        return Source(
            name="Landslide4Sense",
            bands=[BandStatistics(name=name, units="scaled by the publishers") for name in BANDS],
            samples=samples,
            read=read,
            independence=WITHOUT_COORDINATES,
            pixel_size=10.0,
            thumbnail=(1, 2, 3),
        )


IMPORTER = Landslide4Sense()
