"""Sen12Landslides (Höhn et al. 2025), Sentinel-2 part: NetCDF time series of 128 × 128 pixels at 10 m."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from slipmap.config.patches import ImportSettings
from slipmap.errors import InputError
from slipmap.patches.importing.importer import (
    Importer,
    Published,
    Sample,
    SampleError,
    Source,
    check_sample,
    existing_folder,
)
from slipmap.patches.normalisation import BandStatistics

OPTICAL = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")
CLEAR = (2, 4, 5, 6, 7, 11)  # scene classes that show the ground: dark, vegetation, soil, water, unclassified, snow
REFLECTANCE = (-0.2, 2.0)
RANGES = {"elevation": (-500.0, 9000.0)}


def band_names(periods: Sequence[str]) -> list[str]:
    """Names as the factors of a study area have them: "B2_after", …, "B2_change", …, "elevation"."""
    return [f"{_plain(band)}_{period}" for period in periods for band in OPTICAL] + ["elevation"]


def read(sample: Sample, periods: Sequence[str], clear: float) -> tuple[np.ndarray, np.ndarray]:
    """Read one sample; see `Source.read`. Reflectance 0-1; NaN where clouds hide the ground.

    The files store ``(time, x, y)``, and say so: pixels are brought to (rows, cols) by the names of the dimensions.
    Before and after are the images nearest to the event, on either side, of which at least `clear` is clear (by SCL);
    where there is none, the clearest. (The attribute ``pre_post_dates`` is not used: it may name clouded images.)
    """
    path = sample.files["image"]
    try:
        with xr.open_dataset(path, engine="h5netcdf") as file:
            data = _by_rows(file, path)
            before, after = choose_dates(data, clear, path)
            layers: dict[str, np.ndarray] = {}
            for period, time in (("before", before), ("after", after)):
                shown = np.isin(data["SCL"][time].values, CLEAR)
                for band in OPTICAL:
                    values = data[band][time].values.astype(np.float32) / 10_000
                    layers[f"{_plain(band)}_{period}"] = np.where(shown, values, np.nan)
            for band in map(_plain, OPTICAL):
                layers[f"{band}_change"] = layers[f"{band}_after"] - layers[f"{band}_before"]
            layers["elevation"] = data["DEM"][0].values.astype(np.float32)
            mask = data["MASK"].values.max(axis=0)
    except (OSError, ValueError, KeyError) as error:
        raise SampleError(
            f"{path} is not a whole Sen12Landslides file ({type(error).__name__}: {error}); fetch it again."
        ) from error
    names = band_names(periods)
    image = np.stack([layers[name] for name in names]).astype(np.float32)
    ranges = RANGES | {name: REFLECTANCE for name in names if name.endswith(("_before", "_after"))}
    check_sample(sample, image, mask, ranges, names)
    return image, mask.astype(np.uint8)


def choose_dates(data: xr.Dataset, clear: float, path: Path) -> tuple[int, int]:
    """Numbers of the images before and after the event."""
    times = data["time"].values.astype("datetime64[D]")
    event = np.datetime64(str(data.attrs["event_date"])[:10])
    share = np.isin(data["SCL"].values, CLEAR).mean(axis=(1, 2))
    chosen = []
    for side in (np.flatnonzero(times < event)[::-1], np.flatnonzero(times > event)):
        if not side.size:
            raise SampleError(f"{path} has no image on one side of its event ({event}).")
        enough = side[share[side] >= clear]
        chosen.append(int(enough[0] if enough.size else side[np.argmax(share[side])]))
    return chosen[0], chosen[1]


def _by_rows(file: xr.Dataset, path: Path) -> xr.Dataset:
    missing = [name for name in (*OPTICAL, "SCL", "MASK", "DEM") if name not in file]
    if missing:
        raise SampleError(
            f"{path} has no variable {missing[0]}; it is not a Sentinel-2 file of Sen12Landslides "
            f"(they have *_s2_* names)."
        )
    if file["y"].values[0] < file["y"].values[-1]:
        file = file.isel(y=slice(None, None, -1))  # rows run from north to south
    return file.transpose("time", "y", "x", ...)


def _sample(path: Path, root: Path, cell: float) -> Sample:
    name = path.relative_to(root).with_suffix("").as_posix()
    try:
        with xr.open_dataset(path, engine="h5netcdf") as file:
            x, y = file["x"].values, file["y"].values
            crs = str(file.attrs.get("crs", ""))
    except Exception:  # whatever is wrong with it, reading it will say so
        return Sample(name=name, files={"image": path})
    half = abs(float(x[1] - x[0])) / 2
    bounds = (float(x.min()) - half, float(y.min()) - half, float(x.max()) + half, float(y.max()) + half)
    centre: Any = ((bounds[0] + bounds[2]) / 2 // cell, (bounds[1] + bounds[3]) / 2 // cell)
    return Sample(
        name=name,
        files={"image": path},
        bounds=bounds,
        crs=crs,
        group=f"{crs} {centre[0]:.0f} {centre[1]:.0f}",
    )


def _plain(band: str) -> str:
    return f"B{int(band[1:])}" if band[1:].isdigit() else band


class Sen12Landslides(Importer):
    """The Sentinel-2 part of Sen12Landslides."""

    title = "Sen12Landslides"
    source = "Höhn et al. 2025, doi:10.1038/s41597-025-06167-2"
    files = {"images and masks": "`*_s2_*.nc`, in any subfolder"}
    bands = (
        "B2 to B8, B8A, B11 and B12 of the last clear image before the event and the first after it, and their "
        "difference, as reflectance; elevation in m; pixels of 10 m"
    )
    classes = "MASK of 1 at any date: landslide; 0: none"
    split = "drawn by cells of the ground; samples that overlap stay together"
    checks = "variables, an image on either side of the event, shapes, labels, reflectance (-0.2 to 2) and elevation"
    settings = ("periods", "clear", "cell")
    published = Published(
        "hugging_face", "paulhoehn/Sen12Landslides@main", r"/s2/", "Höhn et al. 2025, doi:10.1038/s41597-025-06167-2"
    )

    def scan(self, settings: ImportSettings) -> Source:
        """List the NetCDF files in `settings.path` (and its subfolders) with their place and event.

        The split is drawn by spatial cells of `settings.cell` metres; samples that overlap join their cells.

        Raises
        ------
        InputError : no file.
        """
        root = existing_folder(settings.path, "Sen12Landslides (NetCDF files)")
        paths = sorted(root.rglob("*.nc"))
        if not paths:
            raise InputError(f"source.path: {root} has no NetCDF file; give the folder of Sen12Landslides' s2 patches.")
        samples = [_sample(path, root, settings.cell) for path in paths]
        names = band_names(settings.periods)
        bands = [BandStatistics(name=name, units="m" if name == "elevation" else "1") for name in names]
        first = settings.periods[0]
        return Source(
            name="Sen12Landslides",
            bands=bands,
            samples=samples,
            read=partial(read, periods=settings.periods, clear=settings.clear),
            independence=f"spatial cells of {settings.cell / 1000:g} km",
            pixel_size=10.0,
            thumbnail=[names.index(f"{band}_{first}") for band in ("B2", "B3", "B4")],
        )


IMPORTER = Sen12Landslides()
