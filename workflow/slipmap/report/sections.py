"""The figures, tables and sentences of each stage's section."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from slipmap.colours import BLUE, ORANGE, VERMILION
from slipmap.io.grid import Grid
from slipmap.report import calibration, pairs, quality, scores, words
from slipmap.report.charts import Line, bars, chart, heat_map, number
from slipmap.report.context import Context
from slipmap.report.layers import Layer
from slipmap.report.sources import Sources, Tested
from slipmap.report.tabular import degrees, from_frame, plain, table, without_repeats
from slipmap.training.summary import independence_of


def figure(ids: str, caption: str, available: Collection[str], label: str = "", landslides: str = "") -> Context | None:
    """A still map of layers "id@opacity …", bottom first; None where its top layer is not there."""
    wanted = ids.split()
    if wanted[-1].split("@")[0] not in available:
        return None
    return {"ids": ids, "caption": caption, "label": label or caption, "landslides": landslides}


def study_figures(sources: Sources, ids: Collection[str]) -> list[Context]:
    """The study area: ground and inventory, and how it is split."""
    made = [
        figure("hillshade inventory@0.9", "Study area: hillshade and landslide inventory.", ids)
        or figure("hillshade", "Study area: hillshade.", ids),
        figure("optical", "Sentinel-2 composite, true colour.", ids)
        or figure("optical_after", "Sentinel-2 after the event, true colour.", ids),
        figure("hillshade split inventory", "Training, validation and test ground with the inventory.", ids),
    ]
    return [f for f in made if f]


def deformation(sources: Sources, ids: Collection[str], shown: Grid) -> Context | None:
    """Network, velocity and its quality."""
    if "velocity" not in sources.deformation:
        return None
    network, stack = sources.network, sources.stack
    linked = sources.settings.deformation.estimator == "phase_linking"
    text = (
        "Velocity in the radar's line of sight, positive towards the satellite (blue), negative away from it (red), "
        "relative to the reference area. Motion across the line of sight is not seen."
    )
    facts = [
        *(pairs.facts(network, sources.reference) if network is not None else ()),
        *(_radar_facts(stack) if stack else ()),
        *(_reference_facts(sources.reference) if sources.reference else ()),
        ("velocity", quality.in_words(sources, shown) or "no measure of its quality came with it"),
    ]
    maps = [
        figure("hillshade velocity", "Velocity in the line of sight, mm/yr.", ids),
        figure(
            "temporal_coherence",
            "Temporal coherence of the inversion: how well the series explains the interferograms."
            + (" Linked phases agree with each other whatever they are worth: see reliability." if linked else ""),
            ids,
        ),
        figure("velocity_std", "Standard deviation of the velocity, mm/yr.", ids),
    ]
    return {
        "text": [text],
        "network": pairs.chart_of(network, stack, sources.reference, linked=linked)
        if network is not None and stack
        else "",
        "network_caption": pairs.caption(network, sources.reference, linked=linked) if network is not None else "",
        "table": table(["what", "value"], facts),
        "corrected": pairs.corrected(sources.reference, network),
        "maps": [f for f in maps if f],
    }


def _radar_facts(stack: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    radar = stack.get("radar", {})
    for name, key, unit in (
        ("wavelength", "wavelength", "m"),
        ("incidence angle", "incidence", "°"),
        ("orbit", "orbit_direction", ""),
        ("track", "track", ""),
    ):
        value = radar.get(key)
        if value:
            yield name, f"{value:.4g} {unit}".strip() if isinstance(value, float) else str(value)
    yield "files", f"{stack['level']}, {stack['format']}"


def _reference_facts(reference: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    where = degrees(reference["latitude"], reference["longitude"], 4)
    yield "reference", f"{where} ({reference['how']}), taken as not moving"
    removed = [t for t in reference.get("removed", []) if t not in ("1", "offset")]
    yield "removed from each date", ", ".join(removed) or "nothing"
    counted = reference.get("triplets", {})
    if counted.get("all"):
        before, after = (counted[key] / counted["all"] for key in ("open_before", "open_after"))
        yield "triplets open by whole turns", f"{100 * before:.2f} %, after correction {100 * after:.2f} %"


def truth(sources: Sources, compared: pd.DataFrame | None, ids: Collection[str]) -> Context | None:
    """Recovered against simulated velocity."""
    if compared is None:
        return None
    row = compared.iloc[0]
    rows = [
        [
            "all reliable pixels",
            f"{row.pixels:.0f} of {row.area_pixels:.0f}",
            plain(row.rms, 2),
            plain(row.bias, 2),
            "",
        ],
        [
            f"movers (truth faster than {row.moving:g} mm/yr)",
            f"{row.movers_kept:.0f} of {row.movers:.0f}",
            plain(row.movers_rms, 2),
            "",
            plain(row.slope, 3),
        ],
    ]
    maps = [
        figure("hillshade truth", "Simulated truth, in the colours of the recovered map.", ids),
        figure("hillshade velocity", "Recovered velocity.", ids),
        figure("hillshade velocity_beside", "Velocity by the estimator beside it.", ids),
    ]
    return {
        "text": "Compared where mask.tif calls the velocity reliable. The slope is that of a regression of recovered "
        "on true velocity over the reliable movers: 1 where motion is recovered in full.",
        "table": table(
            ["pixels", "reliable", "rms of the difference, mm/yr", "mean difference, mm/yr", "slope"],
            rows,
            numeric=(1, 2, 3, 4),
        ),
        "maps": [f for f in maps if f],
    }


def factors(sources: Sources, layers: Sequence[Layer]) -> Context | None:
    """Thumbnails and coverage."""
    thumbs = []
    for layer in layers:
        if layer.id.startswith("factor."):
            thumbs.append(
                {"id": layer.id, "name": words.factor(layer.id.removeprefix("factor.")), "title": layer.title}
            )
    if not thumbs:
        return None
    return {
        "text": f"{len(thumbs)} factors on the area's grid; colours run from the 2nd to the 98th percentile. North "
        f"is up; each map is {(sources.grid.bounds[2] - sources.grid.bounds[0]) / 1000:.3g} km wide.",
        "thumbs": thumbs,
        "table": from_frame(words.with_factors(sources.coverage)) if sources.coverage is not None else None,
    }


def screening(sources: Sources) -> Context | None:
    """Decision, correlation, VIF, importance."""
    found = sources.screening
    if "correlation" not in found:
        return None
    matrix = found["correlation"].set_index(found["correlation"].columns[0])
    charts = []
    if "importance" in found:
        ranked = found["importance"]
        for start, caption in (
            ("permutation", "Permutation importance: fall in AUC when the factor is shuffled."),
            ("gini", "Gini importance in the random forest."),
        ):
            column = next((c for c in ranked.columns if c.startswith(start)), None)
            if column:
                items = words.with_factors(ranked.sort_values(column, ascending=False))[["factor", column]]
                charts.append(
                    {"svg": bars(list(items.itertuples(index=False, name=None)), caption, ""), "caption": caption}
                )
    if "vif" in found:
        vif = found["vif"].set_index(found["vif"].columns[0])
        row = next((label for label in vif.index if str(label).upper().startswith("VIF")), None)
        if row is not None:
            items = [(words.factor(str(n)), float(v)) for n, v in vif.loc[row].items() if pd.notna(v)]
            caption = "Variance inflation factor of each factor beside all others (before any is dropped)."
            charts.append({"svg": bars(sorted(items, key=lambda i: -i[1]), caption, "", ORANGE), "caption": caption})
    selection = sources.selection or {}
    sample = selection.get("sample", {})
    text = (
        f"Decided on training ground alone: {sample.get('landslide_pixels', '?')} landslide and "
        f"{sample.get('other_pixels', '?')} other pixels. {len(selection.get('factors', []))} factors stay. Importance "
        "says what helps to tell the inventory's landslides from other ground here; it does not say what causes them."
    )
    return {
        "text": text,
        "decision": from_frame(words.with_factors(found["decision"])) if "decision" in found else None,
        "heat": heat_map(
            matrix.to_numpy(float), [words.factor(n) for n in matrix.columns], "Correlation of the factors"
        ),
        "charts": charts,
        "frequency": from_frame(words.with_factors(found["frequency_ratio"])) if "frequency_ratio" in found else None,
    }


def training(sources: Tested) -> Context | None:
    """Recipes and curves."""
    head = ["experiment", "seed", "model", "bands", "epochs", "best epoch", "threshold", "validation F1"]
    rows, made = [], []
    for name, experiment in sources.experiments.items():
        charts = []
        for seed, found in experiment.seeds.items():
            kept = found["record"]
            f1 = (kept.get("validation") or {}).get("f1_at_threshold")
            rows.append([
                name, seed.removeprefix("seed_"), kept["model"]["name"], ", ".join(map(words.factor, kept["bands"])),
                kept.get("epochs", "–"), kept.get("best_epoch", "–"), f"{kept['threshold']:.3f}",
                "–" if f1 is None else f"{f1:.3f}",
            ])  # fmt: skip
            if found["history"] is not None:
                charts += _curves(found["history"], kept.get("best_epoch"), seed)
        if charts or experiment.about:
            made.append({"name": name, "text": experiment.about, "charts": charts})
    return {"table": table(head, rows, numeric=(4, 5, 6, 7)), "experiments": made} if rows else None


def _curves(history: pd.DataFrame, best: int | None, seed: str) -> list[Context]:
    epochs = list(history["epoch"])
    verticals = {} if best is None else {float(best): "best"}
    kinds = (
        ("loss", (("training_loss", "training", BLUE), ("validation_loss", "validation", ORANGE)), None),
        (
            "validation score",
            (
                ("validation_f1", "F1 at its best threshold", BLUE),
                ("validation_average_precision", "average precision", VERMILION),
            ),
            (0.0, 1.0),
        ),
    )
    made = []
    for label, columns, y_range in kinds:
        lines = [Line(name, epochs, list(history[c]), colour) for c, name, colour in columns if c in history]
        if lines:
            picture = chart(
                lines, title=f"{label}, {seed}", x_label="epoch", y_label=label, y_range=y_range, verticals=verticals
            )
            made.append({"svg": picture, "caption": f"{label.capitalize()} over epochs, {seed.replace('_', ' ')}."})
    return made


def score_section(sources: Tested, numbers: Mapping[str, pd.DataFrame], ids: Collection[str]) -> Context | None:
    """Test scores side by side, what deformation adds, calibration, agreement of the maps."""
    if "scores" not in numbers or not len(numbers["scores"]):
        return None
    names = [n for n in sources.tested if n in numbers["scores"].columns]
    differences = scores.difference_columns(sources.tested)
    rows = scores.shown_rows(numbers["scores"], names, list(differences.values()))
    head = ["score", "pooled", *names, *(f"{other} − {without}" for without, other in differences)]
    body = [[r["label"], r["pooling"], *r["cells"], *r["differences"]] for r in rows]
    first = next(iter(sources.tested.values())).tests[0]
    landslide = first["counts"]["true_positive"] + first["counts"]["false_negative"]
    text = (
        f"On the test ground of {sources.area}, which no stage learnt from: {first['images']} blocks, "
        f"{first['pixels']:,} labelled pixels, {landslide:,} of them landslide. Thresholds were chosen on validation "
        f"ground. Division of the ground: {independence_of([first])}. These scores are of each network by itself, "
        "before calibration, pooled over test patches as the second column says; they are not the map's."
    )
    if "map_agreement" in numbers:
        text += " The finished map, of all networks and calibrated, is judged above: those are the Summary's."
    remarks = [
        f"{without} and {other} have the same data set, model, recipe and test blocks; {other} also sees "
        f"{scores.in_words(added)}. The difference is the column {other} − {without}."
        for (without, other), added in scores.motion_pairs(sources.tested).items()
    ]
    for name in names:
        if len(sources.tested[name].tests) > 1:
            remarks.append("± is the sample standard deviation over seeds; of a difference, that of each seed's own.")
            break
    return {
        "text": text,
        "table": table(head, body, numeric=range(2, len(head))),
        "remarks": remarks,
        "sizes": _sizes(sources),
        "reliability": calibration.charts(sources),
        "calibration": calibration.errors(sources),
        "calibration_worse": calibration.worse(sources),
        "words": list(scores.MEANINGS.items()),
        "agreement": _agreement(numbers.get("map_agreement")),
        "agreement_text": "Pixels of the finished map (all networks together, calibrated as the experiment asks, cut "
        "at its threshold) against the inventory. Only the rows of test ground are on "
        "ground that nothing was fitted to; the others are shown so that nobody mistakes the whole map's agreement "
        "for a score.",
        "agreement_maps": [
            f
            for name in sources.mapped
            if (f := figure(f"hillshade {name}.agreement", f"Agreement of {name} with the inventory.", ids))
        ],
    }


def _sizes(sources: Tested) -> Context | None:
    rows = []
    for name, experiment in sources.tested.items():
        for kind in experiment.tests[0].get("objects", {}).get("by_size", []):
            if not kind["landslides"]:
                continue
            rows.append([name, _size(kind), kind["landslides"], kind["detected"]])
    return (
        table(["experiment", "size of the landslide", "on test ground", "found"], rows, numeric=(2, 3))
        if rows
        else None
    )


def _size(kind: Mapping[str, Any]) -> str:
    """The sizes of a class of landslides; in hectares a class begins where the one before it ends."""
    low, high = kind["pixels_from"], kind["pixels_to"]
    if "m2_from" not in kind:
        return f"{low} pixels and more" if high is None else f"{low} to {high} pixels"
    first, last = (number(end * kind["m2_from"] / low / 1e4, 3) for end in (low - 1, high or 0))
    if high is None:
        return f"more than {first} ha"
    return f"{first} to {last} ha" if low > 1 else f"up to {last} ha"


def _agreement(counted: pd.DataFrame | None) -> Context | None:
    """The counts with scores; precision, recall and overlap in percent."""
    if counted is None:
        return None
    shown, same = without_repeats(counted.drop(columns="iou"), "independence")
    for name in ("precision", "recall"):
        shown[name] *= 100
    shown["overlap, %"] = 100 * counted["iou"]
    shown = shown.rename(columns={"precision": "precision, %", "recall": "recall, %", "f1": "F1"})
    return {"table": from_frame(shown, 3), "text": same}


def map_figures(sources: Sources, ids: Collection[str]) -> list[Context]:
    """Probability, class, uncertainty of each experiment, side by side on the same ground."""
    made = []
    kinds = (
        ("probability", "probability of landslide"),
        ("probability_class", "class of the probability"),
        ("class", "landslides at the threshold chosen on validation"),
        ("uncertainty", "standard deviation of the probability over the ensemble"),
    )
    for kind, what in kinds:
        for name in sources.mapped:
            made.append(figure(f"hillshade {name}.{kind}", f"{name}: {what}.", ids))
    pair = scores.deformation_pair(sources.tested)
    if pair:
        added = scores.in_words(scores.motion_pairs(sources.tested)[pair])
        text = (
            f"What {added} changes: probability by {pair[1]} minus that by {pair[0]}. Orange: more likely a landslide "
            "with it; purple: less."
        )
        made.append(figure("hillshade difference", text, ids))
    return [f for f in made if f]
