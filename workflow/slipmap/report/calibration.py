"""Reliability on test ground before and after calibration: is a probability a frequency?"""

from slipmap.colours import BLUE, GREEN, ORANGE, PINK
from slipmap.report.charts import Line, chart
from slipmap.report.context import Context
from slipmap.report.sources import Experiment, Tested
from slipmap.report.tabular import plain, table

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
            numbers = (found["brier"], found["expected_calibration_error"])
            rows.append([name, words, *("–" if n is None else plain(n, 4) for n in numbers)])
    head = ["experiment", "calibration", "Brier score", "expected calibration error"]
    return table(head, rows, numeric=(2, 3)) if rows else None


def worse(sources: Tested) -> list[str]:
    """A sentence on each experiment whose calibration in the maps made the Brier score on test ground worse."""
    said = []
    for name, experiment in sources.tested.items():
        found = experiment.tests[0].get("calibration") or {}
        before, after = (found.get(method) or {} for method in ("none", str(used_method(experiment))))
        one, two = before.get("brier"), after.get("brier")
        if one is not None and two is not None and two > one:
            said.append(
                f"Calibration made the Brier score of {name} on test ground worse ({plain(one, 4)} before, "
                f"{plain(two, 4)} after): it is chosen and fitted on validation ground, not on test ground."
            )
    return said
