"""Settings of the screening stage."""

from pydantic import Field

from slipmap.config.base import Settings


class ScreeningSettings(Settings):
    """Thresholds that decide which factors go on; all fitted on training blocks."""

    max_correlation: float = Field(
        0.9, gt=0, le=1, description="Largest |Pearson r| of two factors that both stay."
    )
    max_vif: float = Field(
        10.0, gt=1, description="Largest variance inflation factor of a factor that stays."
    )
    sample: int = Field(
        50_000, ge=100, description="Pixels drawn (stratified by class) from the training blocks."
    )
    trees: int = Field(200, ge=10, description="Trees of the random forest that ranks importance.")
    seed: int = Field(0, ge=0, description="Seed of the sample and the forest.")
