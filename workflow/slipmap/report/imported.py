"""The report of an imported data set of images: what it holds, how it was trained on, its test scores. No map."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from slipmap.config.layout import Results
from slipmap.config.patches import ImportSettings
from slipmap.config.run import RunSettings
from slipmap.io.atomic import write_aside, write_text
from slipmap.patches import importers
from slipmap.patches.checks import describe_independence
from slipmap.patches.store import read_attributes
from slipmap.report import augmentation, comparison, published, record, scores, sections, template
from slipmap.report.sources import COMPARED, Given, Tested, experiments_of
from slipmap.report.tabular import from_frame, table


def build(
    *,
    dataset: str,
    run: RunSettings | Mapping[str, Any],
    store: str | Path,
    files: Iterable[str],
    page: str | Path,
    tables: str | Path,
    root: str | Path = "",
) -> None:
    """Write the report of an imported data set: one HTML file that needs nothing else, and its tables as CSV.

    Parameters
    ----------
    dataset : its name in `run`; it is tested on by at least one experiment.
    run : the config, or as much of it as concerns the data set (`slipmap.config.products.reported`); also as plain
        data.
    store : its patch store. files : what else is shown, as paths of the layout.
    page : the HTML file. tables : folder of the CSV files (remade). root : folder of the run, in which `files` lie.
    """
    if not isinstance(run, RunSettings):
        run = RunSettings.model_validate(run)
    given, store = Given(files, root), Path(store)
    shown = Tested(dataset, given.root / Results(dataset).folder, experiments_of(dataset, run, given))
    folder = shown.folder
    numbers = {
        "counts": _counts(store),
        "scores": scores.side_by_side(shown.tested),
        "benchmarks": record.benchmarks(folder / "benchmarks"),
    }
    with write_aside(tables) as aside:
        aside.mkdir()
        for name, frame in numbers.items():
            frame.to_csv(aside / f"{name}.csv", index=False, float_format="%.6g", lineterminator="\n")
    source = run.datasets[dataset].source
    if source is None:
        raise ValueError(f"{dataset} is made of areas, not imported")
    context = _context(shown, numbers, store, source, given)
    write_text(page, template.render("imported.html.j2", context))


def _counts(store: Path) -> pd.DataFrame:
    """Images and labelled pixels of each split."""
    counts = read_attributes(store)["counts"]
    rows = [
        {
            "split": split,
            "images": counts[split]["patches"],
            "landslide_pixels": counts[split]["landslide_pixels"],
            "background_pixels": counts[split]["background_pixels"],
        }
        for split in ("training", "validation", "test")
        if split in counts
    ]
    return pd.DataFrame(rows)


def _context(
    shown: Tested, numbers: Mapping[str, pd.DataFrame], store: Path, source: ImportSettings, given: Given
) -> dict[str, Any]:
    independence = describe_independence(store)
    found = sections.score_section(shown, numbers, ())
    if found is None:
        raise ValueError(f"no experiment is tested on {shown.area}")
    test = next(iter(shown.tested.values())).tests[0]
    found["text"] = (
        f"On the {test['images']} test images of {shown.area}, {test['pixels']:,} labelled pixels. Thresholds were "
        f"chosen on validation images. Division of the images: {independence}."
    )
    compared = given.some({name: Results(shown.area).comparison(name) for name in COMPARED})
    attributes = read_attributes(store)
    bands = attributes["bands"]
    return {
        "title": f"{importers.load(source.format).title}: {shown.area}",
        "lead": f"An imported data set of images with {len(bands)} bands: {', '.join(bands)}.",
        "independence": f"{independence[0].upper()}{independence[1:]}.",
        "counts": from_frame(numbers["counts"], 12),
        "cards": list(_cards(shown, numbers)),
        "left_out": _left_out(attributes.get("left_out") or []),
        "augmentation": augmentation.pictures(shown.experiments),
        "losses": comparison.losses(compared),
        "examples": comparison.examples(compared),
        "roc": comparison.roc(compared),
        "size_chart": comparison.sizes(compared, shown.experiments),
        "training": sections.training(shown),
        "scores": found,
        "published": published.section(published.read(shown.folder / "tables"), simulated=False),
        "software": table(["package", "version"], list(record.versions().items())),
    }


def _cards(shown: Tested, numbers: Mapping[str, pd.DataFrame]) -> Iterator[dict[str, str]]:
    """Test images, and how right the last experiment is on them: {"value", "label", "detail"}."""
    counts = numbers["counts"].set_index("split")
    pixels = counts[["landslide_pixels", "background_pixels"]].sum()
    share = 100 * pixels["landslide_pixels"] / max(pixels.sum(), 1)
    detail = f"of {counts['images'].sum()} in all; landslides cover {share:.2g} % of what is labelled"
    yield {"value": str(counts["images"].get("test", 0)), "label": "test images", "detail": detail}
    name = list(shown.tested)[-1]
    scored = numbers["scores"].set_index(["pooling", "score"])
    for score, label in (("precision", "of what is mapped is right"), ("recall", "of the landslide ground is found")):
        if ("pooled_over_pixels", score) not in scored.index:
            continue
        row = scored.loc[("pooled_over_pixels", score)]
        spread = row.get(f"{name}_std", float("nan"))
        more = f" ± {100 * spread:.1f} over seeds" if spread == spread else ""
        yield {"value": f"{100 * row[name]:.0f} %", "label": label, "detail": f"on test images, by {name}{more}"}


def _left_out(sentences: Sequence[str], most: int = 20) -> list[str]:
    more = len(sentences) - most
    return [*sentences[:most], *([f"… and {more} more (see the store's attributes)."] if more > 0 else [])]
