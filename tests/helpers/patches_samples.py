"""Small simulated samples in the formats of the published data sets, faithful to names, shapes and types."""

from pathlib import Path

import h5py
import numpy as np
import rasterio
import xarray as xr
from affine import Affine
from scipy.ndimage import gaussian_filter


def texture(rng, bands, rows, cols):
    """Smooth random bands of mean 0 and standard deviation 1."""
    noise = gaussian_filter(rng.normal(size=(bands, rows, cols)), (0, 3, 3))
    return noise / noise.std(axis=(1, 2), keepdims=True)


def landslide_mask(rng, rows, cols):
    mask = np.zeros((rows, cols), np.uint8)
    r, c = rng.integers(rows // 4, rows // 2), rng.integers(cols // 4, cols // 2)
    mask[r : r + rows // 5, c : c + cols // 5] = 1
    return mask


def landslide4sense(root: Path, counts=(6, 3, 3), layout="competition", masks=("train", "valid", "test"), seed=0):
    """``TrainData/img/image_1.h5``: ``img`` (128, 128, 14) float64; ``TrainData/mask/mask_1.h5``: ``mask`` uint8."""
    rng = np.random.default_rng(seed)
    folders = {
        "competition": {s: (f"{s.title()}Data/img", f"{s.title()}Data/mask") for s in ("train", "valid", "test")},
        "mirror": {
            "train": ("images/train", "annotations/train"),
            "valid": ("images/validation", "annotations/validation"),
            "test": ("images/test", "annotations/test"),
        },
    }[layout]
    for (split, (images, labels)), count in zip(folders.items(), counts, strict=True):
        (root / images).mkdir(parents=True)
        (root / labels).mkdir(parents=True)
        for i in range(1, count + 1):
            image = np.moveaxis(texture(rng, 14, 128, 128), 0, -1)
            with h5py.File(root / images / f"image_{i}.h5", "w") as file:
                file["img"] = image
            if split in masks:
                with h5py.File(root / labels / f"mask_{i}.h5", "w") as file:
                    file["mask"] = landslide_mask(rng, 128, 128)
    return root


def png(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    array = array[None] if array.ndim == 2 else array
    with rasterio.open(
        path, "w", driver="PNG", width=array.shape[2], height=array.shape[1], count=len(array), dtype=array.dtype
    ) as dst:
        dst.write(array)


def bijie(root: Path, landslides=8, others=6, landslide_value=255, seed=0):
    """``landslide/{image,mask,dem}/*.png`` and ``non-landslide/{image,dem}/*.png`` of different sizes, RGB uint8."""
    rng = np.random.default_rng(seed)
    for kind, count in (("landslide", landslides), ("non-landslide", others)):
        for i in range(count):
            rows, cols = rng.integers(60, 120, 2)
            rgb = np.clip(120 + 40 * texture(rng, 3, rows, cols), 0, 255).astype(np.uint8)
            png(root / kind / "image" / f"{kind[0]}{i:03d}.png", rgb)
            png(root / kind / "dem" / f"{kind[0]}{i:03d}.png", rgb[0] // 2)
            if kind == "landslide":
                png(root / kind / "mask" / f"{kind[0]}{i:03d}.png", landslide_mask(rng, rows, cols) * landslide_value)
    return root


def geotiff(path: Path, array, names=None, origin=(7e5, 5e6), nodata=None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    array = array[None] if array.ndim == 2 else array
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=array.shape[2],
        height=array.shape[1],
        count=len(array),
        dtype=array.dtype,
        crs="EPSG:32632",
        transform=Affine(10, 0, origin[0], 0, -10, origin[1]),
        nodata=nodata,
    ) as dst:
        dst.write(array)
        if names:
            dst.descriptions = names


S2 = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")


def sen12landslides(root: Path, count=8, seed=0, spacing=20_000.0):
    """``italy_s2_0.nc``: variables ``(time, x, y)`` int16, ``SCL``, ``MASK``, ``DEM``, attributes as in patch 4120."""
    rng = np.random.default_rng(seed)
    root.mkdir(parents=True, exist_ok=True)
    times = np.array(["2023-03-01", "2023-04-28", "2023-05-13", "2023-05-18", "2023-05-23"], "datetime64[ns]")
    for i in range(count):
        west, north = 6e5 + spacing * i, 4.9e6
        scl = np.full((5, 128, 128), 4, np.int16)
        scl[2:4] = 9  # clouded on either side of the event
        mask = landslide_mask(rng, 128, 128)
        ground = texture(rng, 1, 128, 128)[0]
        series = {
            name: (
                ("time", "x", "y"),
                (1500 + 300 * ground.T + rng.normal(0, 60, (5, 128, 128))).astype(np.int16),
            )
            for name in S2
        }
        series["SCL"] = (("time", "x", "y"), scl)
        series["MASK"] = (("time", "x", "y"), np.broadcast_to(mask.T, (5, 128, 128)).copy())
        dem = (500 + 50 * texture(rng, 1, 128, 128)).astype(np.int16)
        series["DEM"] = (("time", "x", "y"), np.broadcast_to(dem.transpose(0, 2, 1), (5, 128, 128)).copy())
        xr.Dataset(
            series,
            coords={
                "time": times,
                "x": west + 5 + 10.0 * np.arange(128),
                "y": north - 5 - 10.0 * np.arange(128),
            },
            attrs={"event_date": "2023-05-16", "crs": "EPSG:32632", "satellite": "s2", "annotated": "True"},
        ).to_netcdf(root / f"italy_s2_{i}.nc", engine="h5netcdf")
    return root
