"""Settings of the deformation stage (SBAS-InSAR).

One section of the config, but a model for each step: a step reads the options of its model only, so that a change of
another option does not remake what it made.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from slipmap.config.base import Settings

Count = Annotated[int, Field(ge=1)]


class EstimatorSettings(Settings):
    """How phases come about."""

    estimator: Literal["sbas", "phase_linking"] = Field(
        "sbas",
        description="sbas: an interferogram for each pair of SLCs; phase_linking: one phase for each date from all "
        "interferograms (SLCs or raw products only).",
    )
    nearest_neighbours: int = Field(
        3, ge=1, description="Later dates with which each date is paired after phase linking; sbas does not use it."
    )


class ComparedSettings(Settings):
    """What stands beside the velocity."""

    compare_with: Literal["sbas"] | None = Field(
        None,
        description="Estimator whose velocity is made too, into deformation/sbas, and shown beside that of "
        "phase_linking; null: none is.",
    )


class NetworkSettings(EstimatorSettings):
    """Which interferograms there are."""

    max_temporal_baseline: float = Field(60, gt=0, description="Longest pair formed, days (FCADenseNet paper: 60).")
    max_critical_baseline_fraction: float = Field(
        0.02,
        gt=0,
        le=1,
        description="Longest perpendicular baseline formed, as a share of the critical one (paper: 2 %).",
    )
    threshold_supplied: bool = Field(
        False, description="Apply both thresholds to supplied interferograms too (false: all of them stay)."
    )
    allow_subsets: bool = Field(
        False, description="Go on with a network that is not connected, its subsets joined by the model of motion."
    )


class LookSettings(Settings):
    """How many SLC pixels stand behind a phase and a coherence that we form."""

    slc_looks: tuple[Count, Count] = Field((1, 4), description="SLC pixels (rows, columns) averaged to one pixel.")
    coherence_window: int = Field(5, ge=1, description="Side of the coherence window, multilooked pixels (odd).")

    @field_validator("coherence_window", "phase_window", check_fields=False)
    @classmethod
    def _has_a_middle(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError(f"a window has a pixel in its middle; give an odd number, {value - 1} or {value + 1}")
        return value


class PhaseLinkingSettings(Settings):
    """How the phases of all dates are linked (estimator: phase_linking)."""

    method: Literal["emi", "evd"] = Field(
        "emi", description="emi: eigenvector of the inverse coherences times Γ; evd: dominant eigenvector of Γ."
    )
    regularisation: float = Field(
        0.5,
        gt=0,
        le=1,
        description="β of (1 − β) |Γ| + β I, which emi inverts; raised in pixels where that is not positive definite.",
    )
    device: Literal["cpu", "gpu"] = Field(
        "cpu", description="Where phases are linked; gpu: through torch, to 1e-3 rad as on the cpu."
    )
    ministack: int | None = Field(
        None,
        ge=3,
        description="Dates linked at once, with what earlier ones are compressed to: memory and cost do not grow with "
        "the dates, and a new date remakes the last ministack only; null: all dates together.",
    )
    window: int = Field(5, ge=3, le=31, description="Side of the window of neighbours, pixels (odd).")
    window_weights: Literal["triangular", "plain"] = Field(
        "triangular", description="Weights of neighbours: falling linearly from the middle, or all alike."
    )
    homogeneity: Literal["none", "glrt", "ks"] = Field(
        "none",
        description="Test by which neighbours of other ground are left out: ratio of likelihoods of their mean power, "
        "or Kolmogorov–Smirnov of their amplitudes; none: all count.",
    )
    significance: float = Field(
        0.001, gt=0, lt=1, description="Share of like neighbours that the test may leave out by mistake."
    )
    amplitude_dispersion: float = Field(
        0.25,
        ge=0,
        lt=1,
        description="A pixel with an SLC pixel of lower amplitude dispersion keeps its phase (from 20 dates on); "
        "0: none does.",
    )
    remove_motion: bool = Field(
        True,
        description="Take the motion of a first pass out of the neighbours before they are averaged and out of pairs "
        "before they are unwrapped, and put it back (10 dates or more).",
    )
    min_goodness_of_fit: float = Field(
        0.5, ge=0, lt=1, description="Linked phases of a lower goodness of fit are not called reliable."
    )
    standard_deviation: bool = Field(
        True, description="Also write the Cramér–Rao standard deviation of each date's phase."
    )
    closure: bool = Field(
        False,
        description="Also write closure.tif: how far interferograms of dates next to each other are from closing.",
    )
    eigenvalues: int = Field(
        0, ge=0, le=5, description="How many of Γ's largest eigenvalues to write into eigenvalues.tif too; 0: none."
    )

    @field_validator("window")
    @classmethod
    def _has_a_middle(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError(f"a window has a pixel in its middle; give an odd number, {value - 1} or {value + 1}")
        return value


class LinkingSettings(LookSettings):
    """Looks and options of phase linking."""

    phase_linking: PhaseLinkingSettings = Field(
        default_factory=PhaseLinkingSettings, description="Options of estimator: phase_linking."
    )


class AveragingSettings(LookSettings):
    """How many looks stand behind the phase that is inverted."""

    phase_window: int = Field(
        3,
        ge=1,
        description="Side of the window over which the phase is averaged (weights fall linearly from its middle), "
        "pixels (odd); 1: none.",
    )


class InterferogramSettings(AveragingSettings):
    """How an interferogram is formed."""

    goldstein_alpha: float = Field(0.5, ge=0, le=1, description="Goldstein filter exponent; 0 filters nothing.")
    goldstein_patch: int = Field(32, ge=8, description="Side of the Goldstein filter's patches, pixels (even).")

    @field_validator("goldstein_patch")
    @classmethod
    def _has_halves(cls, value: int) -> int:
        if value % 2:
            raise ValueError(f"patches overlap by half; give an even number, {value - 1} or {value + 1}")
        return value


class UnwrappingSettings(InterferogramSettings):
    """How an interferogram is unwrapped."""

    unwrapper: Literal["whirlwind", "snaphu"] = Field(
        "whirlwind", description="Phase unwrapping; snaphu must be installed by you, and mind its licence."
    )


class InversionSettings(AveragingSettings):
    """How unwrapped interferograms become displacement and velocity."""

    min_pair_coherence: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Leave out pairs of lower mean coherence, but keep the spanning tree; null: keep all.",
    )
    reference_point: tuple[float, float] | None = Field(
        None, description="[longitude, latitude] of ground taken as stable; null: chosen from the coherence."
    )
    reference_radius: float = Field(
        40.0, ge=0, description="Radius of the reference area, m; its median phase is the zero. 0: one pixel."
    )
    weights: Literal["variance", "coherence", "none"] = Field(
        "variance", description="Weight of an interferogram: 1/phase variance, squared coherence, or all alike."
    )
    min_coherence: float = Field(
        0.0, ge=0, lt=1, description="A phase of lower coherence is a gap in the inversion; 0: none is."
    )
    unwrapping_error_correction: bool = Field(
        True, description="Correct jumps of 2π where triplets of interferograms do not close, before the inversion."
    )
    robust: bool = Field(
        True,
        description="Trust phases less that fit no solution (reweighted least squares, at the pixels that have such "
        "phases); false: plain least squares.",
    )
    fading: Literal["none", "map", "correct"] = Field(
        "none",
        description="Fading signal, a bias of short pairs over ground that forgets its phase, from the closure phases "
        "of triplets. map: what it adds to the velocity, in fading.tif; correct: also take it from the phases.",
    )
    dem_error: bool = Field(True, description="Estimate and remove the DEM error (needs perpendicular baselines).")
    troposphere: Literal["elevation", "model", "both", "none"] = Field(
        "elevation",
        description="elevation: remove the part of each date's phase that is linear in elevation; model: the delays of "
        "a weather model (`inputs.delays`); both: first these, then what is left that is linear in elevation. What "
        "each leaves over stands in troposphere.csv.",
    )
    deramp: Literal["linear", "quadratic", "none"] = Field(
        "linear", description="Surface removed from each date, fitted outside the moving area."
    )
    moving_velocity: float = Field(
        10.0, gt=0, description="Faster pixels (mm/yr) are left out of the fits of ramp and troposphere."
    )
    annual: bool = Field(False, description="Fit an annual cycle beside the linear velocity.")
    steps: list[date] = Field(default_factory=list, description="Dates of sudden steps to fit (earthquakes).")
    bootstrap: int = Field(0, ge=0, description="Resamplings for the velocity's standard deviation; 0: by the formula.")
    min_temporal_coherence: float = Field(
        0.7, ge=0, le=1, description="Below this temporal coherence a velocity is not called reliable."
    )
    max_reference_distance: float | None = Field(
        50.0,
        gt=0,
        description="Farther than this from the reference, km, a velocity is not called reliable: too much of the "
        "atmosphere lies between the two; none: anywhere.",
    )
    date_std: bool = Field(
        False, description="Also write the standard deviation of every date's displacement into timeseries.nc."
    )
    mask_velocity: bool = Field(
        False, description="Also write nodata into velocity.tif where it is not reliable (false: only mask.tif says)."
    )


class TrackSettings(Settings):
    """Two lines of sight of the same ground."""

    opposite_area: str | None = Field(
        None,
        description="Area of this config with the Sentinel-1 data of the opposite flight direction (descending for "
        "ascending): vertical and east-west velocity are made of both; null: they are not.",
    )


class KeptSettings(Settings):
    """What is kept beside the results."""

    keep_interferograms: bool = Field(
        False,
        description="Also write the wrapped interferogram of every pair, filtered and as it is (18 bytes a pixel), to "
        "be looked at; the velocity needs none (estimator: sbas, from SLCs).",
    )


# Keys come in the order of the bases from the last to the first.
class DeformationSettings(
    KeptSettings,
    ComparedSettings,
    TrackSettings,
    InversionSettings,
    UnwrappingSettings,
    LinkingSettings,
    NetworkSettings,
):
    """SBAS-InSAR, from Sentinel-1 at any level to velocity."""

    @model_validator(mode="after")
    def _beside_another(self) -> "DeformationSettings":
        if self.compare_with == self.estimator:
            raise ValueError(
                f"compare_with: {self.compare_with} is the estimator itself; set estimator: phase_linking, or take "
                f"compare_with out"
            )
        return self

    @model_validator(mode="after")
    def _loops_that_can_be_open(self) -> "DeformationSettings":
        if self.estimator == "phase_linking" and self.fading != "none":
            raise ValueError(
                f"fading: {self.fading} takes triplets that do not close, and those of linked phases always do; set "
                f"estimator: sbas, or fading: none"
            )
        return self
