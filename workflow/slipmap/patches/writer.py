"""Write a patch store: a Zarr group of image, mask and valid, with ``index.parquet`` inside."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import zarr
from zarr.codecs import ZstdCodec

from slipmap import __version__
from slipmap.codes import BACKGROUND, IGNORE, LANDSLIDE, SPLITS
from slipmap.config.patches import PatchSettings
from slipmap.errors import InputError
from slipmap.io.atomic import write_aside
from slipmap.patches.normalisation import Statistics

INDEX = "index.parquet"
CHUNK_BYTES = 16 * 2**20  # of images: what one writer holds, and what the reader maps at once


class PatchWriter:
    """Takes patches one by one and writes whole chunks, in parallel; see `create`.

    Attributes
    ----------
    records : one mapping for each patch: the rows of the index.
    attributes : what the store says of itself; `describe` fills it.
    computed : columns of the index that `add` fills from the pixels.
    """

    computed = (
        "patch",
        "landslide_pixels",
        "background_pixels",
        "ignored_pixels",
        "valid_fraction",
        "complete",
        "digest",
    )

    def __init__(
        self, path: Path, bands: int, shape: tuple[int, int], compression: str, pool: ThreadPoolExecutor
    ) -> None:
        rows, cols = shape
        per_chunk = max(1, CHUNK_BYTES // (bands * rows * cols * 4))
        compressors = {"none": None, "zstd": [ZstdCodec(level=3)]}[compression]
        self._group = zarr.open_group(path, mode="w", zarr_format=3)
        self._arrays = {
            name: self._group.create_array(
                name,
                shape=(0, *inner),
                chunks=(per_chunk, *inner),
                dtype=dtype,
                compressors=compressors,
                filters=None,
                fill_value=fill,
                config={"write_empty_chunks": True},
            )
            for name, inner, dtype, fill in (
                ("image", (bands, rows, cols), "float32", np.nan),
                ("mask", (rows, cols), "uint8", IGNORE),
                ("valid", (rows, cols), "uint8", 0),
            )
        }
        self._per_chunk = per_chunk
        self._pending: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._writing: list[Future[None]] = []
        self._pool = pool
        self.path = path
        self.records: list[dict[str, Any]] = []
        self.attributes: dict[str, Any] = {}

    def add(self, image: np.ndarray, mask: np.ndarray, valid: np.ndarray, **record: Any) -> int:
        """Append one patch and return its number.

        Parameters
        ----------
        image : (bands, rows, cols) float32, raw values, NaN where missing or hidden.
        mask : (rows, cols) uint8: 1 landslide, 0 not, 255 ignored.
        valid : (rows, cols) bool: where the image shows known ground of its split.
        record : further columns of the index (area, split, row, col, block, source, parent, augmentation …).
        """
        number = len(self.records)
        landslide, background = int((mask == LANDSLIDE).sum()), int((mask == BACKGROUND).sum())
        self.records.append(
            {
                "patch": number,
                **record,
                "landslide_pixels": landslide,
                "background_pixels": background,
                "ignored_pixels": mask.size - landslide - background,
                "valid_fraction": float(np.mean(valid)),
                "complete": bool(np.isfinite(image).all()),
                "digest": hashlib.blake2b(np.ascontiguousarray(image).view(np.uint8).data, digest_size=16).hexdigest(),
            }
        )
        self._pending.append((image, mask, valid))
        if len(self._pending) == self._per_chunk:
            self._flush()
        return number

    def read(self, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(image, mask, valid) of a patch that was added before."""
        first_pending = len(self.records) - len(self._pending)
        if number >= first_pending:
            image, mask, valid = self._pending[number - first_pending]
            return image, mask, np.asarray(valid, bool)
        while self._writing:
            self._writing.pop(0).result()
        image, mask, valid = (np.asarray(array[number]) for array in self._arrays.values())
        return image, mask, valid.astype(bool)

    def _flush(self) -> None:
        if not self._pending:
            return
        stop = len(self.records)
        start = stop - len(self._pending)
        images, masks, valids = zip(*self._pending, strict=True)
        self._pending = []
        for array in self._arrays.values():
            array.resize((stop, *array.shape[1:]))
        while len(self._writing) >= 2:  # chunks waiting to be written are memory
            self._writing.pop(0).result()
        self._writing.append(self._pool.submit(self._write, start, images, masks, valids))

    def _write(self, start: int, *columns: Sequence[np.ndarray]) -> None:
        for array, column in zip(self._arrays.values(), columns, strict=True):
            array[start : start + len(column)] = np.stack(column)

    def describe(self, statistics: Statistics, settings: PatchSettings, **more: Any) -> None:
        """Set the store's attributes: bands and their statistics, settings, counts, and whatever else is given."""
        self.attributes = {
            "bands": list(statistics.names),
            "statistics": statistics.as_dict(),
            "settings": settings.model_dump(mode="json"),
            "software": f"slipmap {__version__}",
            **more,
        }

    def finish(self) -> None:
        """Write what is pending, the attributes and the index."""
        self._flush()
        for future in self._writing:
            future.result()
        index = pd.DataFrame(self.records)
        counted = index.groupby("split")[["landslide_pixels", "background_pixels"]].sum()
        counted["patches"] = index.groupby("split").size()
        self.attributes["counts"] = {name: row.to_dict() for name, row in counted.astype(int).iterrows()}
        self._group.update_attributes(self.attributes)
        index.to_parquet(self.path / INDEX, index=False)


@contextmanager
def create(
    path: str | Path, bands: int, shape: tuple[int, int], compression: str = "none", threads: int = 1
) -> Iterator[PatchWriter]:
    """Yield a `PatchWriter`; on success the folder at `path` is a whole store, on failure nothing is there.

    Parameters
    ----------
    bands, shape : of every patch: number of bands, (rows, cols).
    compression : "none" (chunks can be mapped) or "zstd".
    threads : chunks written at once.

    Notes
    -----
    Holds at most four chunks of `CHUNK_BYTES`.
    """
    with write_aside(path) as aside, ThreadPoolExecutor(threads) as pool:
        writer = PatchWriter(aside, bands, shape, compression, pool)
        yield writer
        writer.finish()


def check_positive(records: Sequence[Mapping[str, Any]], splits: Sequence[str], store: str | Path) -> None:
    """Raise `InputError` unless each of `splits` has a patch with landslide pixels."""
    for split in splits:
        own = [record for record in records if record["split"] == split]
        if not own:
            raise InputError(
                f"{Path(store).name}: no patch lies in the {split} split; make split.block at least the patch size, or "
                f"lower datasets' min_valid."
            )
        if not any(record["landslide_pixels"] for record in own):
            raise InputError(
                f"{Path(store).name}: none of the {len(own)} {split} patches has a landslide pixel; change split.seed "
                f"or split.block, or lower datasets' min_valid."
            )


def in_order(splits: set[str]) -> list[str]:
    """Split names in their usual order."""
    return [split for split in SPLITS if split in splits]
