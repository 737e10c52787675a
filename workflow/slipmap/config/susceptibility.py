"""Settings of the susceptibility stage: the Landslide Risk Index and the classical models."""

from typing import Any, Literal, get_args

from pydantic import Field, model_validator

from slipmap.config.base import Settings

ModelName = Literal[
    "svm",
    "random_forest",
    "xgboost",
    "gam",
    "gamm",
    "logistic",
    "frequency_ratio",
    "rainfall_history",
    "stability_margin",
]
MODELS = get_args(ModelName)
Scheme = Literal["random", "blocks", "kmeans", "knndm", "regions"]
Role = Literal["slope", "dem", "ndvi", "ndwi", "smi", "ndbi"]


class RainSettings(Settings):
    """The rain multiplication factor R = (P / P0)^alpha · (D / D0)^beta (Zheng et al. 2025, eq. 5)."""

    intensity: str | float = Field(
        "rain_intensity", description="P: name of the factor, or one number for the area, mm/h."
    )
    duration: str | float = Field(
        "rain_duration", description="D: name of the factor, or one number for the area, days."
    )
    reference_intensity: float = Field(gt=0, description="P0, mm/h. The paper does not give it: yours to choose.")
    reference_duration: float = Field(gt=0, description="D0, days. The paper does not give it: yours to choose.")
    alpha: float = Field(1.2, description="Exponent of the intensity (Table 1).")
    beta: float = Field(0.8, description="Exponent of the duration (Table 1).")

    @property
    def names(self) -> tuple[str, ...]:
        """Factors that are asked for (numbers need none)."""
        return tuple(v for v in (self.intensity, self.duration) if isinstance(v, str))


class RiskIndexSettings(Settings):
    """The Landslide Risk Index (LSI) of Zheng et al. 2025, eq. 4."""

    factors: dict[Role, str] = Field(
        {
            "slope": "slope",
            "dem": "elevation",
            "ndvi": "ndvi",
            "ndwi": "ndwi",
            "smi": "soil_moisture",
            "ndbi": "ndbi",
        },
        description="Which factor plays each part; name what your area has (ndvi: ndvi_before, say).",
    )
    weights: dict[Role, float] | Literal["spearman"] = Field(
        {"slope": 0.25, "dem": 0.15, "ndvi": -0.2, "ndwi": 0.2, "smi": 0.1, "ndbi": 0.1},
        description="Weights of eq. 4, Table 1 by default; spearman: rank correlation with the inventory on training "
        "pixels, scaled to the same sum of absolute weights (1).",
    )
    ranges: dict[Role, tuple[float, float]] = Field(
        default_factory=dict,
        description="[least, greatest] that become 0 and 1; parts not named take the range of the training pixels.",
    )
    rain: RainSettings | None = Field(None, description="The rain factor; null: R = 1 (LSI without rainfall).")
    classes: int = Field(3, ge=2, le=10, description="Risk classes of the map (the paper's low, medium, high).")
    breaks: Literal["jenks", "quantile", "equal", "fixed"] = Field(
        "jenks",
        description="How the classes are cut. Without centring the index lies in about 0.45-0.69, so from the data.",
    )
    fixed_breaks: list[float] = Field(default_factory=list, description="Inner breaks where breaks is fixed.")

    @property
    def names(self) -> tuple[str, ...]:
        """Every factor that the index is made of, once."""
        return tuple(dict.fromkeys([*self.factors.values(), *(self.rain.names if self.rain else ())]))

    @model_validator(mode="after")
    def _whole(self) -> "RiskIndexSettings":
        roles = {"slope", "dem", "ndvi", "ndwi", "smi", "ndbi"}
        if set(self.factors) != roles:
            raise ValueError(f"factors must name all of {', '.join(sorted(roles))}")
        if self.weights != "spearman" and set(self.weights) != roles:
            raise ValueError(f"weights must name all of {', '.join(sorted(roles))}, or be spearman")
        if self.breaks == "fixed" and len(self.fixed_breaks) != self.classes - 1:
            raise ValueError(f"fixed_breaks needs {self.classes - 1} values for {self.classes} classes")
        return self


class ClassicalSettings(Settings):
    """What a classical model learns from."""

    factors: list[str] | None = Field(None, description="Factors used; null: all that screening lets through.")
    options: dict[ModelName, dict[str, Any]] = Field(
        default_factory=dict,
        description="Options of single models, as their libraries name them; of stability_margin also rain, the factor "
        "that triggers (default rainfall).",
    )
    with_areas: list[str] = Field(
        default_factory=list,
        description="Other areas of this config whose pixels are pooled with this one's; the mixed model then has a "
        "random effect of each area.",
    )
    sample: int = Field(
        6000, ge=50, description="Labelled pixels drawn, half landslide and half not, for training and for testing."
    )
    block: int | None = Field(
        None,
        ge=1,
        description="Side of a block, pixels; also the groups of the mixed model. null: the range of autocorrelation "
        "of what the factors leave unexplained (Roberts et al. 2017).",
    )
    seed: int = Field(0, ge=0, description="Seed of the sample, the folds and the models.")


class ComparisonSettings(ClassicalSettings):
    """How the models are compared."""

    models: list[ModelName] = Field(
        ["svm", "random_forest", "xgboost", "gam", "gamm", "logistic", "frequency_ratio"],
        description="Models to compare. Besides these: stability_margin (Steger et al. 2024: a GAMM that only rises "
        "with rain), and rainfall_history (after Mondini et al. 2023: a recurrent network on the rain of the days "
        "before the cut-off, which needs the factors rain_lag_0, rain_lag_1, ... in factors.extra).",
    )
    folds: int = Field(5, ge=2, description="Folds of every cross-validation.")
    repeats: int = Field(1, ge=1, description="Times each cross-validation is repeated with another division.")
    schemes: list[Scheme] | None = Field(
        None,
        min_length=1,
        description="Ways to make folds, side by side. random; blocks: square blocks dealt to folds; kmeans: clusters "
        "of coordinates (Brenning 2012); knndm: folds as far from each other as the map is from the pixels "
        "(Linnenbrink et al. 2024); regions: each left out once. null: all that can be made. "
        "The default of the tables is the one whose distances match the map's best.",
    )
    regions: str | None = Field(
        None, description="Factor whose classes are the regions; null: the pooled areas, where there are several."
    )
    risk_index: RiskIndexSettings | None = Field(None, description="The Landslide Risk Index; null: not made.")


class SusceptibilitySettings(ComparisonSettings):
    """Classical models on the same factors, cross-validated at random and in space, and the Landslide Risk Index."""

    maps: list[ModelName] = Field(["random_forest"], description="Models whose susceptibility is mapped.")
