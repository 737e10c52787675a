"""What the factors are made of, looked at by the readers of the run: headers and some pixels."""

from collections.abc import Sequence
from pathlib import Path

from slipmap.config.run import AreaSettings
from slipmap.errors import Faults
from slipmap.inputs.check import require_file
from slipmap.io.grid import Grid


def check_sources(
    area: AreaSettings, key: str, grid: Grid, given: dict[str, Path], names: Sequence[str], faults: Faults
) -> list[str] | None:
    """Gather what is wrong with Sentinel-2, lithology, rain, soil moisture, roads, faults and supplied factors.

    Parameters
    ----------
    key : ``areas.NAME.inputs``. given : files to look at, by their key under it; those that are fetched are not there.
    names : the area's factors.

    Returns
    -------
    The lithological classes in the order of their codes, where they are known beforehand.
    """
    _check_series(area, key, grid, given, names, faults)
    for feature in ("roads", "faults", "buildings"):
        layer = getattr(area.inputs, f"{feature}_layer")
        if path := given.get(feature):
            from slipmap.factors import proximity

            faults.of(proximity.features, path, grid, f"{key}.{feature}", layer)
    if any(part.startswith("sentinel2") for part in given) and area.inputs.sentinel2:
        from slipmap.factors import optical

        faults.of(optical.check, area.inputs.sentinel2, grid, names, area.factors.optical, f"{key}.sentinel2")
    if area.inputs.ready_factors and (path := given.get("ready_factors.path")):
        from slipmap.factors import ready

        for band in area.inputs.ready_factors.bands:
            faults.of(ready.opened, path, band, grid, f"{key}.ready_factors.path")
    if area.inputs.lithology and (path := given.get("lithology.path")):
        from slipmap.factors import lithology

        where = f"{key}.lithology.path"
        if not lithology.is_raster(path):
            faults.of(require_file, path, where)
        return faults.of(lithology.classes_of, area.inputs.lithology, grid, area.factors.lithology, where)
    return None


def _check_series(
    area: AreaSettings, key: str, grid: Grid, given: dict[str, Path], names: Sequence[str], faults: Faults
) -> None:
    if not {"rainfall", "soil_moisture"} & set(given):
        return
    from slipmap.factors import catalogue, climate_check  # xarray takes a while

    climate = area.factors.climate
    made = {name: factor.family for name in names if (factor := catalogue.find(name)) is not None}
    if path := given.get("rainfall"):
        rain = [name for name, family in made.items() if family == "rain"]
        faults.of(climate_check.check_rain, path, grid, rain, climate, f"{key}.rainfall")
    if path := given.get("soil_moisture"):
        soil = [name for name, family in made.items() if family == "soil"]
        faults.of(climate_check.check_soil, path, grid, soil, climate, f"{key}.soil_moisture")
