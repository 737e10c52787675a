"""The one grid of an area: projected CRS, square pixels, bounds, shape; and grids nested in it."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.windows import Window

from slipmap.arrays import Doubles, Real
from slipmap.errors import InputError
from slipmap.io.atomic import write_text

Box = tuple[float, float, float, float]  # left, bottom, right, top
BLOCK = 512  # pixels on a side of the blocks in which everything is read, computed and written


@dataclass(frozen=True)
class Grid:
    """Where every pixel of a raster lies.

    Parameters
    ----------
    crs : coordinate reference system as an authority code ("EPSG:32632") or WKT.
    transform : north-up affine transform, pixel corner to CRS units.
    width, height : pixels.
    """

    crs: str
    transform: Affine
    width: int
    height: int

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.height, self.width

    @property
    def resolution(self) -> tuple[float, float]:
        """Pixel size (x, y) in CRS units, both positive."""
        return abs(self.transform.a), abs(self.transform.e)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """(left, bottom, right, top) in CRS units."""
        t = self.transform
        return t.c, t.f + t.e * self.height, t.c + t.a * self.width, t.f

    @classmethod
    def from_bounds(
        cls, crs: str, resolution: float | tuple[float, float], bounds: tuple[float, float, float, float]
    ) -> "Grid":
        """Grid of whole pixels that covers `bounds`; its corner lies on a multiple of `resolution`."""
        rx, ry = (resolution, resolution) if isinstance(resolution, int | float) else resolution
        left, bottom, right, top = bounds
        if not (right > left and top > bottom):
            raise InputError(
                f"grid.bounds {list(bounds)} is empty; give [left, bottom, right, top], left < right, bottom < top."
            )
        slack = 1e-6
        c0, c1 = math.floor(left / rx + slack), math.ceil(right / rx - slack)
        r0, r1 = math.floor(bottom / ry + slack), math.ceil(top / ry - slack)
        return cls(crs, Affine(rx, 0, c0 * rx, 0, -ry, r1 * ry), c1 - c0, r1 - r0)

    @classmethod
    def from_raster(cls, path: str | Path) -> "Grid":
        """The grid on which the raster at `path` lies."""
        with rasterio.open(path) as src:
            return cls(crs_name(src.crs), src.transform, src.width, src.height)

    def nested(self, factor_x: int, factor_y: int) -> "Grid":
        """Finer grid over the same ground, `factor_x` by `factor_y` pixels in each pixel of this one."""
        t = self.transform
        return Grid(
            self.crs,
            Affine(t.a / factor_x, 0, t.c, 0, t.e / factor_y, t.f),
            self.width * factor_x,
            self.height * factor_y,
        )

    def coarsened(self, factor_x: int, factor_y: int) -> "Grid":
        """Coarser grid with the same corner; pixels that would only be partly covered are left out."""
        t = self.transform
        return Grid(
            self.crs,
            Affine(t.a * factor_x, 0, t.c, 0, t.e * factor_y, t.f),
            self.width // factor_x,
            self.height // factor_y,
        )

    def window_grid(self, window: Window) -> "Grid":
        """The part of this grid inside `window`."""
        transform = self.transform @ Affine.translation(window.col_off, window.row_off)
        return Grid(self.crs, transform, int(window.width), int(window.height))

    def coordinates(
        self, cols: NDArray[np.integer] | Real, rows: NDArray[np.integer] | Real
    ) -> tuple[Doubles, Doubles]:
        """X and y in CRS units of many points, from their columns and rows (fractions count from a pixel's corner)."""
        t = self.transform
        x, y = cols * t.a + rows * t.b + t.c, cols * t.d + rows * t.e + t.f
        return np.asarray(x, float), np.asarray(y, float)

    def blocks(self, size: int = BLOCK) -> Iterator[Window]:
        """Windows of at most `size` × `size` pixels that tile the grid, row by row."""
        for row in range(0, self.height, size):
            for col in range(0, self.width, size):
                yield Window(col, row, min(size, self.width - col), min(size, self.height - row))

    def matches(self, other: "Grid") -> bool:
        """Whether `other` has the same CRS, shape and (to a thousandth of a pixel) transform."""
        tolerance = 1e-3 * min(self.resolution)
        return (
            self.shape == other.shape
            and CRS.from_user_input(self.crs) == CRS.from_user_input(other.crs)
            and all(abs(a - b) < tolerance for a, b in zip(self.transform[:6], other.transform[:6], strict=True))
        )

    def save(self, path: str | Path) -> None:
        """Write as JSON."""
        record = {
            "crs": self.crs,
            "transform": list(self.transform[:6]),
            "width": self.width,
            "height": self.height,
            "resolution": list(self.resolution),
            "bounds": list(self.bounds),
        }
        write_text(path, json.dumps(record, indent=2) + "\n")

    @classmethod
    def load(cls, path: str | Path) -> "Grid":
        """Read what `save` wrote."""
        record = json.loads(Path(path).read_text())
        return cls(record["crs"], Affine(*record["transform"]), record["width"], record["height"])


def crs_name(crs: CRS | None) -> str:
    """Authority code of `crs` ("EPSG:32632") where it has one, else WKT, else ""."""
    if crs is None:
        return ""
    authority = crs.to_authority()
    return ":".join(authority) if authority else crs.to_wkt()
