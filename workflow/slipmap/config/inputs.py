"""Where an area's raw data are, and what the simulator makes when there are none."""

import datetime
from datetime import date
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from slipmap.config.base import Settings


class GridSettings(Settings):
    """The one grid of an area, given by bounds or taken from a raster."""

    crs: str | None = Field(None, description='Projected CRS, "EPSG:32632" say. Needed unless `like` is given.')
    resolution: float = Field(12.5, gt=0, description="Pixel size in metres.")
    bounds: tuple[float, float, float, float] | None = Field(
        None, description="[left, bottom, right, top] in units of `crs`. Needed unless `like` is given."
    )
    like: str | None = Field(None, description="A raster whose CRS, bounds and pixels are taken over exactly.")


class SimulatedEventSettings(Settings):
    """A storm in a simulated area: new landslides, and what changes the radar image without being one."""

    date: datetime.date = Field(description="Day of the event: new landslides show from the next image on.")
    landslides: int = Field(25, ge=1, description="New landslides to place; fewer where the area has no room.")
    rain: float = Field(80.0, ge=0, description="Rain of the event, mm: wet ground looks different, and less coherent.")
    harvest: float = Field(
        0.3, ge=0, le=1, description="Share of the fields that are harvested between the two images about the event."
    )
    worked: float = Field(0.08, ge=0, le=1, description="Share of the fields that are worked between other images.")
    clouds: float = Field(0.3, ge=0, le=0.8, description="Cloud cover of the Sentinel-2 scene after the event.")


class SimulateSettings(Settings):
    """The simulated area: deterministic from the seed."""

    seed: int = Field(7, ge=0, description="Everything simulated follows from this number.")
    dates: int = Field(30, ge=4, le=60, description="Sentinel-1 acquisitions, about 24 days apart; 30 span two years.")
    landslides: int = Field(140, ge=1, description="Landslides to place; fewer where the area has no room.")
    start: date = Field(date(2021, 1, 9), description="First Sentinel-1 acquisition.")
    sentinel1: Literal["slc", "safe"] = Field(
        "slc", description="slc: geocoded SLCs; safe: raw SAFE products of TOPS bursts, geocoded by the workflow."
    )
    inventory: bool = Field(True, description="Write a landslide inventory (false: a prediction area).")
    moving: float = Field(0.45, ge=0, le=1, description="Share of the landslides that move.")
    nonlinear: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of the moving landslides that accelerate, follow the season, step after rain or start late.",
    )
    event: SimulatedEventSettings | None = Field(
        None,
        description="A storm with new landslides: VH images and Sentinel-2 scenes before and after too; null: none.",
    )
    baseline: float = Field(
        50.0, ge=0, description="Standard deviation of the perpendicular baselines, m (Sentinel-1 tube: 50-60)."
    )
    dem_error: float = Field(3.0, ge=0, description="Standard deviation of the error of the DEM, m.")
    turbulence: float = Field(2.5, ge=0, description="Standard deviation of turbulent delay on a date, mm.")
    stratified: float = Field(
        4.0, ge=0, description="Standard deviation over dates of the delay per km of elevation, mm/km."
    )
    decorrelation: bool = Field(True, description="Let scatterers change with time, by land cover.")
    fading: float = Field(
        0.0,
        description="Drift of the phase of scatterers that change, mm/yr towards the satellite: a bias of short pairs "
        "that is no motion.",
    )
    thermal_noise: float = Field(
        0.03, ge=0, le=1, description="Noise power of the SLCs, as a share of the mean signal power of grass."
    )
    scenes: int = Field(5, ge=1, le=20, description="Sentinel-2 scenes.")
    clouds: float = Field(0.12, ge=0, le=0.8, description="Mean cloud cover of the Sentinel-2 scenes.")
    mapping_error: float = Field(
        10.0, ge=0, description="Standard deviation of the shift of inventory outlines, m; edges err by half that."
    )
    missed: float = Field(0.05, ge=0, lt=1, description="Share of the landslides that the inventory misses.")
    false: float = Field(0.04, ge=0, lt=1, description="Outlines in the inventory that are no landslide, as a share.")


class Sentinel1Settings(Settings):
    """Sentinel-1 at whatever level the user has it."""

    level: Literal["safe", "slc", "wrapped", "unwrapped", "velocity"] = Field(
        description="safe: raw SAFE products (IW SLC); slc: geocoded SLCs; wrapped or unwrapped: interferograms with "
        "coherence; velocity: ready-made."
    )
    path: str = Field(description="Folder (or file, for a velocity) that holds the data.")
    orbits: str | None = Field(
        None,
        description="safe: folder of precise or restituted orbit files (EOF); null: the orbit in the products' "
        "annotation.",
    )
    format: str = Field(
        "auto",
        description="Format of the files, by the name of its reader (docs/input_formats.md); auto: recognised from "
        "them.",
    )
    incidence: float | None = Field(
        None, gt=0, lt=90, description="Mean incidence angle, degrees; null: read from the files."
    )
    independent_looks: float | None = Field(
        None, ge=1, description="Independent looks behind supplied interferograms' coherence; null: 25."
    )
    units: Literal["mm/yr", "cm/yr", "m/yr"] | None = Field(
        None, description="velocity: units of the file where it does not say them itself."
    )

    @field_validator("incidence")
    @classmethod
    def _in_degrees(cls, value: float | None) -> float | None:
        if value is not None and not 10 <= value <= 70:  # Sentinel-1 looks at 18 to 47 degrees, wherever the ground is
            raise ValueError("no incidence angle of Sentinel-1; give degrees from the vertical, from 10 to 70")
        return value


class Sentinel2Settings(Settings):
    """Sentinel-2: a folder of scenes composited together, or scenes before and after an event, or both.

    A scene is a SAFE product (L2A or L1C, folder or zip), a folder of single-band files (B02.tif, ..., SCL.tif), or one
    multi-band GeoTIFF with the date in its name.
    """

    path: str | None = Field(None, description="Folder of scenes, or one scene, composited together.")
    before: str | None = Field(None, description="One scene (or folder of scenes) before the event.")
    after: str | None = Field(None, description="One scene (or folder of scenes) after the event.")
    scale: float = Field(
        1e-4,
        gt=0,
        description="Factor from stored numbers to reflectance 0-1 (GeoTIFFs; SAFE products say it themselves).",
    )
    offset: float | None = Field(
        None,
        description="Added to stored numbers before scaling (GeoTIFFs): -1000 for processing baseline 04.00 on, where "
        "the provider has not taken it off, else 0; none: 0, and asked where the numbers leave it open.",
    )
    bands: list[str] | None = Field(
        None, description="Names of the bands in their order, for multi-band files that do not name them."
    )
    start: date | None = Field(None, description="First date of the scenes in `path` that count.")
    end: date | None = Field(None, description="Last date of the scenes in `path` that count.")

    @field_validator("offset")
    @classmethod
    def _of_stored_numbers(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value and abs(value) < 1 and info.data.get("scale", 1) < 1:
            raise ValueError("it is added to stored numbers, before scaling: -1000 is 0.1 of reflectance less")
        if value and (value > 0 or (info.data.get("scale") == 1e-4 and value != -1000)):
            raise ValueError(
                "it is added to stored numbers, and the only one of Sentinel-2 is -1000; give -1000 where the +1000 of "
                "processing baseline 04.00 is still on, else 0"
            )
        return value

    @field_validator("scale")
    @classmethod
    def _to_reflectance(cls, value: float) -> float:
        if not (1e-6 <= value <= 0.02 or value == 1):
            raise ValueError(
                "stored numbers times scale must be reflectance from 0 to 1; give 0.0001 for reflectance x 10000, 1 "
                "for files that hold reflectance itself"
            )
        return value


class VectorSettings(Settings):
    """A vector or raster layer of classes."""

    path: str = Field(description="Vector file (GeoPackage, Shapefile, GeoJSON) or class raster.")
    attribute: str | None = Field(None, description="Attribute that names the class (vectors).")
    layer: str | None = Field(None, description="Layer of a file that holds several.")
    encoding: str | None = Field(
        None, description="Encoding of the names in a Shapefile (GBK, ISO-8859-1); none: what its .cpg file says."
    )


class PointSettings(Settings):
    """How an inventory of labelled points is read; pixels without a point are unknown."""

    label: str = Field(description="Column that says landslide (true, 1, yes) or stable ground (false, 0, no).")
    x: str = Field("x", description="Column of the easting (CSV).")
    y: str = Field("y", description="Column of the northing (CSV).")
    crs: str | None = Field(None, description="CRS of x and y (CSV); null: the area's.")


class ReadyFactorSettings(Settings):
    """Factors that somebody has already made, as bands of one raster."""

    path: str = Field(description="Raster whose bands are named by their descriptions.")
    bands: list[str] = Field(min_length=1, description="Bands that become factors, under their own names.")


class InputSettings(Settings):
    """Raw data of a study area; leave out what you do not have."""

    dem: str | None = Field(None, description="Elevation raster in metres.")
    sentinel1: Sentinel1Settings | None = Field(None, description="Sentinel-1 data.")
    delays: str | None = Field(
        None,
        description="Tropospheric delays of the Sentinel-1 dates, m: folder of GACOS's .ztd with .ztd.rsc (or "
        ".ztd.tif), of OPERA's TROPO-ZENITH NetCDF files, or MintPy's ERA5.h5 (PyAPS). Every date needs one.",
    )
    sentinel2: Sentinel2Settings | None = Field(None, description="Sentinel-2 data.")
    lithology: VectorSettings | None = Field(None, description="Lithological units.")
    rainfall: str | None = Field(
        None,
        description="Rain: NetCDF with a time axis (CHIRPS, IMERG, ERA5-Land), or a GeoTIFF or folder of GeoTIFFs with "
        "dates in their names.",
    )
    soil_moisture: str | None = Field(
        None, description="Volumetric soil moisture, m3/m3 (SMAP, SMOS, AMSR2, ERA5-Land): as `rainfall`."
    )
    roads: str | None = Field(None, description="Roads (vector lines), for the distance to them.")
    roads_layer: str | None = Field(None, description="Layer of a file of roads that holds several.")
    faults: str | None = Field(None, description="Faults (vector lines), for the distance to them.")
    faults_layer: str | None = Field(None, description="Layer of a file of faults that holds several.")
    buildings: str | None = Field(
        None, description="Buildings (vector polygons or points), counted in active deformation areas."
    )
    buildings_layer: str | None = Field(None, description="Layer of a file of buildings that holds several.")
    inventory: str | None = Field(
        None,
        description="Landslides: polygons, points, or a raster (1 = landslide). null: a prediction area.",
    )
    inventory_layer: str | None = Field(None, description="Layer of an inventory that holds several.")
    inventory_points: PointSettings | None = Field(
        None,
        description="Reads `inventory` as labelled points; null: every point or polygon is a landslide and all other "
        "ground is not.",
    )
    ready_factors: ReadyFactorSettings | None = Field(None, description="Factors already made.")
