"""A tiny area whose stages have all left something, for tests of the report: known shapes, known numbers."""

import json
import re
from datetime import date, timedelta
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from scipy import ndimage
from shapely.geometry import Point, box

from slipmap.config import parse_config
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.planning.files import reported_files
from slipmap.report.build import build
from slipmap.report.landslides import SERIES_LAYER

HEIGHT, WIDTH = 80, 100
GRID = Grid.from_bounds("EPSG:32632", 10, (500000, 5000000, 500000 + 10 * WIDTH, 5000000 + 10 * HEIGHT))
DATES = [date(2021, 1, 9) + timedelta(days=24 * i) for i in range(6)]
PAIRS = [(0, 1), (0, 2), (1, 2), (2, 3), (1, 3), (3, 4), (4, 5), (3, 5)]
FACTORS = {"elevation": "m", "slope": "degrees", "ndvi": "1", "velocity": "mm/yr"}
NOTE = "A note that must stand beside every score."


def run_settings(
    *, inventory: bool = True, experiments: bool = True, simulate: bool = True, weights: Path | None = None
):
    """The config of the area; with `weights` (a folder of experiments) it is mapped with weights from elsewhere."""
    grid = {"crs": GRID.crs, "resolution": 10, "bounds": list(GRID.bounds)}
    area = {"description": "Simulated test valley", "note": NOTE, "grid": grid}
    if simulate:
        area |= {"simulate": {"inventory": inventory}, "factors": {"include": list(FACTORS)}}
    else:
        area["inputs"] = {"sentinel1": {"level": "unwrapped", "path": "resources/valley/unwrapped"}}
    config = {"areas": {"valley": area}}
    if experiments:
        one = {"dataset": "p32", "train_areas": ["valley"], "test_areas": ["valley"]}
        both = {"rs": one | {"exclude": ["velocity"]}, "rs_dr": one}
        if weights:
            both = {name: {"weights": str(weights / name)} for name in both}
        else:
            config["datasets"] = {"p32": {"size": 32, "stride": 16}}
        config["experiments"] = both
    return parse_config(config, source="test")


def build_report(run, root: Path, page: Path, area: str = "valley") -> None:
    """Write the report of what `root` holds, as the workflow would that made it; the tables lie beside the page."""
    files = [path for path in reported_files(run, area) if (root / path).exists()]
    project = root / "results" / area / "map.qgs"
    build(area=area, run=run, files=files, page=page, tables=page.with_name("tables"), project=project, root=root)


def landslide_raster() -> np.ndarray:
    """Two landslides: 20 x 10 pixels at row 20, column 30; 8 x 8 pixels at row 60, column 70."""
    slides = np.zeros(GRID.shape, np.uint8)
    slides[20:40, 30:40] = 1
    slides[60:68, 70:78] = 1
    return slides


def write_area(root: Path, *, inventory: bool = True, optical: bool = True, experiments: bool = True) -> None:
    """Write ``results/valley`` and ``resources/valley`` under `root`."""
    results, resources = root / "results" / "valley", root / "resources" / "valley"
    rng = np.random.default_rng(1)
    slides = landslide_raster()
    velocity = ndimage.gaussian_filter(rng.normal(0, 2, GRID.shape), 2) - 30.0 * slides
    GRID.save(results / "grid.json")
    _deformation(results / "deformation", velocity, slides)
    raster.write(
        resources / "truth" / "velocity_los.tif", GRID, (-30.0 * slides).astype(np.float32),
        bands=["velocity"], units="mm/yr", long_name="true velocity",
    )  # fmt: skip
    if not optical:
        return
    rows, cols = np.indices(GRID.shape)
    surface = 500 + 3 * rows + 40 * np.sin(cols / 9)
    fields = {
        "elevation": surface,
        "slope": 20 + 10 * np.sin(cols / 5),
        "ndvi": 0.6 - 0.4 * slides,
        "velocity": velocity,
    }
    for name, units in FACTORS.items():
        values = fields[name].astype(np.float32)
        tags = {"scenes": "20210210,20210221T101031"} if name == "ndvi" else {}
        path = results / "factors" / f"{name}.tif"
        raster.write(path, GRID, values, bands=[name], units=units, long_name=name, tags=tags)
    pd.DataFrame({"factor": [*FACTORS, "all"], "valid_percent": 100.0}).to_csv(
        results / "factors" / "coverage.csv", index=False
    )
    raster.write(
        results / "hillshade.tif", GRID, (0.5 + 0.4 * np.cos(cols / 9)).astype(np.float32),
        bands=["hillshade"], units="1", long_name="hillshade",
    )  # fmt: skip
    if inventory:
        _inventory(results, slides)
    for name in ("rs", "rs_dr") if experiments else ():
        _maps(results / "maps" / name, slides, inventory)
        alarms = ["Nearly all probabilities lie between 0.010 and 0.040."] if name == "rs" else []
        (results / "maps" / name / "usable.json").write_text(
            json.dumps({"usable": not alarms, "alarms": alarms, "unseen_said": "Training saw nothing of basalt."})
        )
        _training(results / "experiments" / name, name, inventory)
    (results / "benchmarks").mkdir()
    (results / "benchmarks" / "map_landslides_rs.tsv").write_text(
        "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"
        "12.5\t0:00:12\t640.0\t900\t600\t610\t0\t0\t90\t11.2\n"
    )
    resources.joinpath("dem.tif").write_bytes(b"not read")


def _deformation(folder: Path, velocity: np.ndarray, slides: np.ndarray) -> None:
    coherence = np.full(GRID.shape, 0.9, np.float32)
    coherence[:, :8] = 0.3
    mask = (coherence >= 0.7).astype(np.uint8)
    raster.write(
        folder / "mask.tif", GRID, mask, bands=["mask"], units="1", long_name="mask", dtype="uint8",
        categories={0: "not reliable", 1: "reliable"},
    )  # fmt: skip
    raster.write(
        folder / "reliability.tif", GRID, 2 - mask, bands=["reliability"], units="1", long_name="why", dtype="uint8",
        categories={1: "reliable", 2: "low coherence"},
    )  # fmt: skip
    for name, values, units in (
        ("velocity", velocity, "mm/yr"),
        ("velocity_std", np.full(GRID.shape, 1.5), "mm/yr"),
        ("temporal_coherence", coherence, "1"),
    ):
        raster.write(folder / f"{name}.tif", GRID, values.astype(np.float32), bands=[name], units=units, long_name=name)
    baselines = [0.0, 30.0, -20.0, 50.0, 10.0, -40.0]
    pd.DataFrame(
        {
            "pair": [f"{DATES[a]:%Y%m%d}_{DATES[b]:%Y%m%d}" for a, b in PAIRS],
            "reference": [DATES[a] for a, _ in PAIRS],
            "secondary": [DATES[b] for _, b in PAIRS],
            "temporal_baseline_days": [(DATES[b] - DATES[a]).days for a, b in PAIRS],
            "perpendicular_baseline_m": [baselines[b] - baselines[a] for a, b in PAIRS],
            "mean_coherence": [np.nan, *np.linspace(0.3, 0.8, len(PAIRS))[1:]],  # the first is measured later
        }
    ).to_csv(folder / "network.csv", index=False)
    record = {
        "level": "slc",
        "format": "geotiff",
        "simulated": True,
        "dates": [f"{day}" for day in DATES],
        "perpendicular_baselines": baselines,
        "radar": {"wavelength": 0.0555, "incidence": 38.0},
    }
    (folder / "stack.json").write_text(json.dumps(record))
    where = {"latitude": 45.15, "longitude": 9.0, "how": "chosen", "removed": ["offset", "x", "y"]}
    first = "_".join(f"{DATES[k]:%Y%m%d}" for k in PAIRS[0])
    where |= {"pair_coherence": {first: 0.3}}
    (folder / "reference.json").write_text(json.dumps(where))
    years = np.array([(d - DATES[0]).days / 365.25 for d in DATES])
    x, y = (GRID.transform @ (np.arange(n) + 0.5, np.arange(n) + 0.5) for n in (WIDTH, HEIGHT))
    data = xr.Dataset(
        {
            "displacement": (("time", "y", "x"), (years[:, None, None] * velocity).astype(np.float32)),
            "temporal_coherence": (("y", "x"), coherence),
            "velocity": (("y", "x"), velocity.astype(np.float32)),
            "velocity_std": (("y", "x"), np.full(GRID.shape, 1.5, np.float32)),
            "reliability": (("y", "x"), (2 - mask).astype(np.float32)),
        },
        {"time": [np.datetime64(d) for d in DATES], "x": x[0], "y": y[1]},
    )
    data["spatial_ref"] = ((), 0)
    from rasterio.crs import CRS

    t = GRID.transform
    data["spatial_ref"].attrs = {
        "crs_wkt": CRS.from_user_input(GRID.crs).to_wkt(),
        "GeoTransform": f"{t.c} {t.a} {t.b} {t.f} {t.d} {t.e}",
    }
    data["time"].encoding = {"units": f"days since {DATES[0]} 00:00:00", "dtype": "float64"}
    data.to_netcdf(folder / "timeseries.nc", engine="h5netcdf")


def _inventory(results: Path, slides: np.ndarray) -> None:
    raster.write(
        results / "inventory.tif", GRID, slides, bands=["landslide"], units="1", long_name="inventory", dtype="uint8",
        categories={0: "no landslide", 1: "landslide"},
    )  # fmt: skip
    split = np.zeros(GRID.shape, np.uint8)
    split[:, 60:] = 2
    split[:, 50:60] = 1
    raster.write(
        results / "patches" / "split.tif", GRID, split, bands=["split"], units="1", long_name="split", dtype="uint8",
        categories={0: "training", 1: "validation", 2: "test"},
    )  # fmt: skip
    folder = results / "screening"
    folder.mkdir()
    names = list(FACTORS)
    matrix = pd.DataFrame(np.eye(4) + 0.6 * (1 - np.eye(4)), index=names, columns=names)
    matrix.to_csv(folder / "correlation.csv", index_label="factor")
    pd.DataFrame({"factor": names, "kept": True, "reason": "passes"}).to_csv(folder / "decision.csv", index=False)
    pd.DataFrame({"factor": names, "gini": 0.25, "permutation": 0.1}).to_csv(folder / "importance.csv", index=False)
    record = {"factors": names, "sample": {"landslide_pixels": 100, "other_pixels": 100}}
    (folder / "selection.json").write_text(json.dumps(record))


def _maps(folder: Path, slides: np.ndarray, inventory: bool) -> None:
    found = ndimage.shift(slides, (0, 2), order=0)  # two columns of false alarms and of misses on each
    probability = np.clip(ndimage.gaussian_filter(found.astype(np.float32), 1), 0.02, 0.97)
    for name, values, units in (("probability", probability, "1"), ("uncertainty", 0.1 * probability, "1")):
        raster.write(folder / f"{name}.tif", GRID, values, bands=[name], units=units, long_name=name)
    raster.write(
        folder / "class.tif", GRID, found, bands=["class"], units="1", long_name="class", dtype="uint8",
        categories={0: "no landslide", 1: "landslide"},
    )  # fmt: skip
    known = np.ones(GRID.shape, np.uint8)
    known[:, 92:] = 0  # 8 % of the ground
    raster.write(
        folder / "applicability.tif", GRID, known, bands=["a"], units="1", long_name="area of applicability",
        dtype="uint8", categories={0: "outside", 1: "inside", 2: "class unseen in training"},
    )  # fmt: skip
    boxes = [box(*_corner(32, 40), *_corner(42, 20)), box(*_corner(72, 68), *_corner(80, 60))]
    frame = gpd.GeoDataFrame(
        {
            "landslide": [1, 2],
            "area_m2": [polygon.area for polygon in boxes],
            "probability_mean": [0.91, 0.83],
            "slope_mean": [24.5, 18.0],
            "velocity_mean": [-30.2, -29.1],
            "velocity_std": [1.5, 2.5],
            "velocity_downslope": [4.0, 36.0],
            "velocity_downslope_std": [3.0, 3.1],
            "detectable_velocity": [6.0, 6.2],
            "aliasing_velocity": [210.0, 215.0],
            "motion": ["no movement detected", "moving"],
        },
        geometry=boxes,
        crs=GRID.crs,
    )
    if inventory:
        frame["inventory"] = ["matched", "new"]
    frame.to_file(folder / "landslides.gpkg", layer="landslides", driver="GPKG")
    years = [(d - DATES[0]).days / 365.25 for d in DATES]
    series = pd.DataFrame(
        [
            {"landslide": n, "date": str(d), "displacement_mm": -30.0 * t}
            for n in (1, 2)
            for d, t in zip(DATES, years, strict=True)
        ]
    )
    table = gpd.GeoDataFrame(series, geometry=[Point(0, 0)] * len(series), crs=GRID.crs)
    table.to_file(folder / "landslides.gpkg", layer=SERIES_LAYER, driver="GPKG")


def _corner(col: int, row: int) -> tuple[float, float]:
    return GRID.transform @ (col, row)


def _training(folder: Path, name: str, tested: bool) -> None:
    seed = folder / "seed_0"
    seed.mkdir(parents=True)
    bands = [b for b in FACTORS if name == "rs_dr" or b != "velocity"]
    f1 = 0.80 if name == "rs_dr" else 0.70
    record = {
        "model": {"name": "unet", "in_channels": len(bands), "classes": 1, "options": {}}, "bands": bands,
        "statistics": {}, "threshold": 0.43, "best_epoch": 2, "epochs": 3, "validation": {"f1_at_threshold": 0.75},
    }  # fmt: skip
    (seed / "model.json").write_text(json.dumps(record))
    pd.DataFrame(
        {
            "epoch": [0, 1, 2],
            "training_loss": [1.0, 0.6, 0.4],
            "validation_loss": [1.1, 0.8, 0.7],
            "validation_f1": [0.3, 0.6, 0.75],
        }
    ).to_csv(seed / "history.csv", index=False)
    if not tested:
        return
    test = {
        "bands": bands, "images": 4, "pixels": 3200, "independence": ["spatial blocks"],
        "test_distance": 300.0, "test_distance_least": 100.0,
        "counts": {"true_positive": 48, "false_positive": 16, "false_negative": 16, "true_negative": 3120},
        "objects": {"by_size": [{"pixels_from": 1, "pixels_to": None, "landslides": 1, "detected": 1}]},
        "reliability": {"probability": [0.1, 0.9, None], "share": [0.05, 0.95, None], "pixels": [3000, 200, 0]},
        "calibration_chosen": "temperature",
        "calibration": {
            method: {"brier": 0.05, "expected_calibration_error": error, "reliability": {
                "probability": [0.1, 0.9, None], "share": [0.1 - error, 0.9 + error, None], "pixels": [3000, 200, 0]}}
            for method, error in (("none", 0.0512), ("temperature", 0.0123), ("isotonic", 0.0034))
        },
    }  # fmt: skip
    (seed / "test_metrics.json").write_text(json.dumps(test))
    pd.DataFrame(
        [
            {"pooling": "pooled_over_pixels", "score": "f1", "mean": f1, "std": None, "min": f1, "max": f1, "seeds": 1},
            {
                "pooling": "pooled_over_pixels",
                "score": "iou",
                "mean": f1 / 2,
                "std": None,
                "min": f1,
                "max": f1,
                "seeds": 1,
            },
        ]
    ).to_csv(folder / "metrics.csv", index=False)


def make_report(root, run, **parts):
    """The page of an area with these parts, and the folder of its tables."""
    write_area(root, **parts)
    page = root / "report" / "index.html"
    build_report(run, root, page)
    return page.read_text(encoding="utf-8"), root / "report" / "tables"


def words(page):
    """The page's text, without scripts and tags."""
    return re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style).*?</\1>", " ", page, flags=re.S))
