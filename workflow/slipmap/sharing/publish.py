"""Publish a trained experiment: a folder with its card and checksums, and the same as one zip."""

import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path

from slipmap.errors import InputError
from slipmap.fetch.verify import digest
from slipmap.io.atomic import write_aside, write_text
from slipmap.sharing.card import CARD, PAGE, Card, describe, seed_folders

SUMS = "SHA256SUMS"
SUM = ".sha256"  # beside a zip, as sha256sum writes it
_NEEDED = ("weights.safetensors", "model.json")
_BESIDE = ("training_ground.csv", "validation_scores.csv")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # of every file in the zip: the same weights give the same bytes


def run(experiment: str | Path, folder: str | Path, *, licence: str, data: str | None = None) -> tuple[Card, Path]:
    """Write ``folder/NAME/`` and ``folder/NAME.zip`` with its ``.sha256``; return the card and the zip.

    Parameters
    ----------
    experiment : ``results/AREA/experiments/NAME`` of a finished run.
    data : "real" or "simulated"; None: told by the ``SIMULATED.txt`` of the training areas, else asked.

    Raises
    ------
    InputError : nothing trained there; it is not known whether the data are simulated; already published.
    """
    experiment, folder = Path(experiment), Path(folder)
    card = describe(experiment, licence=licence, simulated=_simulated(experiment, data))
    place, archive = folder / card.name, folder / f"{card.name}.zip"
    for path in (place, archive):
        if path.exists():
            raise InputError(f"{path} is there already; remove it, or give another --to.")
    with write_aside(place) as aside:
        aside.mkdir(parents=True)
        for seed in seed_folders(experiment):
            (aside / seed.name).mkdir()
            for name in (*_NEEDED, *_BESIDE):
                if (seed / name).is_file():
                    shutil.copy2(seed / name, aside / seed.name / name)
                elif name in _NEEDED:
                    raise InputError(f"{seed} has no {name}; run the workflow to its end first.")
        write_text(aside / CARD, card.text())
        write_text(aside / PAGE, card.page())
        write_text(aside / SUMS, sums(aside))
    with write_aside(archive) as aside:
        _zip(place, aside)
    write_text(archive.with_name(archive.name + SUM), f"{digest(archive, 'sha256')}  {archive.name}\n")
    return card, archive


def _simulated(experiment: Path, data: str | None) -> bool:
    if data is not None:
        return data == "simulated"
    root = experiment.resolve().parents[3] if len(experiment.resolve().parents) > 3 else Path()
    areas = {one["area"] for one in describe(experiment).areas}
    if areas and all((root / "resources" / area / "SIMULATED.txt").is_file() for area in areas):
        return True
    raise InputError("it is not known whether the training data are simulated; say so with --data real or simulated.")


def files(folder: Path) -> Iterable[Path]:
    """Every file of a published folder but the list of sums, in order."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SUMS)


def sums(folder: Path) -> str:
    """What ``sha256sum`` would print of the files of a folder."""
    return "".join(f"{digest(path, 'sha256')}  {path.relative_to(folder).as_posix()}\n" for path in files(folder))


def _zip(folder: Path, archive: Path) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for path in [*files(folder), folder / SUMS]:
            entry = zipfile.ZipInfo(f"{folder.name}/{path.relative_to(folder).as_posix()}", _EPOCH)
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            target.writestr(entry, path.read_bytes())
