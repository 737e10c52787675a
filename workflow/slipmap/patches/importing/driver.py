"""Import a data set of images into a patch store: check, find duplicates, split by source, write."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from slipmap.codes import IGNORE, LANDSLIDE, SPLITS
from slipmap.config.patches import ImportSettings, PatchSettings
from slipmap.errors import InputError
from slipmap.parallel import in_parallel
from slipmap.patches import importers, writer
from slipmap.patches.importing import duplicates
from slipmap.patches.importing.importer import Sample, SampleError, Source
from slipmap.patches.normalisation import Accumulator
from slipmap.patches.offline import add_copies
from slipmap.patches.resize import fit
from slipmap.patches.sampling import choose
from slipmap.patches.split import draw
from slipmap.patches.store import may_be_missing

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Surveyed:
    """What one reading of a sample tells: enough to find duplicates and to split."""

    sample: Sample
    digest: str
    thumbnail: np.ndarray
    landslide: float
    shape: tuple[int, int]


def run(settings: PatchSettings | Mapping[str, Any], store: str | Path, name: str = "", threads: int = 1) -> None:
    """Import the data set that ``settings.source`` names into the patch store `store`.

    Parameters
    ----------
    settings : as for `slipmap.patches.store.build`, with ``source``; size, stride and min_valid are not used: an image
        is a patch.
    store : the folder to make; as `slipmap.patches.store.build` makes it, index column ``source`` naming the file.
    name : of the data set in the index's column ``area``; default its published name.
    threads : images read at once.

    Raises
    ------
    InputError : as the formats' `scan`; a corrupt file (unless ``source.corrupt`` leaves it out, with its name in the
        log); an image in two splits of the data set's own; images of different shapes without ``source.resize``.

    Notes
    -----
    Reads every image twice: once to check it and to find duplicates, once to write. Images that are nearly the same,
    or that show the same ground, are drawn into one split together. Holds a thumbnail of each image and a few images.
    """
    settings = PatchSettings.model_validate(settings)
    chosen = settings.source
    if chosen is None:
        raise InputError("datasets: source is missing; give the format and path of the data set to import.")
    source = importers.load(chosen.format).scan(chosen)
    surveyed, left_out = survey(source, chosen, threads)
    splits, dropped = assign(surveyed, chosen, settings.seed)
    left_out += dropped
    side = _side(surveyed, chosen)
    keep = [(found, split) for found, split in zip(surveyed, splits, strict=True) if split]
    bands = [replace(band, optional=may_be_missing(band.name, settings)) for band in source.bands]
    statistics = Accumulator(len(bands))
    with writer.create(store, len(bands), side, settings.compression, threads) as patches:
        required = [not band.optional for band in bands]
        reading = in_parallel(keep, lambda item: source.read(item[0].sample), threads, held=4 * threads)
        for (found, split), (image, mask) in tqdm(
            reading, total=len(keep), desc=source.name, unit="image", disable=None
        ):
            valid = np.isfinite(image[required]).all(axis=0)
            mask = np.where(valid, mask, IGNORE).astype(np.uint8)
            if split == "training":
                statistics.add(image, mask != IGNORE)
            if chosen.resize is not None:
                image, mask = fit(image, mask, chosen.resize)
            patches.add(image, mask, mask != IGNORE, **_record(found.sample, name or source.name, split))
        present = writer.in_order({split for _, split in keep})
        writer.check_positive(patches.records, present, store)
        choose(patches.records, settings.landslide_share, settings.seed)
        add_copies(patches, [band.name for band in bands], settings)
        patches.describe(
            statistics.statistics(bands, settings.normalisation),
            settings,
            areas=[name or source.name],
            split={
                "method": "published" if keep[0][0].sample.split else "source image",
                "independence": source.independence,
            },
            pixel_size=[source.pixel_size] * 2 if source.pixel_size else None,
            crs="",
            left_out=left_out,
        )


def _record(sample: Sample, area: str, split: str) -> dict[str, Any]:
    """What the index says of an image beside its pixels."""
    left, bottom, right, top = sample.bounds or (np.nan,) * 4
    return {
        "area": area,
        "split": split,
        "row": 0,
        "col": 0,
        "x": left,
        "y": top,
        "extent_x": right - left,
        "extent_y": top - bottom,
        "crs": sample.crs if sample.bounds else "",
        "block": -1,
        "source": sample.name,
        "parent": -1,
        "augmentation": "",
    }


def survey(source: Source, settings: ImportSettings, threads: int = 1) -> tuple[list[Surveyed], list[str]]:
    """Read every sample once and check it: (what was found, sentences about those left out)."""

    def look(sample: Sample) -> Surveyed | SampleError:
        try:
            image, mask = source.read(sample)
        except SampleError as error:
            return error
        return Surveyed(
            sample,
            hashlib.blake2b(image.tobytes(), digest_size=16).hexdigest(),
            duplicates.thumbnail(image[list(source.thumbnail)[: len(image)]]),
            float((mask == LANDSLIDE).mean()),
            mask.shape,
        )

    found, left_out = [], []
    for _, result in tqdm(
        in_parallel(source.samples, look, threads, held=4 * threads),
        total=len(source.samples),
        desc=f"{source.name}: check",
        unit="image",
        disable=None,
    ):
        if isinstance(result, SampleError):
            if settings.corrupt == "stop":
                raise InputError(f"{str(result).rstrip('.')}, or set source.corrupt to leave_out.") from result
            log.warning("left out: %s", result)
            left_out.append(str(result))
        else:
            found.append(result)
    if not found:
        raise InputError(f"source.path: none of the {len(source.samples)} images of {source.name} can be used.")
    return found, left_out


def assign(surveyed: Sequence[Surveyed], settings: ImportSettings, seed: int) -> tuple[list[str], list[str]]:
    """Split of each sample ("" where it is left out), and sentences about those left out.

    A data set's own split is kept, and an image that is in two of its splits is an error or leaves one. Otherwise
    groups of images that are nearly the same, show the same ground or are of one cell are drawn whole.
    """
    samples = [found.sample for found in surveyed]
    same = same_images(surveyed, settings.near_duplicate)
    ground = duplicates.overlapping([s.bounds for s in samples], [s.crs for s in samples])
    if any(sample.split for sample in samples):
        return _keep_published(surveyed, same, ground, settings)
    group = duplicates.groups(len(samples), same + ground, [s.group for s in samples])
    count = int(group.max()) + 1
    sizes = np.bincount(group, minlength=count)
    content = np.bincount(group, weights=[found.landslide for found in surveyed], minlength=count) / sizes
    parts = draw(settings.shares(), content, np.random.default_rng(seed), "source.ratios", unit="groups of images")
    return [SPLITS[part] for part in parts[group]], []


def same_images(surveyed: Sequence[Surveyed], threshold: float) -> list[tuple[int, int]]:
    """Pairs of samples with equal content or nearly so."""
    first: dict[str, int] = {}
    pairs = [(first[found.digest], i) for i, found in enumerate(surveyed) if first.setdefault(found.digest, i) != i]
    near = duplicates.near_duplicates(np.stack([found.thumbnail for found in surveyed]), threshold)
    return sorted({*pairs, *((i, j) for i, j, _ in near)})


def _keep_published(
    surveyed: Sequence[Surveyed],
    same: Sequence[tuple[int, int]],
    ground: Sequence[tuple[int, int]],
    settings: ImportSettings,
) -> tuple[list[str], list[str]]:
    splits = [found.sample.split for found in surveyed]
    said = []
    alike = set(same)
    for i, j in (*same, *(pair for pair in ground if pair not in alike)):
        if not (splits[i] and splits[j]) or splits[i] == splits[j]:
            continue
        if surveyed[i].digest == surveyed[j].digest:
            what = "are the same image"
        else:
            what = "are nearly the same image" if (i, j) in alike else "show the same ground"
        names = f"{surveyed[i].sample.name} and {surveyed[j].sample.name} {what}"
        if settings.duplicates == "stop":
            raise InputError(
                f"{names}, in two splits; set source.duplicates to leave_out to drop the one that is not tested on."
            )
        loser = i if SPLITS.index(splits[i]) < SPLITS.index(splits[j]) else j
        splits[loser] = ""
        said.append(f"{names}; {surveyed[loser].sample.name} is left out.")
        log.warning("left out: %s", said[-1])
    return splits, said


def _side(surveyed: Sequence[Surveyed], settings: ImportSettings) -> tuple[int, int]:
    if settings.resize is not None:
        return settings.resize, settings.resize
    shapes = sorted({found.shape for found in surveyed})
    if len(shapes) > 1:
        raise InputError(
            f"source.resize: the images have different shapes ({shapes[0]} to {shapes[-1]}); give the side to resize "
            f"them to (the papers use 512)."
        )
    return shapes[0]
