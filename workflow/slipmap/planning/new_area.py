"""A config for a new study area, from a box or polygon and dates: which data exist, and what it will need."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from slipmap.check.run import check_run
from slipmap.config.acquire import RAW_PRODUCTS, AcquireSettings, rain_product
from slipmap.config.deformation import DeformationSettings
from slipmap.config.factors import FactorSettings
from slipmap.config.load import parse_config
from slipmap.config.run import RunSettings
from slipmap.config.template import render
from slipmap.config.yaml_file import read_yaml
from slipmap.errors import InputError
from slipmap.fetch import run
from slipmap.fetch.products import Found
from slipmap.fetch.web import TransferError, Web
from slipmap.io.atomic import write_text
from slipmap.io.grid import Box, Grid
from slipmap.planning.cost import Rate
from slipmap.planning.estimate import Need, estimate
from slipmap.sentinel1.check import COARSEST

# what is fetched of each kind where the config does not say
_SOURCES = {"sentinel1": "opera_cslc", "orbits": "orbits", "sentinel2": "sentinel2", "dem": "dem", "rainfall": "chirps",
            "soil_moisture": "smap"}  # fmt: skip
Record = dict[str, Any]  # a piece of a config, as YAML has it
_LOOKS = list(DeformationSettings().slc_looks)
_SNAP = 8  # pixels: the corners lie on multiples of so many
_WIDEST = 6.0  # degrees: a UTM zone; beyond it the map is distorted


@dataclass
class Plan:
    """What is known of a new area, and what the user is told."""

    record: Record
    notes: list[str] = field(default_factory=list)
    need: Need | None = None


def utm(longitude: float, latitude: float) -> str:
    """EPSG code of the UTM zone of a point (the plain zones of six degrees)."""
    zone = min(int((longitude + 180) // 6) + 1, 60)
    return f"EPSG:{(32600 if latitude >= 0 else 32700) + zone}"


def grid_settings(bbox: Box, resolution: float) -> Record:
    """Grid of a box (west, south, east, north): its UTM zone, and bounds on round numbers outside it.

    Raises
    ------
    InputError : no box of longitude and latitude, wider than a UTM zone, or too near a pole.
    """
    west, south, east, north = bbox
    if not 0 < resolution < math.inf:
        raise InputError(f"--resolution {resolution:g} is not a pixel size; give metres above zero, 12.5 say.")
    if -180 <= east < west <= 180 and west - east > 360 - _WIDEST:
        raise InputError(
            f"the area from {west:g} to {east:g} degrees lies across the 180th meridian; make two areas of it, one on "
            "each side (one config may hold both)."
        )
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise InputError(
            f"{west:g} {south:g} {east:g} {north:g} is not a box of west, south, east, north in degrees; give "
            f"longitudes from -180 to 180, latitudes from -90 to 90, the smaller first."
        )
    if not (-80 <= south and north <= 84):
        raise InputError("the area lies beyond UTM (80 S to 84 N); write the config by hand, with a polar CRS.")
    if east - west > _WIDEST:
        raise InputError(
            f"the area is {east - west:.1f} degrees wide, more than a UTM zone; make several areas of it (one "
            "config may "
            f"hold them all)."
        )
    from rasterio.crs import CRS
    from rasterio.warp import transform_bounds

    crs = utm((west + east) / 2, (south + north) / 2)
    left, bottom, right, top = transform_bounds(CRS.from_epsg(4326), CRS.from_user_input(crs), *bbox)
    step = _SNAP * resolution
    lower = [math.floor(edge / step) * step for edge in (left, bottom)]
    upper = [math.ceil(edge / step) * step for edge in (right, top)]
    return {"crs": crs, "resolution": resolution, "bounds": [*lower, *upper]}


def read_polygon(path: str | Path) -> Box:
    """Bounding box, in degrees, of the polygons of a vector file."""
    import pyogrio
    from rasterio.crs import CRS
    from rasterio.warp import transform_bounds

    try:
        info = pyogrio.read_info(path, force_total_bounds=True)
    except Exception as error:  # pyogrio has a family of errors of its own
        raise InputError(f"--polygon {path} is not a vector file that can be read; export it as GeoPackage.") from error
    if not info["crs"]:
        raise InputError(f"--polygon {path} has no coordinate reference system; assign one (ogr2ogr -a_srs EPSG:n).")
    if info["total_bounds"] is None or not all(map(math.isfinite, info["total_bounds"])):
        raise InputError(f"--polygon {path} holds no polygon; draw one.")
    west, south, east, north = info["total_bounds"]
    if west == east or south == north:
        raise InputError(f"--polygon {path} covers no ground, its box has no width or no height; draw a polygon.")
    box: Box = transform_bounds(CRS.from_user_input(info["crs"]), CRS.from_epsg(4326), west, south, east, north)
    return box


def plan_real(
    name: str, bbox: Box, start: date, end: date, *, resolution: float, archive: str | None,
    services: Mapping[str, str], web: Web | None, rates: Mapping[str, Rate],
) -> Plan:  # fmt: skip
    """Plan an area from real data; with `web` (or an archive) the data that exist are searched for.

    A service that cannot be reached leaves its part to be found by the run itself, and a note that says so.
    """
    grid_record = grid_settings(bbox, resolution)
    grid = Grid.from_bounds(grid_record["crs"], resolution, tuple(grid_record["bounds"]))
    sections: dict[str, Record] = {kind: {} for kind in ("sentinel1", "sentinel2", "dem", "lithology", "rainfall")}
    sections["soil_moisture"] = {}
    if not _has_opera(bbox):
        sections["sentinel1"]["product"] = "burst"
    if (rain := rain_product(bbox[1], bbox[3], end)) != "chirps":
        sections["rainfall"]["product"] = rain
    for kind, address in services.items():
        sections.setdefault(kind, {})["service"] = address
    everywhere = {"archive": archive} if archive else {}
    for section in sections.values():
        section.update(everywhere)
    plan = Plan({})
    found: dict[str, Found] = {}
    missing: dict[str, str] = {}
    if web is None and not archive:
        plan.notes.append(
            "Nothing was searched (--offline): tracks, scenes and tiles are found when the workflow runs."
        )
    else:
        _search(name, plan, sections, everywhere, found, missing, grid, start, end, web)
    raw = sections.get("sentinel1", {}).get("product") in RAW_PRODUCTS
    if raw:
        sections.setdefault("orbits", dict(everywhere))
    for kind, source in _SOURCES.items():
        if kind in sections and kind not in found:
            missing[kind] = sections[kind].get("product", source)
    plan.need = estimate(grid, found, missing, start, end, rates)
    # SLC pixels of coarse pixels must stay as fine as the radar sees
    looks = [max(least, math.ceil(resolution / finest)) for least, finest in zip(_LOOKS, COARSEST[::-1], strict=True)]
    plan.record = {
        "areas": {
            name: {
                "description": f"{name}, {start} to {end}",
                "grid": grid_record,
                "acquire": {"start": start, "end": end, **sections},
                **({"deformation": {"slc_looks": looks}} if raw and looks != _LOOKS else {}),
            }
        }
    }
    return plan


def plan_simulated(name: str, seed: int, trained_in: RunSettings, *, inventory: bool = True) -> Plan:
    """Plan a simulated area like the first simulated one of a config: as large, beside it, from another seed."""
    model = next((area for area in trained_in.areas.values() if area.simulate), None)
    if model is None or model.simulate is None or model.grid.bounds is None:
        raise InputError(
            "--from: that config has no simulated area to start from; name one that has (config/config.yaml)."
        )
    left, bottom, right, top = model.grid.bounds
    shift = 2 * (right - left)
    grid = {
        "crs": model.grid.crs, "resolution": model.grid.resolution,
        "bounds": [left + shift, bottom, right + shift, top],
    }  # fmt: skip
    given = model.simulate.model_dump(mode="python", exclude_unset=True)
    simulate = given | {"seed": seed} | ({} if inventory else {"inventory": False})
    area = {"description": f"{name}, simulated from seed {seed}", "grid": grid, "simulate": simulate}
    for section in ("screening", "split", "factors", "deformation"):  # so that the two can be compared
        kept = getattr(model, section).model_dump(mode="json", exclude_unset=True)
        if kept:
            area[section] = kept
    return Plan({"areas": {name: area}})


def add_weights(plan: Plan, name: str, weights: str) -> None:
    """Add an experiment that maps the area with weights trained elsewhere."""
    folder = Path(weights)
    experiment = folder.parent.name if folder.name.startswith("seed_") else folder.name
    plan.record["experiments"] = {
        experiment: {"description": f"Weights of {folder}", "weights": str(folder), "map_areas": [name]}
    }


def add_fine_tuning(plan: Plan, name: str, weights: str, source: str | Path) -> None:
    """Add the trained experiment as it is, tested in the new area too, and another that goes on from its weights.

    Both use the factors that the weights were trained on. `source` is the config in which they were trained; its areas
    are named by its path, so that they are not written twice.

    Raises
    ------
    InputError : the folder holds no trained model, or the config does not hold its experiment.
    """
    seed = Path(weights)
    if not seed.name.startswith("seed_"):
        seed = seed / "seed_0"
    try:
        trained = json.loads((seed / "model.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"--fine-tune: {seed} holds no trained model (model.json); train it first.") from error
    run_settings, record = parse_config(read_yaml(source), str(source)), read_yaml(source)
    experiment = seed.parent.name
    if experiment not in run_settings.experiments:
        raise InputError(f"--fine-tune: {source} has no experiment '{experiment}'; name its config with --from.")
    given = dict(record["experiments"][experiment])
    homes = run_settings.experiments[experiment].train_areas
    factors = [band if isinstance(band, str) else band["name"] for band in trained["bands"]]
    classes = [channel.partition("=")[2] for channel in trained["channels"] if channel.startswith("lithology=")]
    if classes:  # their order is that of the model's channels, whatever classes the new area has
        area = plan.record["areas"][name]
        area["factors"] = area.get("factors", {}) | {"lithology": {"classes": classes}}
    plan.record["areas"] = {**{home: str(source) for home in homes}, **plan.record["areas"]}
    plan.record["datasets"] = {given["dataset"]: record["datasets"][given["dataset"]]}
    training = {**given.get("training", {}), "initial_weights": str(seed)}
    training["epochs"] = max(1, run_settings.experiments[experiment].training.epochs // 2)
    training["learning_rate"] = run_settings.experiments[experiment].training.learning_rate / 10
    training["seeds"] = [0]
    tuned = {key: value for key, value in given.items() if key not in ("exclude", "train_areas", "test_areas")}
    plan.record["experiments"] = {
        experiment: {**given, "test_areas": [*homes, name]},
        f"{experiment}_tuned": {
            **tuned, "description": f"{experiment}, its weights trained on in {name}", "train_areas": [name],
            "test_areas": [name, *homes], "factors": factors, "training": training,
        },
    }  # fmt: skip
    plan.notes.append(
        f"{experiment} was trained in {', '.join(homes)}; {experiment}_tuned goes on from its weights in {name}, "
        "with a tenth of "
        f"the learning rate. Each area's report compares the two on its test ground."
    )


def write(plan: Plan, path: str | Path, *, overwrite: bool = False) -> RunSettings:
    """Write the config, each key with its meaning, and check it as `slipmap check` does.

    Raises
    ------
    InputError : as `require_free`; the config is not in order; the folder cannot be written to.
    """
    path = Path(path)
    require_free(path, overwrite=overwrite)
    elsewhere = {name: value for name, value in plan.record["areas"].items() if isinstance(value, str)}
    own = {name: value for name, value in plan.record["areas"].items() if name not in elsewhere}
    body = render(RunSettings.model_validate(plan.record | {"areas": own}), only_given=True)
    for name, value in elsewhere.items():
        body = body.replace("areas:\n", f"areas:\n  {name}: {value}\n", 1)
    text = "\n".join(_header(plan, path)) + f"\n\n{body}"
    checked = parse_config(yaml.safe_load(text), str(path))
    check_run(checked)
    try:
        write_text(path, text)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}); choose another --out.") from error
    return checked


def require_free(path: Path, *, overwrite: bool) -> None:
    """Raise `InputError` where the config would take the place of another, or of a folder."""
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file with --out, {path}/valley.yaml say.")
    if path.exists() and not overwrite:
        raise InputError(f"{path} is there already; choose another --out, or give --force to overwrite it.")


def _header(plan: Plan, path: Path) -> Iterator[str]:
    import textwrap

    yield from textwrap.wrap(
        f"Made by 'slipmap new-area'. Check it with 'slipmap check {path}', run it with 'snakemake --cores N "
        "--resources gpu=1 "
        f"--configfile {path}'. Every other option, explained: 'slipmap template {path}'.",
        116, initial_indent="# ", subsequent_indent="# ",
    )  # fmt: skip
    if plan.need:
        yield "#"
        yield (
            f"# Needs about {_gigabytes(plan.need.download)} to download, {_gigabytes(plan.need.disk)} of disk and "
            f"{plan.need.core_hours:.1f} core hours (without training)."
        )
    if plan.notes:
        yield "#"
        for note in plan.notes:
            yield from textwrap.wrap(note, 116, initial_indent="# - ", subsequent_indent="#   ")


def _has_opera(bbox: Box) -> bool:
    """Whether OPERA CSLC may cover the area: North America down to Panama, and Hawaii, by its product description."""
    south_america = bbox[2] > -77.2 and bbox[1] < 12.6  # east of Panama, up to Colombia's northern tip
    return bbox[2] <= -52 and bbox[1] >= 7 and not south_america


def _gigabytes(value: float) -> str:
    return f"{value / 1e9:.1f} GB" if value >= 1e8 else f"{value / 1e6:.0f} MB"


def _search(
    name: str, plan: Plan, sections: dict[str, Record], everywhere: Record, found: dict[str, Found],
    missing: dict[str, str], grid: Grid, start: date, end: date, web: Web | None,
) -> None:  # fmt: skip
    """Search what decides of an area: the radar stack, the optical scenes, the tiles of the DEM."""

    def ask(kind: str, section: Record) -> Found:
        settings = AcquireSettings.model_validate({"start": start, "end": end, kind: section})
        output = Path("resources") / name / "search" / f"{kind}.geojson"
        return run.search(kind, name, settings, FactorSettings(), grid, output, web=web)

    attempts: dict[str, list[Record]] = {
        "sentinel1": [{}, {"product": "burst"}, {"product": "slc"}],
        "sentinel2": [{}],
        "dem": [{}],
    }
    if everywhere:  # the archive need not hold everything
        attempts |= {
            "lithology": [{}],
            "rainfall": [{}, {"product": "chirps3"}, {"product": "imerg"}],
            "soil_moisture": [{}],
            "inventory": [{}],
        }
    for kind, choices in attempts.items():
        for number, choice in enumerate(choices):
            section = sections.get(kind, everywhere) | choice
            try:
                result = ask(kind, section)
            except TransferError as error:
                plan.notes.append(f"{kind}: not searched, left to be found when the workflow runs ({error})")
                break
            except InputError as error:
                if number == len(choices) - 1:
                    plan.notes.append(f"{kind}: nothing found, left out ({error})")
                    sections.pop(kind, None)
                continue
            _settle(kind, section, result, ask)
            sections[kind], found[kind] = section, result
            plan.notes += [f"{kind}: {line}" for line in _told(kind, result)]
            break


def _settle(kind: str, section: Record, result: Found, ask: Callable[[str, Record], Found]) -> None:
    """Fix the track (and burst) that was found, so that a later search takes no other stack."""
    if kind != "sentinel1" or not result.products:
        return
    first = result.products[0].properties
    if first.get("track"):
        section["track"] = int(first["track"])
    if result.source == "opera_cslc" and first.get("burst"):
        section["burst"] = first["burst"]
    ask(kind, section)


def _told(kind: str, result: Found) -> Iterator[str]:
    dates = sorted(product.date for product in result.products if product.date)
    size = f", {_gigabytes(result.size)}" if result.size and kind != "sentinel2" else ""
    span = f" from {dates[0]} to {dates[-1]}" if dates else ""
    yield f"{len(result.products)} {'tiles' if kind == 'dem' else result.source + ' products'}{span}{size}"
    yield from result.notes
