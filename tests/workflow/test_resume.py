"""kill -9 of a job or of Snakemake itself, then the same command again: the same bytes, nothing half-written."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from helpers.workflow_kills import copy_without, digests, jobs_of, kill_job, kill_snakemake, start, wait_for
from helpers.workflow_runs import kill_group, small_config, snakemake, write_config

EARLY = ["results/valley/deformation/velocity.tif", "results/valley/factors/slope.tif", "results/valley/inventory.tif"]
TARGETS = [*EARLY, "results/valley/maps/rs/probability.tif"]


@dataclass(frozen=True)
class Stage:
    """Where a run is killed: in a job of `rule`, once a file that matches `sign`, or words in the log, tell of work."""

    rule: str
    sign: str = ""
    words: str = ""

    def begun(self, folder: Path) -> bool:
        """Whether the sign is there, or the words."""
        if self.sign:
            return any(folder.glob(self.sign))
        return self.words in (folder / "run.log").read_text(errors="ignore")


SIMULATE = Stage("simulate", "resources/valley/sentinel1/2*.tif")
INTERFEROGRAM = Stage("unwrap", "results/valley/deformation/network.csv")
LATE = (
    Stage("patches", "results/valley/patches/.p32.*.partial.zarr"),
    Stage("train", "results/valley/experiments/rs/seed_0.resume/state.ckpt"),
    Stage("map_landslides", words="tile/s"),
)


@pytest.fixture(scope="module")
def undisturbed(finished_run):
    """The folder of a run that nothing disturbed."""
    return finished_run


def at_work(process: subprocess.Popen, folder: Path, stage: Stage) -> list[int]:
    """The processes of `stage`, in the midst of their work."""

    def running(condition):
        assert process.poll() is None, (folder / "run.log").read_text()[-3000:]
        return condition()

    jobs = wait_for(lambda: running(lambda: jobs_of(process, stage.rule)), f"job of {stage.rule}")
    wait_for(lambda: running(lambda: stage.begun(folder)), f"sign of {stage.rule} at work")
    return jobs


def killed_and_resumed(folder: Path, targets: list[str], stages, kill, undisturbed: Path) -> None:
    """Kill the run in each of `stages` in turn, the same command each time; it must end as if nothing had been."""
    orphans = []
    for stage in stages:
        process = start(folder, targets)
        try:
            jobs = at_work(process, folder, stage)
            orphans += jobs
            kill(process, jobs)
        finally:
            if process.poll() is None:
                kill_group(process)
    answer = snakemake(folder, *targets)  # at once: the orphans may still be alive
    assert answer.returncode == 0, answer.stdout[-4000:]
    found, expected = digests(folder), digests(undisturbed)
    assert all((folder / target).is_file() for target in targets)
    assert found == {name: digest for name, digest in expected.items() if name in found}
    assert not [pid for pid in orphans if os.path.exists(f"/proc/{pid}")], "orphans outlived the next run's start"
    assert not list(folder.glob("re*/**/.*partial*"))
    assert not list(folder.glob("re*/**/*.resume"))


KILLS = pytest.mark.parametrize("kill", [kill_snakemake, kill_job])


def test_killed_while_it_simulates(tmp_path, undisturbed):
    write_config(tmp_path, small_config())
    killed_and_resumed(tmp_path, EARLY, [SIMULATE], kill_snakemake, undisturbed)


@KILLS
def test_killed_while_it_forms_interferograms(tmp_path, undisturbed, kill):
    copy_without(undisturbed, tmp_path, "deformation", "factors", "patches", "experiments", "maps")
    killed_and_resumed(tmp_path, EARLY[:1], [INTERFEROGRAM], kill, undisturbed)


@KILLS
def test_killed_in_patches_then_in_training_then_in_mapping(tmp_path, undisturbed, kill):
    copy_without(undisturbed, tmp_path, "patches", "experiments", "maps")
    killed_and_resumed(tmp_path, TARGETS, LATE, kill, undisturbed)
    missing = digests(undisturbed).keys() - digests(tmp_path).keys()
    assert all(re.match(r"results/valley/maps/(rs_dr/|rs/(applicability|dissimilarity))", name) for name in missing)


def test_a_second_run_in_the_same_folder_is_refused_and_the_first_goes_on(tmp_path):
    write_config(tmp_path, small_config())
    process = start(tmp_path, EARLY)
    try:
        at_work(process, tmp_path, SIMULATE)
        answer = snakemake(tmp_path, *EARLY)
        assert answer.returncode != 0 and "slipmap: Another slipmap run" in answer.stdout
        assert process.poll() is None
    finally:
        kill_group(process)
