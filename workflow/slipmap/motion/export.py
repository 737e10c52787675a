"""Velocity, series and active areas in the formats of other programs: KMZ, CSV with EGMS's columns, GeoParquet.

Signs and units are those of the products: towards the satellite positive, mm and mm/yr. Written block by block.
"""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from xml.sax.saxutils import escape

import h5netcdf
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import shapely
from matplotlib import colormaps
from matplotlib.image import imsave
from pyproj import CRS, Transformer
from rasterio.warp import calculate_default_transform

from slipmap.colours import VELOCITY
from slipmap.deformation.timeseries import SeriesFile, series_grid
from slipmap.io import raster
from slipmap.io.atomic import write_aside, write_text
from slipmap.io.grid import Grid

LONGEST = 2048  # pixels of the picture of the velocity
SIDE = 256  # pixels, of the blocks
SAMPLE = 10**6  # pixels of which the usual standard deviation is told
_EPOCH = (1980, 1, 1, 0, 0, 0)  # of a zip's members: the same results give the same bytes
# EGMS's column → (raster, band, units, what it is)
COLUMNS = {
    "temporal_coherence": ("temporal_coherence", 1, "1", "temporal coherence"),
    "mean_velocity": ("velocity", 1, "mm/yr", "mean velocity"),
    "mean_velocity_std": ("velocity_std", 1, "mm/yr", "standard deviation of the mean velocity"),
    "acceleration": ("kinematics", "acceleration", "mm/yr2", "acceleration"),
    "acceleration_std": ("kinematics", "acceleration_std", "mm/yr2", "standard deviation of the acceleration"),
    "seasonality": ("kinematics", "annual_amplitude", "mm", "amplitude of the annual cycle"),
    "seasonality_std": ("kinematics", "annual_amplitude_std", "mm", "standard deviation of that amplitude"),
}
SIGNED = ("mean_velocity", "acceleration")
SIGN = "positive towards the satellite"
_PLACES = {"pid": ("1", "number of the pixel"), "longitude": ("degrees", "WGS 84"), "latitude": ("degrees", "WGS 84")}


def points(files: Mapping[str, str | Path], csv: str | Path, parquet: str | Path, units: str | Path) -> None:
    """Write the reliable pixels as points: a CSV with EGMS's column names and dates, and GeoParquet.

    Both have ``pid``, ``longitude`` and ``latitude`` (WGS 84), `COLUMNS`, and a column of each date (YYYYMMDD, mm).

    Parameters
    ----------
    files : velocity, velocity_std, temporal_coherence, kinematics, mask and timeseries, on one grid.
    units : JSON of the columns of the CSV: units and signs, as CSV on the Web (W3C 2015) has them.
    """
    writer = None
    with write_aside(csv) as text, write_aside(parquet) as binary:
        try:
            for number, table in enumerate(_blocks(files)):
                table.to_csv(text, mode="a", header=number == 0, index=False, float_format="%.6g", lineterminator="\n")
                arrow = _arrow(table)
                writer = writer or pq.ParquetWriter(binary, arrow.schema)
                writer.write_table(arrow)
        finally:
            if writer is not None:
                writer.close()
    with h5netcdf.File(files["timeseries"], "r") as file:
        days = [day.replace("-", "") for day in series_grid(file)[1]]
    write_text(units, json.dumps(_described(Path(csv).name, days), indent=1) + "\n")


def _described(name: str, days: Sequence[str]) -> dict[str, object]:
    """Metadata of the CSV: each column with its units."""
    about = dict(_PLACES)
    about |= {
        column: (unit, f"{words}, {SIGN}" if column in SIGNED else words)
        for column, (_, _, unit, words) in COLUMNS.items()
    }
    about |= {day: ("mm", f"displacement in the line of sight since {days[0]}, {SIGN}") for day in days}
    columns = [
        {"titles": column, "datatype": "integer" if column == "pid" else "number",
         "dc:description": f"{words} ({unit})", "schema:unitText": unit}
        for column, (unit, words) in about.items()
    ]  # fmt: skip
    return {"@context": "http://www.w3.org/ns/csvw", "url": name, "tableSchema": {"columns": columns}}


def _blocks(files: Mapping[str, str | Path]) -> Iterator[pd.DataFrame]:
    """The points of each block; the first frame comes even where it is empty, for its columns."""
    numbers = {
        name: (files[key], band if isinstance(band, int) else raster.band_index(files[key], str(band)))
        for name, (key, band, *_) in COLUMNS.items()
    }
    with h5netcdf.File(files["timeseries"], "r") as file:
        grid, days = series_grid(file)
        series = SeriesFile(file, grid)
        turn = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
        for place, window in enumerate(grid.blocks(SIDE)):
            rows, cols = np.nonzero(raster.read(files["mask"], window, 1) == 1)
            if not len(rows) and place:
                continue
            x, y = grid.transform @ (cols + window.col_off + 0.5, rows + window.row_off + 0.5)
            longitude, latitude = turn.transform(x, y)
            pid = (rows + int(window.row_off)) * grid.width + cols + int(window.col_off)
            table = {"pid": pid.astype(np.int64), "longitude": longitude, "latitude": latitude}
            table |= {name: raster.read(path, window, band)[rows, cols] for name, (path, band) in numbers.items()}
            moved = series.read(window)[:, rows, cols]
            yield pd.DataFrame(table | {day.replace("-", ""): moved[k] for k, day in enumerate(days)})


def _arrow(table: pd.DataFrame) -> pa.Table:
    """A table of points with the metadata of GeoParquet 1.0."""
    found = pa.Table.from_pandas(table, preserve_index=False)
    found = found.append_column("geometry", pa.array(shapely.to_wkb(shapely.points(table.longitude, table.latitude))))
    about = {"encoding": "WKB", "geometry_types": ["Point"], "crs": json.loads(CRS("OGC:CRS84").to_json())}
    geo = {"version": "1.0.0", "primary_column": "geometry", "columns": {"geometry": about}}
    units = {"series and seasonality": "mm", "velocities": "mm/yr", "accelerations": "mm/yr2"}
    more = {"geo": json.dumps(geo), "slipmap": json.dumps({"units": units, "sign": SIGN})}
    return found.replace_schema_metadata({**(found.schema.metadata or {}), **more})


def kmz(files: Mapping[str, str | Path], areas: str | Path, output: str | Path) -> None:
    """Write a KMZ: the velocity as a picture on the ground, blue towards the satellite, and the active areas.

    Parameters
    ----------
    files : velocity, velocity_std and mask, on one grid. areas : active_areas.gpkg.
    """
    picture, (west, south, east, north), extent = _picture(files["velocity"])
    frame = pyogrio.read_dataframe(areas, layer="active_areas").to_crs("EPSG:4326")
    marks = "".join(
        f"<Placemark><name>Active area {one['area']}</name><styleUrl>#area</styleUrl><description>"
        + escape(
            f"{one['velocity_mean']:.1f} ± {one['velocity_mean_std']:.1f} mm/yr in the line of sight, positive towards "
            f"the satellite; quality {one['quality']}; {one['area_m2']:.0f} m²"
        )
        + f"</description><MultiGeometry>{''.join(map(_polygon, one['geometry'].geoms))}</MultiGeometry></Placemark>"
        for one in frame.to_dict("records")
    )
    legend = (
        f"Velocity in the line of sight: blue {extent:.0f} mm/yr towards the satellite, red {extent:.0f} away"
        f"{_usual_deviation(files)}"
    )
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2"><Document>'
        '<Style id="area"><LineStyle><color>ff005ed5</color><width>2</width></LineStyle><PolyStyle><fill>0</fill>'
        f"</PolyStyle></Style><GroundOverlay><name>{legend}</name><Icon><href>velocity.png</href></Icon><LatLonBox>"
        f"<north>{north:.8f}</north><south>{south:.8f}</south><east>{east:.8f}</east><west>{west:.8f}</west>"
        f"</LatLonBox></GroundOverlay><Folder><name>Active areas</name>{marks}</Folder></Document></kml>\n"
    )
    with write_aside(output) as aside, zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (("doc.kml", text.encode()), ("velocity.png", picture)):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content)


def _usual_deviation(files: Mapping[str, str | Path]) -> str:
    """What the legend says of the standard deviation: its median over a sample of the reliable pixels."""
    grid = Grid.from_raster(files["velocity_std"])
    step = max(1, int(np.sqrt(grid.width * grid.height / SAMPLE)))
    found = [np.zeros(0)]
    for window in grid.blocks():
        values, mask = (raster.read(files[name], window, 1)[::step, ::step] for name in ("velocity_std", "mask"))
        found.append(values[(mask == 1) & np.isfinite(values)])
    known = np.concatenate(found)
    return f"; ± {np.median(known):.1f} mm/yr (median standard deviation, reliable pixels)" if known.size else ""


def _picture(velocity: str | Path) -> tuple[bytes, tuple[float, float, float, float], float]:
    """PNG of a velocity in longitude and latitude, its bounds, and the velocity at the ends of its colours."""
    own = Grid.from_raster(velocity)
    transform, width, height = calculate_default_transform(own.crs, "EPSG:4326", own.width, own.height, *own.bounds)
    shrink = max(1.0, max(width, height) / LONGEST)
    shown = Grid(
        "EPSG:4326", transform @ transform.scale(shrink), int(np.ceil(width / shrink)), int(np.ceil(height / shrink))
    )
    with ExitStack() as stack:
        values = raster.read_open(stack.enter_context(raster.warped(velocity, shown)), None, 1)
    known = np.isfinite(values)
    extent = float(np.percentile(np.abs(values[known]), 98)) if known.any() else 1.0
    colours = colormaps[VELOCITY](np.clip(np.nan_to_num(values) / (2 * max(extent, 1e-6)) + 0.5, 0, 1))
    colours[~known] = 0
    out = io.BytesIO()
    imsave(out, colours, format="png", metadata={"Software": None})  # type: ignore[dict-item]  # leaves it out
    return out.getvalue(), shown.bounds, extent


def _polygon(polygon: shapely.Polygon) -> str:
    def ring(line: shapely.LinearRing) -> str:
        corners = " ".join(f"{x:.8f},{y:.8f},0" for x, y in line.coords)
        return f"<LinearRing><coordinates>{corners}</coordinates></LinearRing>"

    inner = "".join(f"<innerBoundaryIs>{ring(one)}</innerBoundaryIs>" for one in polygon.interiors)
    return f"<Polygon><outerBoundaryIs>{ring(polygon.exterior)}</outerBoundaryIs>{inner}</Polygon>"
