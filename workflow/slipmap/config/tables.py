"""Settings of a paper's table: its rows as experiments, and what was published."""

from typing import Any

from pydantic import Field

from slipmap.config.base import Settings


class ColumnSettings(Settings):
    """A column of a published table, and which of our scores stands beside it."""

    score: str = Field(
        description="Our score: pooled_over_pixels.f1 (any score of test_metrics.json), history.validation_loss, or "
        "cost.parameters, cost.flops, cost.images_per_second of the model at its published size."
    )
    scale: float = Field(1.0, description="Our number is multiplied by this (100: the paper gives per cent).")
    decimals: int = Field(2, ge=0, description="Decimals that the paper prints.")


class RowSettings(Settings):
    """A row: one experiment."""

    name: str = Field(description="Name of the row in the paper.")
    experiment: dict[str, Any] | None = Field(
        None, description="Settings of the experiment that differ from `shared`; null: not run, see `note`."
    )
    published: dict[str, float | None] = Field(default_factory=dict, description="Published number of each column.")
    note: str = Field("", description="What our row is, where that is not plain; why it is not run.")


class CostSettings(Settings):
    """Input at which the paper counts operations."""

    channels: int = Field(3, ge=1, description="Bands.")
    classes: int = Field(1, ge=1, description="Output channels.")
    size: int = Field(256, ge=1, description="Height and width, pixels.")
    flops_per_mac: int = Field(2, ge=1, le=2, description="The paper's FLOPs for one multiply-accumulate: 1 or 2.")


class TableSettings(Settings):
    """One results table of a paper."""

    paper: str = Field(description="Citation.")
    title: str = Field(description="Number and caption of the table.")
    published_data: str = Field(description="Data set of the paper.")
    published_split: str = Field(description="How the paper divided it, and what that does to its numbers.")
    caveats: list[str] = Field(default_factory=list, description="What to know before comparing.")
    columns: dict[str, ColumnSettings] = Field(description="Columns by their published heading.")
    cost: CostSettings | None = Field(None, description="Needed where a column is a cost.")
    shared: dict[str, Any] = Field(default_factory=dict, description="Experiment settings shared by the rows.")
    rows: list[RowSettings] = Field(min_length=1, description="The rows, in the paper's order.")


class TablesRunSettings(Settings):
    """On which data, and how much reduced, the tables are run."""

    train_areas: list[str] = Field(min_length=1, description="Areas to learn from, for every table.")
    test_areas: list[str] = Field(
        min_length=1, description="Areas whose test ground gives the scores (the first's is shown)."
    )
    dataset: str = Field(description="Name under `datasets`.")
    width: float | None = Field(
        None, gt=0, description="Width multiplier given to every model; null: the published sizes."
    )
    options: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="Model → options that win over those of its rows."
    )
    training: dict[str, Any] = Field(
        default_factory=dict, description="Training settings that win over those of every table (fewer epochs, say)."
    )
    seeds: dict[str, list[int]] = Field(default_factory=dict, description="Table → seeds where not only [0].")
    tables: list[str] | None = Field(None, description="Tables to run; null: all of config/tables.")
