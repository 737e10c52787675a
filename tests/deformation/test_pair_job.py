"""The job of a pair, of which a network has hundreds, starts without what it does not need."""

import subprocess
import sys
from datetime import date

import numpy as np
import rasterio
from affine import Affine

from slipmap.config.deformation import UnwrappingSettings
from slipmap.deformation import unwrapping
from slipmap.deformation.stack import Pair
from slipmap.jobs.job import checked


def test_settings_without_their_models_make_the_same_file(tmp_path):
    rng = np.random.default_rng(3)
    noise = rng.normal(size=(2, 3, 64, 320))
    first, second = noise[0, :2] + noise[0, 2], noise[1, :2] + noise[0, 2]
    about = {"driver": "GTiff", "height": 64, "width": 320, "count": 1, "dtype": "complex64", "crs": "EPSG:32632"}
    files = {"reference": str(tmp_path / "a.tif"), "secondary": str(tmp_path / "b.tif")}
    for path, parts in zip(files.values(), (first, second), strict=True):
        with rasterio.open(path, "w", **about, transform=Affine(3, 0, 5e5, 0, -12, 5e6)) as out:
            out.write((parts[0] + 1j * parts[1]).astype(np.complex64), 1)
    pair = Pair(date(2021, 1, 9), date(2021, 2, 2), 12.0, files)
    settings = UnwrappingSettings(goldstein_patch=16)
    unwrapping.run(pair, settings, tmp_path / "models.tif")
    unwrapping.run(pair, checked(settings.model_dump(mode="json")), tmp_path / "plain.tif")
    assert (tmp_path / "plain.tif").read_bytes() == (tmp_path / "models.tif").read_bytes()


def test_it_imports_neither_models_of_settings_nor_compilers():
    code = (
        "import sys; from slipmap.jobs import job; from slipmap.deformation.phase_linking import pairs; "
        "sys.exit(bool({'pydantic', 'scipy', 'numba', 'pandas'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
