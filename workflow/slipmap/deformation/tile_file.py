"""Reads the files of `scaled_file` without GDAL, which takes three times as long to open one and decode its tiles.

A network has hundreds of them. What is read is the part of TIFF 6.0 and of BigTIFF that `scaled_file.create` writes:
tiles of sixteen-bit integers, band after band, each a frame of Zstandard.
"""

import os
import struct
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
from numcodecs.zstd import decompress
from rasterio.windows import Window

from slipmap.errors import InputError

_HEAD = 4096  # bytes that hold the header and the directory of a file of few tiles
_CLASSIC, _BIG = 42, 43
_TYPES = {1: "u1", 2: "S1", 3: "<u2", 4: "<u4", 12: "<f8", 16: "<u8"}  # BYTE, ASCII, SHORT, LONG, DOUBLE, LONG8
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _BANDS, _PLANES, _PREDICTOR = 256, 257, 258, 259, 277, 284, 317
_TILE_WIDTH, _TILE_HEIGHT, _OFFSETS, _SIZES, _FORMAT = 322, 323, 324, 325, 339
_PLACE = (33550, 33922, 34264, 34735, 34736, 34737)  # pixel scale, tie point, matrix, keys of GeoTIFF and their values
_ZSTANDARD, _SEPARATE = 50000, 2


class TileFile:
    """An open file of `scaled_file`.

    Parameters
    ----------
    shape : (rows, cols). place : what says where it lies on the ground, as stored: two files of one `place` and
        `shape` have one grid.

    Raises
    ------
    InputError : the file is cut short, or not of this kind.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = str(path)
        try:
            self._file = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise InputError(f"{path}: it cannot be opened ({error.strerror}); {_AGAIN}") from error
        try:
            self._read_directory()
        except (struct.error, ValueError, KeyError, IndexError) as error:
            os.close(self._file)
            raise InputError(f"{path}: not a file of an unwrapped pair ({error}); {_AGAIN}") from error

    def __enter__(self) -> "TileFile":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._file)

    def _read_directory(self) -> None:
        """Read the first directory: size, place on the ground, and where each tile is."""
        self._head = os.pread(self._file, _HEAD, 0)
        order, kind = struct.unpack_from("<2sH", self._head)
        if order != b"II" or kind not in (_CLASSIC, _BIG):
            raise ValueError("it is not a little-endian TIFF")
        big = kind == _BIG
        (start,) = struct.unpack_from("<Q" if big else "<I", self._head, 8 if big else 4)
        (count,) = struct.unpack("<Q" if big else "<H", self._bytes(start, 8 if big else 2))
        word = "<u8" if big else "<u4"
        entry = np.dtype([("tag", "<u2"), ("type", "<u2"), ("count", word), ("value", f"V{8 if big else 4}")])
        start += 8 if big else 2
        entries = np.frombuffer(self._bytes(start, int(count) * entry.itemsize), entry)
        self._entries = {int(one["tag"]): one for one in entries}
        self._word = word
        required = {_COMPRESSION: _ZSTANDARD, _BITS: 16, _PREDICTOR: 1, _FORMAT: 1}
        for tag, wanted in required.items():
            if (self._values(tag, (1,)) != wanted).any():
                raise ValueError(f"its TIFF tag {tag} is not {wanted}")
        bands = int(self._values(_BANDS)[0])
        if bands > 1 and self._values(_PLANES)[0] != _SEPARATE:
            raise ValueError("its bands are interleaved by pixel")
        self.shape = int(self._values(_HEIGHT)[0]), int(self._values(_WIDTH)[0])
        self._tile = int(self._values(_TILE_HEIGHT)[0]), int(self._values(_TILE_WIDTH)[0])
        down, across = (-(-size // tile) for size, tile in zip(self.shape, self._tile, strict=True))
        self._offsets = self._values(_OFFSETS).reshape(bands, down, across)
        self._sizes = self._values(_SIZES).reshape(bands, down, across)
        self.place = b"".join(self._values(tag, ()).tobytes() for tag in _PLACE)

    def _bytes(self, start: int, length: int) -> bytes:
        end = start + length
        found = self._head[start:end] if end <= len(self._head) else os.pread(self._file, length, start)
        if len(found) < length:
            raise ValueError("it is cut short")
        return found

    def _values(self, tag: int, default: Sequence[int] | None = None) -> np.ndarray:
        """Values of a tag; `default` where the file does not have it."""
        if default is not None and tag not in self._entries:
            return np.array(default, np.int64)
        entry = self._entries[tag]
        kind = np.dtype(_TYPES[int(entry["type"])])
        length = int(entry["count"]) * kind.itemsize
        value = entry["value"].tobytes()
        if length > len(value):
            value = self._bytes(int(np.frombuffer(value, self._word)[0]), length)
        return np.frombuffer(value[:length], kind)

    def read(self, bands: Sequence[int], window: Window | None = None, out: np.ndarray | None = None) -> np.ndarray:
        """Integers of some bands, uint16 (bands, rows, cols).

        Parameters
        ----------
        bands : 1-based numbers. window : of the file; None: all of it. out : where they are put.

        Raises
        ------
        InputError : a tile is cut short or cannot be decoded.
        """
        rows, cols = window.toranges() if window is not None else ((0, self.shape[0]), (0, self.shape[1]))
        if out is None:
            out = np.empty((len(bands), rows[1] - rows[0], cols[1] - cols[0]), np.uint16)
        tile = np.empty(self._tile, np.uint16)
        for values, band in zip(out, bands, strict=True):
            for i, (inside, place) in _tiles(rows, self._tile[0]):
                for j, (inside_x, place_x) in _tiles(cols, self._tile[1]):
                    self._decode(band - 1, i, j, tile)
                    values[place, place_x] = tile[inside, inside_x]
        return out

    def _decode(self, band: int, i: int, j: int, tile: np.ndarray) -> None:
        size = int(self._sizes[band, i, j])
        if size == 0:  # a tile that nothing was written to
            tile[...] = 0
            return
        try:
            decompress(os.pread(self._file, size, int(self._offsets[band, i, j])), tile)
        except (RuntimeError, ValueError) as error:
            raise InputError(f"{self._path}: the pixels cannot be read ({error}); {_AGAIN}") from error


_AGAIN = "remove the file, so that it is made again."


def _tiles(wanted: tuple[int, int], size: int) -> list[tuple[int, tuple[slice, slice]]]:
    """Tiles along an axis that hold pixels `wanted` (first, one past the last): number, part of it, where in them."""
    found = []
    for k in range(wanted[0] // size, -(-wanted[1] // size)):
        start, stop = max(wanted[0], k * size), min(wanted[1], (k + 1) * size)
        found.append((k, (slice(start - k * size, stop - k * size), slice(start - wanted[0], stop - wanted[0]))))
    return found
