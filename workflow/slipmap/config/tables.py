"""Settings of a paper's table: its rows as experiments, what the paper gives them to learn from, what was published."""

from typing import Any, Literal

from pydantic import Field, model_validator

from slipmap.config.base import Settings
from slipmap.config.patches import PatchSettings, Ratios
from slipmap.config.recipes import RECIPES
from slipmap.errors import nearest

Kind = Literal["networks", "screening", "susceptibility"]


class ColumnSettings(Settings):
    """A column of a published table, and which of our scores stands beside it."""

    score: str = Field(
        description="Our score: pooled_over_pixels.f1 (any score of test_metrics.json), history.validation_loss, or "
        "cost.parameters, cost.flops, cost.images_per_second of the model at its published size. Of a table of "
        "screening: a factor; of risk models: a column of test_scores.csv."
    )
    scale: float = Field(1.0, description="Our number is multiplied by this (100: the paper gives per cent).")
    decimals: int = Field(2, ge=0, description="Decimals that the paper prints.")


class RowSettings(Settings):
    """A row: one experiment, one risk model or one statistic."""

    name: str = Field(description="Name of the row in the paper.")
    headline: bool = Field(False, description="One of the pair on which the paper rests: run with every seed.")
    experiment: dict[str, Any] | None = Field(
        None, description="Settings of the experiment that differ from `shared`; null: not run, see `note`."
    )
    of: str | None = Field(None, description="Of a table without networks: VIF or TOL; a model of the stage.")
    published: dict[str, float | None] = Field(default_factory=dict, description="Published number of each column.")
    note: str = Field("", description="What our row is, where that is not plain; why it is not run.")


class CostSettings(Settings):
    """Input at which the paper counts operations."""

    channels: int = Field(3, ge=1, description="Bands.")
    classes: int = Field(1, ge=1, description="Output channels.")
    size: int = Field(256, ge=1, description="Height and width, pixels.")
    flops_per_mac: int = Field(2, ge=1, le=2, description="The paper's FLOPs for one multiply-accumulate: 1 or 2.")


class PaperInputs(Settings):
    """What a paper learns from; null where it does not say."""

    factors: list[str] = Field(min_length=1, description="Bands, in the paper's order; by our names where we have one.")
    size: int | None = Field(description="Side of its images, pixels.")
    normalisation: Literal["zscore", "minmax"] | None = Field(description="As datasets.normalisation.")
    split: Ratios | None = Field(description="Training, validation and test shares.")
    classes: Literal[1, 2] | None = Field(description="Output channels.")
    dropout: float | None = Field(ge=0, lt=1, description="Dropout of the paper's own network.")


class TableSettings(Settings):
    """One results table of a paper."""

    paper: str = Field(description="Citation.")
    title: str = Field(description="Number and caption of the table.")
    kind: Kind = Field(
        "networks",
        description="networks: rows are experiments. screening: collinearity of the factors. susceptibility: risk "
        "models on test ground.",
    )
    published_data: str = Field(description="Data set of the paper.")
    published_split: str = Field(description="How the paper divided it, and what that does to its numbers.")
    caveats: list[str] = Field(default_factory=list, description="What to know before comparing.")
    recipe: str | None = Field(None, description="Of networks: the training recipe.")
    inputs: PaperInputs = Field(description="What the paper learns from.")
    columns: dict[str, ColumnSettings] = Field(description="Columns by their published heading.")
    cost: CostSettings | None = Field(None, description="Needed where a column is a cost.")
    shared: dict[str, Any] = Field(default_factory=dict, description="Experiment settings shared by the rows.")
    rows: list[RowSettings] = Field(min_length=1, description="The rows, in the paper's order.")

    @model_validator(mode="after")
    def _of_its_kind(self) -> "TableSettings":
        networks = self.kind == "networks"
        if networks and self.recipe not in RECIPES:
            raise ValueError(f"recipe {self.recipe!r} is unknown{nearest(str(self.recipe), RECIPES)}")
        if not networks and any(row.of is None for row in self.rows):
            raise ValueError(f"every row of a table of {self.kind} needs the key `of`; add it")
        if self.cost is None and any(column.score.startswith("cost.") for column in self.columns.values()):
            raise ValueError("a column is a cost, but the key `cost` is not given; add the size of the paper's input")
        return self


class TablesRunSettings(Settings):
    """On which data, and how much reduced, the tables are run."""

    train_areas: list[str] = Field(min_length=1, description="Areas to learn from, for every table.")
    test_areas: list[str] = Field(
        min_length=1, description="Areas whose test ground gives the scores (the first's is shown)."
    )
    dataset: str | None = Field(
        None, description="Public data set that is used as it is; null: the areas are cut, with each paper's inputs."
    )
    patches: PatchSettings = Field(
        default_factory=PatchSettings,
        description="How areas are cut; normalisation is the paper's, or this where it says none.",
    )
    stands_for: dict[str, list[str]] = Field(
        default_factory=dict, description="A paper's factor → what the areas have in its place; []: nothing."
    )
    changes: list[str] = Field(
        default_factory=list, description="What is changed against the papers, and why; shown with every table."
    )
    width: float | None = Field(
        None, gt=0, description="Width multiplier given to every model; null: the published sizes."
    )
    options: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="Model → options that win over those of its rows."
    )
    training: dict[str, Any] = Field(
        default_factory=dict, description="Training settings that win over those of every table (fewer epochs, say)."
    )
    seeds: list[int] = Field(
        default_factory=lambda: [0], min_length=1, description="Seeds of the headline rows; the others have the first."
    )
    tables: list[str] | None = Field(None, description="Tables to run; null: all of config/tables.")
