"""What a raster is, as one record that can be handed on to `slipmap.io.raster.create`."""

from collections.abc import Mapping, Sequence
from typing import Literal, Required, TypedDict


class Description(TypedDict, total=False):
    """The keyword arguments of `slipmap.io.raster.create`; what each means is told there."""

    bands: Required[Sequence[str]]
    units: Required[str | Sequence[str]]
    long_name: Required[str | Sequence[str]]
    dtype: str
    tags: Mapping[str, object] | None
    categories: Mapping[int, str] | None
    compress: Literal["deflate", "zstd"]
    statistics: bool
