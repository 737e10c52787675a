"""Reliability on test ground before and after calibration: is a probability a frequency?"""

from slipmap.colours import BLUE, GREEN, ORANGE, PINK
from slipmap.report.charts import Line, chart
from slipmap.report.context import Context
from slipmap.report.sources import Experiment, Tested
from slipmap.report.tabular import plain, table

ERROR = "expected_calibration_error"
_SHOWN = {  # method → how the page calls it, colour, dash
    "none": ("before calibration", ORANGE, "5 4"),
    "temperature": ("temperature", BLUE, ""),
    "platt": ("temperature and bias (Platt)", PINK, "1 3"),
    "isotonic": ("isotonic", GREEN, ""),
}


def charts(sources: Tested) -> list[Context]:
    """A reliability diagram of each experiment: the share of landslide among pixels of about one probability."""
    return [_chart(name, found) for name, found in sources.tested.items() if found.tests[0].get("calibration")]


def _chart(name: str, experiment: Experiment) -> Context:
    used, lines = used_method(experiment), []
    for method, (words, colour, dash) in _SHOWN.items():
        found = experiment.tests[0]["calibration"].get(method)
        if not found:
            continue
        pairs = zip(found["reliability"]["probability"], found["reliability"]["share"], strict=True)
        known = [(p, s) for p, s in pairs if p is not None and s is not None]
        title = f"{words} (used in the maps)" if method == used else words
        lines.append(Line(title, [p for p, _ in known], [s for _, s in known], colour, dash, markers=True))
    picture = chart(
        lines,
        title=f"Reliability diagram of {name}",
        x_label="probability given by the model",
        y_label="share of landslide pixels",
        x_range=(0.0, 1.0),
        y_range=(0.0, 1.0),
        diagonal=True,
    )
    return {
        "svg": picture,
        "caption": f"Reliability of {name} on test ground. On the dashed diagonal a probability is a frequency: of the "
        "pixels given 0.3, three in ten are landslide. Below it the model claims too much, above it too little. "
        f"Calibration was fitted on validation ground. {_whose(experiment)}",
    }


def used_method(experiment: Experiment) -> str | None:
    """The calibration of the maps: the one set, or the one that validation chose."""
    method = experiment.settings.prediction.calibration
    return experiment.tests[0].get("calibration_chosen") if method == "best" else method


def _whose(experiment: Experiment) -> str:
    """What the diagram is of: one network; the maps average more where they are of an ensemble."""
    prediction, seed = experiment.settings.prediction, experiment.tests[0].get("seed")
    several = len(experiment.tests) > 1 or prediction.flips or prediction.dropout_samples
    own = "the network" if seed is None else f"the network of seed {seed}"
    averaged = "; the maps average over seeds, mirrored views or dropout, which moves probabilities a little"
    return f"The diagram is of {own}{averaged if several else ''}."


def errors(sources: Tested) -> Context | None:
    """How far off the probabilities are on test ground, by each calibration; the one used in the maps is marked."""
    rows = []
    for name, experiment in sources.tested.items():
        for method, found in (experiment.tests[0].get("calibration") or {}).items():
            words = _SHOWN[method][0] + (" (used in the maps)" if method == used_method(experiment) else "")
            numbers = (found["brier"], found[ERROR])
            rows.append([name, words, *("–" if n is None else plain(n, 4) for n in numbers)])
    head = ["experiment", "calibration", "Brier score", "expected calibration error"]
    return table(head, rows, numeric=(2, 3)) if rows else None


def worse(sources: Tested) -> list[str]:
    """Where the calibration in an experiment's maps, chosen on validation ground, is not the best on test ground."""
    said = []
    for name, experiment in sources.tested.items():
        found = {k: v for k, v in (experiment.tests[0].get("calibration") or {}).items() if v["brier"] is not None}
        used = used_method(experiment)
        if used is None or used not in found:
            continue
        if "none" in found and found[used]["brier"] > found["none"]["brier"]:
            said.append(
                f"Calibration made the Brier score of {name} on test ground worse ({plain(found['none']['brier'], 4)} "
                f"before, {plain(found[used]['brier'], 4)} after): it is chosen and fitted on validation ground, not "
                "on test ground."
            )
        errors = {k: v[ERROR] for k, v in found.items() if v.get(ERROR) is not None}
        best: str = min(errors, key=errors.__getitem__, default=used)
        if errors.get(used, -1) > errors.get(best, 0):
            said.append(
                f"The maps of {name} use “{_SHOWN[used][0]}”{_by(experiment)}. On test ground “{_SHOWN[best][0]}” did "
                f"better (expected calibration error {plain(errors[best], 4)} against {plain(errors[used], 4)}). It is "
                "not taken for that: ground that chooses a calibration can no longer judge it."
            )
    return said


def _by(experiment: Experiment) -> str:
    return ", which validation ground chose" if experiment.settings.prediction.calibration == "best" else ""
