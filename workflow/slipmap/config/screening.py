"""Settings of the screening stage."""

from typing import Literal

from pydantic import Field

from slipmap.config.base import Settings


class ScreeningSettings(Settings):
    """Thresholds that decide which factors go on; everything is fitted on training blocks."""

    correlation: Literal["pearson", "spearman"] = Field(
        "pearson", description="Coefficient that max_correlation is compared with (both are reported)."
    )
    max_correlation: float = Field(
        0.9, gt=0, le=1, description="Largest absolute correlation of two factors that both stay."
    )
    max_vif: float = Field(
        10.0,
        gt=1,
        description="Largest variance inflation factor of a factor that stays; for classes GVIF^(1/df), Fox and "
        "Monette (1992).",
    )
    min_importance: float | None = Field(
        None,
        description="Smallest permutation importance (fall in AUC) of a factor that stays; null: not a criterion.",
    )
    min_coverage: float = Field(
        0.5, ge=0, le=1, description="Smallest share of training pixels where a factor that stays has a value."
    )
    keep: list[str] = Field(
        ["B2", "B3", "B4", "B8", "velocity"],
        description="Factors that stay whatever the thresholds say: image bands are the picture a network looks at, "
        "not causative factors, and the deformation rate is what RS and RS-DR compare (Li et al. 2024).",
    )
    unusable: Literal["stop", "drop"] = Field(
        "stop",
        description="What a constant or empty factor does that the config names: stop the run, or be dropped with the "
        "reason. One that is made because its input is there is dropped in any case.",
    )
    sample: int = Field(
        20_000, ge=100, description="Pixels drawn from the training blocks, half landslide and half not."
    )
    trees: int = Field(200, ge=10, description="Trees of the random forest that ranks importance.")
    permutations: int = Field(5, ge=1, description="Times each factor is permuted for permutation importance.")
    shap: bool = Field(
        False, description="Also mean |SHAP| of a gradient-boosted model (TreeSHAP, as xgboost computes it)."
    )
    pca_scaling: Literal["minmax", "standard"] = Field(
        "minmax", description="Scaling before principal components: minmax (Zheng et al. 2025) or z-scores."
    )
    classes: int = Field(
        5, ge=2, le=50, description="Classes of a continuous factor for frequency ratio and weight of evidence."
    )
    class_breaks: Literal["quantile", "jenks", "equal"] = Field("quantile", description="How those classes are cut.")
    seed: int = Field(0, ge=0, description="Seed of the sample and the forest.")
