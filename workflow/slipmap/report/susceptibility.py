"""The classical models and the Landslide Risk Index in the report: tables and maps."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from slipmap.report.layers import Layer
from slipmap.report.sections import figure
from slipmap.report.sources import Sources
from slipmap.report.tabular import from_frame, table, with_spread, without_repeats

SCHEMES = {
    "prediction": "the map itself",
    "random": "at random",
    "blocks": "square blocks",
    "kmeans": "k-means clusters of places",
    "knndm": "distances of the map (kNNDM)",
    "regions": "regions",
}
SCORES = {"accuracy": "accuracy", "auc": "AUROC", "brier": "Brier score", "rmse": "RMSE"}


def section(sources: Sources, layers: Sequence[Layer]) -> dict[str, Any] | None:
    """Tables and maps; None where no such model was made."""
    if not sources.susceptibility and not sources.susceptibility_tables:
        return None
    called = {layer.id: layer.title for layer in layers}
    maps = [figure(f"hillshade {id_}", f"{title}.", called) for id_, title in called.items() if id_[:6] == "model."]
    tables = []
    for name, found in sources.susceptibility_tables.items():
        shown, same = without_repeats(found, "Independence")
        made = {"cross_validation_summary": cross_validation, "distances": distances}.get(name)
        tables.append({"title": TITLES[name], "table": made(found) if made else from_frame(shown, 3), "text": same})
    return {
        "text": "Models of pixels, without the picture round them: how prone a place is by its factors, not where a "
        "landslide is. Neighbouring pixels are alike, so a score says how well the map does only where judged ground "
        "lies as far from training ground as the map's pixels do: read the rows marked so."
        + _marked(sources.susceptibility_tables),
        "tables": tables,
        "maps": [f for f in maps if f],
    }


def _marked(tables: Mapping[str, pd.DataFrame]) -> str:
    """What it means that folds at random are nearest to the map's distances, where test ground says something else."""
    folds, test = tables.get("cross_validation_summary"), tables.get("test_scores")
    if folds is None or "default" not in folds or test is None or "AUC" not in test:
        return ""
    marked = folds[folds["default"] & (folds["scheme"] == "random")]
    if not len(marked):
        return ""
    return (
        " Here these are folds at random: training pixels are spread over the whole map, so most of it lies near one. "
        f"Their AUROC (up to {marked['auc'].max():.2f}) holds for such ground alone. On test ground, blocks without "
        f"any training pixel, the same models reach {test['AUC'].min():.2f} to {test['AUC'].max():.2f}: judge "
        "ground away from training pixels by that."
    )


TITLES = {
    "cross_validation_summary": "Cross-validation",
    "distances": "Distance from judged to training ground, m, beside that of the map",
    "test_scores": "Scores on test ground, which cross-validation did not see",
}


def cross_validation(found: pd.DataFrame) -> dict[str, Any]:
    """A row for each model and way of folding: mean ± standard deviation over folds, AUROC with its 95 % interval."""
    scores = {name: label for name, label in SCORES.items() if name in found}
    head = ["model", "folds", *scores.values(), "95 % interval of the AUROC", "read this"]
    rows = [
        [
            one["model"],
            SCHEMES.get(one["scheme"], one["scheme"]),
            *(with_spread(one[name], one.get(f"{name}_std", float("nan")), 3) for name in scores),
            f"{one['auc_low']:.3f} to {one['auc_high']:.3f}" if pd.notna(one.get("auc_low")) else "–",
            "yes" if one.get("default") else "",
        ]
        for one in found.to_dict("records")
    ]
    return table(head, rows, numeric=range(2, len(head) - 1))


def distances(found: pd.DataFrame) -> dict[str, Any]:
    """How far judged ground lies from training ground by each way of folding, and the map from all of it."""
    shown = found.assign(scheme=found["scheme"].map(lambda name: SCHEMES.get(name, name)))
    shown["default"] = shown["default"].map({True: "yes", False: ""})
    names = {"scheme": "folds", "three_quarters": "three quarters", "w": "distance to the map's (W), m"}
    return from_frame(shown.rename(columns=names | {"default": "read this"}))
