"""Settings of the step from SAFE products to geocoded SLCs."""

from typing import Literal

from pydantic import Field

from slipmap.config.base import Settings


class AcquisitionSettings(Settings):
    """Which part of the SAFE products is used."""

    polarisation: Literal["VV", "HH", "VH", "HV"] = Field("VV", description="Polarisation that is read.")


class GeocodingSettings(AcquisitionSettings):
    """How raw Sentinel-1 (inputs.sentinel1.level: safe) is geocoded; the grid follows from `deformation.slc_looks`."""

    undulation: float | str | None = Field(
        None,
        description="Height of the geoid over the ellipsoid, added to the DEM: metres, or a raster of it (needed for "
        "DEMs above sea level: Copernicus, SRTM); null: the DEM's heights are ellipsoidal.",
    )
    whiten: bool = Field(
        True,
        description="Take the processor's spectral window off: finer resolution and 1.4 times as many independent "
        "looks, at the price of higher side lobes round bright points.",
    )
    bistatic: bool = Field(
        True,
        description="Azimuth correction for the satellite's motion between transmission and reception, as in ESA's "
        "geolocation grid.",
    )
    intra_pulse: bool = Field(False, description="Range correction for the Doppler shift of the chirp.")
    troposphere: Literal["static", "none"] = Field(
        "none", description="static: range correction by the delay of a standard atmosphere (Saastamoinen 1972)."
    )
    tides: bool = Field(False, description="Take solid-earth tides out of the phase (degree 2, IERS Conventions 2010).")
    coregistration: Literal["orbits", "esd"] = Field(
        "orbits",
        description="orbits: geometry alone; esd: azimuth shifts refined by enhanced spectral diversity in burst "
        "overlaps.",
    )
    calibration: Literal["none", "sigma_nought", "beta_nought"] = Field(
        "none", description="Radiometric calibration of the geocoded SLCs (phase is the same)."
    )
