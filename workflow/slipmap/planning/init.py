"""`slipmap init`: the config of an area from the files that its user has."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from slipmap.check.run import check_run
from slipmap.config.load import parse_config
from slipmap.errors import InputError, nearest
from slipmap.io.atomic import write_text
from slipmap.io.grid import Grid

Box = tuple[float, float, float, float]
FINE, PLAIN = 10.0, 12.5  # metres: with Sentinel-2, without
LEVELS = ("safe", "slc", "wrapped", "unwrapped", "velocity")
_TIFFS = (".tif", ".tiff")
_PATCHES = (128, 64, 32)  # pixels; the largest of which an area holds at least _ROOM a side
_ROOM = 5
SMALL = 0.25  # width of the network where there is no GPU
_MOST_PIXELS = 40_000  # a side


@dataclass
class Begun:
    """What is to be said of a config that was just written.

    Parameters
    ----------
    path : the config. made, missing : sentences on what will be mapped and what will not, and why.
    faults : what `slipmap check` finds wrong with the files.
    """

    path: Path
    made: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def begin(
    name: str,
    files: Mapping[str, str],
    *,
    output: str | Path,
    bbox: Box | None = None,
    crs: str | None = None,
    resolution: float | None = None,
    sentinel1_level: str | None = None,
    lithology_attribute: str | None = None,
    weights: str | None = None,
    overwrite: bool = False,
) -> Begun:
    """Write the config of the area `name` from `files` (key of ``inputs`` → path).

    The grid is the ground that all rasters of `files` share, or `bbox` (west, south, east, north, degrees). Its CRS is
    that of the DEM if its metres are true, else the UTM zone.

    Raises
    ------
    InputError : a file that is not there; nothing to take a grid from; rasters that share no ground; a level of
        Sentinel-1 that its files do not tell; a lithology whose attribute is not given.
    """
    output = Path(output)
    if sentinel1_level is not None and sentinel1_level not in LEVELS:
        raise InputError(f"--sentinel1-level {sentinel1_level} is no level{nearest(sentinel1_level, LEVELS)}")
    if output.exists() and not overwrite:
        raise InputError(f"{output} is there already; choose another --out, or give --force to overwrite it.")
    for key, path in files.items():
        if not Path(path).exists():
            raise InputError(f"--{key.replace('_', '-')} {path} does not exist; correct the path.")
    if not files:
        raise InputError("no file is given; name what you have (--dem, --sentinel2, --inventory …).")
    grid = _grid(files, bbox, crs, resolution or (FINE if "sentinel2" in files else PLAIN))
    begun = Begun(output)
    record = _record(name, files, grid, sentinel1_level, lithology_attribute, weights, begun)
    text = _text(record, output)
    settings = parse_config(yaml.safe_load(text), str(output))
    try:
        check_run(settings)
    except InputError as error:
        begun.faults = str(error).splitlines()
    output.parent.mkdir(parents=True, exist_ok=True)
    write_text(output, text)
    return begun


def _grid(files: Mapping[str, str], bbox: Box | None, crs: str | None, resolution: float) -> dict[str, Any]:
    from rasterio.crs import CRS
    from rasterio.warp import transform_bounds

    rasters = {key: path for key in ("dem", "sentinel2") if (path := _raster(files.get(key)))}
    if bbox is None and not rasters:
        raise InputError(
            "the files do not tell where the area is; give --dem or a Sentinel-2 GeoTIFF, or --bbox W S E N in degrees."
        )
    chosen = crs or _metric_crs(rasters.get("dem")) or _zone(bbox, rasters)
    target = CRS.from_user_input(chosen)
    if bbox is not None:
        box = transform_bounds(CRS.from_epsg(4326), target, *bbox)
    else:
        boxes = [_inside(path, target) for path in rasters.values()]
        box = tuple(side([b[i] for b in boxes]) for i, side in enumerate((max, max, min, min)))
        if box[0] >= box[2] or box[1] >= box[3]:
            named = " and ".join(f"--{key} {path}" for key, path in rasters.items())
            raise InputError(f"{named} share no ground; give files of one area.")
    snap = (math.floor, math.floor, math.ceil, math.ceil) if bbox else (math.ceil, math.ceil, math.floor, math.floor)
    bounds = [step(value / resolution) * resolution for step, value in zip(snap, box, strict=True)]
    columns, rows = ((bounds[i + 2] - bounds[i]) / resolution for i in (0, 1))
    if min(columns, rows) < 1:
        raise InputError(f"the area is smaller than a pixel of {resolution:g} m; give a finer --resolution.")
    if max(columns, rows) > _MOST_PIXELS:
        raise InputError(
            f"the area has {columns:,.0f} x {rows:,.0f} pixels of {resolution:g} m; give --bbox of a smaller one or a "
            f"coarser --resolution."
        )
    return {"crs": chosen, "resolution": resolution, "bounds": bounds}


def _corners(path: Path, target: Any) -> tuple[Any, Any, float, float, float, float]:
    import rasterio

    with rasterio.open(path) as src:
        if src.crs is None:
            raise InputError(f"{path} has no CRS; assign the right one (gdal_edit.py -a_srs EPSG:n).")
        return src.crs, target, *src.bounds


def _inside(path: Path, target: Any) -> Box:
    """The box in `target` all of which the raster covers: between its edges, as they run there."""
    import numpy as np
    from rasterio.warp import transform

    crs, _, left, bottom, right, top = _corners(path, target)
    steps = np.linspace(0, 1, 21)
    across, up = left + (right - left) * steps, bottom + (top - bottom) * steps
    fixed = np.ones(21)
    edges = [(left * fixed, up), (across, bottom * fixed), (right * fixed, up), (across, top * fixed)]
    west, south, east, north = (transform(crs, target, *edge) for edge in edges)
    return max(west[0]), max(south[1]), min(east[0]), min(north[1])


def _raster(path: str | None) -> Path | None:
    """The raster at `path`, or the first GeoTIFF in that folder."""
    if path is None:
        return None
    place = Path(path)
    found = sorted(p for p in place.rglob("*") if p.suffix.lower() in _TIFFS) if place.is_dir() else [place]
    return found[0] if found and found[0].suffix.lower() != ".zip" else None


def _metric_crs(path: Path | None) -> str | None:
    """The CRS of a raster, if it is one of metres that are true at its centre."""
    import rasterio

    from slipmap.inputs.crs import require_true_scale

    if path is None:
        return None
    with rasterio.open(path) as src:
        if src.crs is None or not src.crs.is_projected or src.crs.to_epsg() is None:
            return None
        grid = Grid(f"EPSG:{src.crs.to_epsg()}", src.transform, src.width, src.height)
    try:
        require_true_scale(grid, "")
    except InputError:
        return None
    return grid.crs


def _zone(bbox: Box | None, rasters: Mapping[str, Path]) -> str:
    from rasterio.crs import CRS
    from rasterio.warp import transform_bounds

    from slipmap.planning.new_area import utm

    if bbox is None:
        bbox = transform_bounds(*_corners(next(iter(rasters.values())), CRS.from_epsg(4326)))
    return utm((bbox[0] + bbox[2]) / 2, (bbox[1] + bbox[3]) / 2)


def _record(
    name: str,
    files: Mapping[str, str],
    grid: dict[str, Any],
    level: str | None,
    attribute: str | None,
    weights: str | None,
    begun: Begun,
) -> dict[str, Any]:
    inputs: dict[str, Any] = {}
    for key, path in files.items():
        if key == "sentinel1":
            inputs[key] = {"level": level or sentinel1_level(path), "path": path}
        elif key == "sentinel2":
            inputs[key] = {"path": path}
        elif key == "lithology":
            inputs[key] = {"path": path, "attribute": attribute or _attribute(path)}
        else:
            inputs[key] = path
    area: dict[str, Any] = {"grid": grid, "inputs": inputs}
    if "sentinel2" in files and (optical := _optical(files["sentinel2"], begun)):
        area["factors"] = {"optical": optical}
    record: dict[str, Any] = {"areas": {name: area}}
    if "sentinel1" in files:
        begun.made.append("the velocity of the ground, with its standard deviation")
    begun.made.append("the factors that the files allow ('slipmap factors' lists them)")
    if weights:
        record["experiments"] = {"mapped": {"weights": weights}}
        begun.made.append(f"landslides, with the weights in {weights}; without scores, since nothing is tested")
    elif "inventory" in files:
        columns, rows = ((grid["bounds"][i + 2] - grid["bounds"][i]) / grid["resolution"] for i in (0, 1))
        size = next((n for n in _PATCHES if min(columns, rows) >= _ROOM * n), None)
        if size is None:
            begun.missing.append(
                f"landslides: the area has {columns:.0f} x {rows:.0f} pixels, too few to train and test on; give "
                f"--weights of an experiment trained elsewhere"
            )
        else:
            record["datasets"] = {f"p{size}": {"size": size, "stride": size // 2}}
            experiment: dict[str, Any] = {"dataset": f"p{size}", "train_areas": [name], "test_areas": [name]}
            note = ""
            if not has_gpu():
                experiment |= {"model": {"name": "unet", "options": {"width": SMALL}}}
                note = f"; this machine has no NVIDIA GPU, so the network is small (width {SMALL})"
            record["experiments"] = {"unet": experiment}
            begun.made.append(f"landslides, by a U-Net trained on the inventory, with scores on test ground{note}")
    else:
        begun.missing.append(
            "landslides: there is no inventory to learn from; give --inventory, or --weights of an experiment trained "
            "elsewhere"
        )
    return record


def has_gpu() -> bool:
    """Whether the machine seems to have an NVIDIA GPU; asked without torch, which takes seconds to import."""
    return Path("/proc/driver/nvidia/version").exists()


def _optical(path: str, begun: Begun) -> dict[str, list[str]] | None:
    """The default bands and indices that the scenes allow; None where they allow all, or cannot be opened yet."""
    from slipmap.config.factors import OpticalSettings
    from slipmap.config.inputs import Sentinel2Settings
    from slipmap.factors.indices import NEEDS
    from slipmap.factors.scenes import find_scenes

    try:
        scenes = find_scenes(path, Sentinel2Settings(path=path), (), "--sentinel2")
    except InputError:
        return None  # the check tells
    there = set.intersection(*(set(scene.bands) for scene in scenes))
    wanted = OpticalSettings()
    bands = [name for name in wanted.bands if name in there]
    indices = [name for name in wanted.indices if there.issuperset(NEEDS[name])]
    left_out = [name for name in (*wanted.bands, *wanted.indices) if name not in (*bands, *indices)]
    if not left_out:
        return None
    begun.missing.append(f"{', '.join(left_out)}: the scenes have no bands for them ({', '.join(sorted(there))})")
    return {"bands": bands, "indices": indices}


def sentinel1_level(path: str) -> str:
    """The level of the Sentinel-1 data at `path`, if its file names leave no doubt.

    Raises
    ------
    InputError : they fit no level, or several.
    """
    from slipmap.deformation.reader import Listing
    from slipmap.deformation.readers import load, own_formats
    from slipmap.sentinel1.check import looks_raw

    if looks_raw(Path(path)):
        return "safe"
    listing, found = Listing.of(Path(path)), set()
    for name in own_formats():
        reader = load(name)
        if not reader.generic:
            found |= {level for level in LEVELS if level in reader.levels and reader.recognises(listing, level)}
    if len(found) == 1:
        return found.pop()
    fits = f"fit {' and '.join(sorted(found))}" if found else "tell no level"
    raise InputError(f"--sentinel1 {path}: its file names {fits}; give --sentinel1-level ({', '.join(LEVELS)}).")


def _attribute(path: str) -> str | None:
    """None for a raster of classes; a vector's attribute has to be given."""
    if Path(path).suffix.lower() in _TIFFS:
        return None
    from slipmap.inputs.vectors import find_layer

    fields = ", ".join(find_layer(path, "--lithology").fields)
    raise InputError(f"--lithology {path}: say which attribute names the rock: --lithology-attribute ({fields}).")


def _text(record: dict[str, Any], output: Path) -> str:
    body = yaml.safe_dump(record, sort_keys=False, default_flow_style=None, width=100, allow_unicode=True)
    return (
        f"# Written by 'slipmap init'. Check it: slipmap check {output}. Run it: slipmap run {output}\n"
        f"# Every other option with its meaning: slipmap template {output}\n{body}"
    )


def message(begun: Begun) -> str:
    """What to tell the user of a config that was just written."""
    lines = [f"wrote {begun.path}"]
    lines += [f"will be made: {text}" for text in begun.made]
    lines += [f"will not be made: {text}" for text in begun.missing]
    if begun.faults:
        lines += ["to be put right before it can run:", *(f"- {fault}" for fault in begun.faults)]
        lines.append(f"then: slipmap check {begun.path}")
    else:
        lines.append(f"next: slipmap run {begun.path}")
    return "\n".join(lines)
