"""Where the simulator puts an area's inputs: under the same keys as a user's own files."""

from slipmap.config.inputs import InputSettings, Sentinel1Settings, Sentinel2Settings, VectorSettings

TRUTH = ("velocity_los.tif", "dem_error.tif", "landslides.gpkg")


def simulated_inputs(area: str, *, inventory: bool) -> InputSettings:
    """Input settings of the simulated area named `area`; without `inventory` it is a prediction area."""
    folder = f"resources/{area}"
    return InputSettings(
        dem=f"{folder}/dem.tif",
        sentinel1=Sentinel1Settings(level="slc", path=f"{folder}/sentinel1"),
        sentinel2=Sentinel2Settings(path=f"{folder}/sentinel2"),
        lithology=VectorSettings(path=f"{folder}/lithology.gpkg", attribute="lithology"),
        rainfall=f"{folder}/rainfall.nc",
        soil_moisture=f"{folder}/soil_moisture.nc",
        inventory=f"{folder}/inventory.gpkg" if inventory else None,
    )


def input_files(inputs: InputSettings) -> dict[str, str]:
    """Config key → path of everything that `inputs` names (files and folders), in the order of the config."""
    found: dict[str, str] = {}

    def collect(value: object, key: str) -> None:
        if isinstance(value, dict):
            for name, item in value.items():
                collect(item, f"{key}.{name}" if key else name)
        elif isinstance(value, str) and key.rpartition(".")[2] not in _NOT_PATHS:
            found[key] = value

    collect(inputs.model_dump(), "")
    return found


_NOT_PATHS = ("level", "attribute", "format", "product", "label", "x", "y", "crs")
