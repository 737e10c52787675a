"""Phase linking in the workflow: what its job asks of the machine."""

import re
import sys

import pytest

from deformation.test_phase_linking_driver import LOOKS, days_of, write_slcs
from helpers.speckle_stacks import coherence_of, speckle
from helpers.workflow_runs import command, run_and_kill, write_config
from slipmap.config.deformation import DeformationSettings
from slipmap.config.inputs import Sentinel1Settings
from slipmap.deformation import network

# Snakemake with a line of the GPUs of each job, which a rule's message hides
TOLD = """
import sys
from snakemake.cli import main
from snakemake.jobs import Job
told = Job.log_info
def tell(job, *rest, **options):
    print("JOB", job.rule.name, f"gpu={job.resources.gpu}", flush=True)
    return told(job, *rest, **options)
Job.log_info = tell
main(sys.argv[1:])
"""


@pytest.mark.parametrize(("device", "gpus"), [("gpu", 1), ("cpu", 0)])
def test_linking_asks_for_the_gpu_that_it_takes(tmp_path, device, gpus):
    """Without that two jobs would share one GPU, and a cluster would send the job where there is none."""
    write_slcs(tmp_path / "slc", speckle(coherence_of(3), 48, 60), days_of(3))
    settings = DeformationSettings(estimator="phase_linking", slc_looks=LOOKS, phase_linking={"device": device})
    results = tmp_path / "results/valley/deformation"
    results.mkdir(parents=True)
    network.run(
        Sentinel1Settings(level="slc", path=str(tmp_path / "slc")),
        settings,
        *(results / name for name in ("network.csv", "network.png", "stack.json")),
    )
    grid = {"crs": "EPSG:32632", "resolution": 20, "bounds": [500000, 4999040, 501200, 5000000]}
    area = {"grid": grid, "inputs": {"sentinel1": {"level": "slc", "path": "slc"}}}
    write_config(tmp_path, {"areas": {"valley": area | {"deformation": settings.model_dump(mode="json")}}})
    run = command(tmp_path, "results/valley/deformation/linked/20210109", "--dry-run")
    answer = run_and_kill([sys.executable, "-c", TOLD, *run[1:]], cwd=tmp_path, timeout=120)
    assert answer.returncode == 0, answer.stdout
    assert re.findall(r"JOB link_phases gpu=(\d)", answer.stdout) == [str(gpus)]
