"""Settings of what is fetched for an area, and from where. No credential ever stands in a config."""

from datetime import date
from typing import Literal

from pydantic import Field, model_validator

from slipmap.config.base import Settings

RAW_PRODUCTS = ("slc", "burst")  # of Sentinel-1: SAFE, geocoded by the workflow
CHIRPS_REACH = {"chirps": 50.0, "chirps3": 60.0}  # degrees north and south
_CHIRPS2_ENDS = date(2026, 12, 31)  # from then on the Climate Hazards Center makes version 3 alone
_ARCHIVE = "Folder that is used instead of the service; nothing is asked of the network."


class AcquireSentinel1Settings(Settings):
    """Sentinel-1 from the Alaska Satellite Facility (asf_search)."""

    product: Literal["opera_cslc", "hyp3", "slc", "burst"] = Field(
        "opera_cslc",
        description="opera_cslc: geocoded SLCs of one burst (North America). burst, slc: single bursts or whole "
        "scenes, geocoded by the workflow. hyp3: your finished HyP3 interferograms.",
    )
    track: int | None = Field(
        None,
        ge=1,
        le=175,
        description="Relative orbit; null: the one that covers most of the area, then with most dates.",
    )
    direction: Literal["ascending", "descending"] | None = Field(None, description="Orbit direction; null: either.")
    burst: str | None = Field(
        None,
        description="Burst, T064-135524-IW2 (OPERA) or 064_135524_IW2 say; null: the one that covers most of the area "
        "(opera_cslc), all of the track (burst).",
    )
    polarisation: Literal["VV", "HH"] = Field("VV", description="Polarisation.")
    hyp3_name: str | None = Field(None, description="Name under which the HyP3 jobs were ordered; null: all of yours.")
    service: str = Field("cmr.earthdata.nasa.gov", description="Host of the search.")
    hyp3_service: str = Field("https://hyp3-api.asf.alaska.edu", description="Address of HyP3.")
    archive: str | None = Field(None, description=_ARCHIVE)


class AcquireOrbitSettings(Settings):
    """Precise orbits of Sentinel-1 (sentineleof), for the dates of the Sentinel-1 search."""

    service: str = Field(
        "https://s1-orbits.s3.amazonaws.com", description="ASF's public bucket of orbits, or one that answers like it."
    )
    archive: str | None = Field(None, description=_ARCHIVE)


class AcquireSentinel2Settings(Settings):
    """Sentinel-2 L2A from a STAC API (pystac-client, odc-stac)."""

    start: date | None = Field(None, description="First date; null: that of `acquire`.")
    end: date | None = Field(None, description="Last date; null: that of `acquire`.")
    max_cloud: float = Field(30.0, ge=0, le=100, description="Largest cloud cover of a scene, %.")
    scenes: int = Field(12, ge=1, description="Scenes of each tile at most, the least cloudy ones.")
    bands: list[str] | None = Field(
        None, description="Bands to fetch; null: those that factors.optical needs, and the scene classification."
    )
    extent: Literal["area", "tile"] = Field(
        "area",
        description="area: only the pixels of the area are read (range requests). tile: whole files, verified by their "
        "checksum; shared by areas of one tile.",
    )
    service: str = Field("https://earth-search.aws.element84.com/v1", description="Address of the STAC API.")
    collection: str = Field("sentinel-2-c1-l2a", description="Its collection of Sentinel-2 L2A.")
    archive: str | None = Field(None, description=_ARCHIVE)


class AcquireDemSettings(Settings):
    """Copernicus DEM GLO-30 from its public bucket."""

    margin: float = Field(3000.0, ge=0, description="Metres beyond the area (water comes from there).")
    service: str = Field("https://copernicus-dem-30m.s3.amazonaws.com", description="Address of the bucket.")
    archive: str | None = Field(None, description=_ARCHIVE)


class AcquireLithologySettings(Settings):
    """Lithological units from Macrostrat's compiled geological map (small scale; a national map is finer)."""

    service: str = Field("https://macrostrat.org/api/v2", description="Address of the API.")
    archive: str | None = Field(None, description=_ARCHIVE)


def chirps_lacks(product: str, south: float, north: float, end: date) -> str | None:
    """Why a version of CHIRPS does not do for ground from `south` to `north` (degrees) until `end`; None: it does."""
    reach = CHIRPS_REACH[product]
    if south < -reach or north > reach:
        return f"ends at {reach:g} degrees north and south"
    return f"ends with {_CHIRPS2_ENDS}" if product == "chirps" and end > _CHIRPS2_ENDS else None


def rain_product(south: float, north: float, end: date) -> str:
    """The product of rain for ground from `south` to `north` (degrees) until `end`."""
    return next((name for name in CHIRPS_REACH if not chirps_lacks(name, south, north, end)), "imerg")


class AcquireRainSettings(Settings):
    """Daily rain."""

    product: Literal["chirps", "chirps3", "imerg"] = Field(
        "chirps",
        description="chirps: CHIRPS 2.0, 0.05 degrees, 50 N to 50 S, until the end of 2026. chirps3: CHIRPS 3.0 "
        "(downscaled with ERA5), 60 N to 60 S. imerg: GPM IMERG final run, 0.1 degrees.",
    )
    start: date | None = Field(None, description="First day; null: so that factors.climate.window is covered.")
    end: date | None = Field(None, description="Last day; null: factors.climate.cutoff, or the end of `acquire`.")
    service: str | None = Field(
        None, description="Address of CHIRPS's daily files, or of NASA's catalogue; null: theirs."
    )
    archive: str | None = Field(None, description=_ARCHIVE)


class AcquireSoilSettings(Settings):
    """Daily soil moisture: SMAP L3, 9 km (SPL3SMP_E), morning overpass."""

    version: str = Field("006", description="Version of SPL3SMP_E.")
    start: date | None = Field(None, description="First day; null: so that factors.climate.window is covered.")
    end: date | None = Field(None, description="Last day; null: factors.climate.cutoff, or the end of `acquire`.")
    service: str = Field("https://cmr.earthdata.nasa.gov", description="Address of NASA's catalogue.")
    archive: str | None = Field(None, description=_ARCHIVE)


class AcquireInventorySettings(Settings):
    """Points of NASA's Global Landslide Catalog."""

    accuracy: list[str] = Field(
        default_factory=lambda: ["exact"],
        min_length=1,
        description="Values of location_accuracy that are taken (exact, 1km, 5km, ...): most points are farther "
        "from their "
        "landslide than a pixel.",
    )
    all_dates: bool = Field(False, description="Take landslides of any date (false: from start to end).")
    service: str = Field(
        "https://data.nasa.gov/docs/legacy/Global_Landslide_Catalog_Export/Global_Landslide_Catalog_Export_rows.csv",
        description="Address of the catalogue's table.",
    )
    archive: str | None = Field(None, description=_ARCHIVE)


class AcquireSettings(Settings):
    """What is fetched for an area; each section that stands here, even empty ({}), is fetched and becomes an input."""

    start: date = Field(description="First date.")
    end: date = Field(description="Last date. Move it forward to add acquisitions: nothing is fetched twice.")
    sentinel1: AcquireSentinel1Settings | None = Field(None, description="Sentinel-1.")
    orbits: AcquireOrbitSettings | None = Field(None, description="Orbits, for raw Sentinel-1.")
    sentinel2: AcquireSentinel2Settings | None = Field(None, description="Sentinel-2.")
    dem: AcquireDemSettings | None = Field(None, description="Elevation.")
    lithology: AcquireLithologySettings | None = Field(None, description="Lithology.")
    rainfall: AcquireRainSettings | None = Field(None, description="Rain.")
    soil_moisture: AcquireSoilSettings | None = Field(None, description="Soil moisture.")
    inventory: AcquireInventorySettings | None = Field(None, description="Landslides.")
    tries: int = Field(5, ge=1, description="Attempts without any progress before a download is given up.")
    stall: float = Field(60.0, gt=0, description="Seconds of silence after which a server is taken for stalled.")
    at_once: int = Field(4, ge=1, le=16, description="Downloads at once in a job.")

    @model_validator(mode="after")
    def _agree(self) -> "AcquireSettings":
        if self.end < self.start:
            raise ValueError(f"end {self.end} is before start {self.start}")
        for name in ("sentinel2", "rainfall", "soil_moisture"):
            part = getattr(self, name)
            if part is not None and (part.end or self.end) < (part.start or date.min):
                raise ValueError(f"{name}.end is before {name}.start")
        if self.orbits is not None and self.sentinel1 is None:
            raise ValueError("orbits are fetched for the dates of sentinel1, which is missing; add it")
        return self


KINDS = ("sentinel1", "orbits", "sentinel2", "dem", "lithology", "rainfall", "soil_moisture", "inventory")


def acquired_kinds(settings: AcquireSettings | None) -> list[str]:
    """The kinds of data that are fetched, in the order of the config."""
    return [kind for kind in KINDS if settings is not None and getattr(settings, kind) is not None]
