"""`slipmap init`: the config of an area from the files that its user has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from slipmap.check import ground as look_at
from slipmap.check import images
from slipmap.check.run import check_run
from slipmap.config.load import parse_config
from slipmap.errors import NEXT, InputError, nearest
from slipmap.inputs.area_grid import decide
from slipmap.io.atomic import write_text
from slipmap.io.grid import Box
from slipmap.planning.ground import OPTICAL, share

LEVELS = ("safe", "slc", "wrapped", "unwrapped", "velocity")
ATTRIBUTE = "lithology-attribute"
LAYERED = ("inventory", "lithology", "roads", "faults")  # files that may have several layers
_PATCHES = (128, 64, 32)  # pixels; the largest of which an area holds at least _ROOM a side
_ROOM = 5
SMALL = 0.25  # width of the network where there is no GPU


@dataclass
class Begun:
    """What is to be said of a config that was just written.

    Parameters
    ----------
    path : the config. made, missing : sentences on what will be mapped and what will not, and why.
    seen : what the elevation and the landslides are like, with what is odd about them.
    faults : what `slipmap check` finds wrong with the files.
    """

    path: Path
    made: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
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
    sentinel2_bands: Sequence[str] | None = None,
    layers: Mapping[str, str] | None = None,
    lithology_attribute: str | None = None,
    weights: str | None = None,
    overwrite: bool = False,
) -> Begun:
    """Write the config of the area `name` from `files` (key of ``inputs`` → path).

    The grid is the ground that all rasters of `files` share, or `bbox` (west, south, east, north, degrees); see
    `slipmap.planning.ground.share`. What the files leave open is a fault to be put right in the config.

    Parameters
    ----------
    files : also "sentinel2_before" and "sentinel2_after". sentinel2_bands : names of the bands of GeoTIFFs that do not
        name them, in their order. layers : key of `files` → the layer that counts.

    Raises
    ------
    InputError : a file that is not there; nothing to take a grid from; rasters that share no ground; a level of
        Sentinel-1 that its files do not tell; a layer or attribute of a file that is not given.
    """
    named = {
        **{f"{key}-layer": key for key in layers or {}},
        **({ATTRIBUTE: "lithology"} if lithology_attribute else {}),
    }
    for option, key in named.items():
        if key not in files:
            raise InputError(f"--{option} is given without --{key}; give the file too.")
    if sentinel2_bands and not any(key in files for key in OPTICAL):
        raise InputError("--sentinel2-bands is given without --sentinel2; give the file too.")
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
    if "sentinel1" in files and sentinel1_level is None:
        sentinel1_level = level_of(files["sentinel1"])
    ground = share(files, sentinel1_level, bbox, crs, resolution)
    begun = Begun(output, [f"a grid of {ground.grid['resolution']:g} m ({ground.because})"])
    inputs = _inputs(files, sentinel1_level, sentinel2_bands, layers or {}, lithology_attribute)
    record = _record(name, files, ground.grid, inputs, weights, begun)
    text = _text(record, output)
    settings = parse_config(yaml.safe_load(text), str(output))
    try:
        check_run(settings)
    except InputError as error:
        begun.faults = [_with_option(fault, name) for fault in str(error).split(NEXT)]
        begun.faults += _attribute_too(name, record["areas"][name]["inputs"], begun.faults)
    else:
        area = settings.areas[name]
        place = decide(area.grid, f"areas.{name}.grid")
        for look in (look_at.elevation, look_at.landslides, images.lines, look_at.rocks):
            begun.seen += [line.strip() for line in look(area, f"areas.{name}", place)]
    output.parent.mkdir(parents=True, exist_ok=True)
    write_text(output, text)
    return begun


def _inputs(
    files: Mapping[str, str],
    level: str | None,
    bands: Sequence[str] | None,
    layers: Mapping[str, str],
    attribute: str | None,
) -> dict[str, Any]:
    """The section ``inputs`` of the area."""
    inputs: dict[str, Any] = {}
    for key, path in files.items():
        if key == "sentinel1":
            inputs[key] = {"level": level, "path": path}
        elif key in OPTICAL:
            inputs.setdefault("sentinel2", {})[key.removeprefix("sentinel2_").replace("sentinel2", "path")] = path
        elif key == "lithology":
            known = {"path": path, "layer": layers.get(key), "attribute": attribute}
            inputs[key] = {part: value for part, value in known.items() if value}
        else:
            inputs[key] = path
            if key in layers:
                inputs[f"{key}_layer"] = layers[key]
    if bands:
        inputs["sentinel2"]["bands"] = list(bands)
    return inputs


def _record(
    name: str, files: Mapping[str, str], grid: dict[str, Any], inputs: dict[str, Any], weights: str | None, begun: Begun
) -> dict[str, Any]:
    area: dict[str, Any] = {"grid": grid, "inputs": inputs}
    if "sentinel2" in inputs and (optical := _optical(inputs["sentinel2"], begun)):
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


def _optical(given: Mapping[str, Any], begun: Begun) -> dict[str, list[str]] | None:
    """The default bands and indices that the scenes allow; None where they allow all, or cannot be opened yet.

    Parameters
    ----------
    given : ``inputs.sentinel2`` of the config.
    """
    from slipmap.config.factors import OpticalSettings
    from slipmap.config.inputs import Sentinel2Settings
    from slipmap.factors.indices import NEEDS
    from slipmap.factors.scenes import find_scenes

    source = Sentinel2Settings.model_validate(given)
    paths = [path for part, path in given.items() if part != "bands"]
    try:
        scenes = [scene for path in paths for scene in find_scenes(path, source, (), "--sentinel2")]
    except InputError:
        return None  # the check tells
    there = set.intersection(*(set(scene.bands) for scene in scenes))
    wanted = OpticalSettings()
    bands = [name for name in wanted.bands if name in there]
    indices = [name for name in wanted.indices if there.issuperset(NEEDS[name])]
    lacked = [name for name in wanted.bands if name not in bands]
    unmade = [
        f"{name} needs {' and '.join(band for band in NEEDS[name] if band not in there)}"
        for name in wanted.indices
        if name not in indices
    ]
    if not lacked and not unmade:
        return None
    begun.missing.append(f"{'; '.join([*lacked, *unmade])}: the scenes have {', '.join(sorted(there))} alone")
    return {"bands": bands, "indices": indices}


def level_of(path: str) -> str:
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
    if not found and _is_slc(Path(path)):
        return "slc"
    fits = f"fit {' and '.join(sorted(found))}" if found else "do not tell the level of processing"
    raise InputError(f"--sentinel1 {path}: its file names {fits}; give --sentinel1-level ({', '.join(LEVELS)}).")


def _is_slc(place: Path) -> bool:
    """Whether GeoTIFFs of a folder hold complex numbers and say the date of their one acquisition: SLCs for certain."""
    import rasterio

    for path in sorted(place.glob("*.tif")) if place.is_dir() else []:
        with rasterio.open(path) as src:
            if src.dtypes[0].startswith("complex") and src.tags().get("ACQUISITION_DATE"):
                return True
    return False


def _with_option(fault: str, name: str) -> str:
    """A fault whose key is missing, with the option of `slipmap init` that gives it."""
    given = {f"{key}_layer": f"{key}-layer" for key in LAYERED}
    given |= {"lithology.layer": "lithology-layer", "lithology.attribute": ATTRIBUTE}
    for key, option in given.items():
        if fault.startswith(f"areas.{name}.inputs.{key} is missing"):
            return f"{fault.rstrip('.')} (or give --{option})."
    if fault.startswith(f"areas.{name}.inputs.sentinel2.") and "inputs.sentinel2.bands" in fault:
        return f"{fault} (or give --sentinel2-bands with the names, B2,B3,…, and --force)"
    return fault


def _attribute_too(name: str, inputs: Mapping[str, Any], faults: Sequence[str]) -> list[str]:
    """That the attribute of the rock is not known either, where the layer is not, which the check stops at."""
    key = f"areas.{name}.inputs.lithology"
    if not any(fault.startswith(f"{key}.layer is missing") for fault in faults) or "attribute" in inputs["lithology"]:
        return []
    import pyogrio

    path = inputs["lithology"]["path"]
    shaped = [layer for layer, kind in pyogrio.list_layers(path) if kind is not None]
    fields = {layer: ", ".join(map(str, pyogrio.read_info(path, layer=layer)["fields"])) for layer in shaped}
    had = "; ".join(f"'{layer}' has {names or 'none'}" for layer, names in fields.items())
    return [
        f"{key}.attribute is missing; name the attribute of that layer that holds the class ({had}) "
        f"(or give --{ATTRIBUTE})."
    ]


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
    lines += begun.seen
    if begun.faults:
        lines += ["to be put right before it can run:", *(f"- {fault}" for fault in begun.faults)]
        lines.append(f"then: slipmap check {begun.path}")
    else:
        lines.append(f"next: slipmap check {begun.path}, then slipmap run {begun.path}")
    return "\n".join(lines)
