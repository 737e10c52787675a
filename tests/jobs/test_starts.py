"""What a job imports before its work begins: a heavy library only where the script's work is done with it.

`slipmap bench job_start` measures what the starts take.
"""

import ast
import subprocess
import sys

import pytest

from benchmarks import job_start
from helpers.starts import SCRIPTS, Starts, statements

TABLES = {"compare_experiments", "compare_models", "factor_table", "map_susceptibility"}
OUTLINES = {"active_areas", "event_map", "export_motion", "inventory", "lithology", "outline_landslides", "proximity"}
OUTLINES |= {"publish_map", "report", "report_imported", "simulate", "whats_new"}
# the scripts whose work is done with a library; who imports another one pays for it in every job
NEEDED = {
    "torch": {"compare_experiments", "evaluate", "map_landslides", "map_part", "train"},
    "lightning": {"train"},
    "sklearn": {"compare_models", "factor_table", "map_susceptibility", "screening"},
    "matplotlib": TABLES | {"augmentation_figure", "export_motion", "hazard_maps", "report", "report_imported"},
    "geopandas": OUTLINES,
    "pandas": TABLES
    | OUTLINES
    | {"augmentation_figure", "evaluate", "import_patches", "judge_applicability", "patches", "screening", "table"}
    | {"rain", "soil", "train"},
    "xarray": {"rain", "simulate", "soil"},
    "numba": {"acquisitions", "azimuth_shift", "geocode", "radar_geometry", "simulate"}  # of SAFE to SLC
    | {"compare_models", "factor_table", "map_susceptibility", "risk_index", "screening"}  # natural breaks
    | {"hydrology", "invert_network", "link_phases", "lithology", "optical", "proximity", "terrain"},
}
# a run has one for each date, pair or stack of dates; their settings were checked before (`jobs.job.checked`)
MANY = {"azimuth_shift", "geocode", "interferogram", "kinematics", "link_phases", "radar_geometry", "unwrap"}
MANY |= {"gather_parts", "judge_map", "motion_factor", "predict_sets", "unwrap_linked", "velocity_factor"}


@pytest.fixture(scope="module")
def starts():
    return Starts()


@pytest.mark.parametrize("library", NEEDED)
def test_a_heavy_library_is_imported_only_where_it_is_needed(library, starts):
    assert {path.stem for path in SCRIPTS.glob("*.py") if library in starts.libraries(path)} == NEEDED[library]


def test_a_job_that_comes_many_times_does_without_the_settings_models(starts):
    assert {name for name in MANY if "pydantic" in starts.libraries(SCRIPTS / f"{name}.py")} == set()


def test_an_azimuth_shift_needs_no_hdf5(starts):
    assert "h5py" not in starts.libraries(SCRIPTS / "azimuth_shift.py")
    assert "h5py" in starts.libraries(SCRIPTS / "geocode.py")


def test_what_is_followed_in_the_files_is_what_python_imports(starts):
    """Of scripts together, in a process of its own."""
    scripts = ("judge_applicability", "kinematics", "split", "unwrap")
    code = "\n".join(job_start.imports(name) for name in scripts)
    code += f"\nimport sys\nprint(*{{{', '.join(map(repr, NEEDED))}}} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    followed = set().union(*(starts.libraries(SCRIPTS / f"{name}.py") for name in scripts))
    assert set(said.split()) == followed & set(NEEDED) == {"pandas"}


def test_an_import_in_a_function_or_for_type_checkers_is_no_start():
    code = "import a\nif TYPE_CHECKING:\n import b\ndef f():\n import c\ntry:\n import d\nexcept E:\n import e\n"
    found = [alias.name for node in statements(ast.parse(code).body) for alias in node.names]
    assert found == ["a", "d", "e"]
