"""The card of trained weights: what they are, where they learnt, how well they did, and under which licence."""

import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from slipmap.errors import InputError

CARD, PAGE = "card.json", "README.md"
FORMAT = 1
TOLD = ("precision", "recall", "f1", "auc_roc", "brier")  # scores on the card, pooled over test pixels


@dataclass(frozen=True)
class Card:
    """What is known of trained weights without opening them.

    Parameters
    ----------
    name : of the experiment. model : its architecture. bands : factors that it needs, in order.
    pixel_size : metres, (x, y). seeds : trainings with another random start each.
    areas : ground of the training: ``{"area", "bounds"}``, bounds west, south, east, north in degrees.
    scores : on test ground, by name; empty where none was tested. test_distance : metres from test to training ground.
    licence : of the weights. simulated : whether they learnt from simulated data. slipmap : version that trained them.
    """

    name: str
    model: str
    bands: list[str]
    pixel_size: list[float]
    seeds: int
    areas: list[dict[str, Any]]
    scores: dict[str, float]
    test_distance: float | None
    licence: str
    simulated: bool
    slipmap: str
    format: int = field(default=FORMAT)

    def text(self) -> str:
        """The card as JSON."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    def page(self) -> str:
        """The card as Markdown, for whoever opens the folder."""
        data = "**Simulated data.** These weights map no real place." if self.simulated else "Real data."
        places = [f"{one['area']} ({', '.join(f'{x:.3f}' for x in one['bounds'])})" for one in self.areas]
        scores = [f"| {name} | {value:.3f} |" for name, value in self.scores.items()]
        return "\n".join(
            [
                f"# {self.name}",
                "",
                data,
                "",
                "| | |",
                "| --- | --- |",
                f"| model | {self.model}, {self.seeds} seed(s) |",
                f"| bands | {', '.join(self.bands)} |",
                f"| pixel | {' x '.join(f'{x:g}' for x in self.pixel_size)} m |",
                f"| trained on (west, south, east, north) | {'; '.join(places) or 'images without coordinates'} |",
                f"| trained with | slipmap {self.slipmap} |",
                f"| licence | {self.licence} |",
                "",
                *(["| score on test ground | |", "| --- | ---: |", *scores, ""] if scores else ["No scores.", ""]),
                *(
                    [f"Test ground lies {self.test_distance:g} m from training ground (median).", ""]
                    if self.test_distance is not None
                    else []
                ),
                "Use: `experiments: {mapped: {weights: FOLDER}}` in a config, or `slipmap init … --weights FOLDER`.",
                "",
            ]
        )


def seed_folders(experiment: Path) -> list[Path]:
    """Folders of the seeds of an experiment, by number."""
    found = [path for path in experiment.glob("seed_*") if re.fullmatch(r"seed_\d+", path.name)]
    return sorted(found, key=lambda path: int(path.name[5:]))


def read_card(folder: Path) -> Card:
    """The card in a published folder.

    Raises
    ------
    InputError : it is damaged, or of a later format.
    """
    path = folder / CARD
    try:
        card = Card(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise InputError(f"{path} is no card of slipmap ({error}); fetch the weights again.") from error
    if card.format != FORMAT:
        raise InputError(
            f"{path} has format {card.format}, and this version of slipmap reads {FORMAT}; install a later one."
        )
    return card


def describe(experiment: Path, *, licence: str = "not stated", simulated: bool = False) -> Card:
    """The card of an experiment as a run has left it.

    Raises
    ------
    InputError : the folder holds no trained model.
    """
    seeds = [folder for folder in seed_folders(experiment) if (folder / "model.json").is_file()]
    if not seeds:
        raise InputError(
            f"{experiment} holds no trained experiment (seed_0/model.json); name a folder such as "
            f"results/AREA/experiments/NAME."
        )
    path = seeds[0] / "model.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        made, bands = record["model"]["name"], [str(band) for band in record["bands"]]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} does not say what was trained ({error}); copy it again.") from error
    scores, distance = _scores(experiment / "metrics.csv")
    ground = [*record.get("ground", ()), *record.get("ground_before", ())]
    return Card(
        name=experiment.name,
        model=made,
        bands=bands,
        pixel_size=[float(x) for x in record.get("pixel_size") or ()],
        seeds=len(seeds),
        areas=list(_areas(ground)),
        scores=scores,
        test_distance=distance,
        licence=licence,
        simulated=simulated,
        slipmap=str(record.get("provenance", {}).get("slipmap", "unknown")),
    )


def _scores(path: Path) -> tuple[dict[str, float], float | None]:
    if not path.is_file():
        return {}, None
    with open(path, encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["pooling"] == "pooled_over_pixels"]
    scores = {row["score"]: float(row["mean"]) for row in rows if row["score"] in TOLD and row["mean"]}
    distance = next((float(row["test_distance"]) for row in rows if row.get("test_distance")), None)
    return scores, distance


def _areas(ground: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The box around the training blocks of each area, in degrees."""
    from rasterio.warp import transform_bounds

    for one in ground:
        if one.get("bounds"):
            west, south, east, north = zip(*one["bounds"], strict=True)
            box = (min(west), min(south), max(east), max(north))
            degrees = transform_bounds(one["crs"], "EPSG:4326", *box)
            yield {"area": one["area"], "bounds": [round(x, 5) for x in degrees]}
