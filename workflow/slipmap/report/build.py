"""The driver of the report: from an area's results to ``index.html`` and ``tables/*.csv``."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from slipmap.codes import UNKNOWN
from slipmap.config.layout import input_files
from slipmap.config.report import ReportSettings
from slipmap.config.run import RunSettings
from slipmap.deformation.reliability import RELIABLE
from slipmap.io.atomic import write_aside, write_text
from slipmap.io.grid import Grid
from slipmap.patches.store import split_description
from slipmap.report import (
    active_areas,
    active_truth,
    agreement,
    deformation_truth,
    estimators,
    explore,
    headline,
    inventory_found,
    landslide_truth,
    landslides,
    pairs,
    qgis,
    record,
    scores,
    summary,
    template,
    validation,
    worth,
)
from slipmap.report.layers import Layer, make_layers
from slipmap.report.page import page_context
from slipmap.report.pictures import display_grid
from slipmap.report.sources import Given, Sources, gather

LEAST_PIXELS = 128  # on the long side of a picture, whatever its size in bytes


def build(
    *,
    area: str,
    run: RunSettings | Mapping[str, Any],
    files: Iterable[str],
    page: str | Path,
    tables: str | Path,
    project: str | Path | None = None,
    root: str | Path = "",
) -> None:
    """Write the report of one area: one HTML file that needs nothing else, its tables as CSV, and a QGIS project.

    Whatever stages the area has are shown: deformation alone, maps without scores (no inventory), or everything.

    Parameters
    ----------
    area : its name in `run`.
    run : the config, or as much of it as concerns the area (`slipmap.config.products.reported`); also as plain data.
    files : what is shown, as paths of the layout (`slipmap.planning.files.reported_files`); what is not among them is
        left out.
    page : the HTML file. tables : folder of the CSV files (remade). project : the QGIS project (none: not written).
    root : folder of the run, in which `files` lie.

    Notes
    -----
    Rasters are read at no more than ``report.max_pixels`` on their long side (from their overviews) or block by
    block: memory does not grow with the area. The same results give the same bytes.
    """
    if not isinstance(run, RunSettings):
        run = RunSettings.model_validate(run)
    sources = gather(area, run, Given(files, root))
    settings = run.areas[area].report
    drawn = landslides.drawn(sources.mapped)
    numbers = _tables(sources, settings)
    if "landslides" in sources.truth and drawn:
        numbers["landslide_truth"] = landslide_truth.compare(drawn, sources.truth["landslides"])
    areas = active_areas.of(sources)
    if areas is not None:
        numbers["active_areas"] = active_areas.numbers(areas, drawn)
    if areas is not None and {"landslides", "velocity_los"} <= sources.truth.keys():
        truth = sources.truth
        numbers["active_areas_truth"] = active_truth.compare(areas, truth["landslides"], truth["velocity_los"])
    if cards := headline.cards(sources, numbers, drawn):
        numbers["headline"] = pd.DataFrame(cards)[["value", "label", "detail"]]
    said = summary.verdict(sources, numbers, display_grid(sources.grid, settings.max_pixels))
    if sources.simulated:
        said["word"] += " (of simulated ground)"
    numbers["verdict"] = pd.DataFrame([said])[["word", "reason"]]
    with write_aside(tables) as aside:
        aside.mkdir()
        for name, table in numbers.items():
            table.to_csv(aside / f"{name}.csv", index=False, float_format="%.6g", lineterminator="\n")
    found = explore.outlines(sources, drawn, areas, settings.max_landslides) | explore.series(sources)
    text = template.as_json(found)
    shown, layers = _layers_within(sources, settings, display_grid(sources.grid, settings.max_pixels), taken=len(text))
    data = explore.frame(sources.grid, area, layers, shown=list(found["landslides"])) | found
    context = page_context(
        sources,
        numbers,
        layers,
        drawn,
        shown,
        areas=areas,
        most=settings.max_landslides,
        has_points=bool(found.get("points")),
        has_outlines=any(one["items"] for one in found["landslides"].values()),
    )
    write_text(page, template.page("page.html.j2", context, data))
    if project is not None:
        qgis.write(project, sources, layers, motion=any("motion" in frame for frame in drawn.values()))


def _tables(sources: Sources, settings: ReportSettings) -> dict[str, pd.DataFrame]:
    """Every table of the report by the name of its CSV file."""
    tables = {**sources.screening, **sources.susceptibility_tables}
    if sources.coverage is not None:
        tables["coverage"] = sources.coverage
    if sources.network is not None:
        keep = [c for c in sources.network.columns if not c.endswith("_file")]
        tables["network"] = sources.network[keep].assign(
            mean_coherence=pairs.coherence(sources.network, sources.reference)
        )
    found, truth = sources.deformation, sources.truth.get("velocity_los")
    if truth and {"velocity", "mask"} <= found.keys():
        compared = validation.compare_rasters(found["velocity"], truth, found["mask"], least=RELIABLE)
        tables["velocity_truth"] = pd.DataFrame([compared.row()])
        if "velocity_std" in found:
            tables["velocity_intervals"] = deformation_truth.interval_coverage(found, truth)
    if "dem_error" in sources.truth and {"dem_error", "mask"} <= found.keys():
        tables["dem_error_truth"] = deformation_truth.dem_errors(found, sources.truth["dem_error"])
    if {"velocity", "mask"} <= sources.beside.keys():
        chosen = sources.settings.deformation
        tables |= estimators.compare({chosen.estimator: found, str(chosen.compare_with): sources.beside}, truth)
    if sources.tested:
        tables["scores"] = scores.side_by_side(sources.tested)
    if sources.inventory:
        counted = [
            agreement.count(e.maps["class"], sources.inventory, sources.split).assign(experiment=name)
            for name, e in sources.mapped.items()
            if "class" in e.maps
        ]
        if counted:
            joined = pd.concat(counted, ignore_index=True)[["experiment", *agreement.COLUMNS]]
            said = split_description(sources.split)["independence"] if sources.split else UNKNOWN
            tables["map_agreement"] = joined.assign(independence=said)
            rows = [
                inventory_found.count(e.maps["class"], sources.inventory, sources.split).assign(experiment=name)
                for name, e in sources.mapped.items()
                if "class" in e.maps
            ]
            tables["inventory_found"] = pd.concat(rows, ignore_index=True)[["experiment", *inventory_found.COLUMNS]]
    if sources.inventory and sources.split:
        rows = [
            worth.count(e.maps["probability"], sources.inventory, sources.split).assign(experiment=name)
            for name, e in sources.mapped.items()
            if "probability" in e.maps
        ]
        if rows:
            tables["map_reliability"] = pd.concat(rows, ignore_index=True)[["experiment", *worth.COLUMNS]]
    tables |= {f"published_{name}": found.numbers for name, found in sources.published.items()}
    files = {**_truth_free(input_files(sources.settings.inputs))}
    rows = [
        {"key": f"inputs.{key}", **record.checksum(path, settings.checksum_megabytes)}
        for key, path in files.items()
        if Path(path).exists()
    ]
    tables["inputs"] = pd.DataFrame(rows, columns=["key", "path", "files", "bytes", "sha256"])
    tables["benchmarks"] = record.benchmarks(sources.folder / "benchmarks")
    own = tables["benchmarks"]["job"].isin(["report"])  # the last report's time is not a part of this one
    tables["benchmarks"] = tables["benchmarks"][~own].reset_index(drop=True)
    return tables


def _truth_free(files: Mapping[str, str]) -> dict[str, str]:
    return {key: path for key, path in files.items() if "/truth/" not in path}


def _layers_within(sources: Sources, settings: ReportSettings, finest: Grid, taken: int) -> tuple[Grid, list[Layer]]:
    """The layers, coarse enough that their pictures and the `taken` bytes stay below ``max_megabytes`` together."""
    room = max(0.0, settings.max_megabytes - taken / 1e6)
    pixels = max(finest.shape)
    while True:
        shown = display_grid(sources.grid, pixels)
        layers = make_layers(sources, shown)
        size = sum(len(layer.picture.uri) for layer in layers) / 1e6
        if size <= room or pixels <= LEAST_PIXELS:
            return shown, layers
        pixels = max(LEAST_PIXELS, int(pixels * min(0.9, 0.97 * np.sqrt(room / size))))
