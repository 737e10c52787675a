"""One picture of an area's map, for a README or a slide: hillshade, probability of landslide, outlines, velocity."""

from pathlib import Path
from typing import Any

import geopandas as gpd
import matplotlib
import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from slipmap.colours import MOTION, PROBABILITY, VELOCITY
from slipmap.errors import InputError, nearest
from slipmap.io.atomic import write_aside
from slipmap.io.grid import Grid
from slipmap.report.landslides import first_to_look_at
from slipmap.report.pictures import display_grid, load

matplotlib.use("Agg")

PLAIN = "#000000"  # outlines of whose motion nothing is known
SHADED = 0.72  # opacity over the hillshade


def run(area: str, experiment: str, output: str | Path, results: Path = Path("results"), pixels: int = 640) -> None:
    """Draw ``results/{area}/maps/{experiment}`` beside the area's velocity (if it has one) and write a PNG.

    With a title, a legend, a scale bar, an arrow to grid north, and an inset: the landslide to look at first, close
    up, its place framed on the map. Reads each raster through its overviews: memory follows `pixels`, not the area.

    Raises
    ------
    InputError : the map is not there; `output` is no PNG, or in a folder that is not there.
    """
    from matplotlib import pyplot

    output, folder = Path(output), results / area
    if output.suffix.lower() != ".png":
        raise InputError(f"{output}: the picture is a PNG; name a file that ends in .png.")
    if not output.parent.is_dir():
        raise InputError(f"{output}: the folder {output.parent} does not exist; make it, or name another.")
    maps = folder / "maps" / experiment
    if not (maps / "probability.tif").is_file():
        made = [path.parent.name for path in folder.glob("maps/*/probability.tif")]
        if made:
            raise InputError(f"results of {area} have no map of '{experiment}'{nearest(experiment, made)}")
        raise InputError(f"{maps}/probability.tif does not exist; run the workflow for that area and experiment first.")
    shown = display_grid(Grid.load(folder / "grid.json"), pixels)
    shade = folder / "hillshade.tif" if (folder / "hillshade.tif").is_file() else None
    panels: list[tuple[str, Path, str, Any]] = [
        ("Probability of landslide", maps / "probability.tif", PROBABILITY, (0.0, 1.0))
    ]
    if (folder / "factors" / "velocity.tif").is_file():
        panels.append(("Velocity in the line of sight, mm/yr", folder / "factors" / "velocity.tif", VELOCITY, None))
    landslides = gpd.read_file(maps / "landslides.gpkg", layer="landslides")
    wide = len(panels)
    figure = pyplot.figure(figsize=(5.4 * wide + 2.6, 5.6), layout="constrained")
    parts = figure.add_gridspec(2, wide + 1, width_ratios=[2.1] * wide + [1])
    axes = [figure.add_subplot(parts[:, i]) for i in range(wide)]
    for axis, (name, path, colours, limits) in zip(axes, panels, strict=True):
        _panel(axis, name, shown, path, shade, colours, limits, landslides)
        _scale(axis, shown)
    if len(landslides) and "area_m2" in landslides:
        _inset(figure.add_subplot(parts[0, -1]), axes[0], folder, maps, shown, landslides, pixels // 2)
    _legend(figure.add_subplot(parts[1, -1]), landslides)
    figure.suptitle(f"Landslides of {area}, mapped by {experiment} ({shown.crs})"[:120], fontsize=13)
    with write_aside(output) as aside:
        figure.savefig(aside, dpi=80, metadata={"Software": None})
    pyplot.close(figure)


def _panel(
    axis: Any, name: str, shown: Grid, path: Path, shade: Path | None, colours: str, limits: Any, outlines: Any
) -> None:
    """A field over the hillshade with the outlines on it, in map coordinates."""
    left, bottom, right, top = shown.bounds
    extent = (left, right, bottom, top)
    values = load(path, shown)
    low, high = limits or _symmetric(values)
    if shade is not None:
        axis.imshow(load(shade, shown), cmap="gray", extent=extent)
    opacity = SHADED if shade is not None else 1.0
    drawn = axis.imshow(values, cmap=colours, vmin=low, vmax=high, extent=extent, alpha=opacity)
    for motion, part in _by_motion(outlines):
        part.boundary.plot(ax=axis, color=MOTION.get(motion, PLAIN), linewidth=0.8)
    axis.set(xlim=(left, right), ylim=(bottom, top), xticks=[], yticks=[], xlabel="", ylabel="", aspect="equal")
    axis.set_title(name, fontsize=11)
    if axis.get_subplotspec().rowspan.stop == 2:  # the inset has the map's colours
        axis.figure.colorbar(drawn, ax=axis, orientation="horizontal", shrink=0.7, pad=0.02)


def _by_motion(outlines: gpd.GeoDataFrame) -> list[tuple[str, gpd.GeoDataFrame]]:
    if not len(outlines):
        return []
    if "motion" not in outlines:
        return [("", outlines)]
    return [(name, outlines[outlines["motion"] == name]) for name in MOTION if (outlines["motion"] == name).any()]


def _scale(axis: Any, shown: Grid) -> None:
    """A bar of round length in the lower left, an arrow to grid north in the upper right."""
    left, bottom, right, top = shown.bounds
    length = bar_length(right - left)
    x, y, height = left + 0.04 * (right - left), bottom + 0.04 * (top - bottom), 0.012 * (top - bottom)
    axis.add_patch(Rectangle((x, y), length, height, facecolor="black", edgecolor="white", linewidth=0.8, gid="scale"))
    text = f"{length:g} m" if length < 1000 else f"{length / 1000:g} km"
    around = {"boxstyle": "square,pad=0.15", "facecolor": "white", "alpha": 0.75, "linewidth": 0}
    axis.text(x, y + 1.6 * height, text, fontsize=9, va="bottom", bbox=around)
    axis.annotate(
        "N", (0.95, 0.98), (0.95, 0.89), xycoords="axes fraction", ha="center", fontsize=10, weight="bold", bbox=around,
        arrowprops={"arrowstyle": "-|>", "color": "black", "lw": 1.5},
    )  # fmt: skip


def bar_length(width: float) -> float:
    """A round length (1, 2 or 5 times a power of ten) of about a quarter of a width."""
    power = 10.0 ** np.floor(np.log10(0.3 * width))
    return float(max(step * power for step in (1, 2, 5) if step * power <= 0.3 * width))


def _inset(axis: Any, main: Any, folder: Path, maps: Path, shown: Grid, outlines: Any, pixels: int) -> None:
    """The landslide to look at first, five times its size across; its place is framed on the main map."""
    first = first_to_look_at(outlines).iloc[[0]]
    left, bottom, right, top = first.total_bounds
    half = max(2.5 * max(right - left, top - bottom) / 2, 16 * shown.resolution[0] / 2)
    x, y = (left + right) / 2, (bottom + top) / 2
    part = Grid.from_bounds(shown.crs, 2 * half / min(pixels, 128), (x - half, y - half, x + half, y + half))
    shade = folder / "hillshade.tif" if (folder / "hillshade.tif").is_file() else None
    _panel(axis, "Look at it first", part, maps / "probability.tif", shade, PROBABILITY, (0.0, 1.0), outlines)
    _scale(axis, part)
    main.add_patch(Rectangle((x - half, y - half), 2 * half, 2 * half, fill=False, edgecolor="#111111", linewidth=1.6))


def _legend(axis: Any, outlines: gpd.GeoDataFrame) -> None:
    axis.set_axis_off()
    marks = [
        Line2D([], [], color=MOTION.get(name, PLAIN), label=name or "landslide") for name, _ in _by_motion(outlines)
    ]
    marks.append(Line2D([], [], color="#111111", marker="s", markersize=9, linestyle="", markerfacecolor="none",
                        label="what the inset shows"))  # fmt: skip
    axis.legend(
        handles=marks, loc="upper left", frameon=False, title=f"{len(outlines)} landslides outlined", fontsize=9
    )


def _symmetric(values: np.ndarray) -> tuple[float, float]:
    limit = float(np.nanpercentile(np.abs(values), 99))
    return -limit, limit
