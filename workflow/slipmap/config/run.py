"""The whole config of a run: areas, data sets, experiments."""

from pydantic import Field, field_validator, model_validator

from slipmap.config.acquire import AcquireSettings
from slipmap.config.base import Settings
from slipmap.config.deformation import DeformationSettings
from slipmap.config.event import EventSettings
from slipmap.config.factors import FactorSettings
from slipmap.config.geocoding import GeocodingSettings
from slipmap.config.inputs import GridSettings, InputSettings, SimulateSettings
from slipmap.config.motion import ActiveAreaSettings, ChangeSettings, KinematicsSettings
from slipmap.config.patches import PatchSettings, SplitSettings
from slipmap.config.prediction import PredictionSettings
from slipmap.config.report import ReportSettings
from slipmap.config.screening import ScreeningSettings
from slipmap.config.susceptibility import SusceptibilitySettings
from slipmap.config.training import ModelSettings, TrainingSettings


class AreaSettings(Settings):
    """A study area."""

    description: str = Field("", description="One line for the report.")
    note: str = Field("", description="A warning that the report shows beside every score of this area.")
    grid: GridSettings = Field(description="The area's grid.")
    simulate: SimulateSettings | None = Field(None, description="Make simulated inputs under resources/{area}/.")
    acquire: AcquireSettings | None = Field(
        None, description="Fetch raw data into resources/{area}/; what is fetched need not stand under inputs."
    )
    inputs: InputSettings = Field(default_factory=InputSettings, description="Where the raw data are.")
    geocoding: GeocodingSettings = Field(
        default_factory=GeocodingSettings, description="Geocoding of raw Sentinel-1 (SAFE)."
    )
    deformation: DeformationSettings = Field(default_factory=DeformationSettings, description="SBAS-InSAR.")
    kinematics: KinematicsSettings = Field(
        default_factory=KinematicsSettings, description="Acceleration, season, steps and trend of every pixel."
    )
    active_areas: ActiveAreaSettings = Field(
        default_factory=ActiveAreaSettings, description="Active deformation areas, from the velocity alone."
    )
    changes: ChangeSettings | None = Field(
        None, description="What is new since an earlier run, by the target `latest`; null: not looked for."
    )
    event: EventSettings | None = Field(
        None, description="Event map: what failed on a day, from the images before and after it; null: not made."
    )
    factors: FactorSettings = Field(default_factory=FactorSettings, description="Factors on the area's grid.")
    screening: ScreeningSettings = Field(default_factory=ScreeningSettings, description="Screening of factors.")
    susceptibility: SusceptibilitySettings | None = Field(
        None, description="Classical susceptibility models and the Landslide Risk Index; null: not made."
    )
    split: SplitSettings = Field(default_factory=SplitSettings, description="Training, validation, test blocks.")
    report: ReportSettings = Field(default_factory=ReportSettings, description="The report.")

    @model_validator(mode="after")
    def _delays_there(self) -> "AreaSettings":
        if self.deformation.troposphere in ("model", "both") and self.inputs.delays is None:
            raise ValueError(
                f"deformation.troposphere: {self.deformation.troposphere} takes delays of a weather model; name them "
                f"as inputs.delays, or set elevation"
            )
        return self


class ExperimentSettings(Settings):
    """A named combination of data set, factors, model, augmentation and recipe."""

    description: str = Field("", description="One line for the report.")
    dataset: str | None = Field(
        None, description="Name under `datasets` of how areas are cut; needed where areas are trained or tested on."
    )
    train_areas: list[str] = Field(
        default_factory=list,
        description="Areas whose training blocks are learnt from. A data set with a `source` is named as an area is.",
    )
    test_areas: list[str] = Field(
        default_factory=list, description="Areas (or data sets with a source) whose test blocks give the scores."
    )
    map_areas: list[str] | None = Field(
        None,
        description="Areas to map; null: every area of this config (no area after training on a data set with a "
        "source).",
    )
    factors: list[str] | None = Field(None, description="Factors used; null: all that screening lets through.")
    exclude: list[str] = Field(default_factory=list, description="Factors left out.")
    model: ModelSettings = Field(default_factory=ModelSettings, description="The architecture.")
    training: TrainingSettings = Field(default_factory=TrainingSettings, description="The recipe.")
    prediction: PredictionSettings = Field(default_factory=PredictionSettings, description="The maps.")
    weights: str | None = Field(
        None, description="Folder of an experiment trained elsewhere: map with its weights, do not train."
    )

    @field_validator("train_areas", "test_areas", "map_areas", "factors", "exclude")
    @classmethod
    def _once(cls, value: list[str] | None) -> list[str] | None:
        twice = [name for name in dict.fromkeys(value or ()) if value and value.count(name) > 1]
        if twice:
            raise ValueError(f"'{twice[0]}' stands twice, and would count twice; keep one")
        return value

    @model_validator(mode="after")
    def _factors_left(self) -> "ExperimentSettings":
        if self.factors is not None and not set(self.factors) - set(self.exclude):
            raise ValueError("factors and exclude leave no factor; name one at least, or leave factors out for all")
        return self


class RunSettings(Settings):
    """A config file."""

    areas: dict[str, AreaSettings] = Field(
        default_factory=dict,
        description="Study areas by name; a path (string) takes the area of that name from another config file.",
    )
    datasets: dict[str, PatchSettings] = Field(default_factory=dict, description="Patch data sets by name.")
    experiments: dict[str, ExperimentSettings] = Field(
        default_factory=dict, description="Experiments by name; a path (string) takes it from a file."
    )
