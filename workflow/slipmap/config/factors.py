"""Settings of the factor stage."""

from datetime import date
from typing import Literal

from pydantic import Field

from slipmap.config.base import Settings


class SurfaceSettings(Settings):
    """The surface that the DEM makes on the grid, and its differences."""

    method: Literal["zevenbergen_thorne", "horn"] = Field(
        "zevenbergen_thorne",
        description="Differences behind slope, aspect and curvature: Zevenbergen & Thorne (1987) or Horn (1981).",
    )
    resampling: Literal["nearest", "bilinear", "cubic", "cubic_spline", "average"] | None = Field(
        None,
        description="How the DEM comes onto the grid; null: nearest where pixels coincide, average from a DEM more "
        "than twice as fine, else cubic.",
    )
    max_void: float = Field(0.05, ge=0, le=1, description="Largest share of the area that may have no elevation.")


class HillshadeSettings(SurfaceSettings):
    """The surface, and the light on it."""

    sun_azimuth: float = Field(
        315.0, ge=0, le=360, description="Light of the hillshade, degrees from north, clockwise."
    )
    sun_altitude: float = Field(45.0, gt=0, le=90, description="Light of the hillshade, degrees above the horizon.")


class ReliefSettings(SurfaceSettings):
    """The surface, and the window of its relief."""

    roughness_window: int = Field(5, ge=3, description="Side of the window of `roughness`, pixels (odd).")


class TerrainSettings(ReliefSettings, HillshadeSettings):
    """Slope, aspect, curvature, roughness and relief from the DEM."""


class HydrologySettings(Settings):
    """Flow accumulation and what follows from it (whitebox-workflows)."""

    margin: float = Field(
        3000.0,
        ge=0,
        description="Metres of DEM beyond the area that take part, where the DEM goes so far: water comes from there.",
    )
    algorithm: Literal["d8", "dinf", "fd8"] = Field(
        "fd8",
        description="Flow accumulation of wetness and stream power: D8 (O'Callaghan & Mark 1984), D-infinity "
        "(Tarboton 1997), FD8 (Freeman 1991).",
    )
    breach_distance: int = Field(
        50, ge=1, description="Longest breach through a barrier, pixels; deeper pits are filled."
    )
    stream_area: float = Field(250_000.0, gt=0, description="Upslope area at which a stream begins, m2 (D8).")
    min_slope: float = Field(
        0.1, gt=0, description="Slopes below this count as this in wetness and stream power, degrees."
    )


class OpticalSettings(Settings):
    """Cloud-free composites of Sentinel-2 and their indices."""

    bands: list[str] = Field(["B2", "B3", "B4", "B8"], description="Reflectance bands that become factors.")
    indices: list[str] = Field(["ndvi", "ndwi", "ndbi"], description="Spectral indices that become factors.")
    composite: Literal["median", "least_cloud"] = Field(
        "median",
        description="median of the clear observations; least_cloud: the clear observation of the least cloudy scene.",
    )
    masked_classes: list[int] = Field(
        [0, 1, 3, 8, 9, 10],
        description="Classes of the scene classification (SCL) left out: no data, defective, cloud shadow, cloud "
        "of medium and high probability, cirrus.",
    )
    mask_buffer: float = Field(0.0, ge=0, description="Metres around clouds and shadows that are left out too.")


class LithologySettings(Settings):
    """Lithological classes on the grid."""

    fill_distance: float = Field(50.0, ge=0, description="Gaps up to this far from a polygon take its class, metres.")
    min_patch: int = Field(4, ge=1, description="Patches of fewer pixels (slivers) take the class beside them.")
    classes: list[str] | None = Field(
        None,
        description="Class names in the order of their codes 1, 2, ...; null: the names found in the area, sorted. "
        "Give it where areas with different classes share a model.",
    )


class AntecedentSettings(Settings):
    """The days before the event."""

    cutoff: date | None = Field(
        None, description="Last day that counts: no predictor may postdate the event. null: the last day on file."
    )
    window: int = Field(30, ge=1, description="Days up to the cut-off that count as antecedent.")
    soil_unit: str | None = Field(None, description="Unit of the soil moisture, m3/m3 or %; none: what the file says.")
    resampling: Literal["nearest", "bilinear", "cubic"] = Field(
        "bilinear", description="From the coarse cells of rain and soil moisture to the grid."
    )


class ClimateSettings(AntecedentSettings):
    """Rain and soil moisture before the event."""

    wet_day: float = Field(1.0, ge=0, description="Rain from which a day is wet, mm.")
    event: Literal["spell", "window"] = Field(
        "spell",
        description="What P and D are taken over: the wet spell (consecutive wet days) with most rain in the window, "
        "or every wet day of the window.",
    )
    accumulated: bool | None = Field(
        None,
        description="Rain is accumulated from 00 UTC, the total of a day standing at 00 UTC of the next, as in "
        "ERA5-Land (true), or given for each step (false). None: asked where the file leaves it open.",
    )
    rain_unit: str | None = Field(
        None, description="Unit of the rain, mm/day, mm/h, mm, m or kg m-2 s-1; none: what the file says."
    )


class FactorSettings(Settings):
    """Which factors are made, and how."""

    include: list[str] | None = Field(
        None, description="Factors to make; null: every default one that the inputs allow."
    )
    exclude: list[str] = Field(default_factory=list, description="Factors not to make.")
    extra: list[str] = Field(
        default_factory=list,
        description="Factors to make besides the default ones, such as aspect, tri, tpi_300, spi, smi; "
        "`slipmap factors` lists all.",
    )
    terrain: TerrainSettings = Field(default_factory=TerrainSettings, description="Slope, aspect, curvature.")
    hydrology: HydrologySettings = Field(default_factory=HydrologySettings, description="Flow and wetness.")
    optical: OpticalSettings = Field(default_factory=OpticalSettings, description="Sentinel-2.")
    lithology: LithologySettings = Field(default_factory=LithologySettings, description="Lithology.")
    climate: ClimateSettings = Field(default_factory=ClimateSettings, description="Rain, soil moisture.")
