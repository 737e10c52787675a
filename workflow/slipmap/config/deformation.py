"""Settings of the deformation stage (SBAS-InSAR)."""

from pydantic import Field

from slipmap.config.base import Settings


class DeformationSettings(Settings):
    """SBAS-InSAR, from Sentinel-1 at any level to velocity."""

    max_temporal_baseline: float = Field(
        60, gt=0, description="Longest pair formed, days (FCADenseNet paper: 60)."
    )
    max_critical_baseline_fraction: float = Field(
        0.02,
        gt=0,
        le=1,
        description="Longest perpendicular baseline formed, as a share of the critical one (paper: 2 %).",
    )
    looks: tuple[int, int] = Field(
        (1, 4), description="Multilooking (rows, columns) of SLC pixels to one pixel."
    )
    coherence_window: int = Field(
        5, ge=1, description="Side of the coherence window, multilooked pixels (odd)."
    )
    goldstein_alpha: float = Field(
        0.5, ge=0, le=1, description="Goldstein filter exponent; 0 filters nothing."
    )
    reference_point: tuple[float, float] | None = Field(
        None, description="[longitude, latitude] of ground taken as stable; none: chosen from the coherence."
    )
