"""What the providers of the data ask to be said of them, for the data that an area uses."""

from collections.abc import Sequence
from datetime import date

from slipmap.config.run import AreaSettings

_DEM = (
    "Elevation: produced using Copernicus WorldDEM-30 © DLR e.V. 2010-2014 and © Airbus Defence and Space GmbH "
    "2014-2018 "
    "provided under COPERNICUS by the European Union and ESA; all rights reserved."
)
_SENTINEL1 = {
    "opera_cslc": "Sentinel-1: OPERA Coregistered Single-Look Complex, NASA/JPL, distributed by the ASF DAAC.",
    "hyp3": "Sentinel-1 interferograms: ASF DAAC HyP3 using GAMMA or ISCE software.",
    "slc": "Sentinel-1: ESA, distributed by the ASF DAAC.",
    "burst": "Sentinel-1: ESA, distributed by the ASF DAAC.",
}
_RAIN = {
    "chirps": "Rain: CHIRPS 2.0, Climate Hazards Center, UC Santa Barbara (Funk et al. 2015, "
    "doi:10.1038/sdata.2015.66).",
    "chirps3": "Rain: CHIRPS 3.0 (final, daily by ERA5), Climate Hazards Center, UC Santa Barbara.",
    "imerg": "Rain: GPM IMERG Final Precipitation L3 1 day V07, NASA GES DISC (Huffman et al. 2023, "
    "doi:10.5067/GPM/IMERGDF/DAY/07).",
}
_SOIL = "Soil moisture: SMAP Enhanced L3 Radiometer 9 km, version {version}, NASA NSIDC DAAC (O'Neill et al.{doi})."
_SOIL_DOI = {"006": ", doi:10.5067/M20OXIZHY3RJ"}
_LITHOLOGY = (
    "Lithology: Macrostrat (Peters et al. 2018, doi:10.1029/2018GC007467), CC BY 4.0, and the maps that it compiles."
)
_INVENTORY = (
    "Landslides: NASA Global Landslide Catalog (Kirschbaum et al. 2010, doi:10.1007/s11069-009-9401-4; 2015, "
    "doi:10.1016/j.geomorph.2015.03.016)."
)


def sentences(settings: AreaSettings, days: Sequence[date] = ()) -> list[str]:
    """What must be said of the data of an area; nothing of simulated ones.

    Parameters
    ----------
    days : of observation, for the years of the Copernicus notice; without them, those of the acquisition.
    """
    inputs, fetched = settings.inputs, settings.acquire
    if settings.simulate:
        return []
    text = []
    if inputs.sentinel1 or inputs.sentinel2:
        text.append(f"Contains modified Copernicus Sentinel data{_years(settings, days)}.")
    if fetched is not None:
        if fetched.sentinel1:
            text.append(_SENTINEL1[fetched.sentinel1.product])
        if fetched.dem:
            text.append(_DEM)
        if fetched.lithology:
            text.append(_LITHOLOGY)
        if fetched.rainfall:
            text.append(_RAIN[fetched.rainfall.product])
        if fetched.soil_moisture:
            version = fetched.soil_moisture.version
            text.append(_SOIL.format(version=version.lstrip("0"), doi=_SOIL_DOI.get(version, "")))
        if fetched.inventory:
            text.append(_INVENTORY)
    return text


def _years(settings: AreaSettings, days: Sequence[date]) -> str:
    if not days and settings.acquire is not None:
        days = (settings.acquire.start, settings.acquire.end)
    if not days:
        return ""
    first, last = min(days).year, max(days).year
    return f" {first}" if first == last else f" {first}-{last}"
