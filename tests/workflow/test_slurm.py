"""The demo through a real Slurm (`make test-slurm`): the scheduler, not Snakemake, serialises the GPU jobs."""

import math
import os
import re
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from helpers import fault_table, slurm_cluster
from helpers.workflow_kills import digests
from helpers.workflow_runs import REPOSITORY, SNAKEMAKE, snakemake

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(slurm_cluster.why_not() is not None, reason=str(slurm_cluster.why_not())),
]

PROFILE = REPOSITORY / "workflow/profiles/slurm"


@dataclass
class Job:
    """A Slurm job as squeue showed it, and when (seconds since the run began)."""

    rule: str
    cores: int
    gpu: bool
    states: list[str] = field(default_factory=list)
    started: float = math.nan
    ended: float = math.nan

    @property
    def alive(self) -> bool:
        return self.states[-1] in ("RUNNING", "COMPLETING")


class Queue:
    """What squeue showed while the workflow ran."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.began = time.monotonic()
        self.jobs: dict[str, Job] = {}
        self.gpus_running: list[int] = []
        self.waited_for_gpu = 0

    def look(self) -> None:
        fields = "JobID:20,State:20,NumCPUs:10,tres-per-job:40,Comment:200"
        shown = subprocess.run(
            ["squeue", "-h", "-t", "all", "-O", fields], env=self.environment, capture_output=True, text=True
        ).stdout
        now = time.monotonic() - self.began
        for line in shown.splitlines():
            number, state, cores, devices, comment = line.split(None, 4)
            rule = re.sub(r"^rule_|_wildcards_.*", "", comment.strip())
            job = self.jobs.setdefault(number, Job(rule, int(cores), "gpu" in devices))
            if not job.states or job.states[-1] != state:
                job.states.append(state)
            if state != "PENDING" and math.isnan(job.started):
                job.started = now
            if state != "PENDING" and not job.alive and math.isnan(job.ended):
                job.ended = now
        alive = [job for job in self.jobs.values() if job.states and job.alive]
        idle = slurm_cluster.CORES - sum(job.cores for job in alive)
        self.gpus_running.append(sum(job.gpu for job in alive))
        waiting = [job for job in self.jobs.values() if job.gpu and job.states[-1] == "PENDING" and job.cores <= idle]
        self.waited_for_gpu += bool(waiting) and self.gpus_running[-1] > 0

    def of_rule(self, rule: str) -> dict[str, Job]:
        return {number: job for number, job in self.jobs.items() if job.rule == rule}

    def table(self) -> str:
        """Of each rule the Slurm jobs, when the first began and the last ended."""
        lines = []
        for rule in dict.fromkeys(job.rule for job in self.jobs.values()):
            jobs = list(self.of_rule(rule).values())
            first, last = min(job.started for job in jobs), max(job.ended for job in jobs)
            lines.append(f"{rule:40} {len(jobs):3} jobs, from {first:5.0f} to {last:5.0f} s")
        return "\n".join(lines)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with slurm_cluster.one_node(tmp_path_factory.mktemp("slurm")) as environment:
        yield environment


@pytest.fixture(scope="module")
def site_profile(tmp_path_factory) -> Path:
    """The profile of the repository with what this site needs, as docs/cluster.md tells a user to do it."""
    profile = yaml.safe_load((PROFILE / "config.yaml").read_text())
    profile |= {"slurm-no-account": True, "slurm-status-command": "squeue"}
    profile["slurm-init-seconds-before-status-checks"] = 2
    profile["default-resources"] |= {"slurm_partition": "cpu"}
    for rule in ("train", "evaluate", "map_landslides"):
        profile["set-resources"][rule] = {"slurm_partition": "gpu"}
    folder = tmp_path_factory.mktemp("profile")
    (folder / "config.yaml").write_text(yaml.safe_dump(profile))
    return folder


def run(folder: Path, profile: Path, environment: dict, meanwhile=lambda queue: None, wait_s: float = 7200):
    """Run the demo in `folder` through the cluster, looking at the queue; the process, its output and the queue."""
    queue = Queue(environment)
    command = [SNAKEMAKE, "--snakefile", REPOSITORY / "Snakefile", "--directory", folder, "--workflow-profile", profile]
    with open(folder / "run.log", "w") as log:
        process = subprocess.Popen(list(map(str, command)), env=environment, stdout=log, stderr=subprocess.STDOUT)
        end = time.monotonic() + wait_s
        while process.poll() is None:
            assert time.monotonic() < end, (folder / "run.log").read_text()[-3000:]
            queue.look()
            meanwhile(queue)
            time.sleep(1)
    queue.look()
    return process.returncode, (folder / "run.log").read_text(), queue


@dataclass
class Run:
    """The demo through Slurm, one of its trainings cancelled while it ran."""

    folder: Path
    log: str
    queue: Queue
    cancelled: str


@pytest.fixture(scope="module")
def demo(cluster, site_profile, tmp_path_factory) -> Run:
    cancelled = []

    def cancel_one_training(queue: Queue) -> None:
        running = [number for number, job in queue.of_rule("train").items() if job.alive]
        if running and not cancelled:
            subprocess.run(["scancel", running[0]], env=cluster, check=True)
            cancelled.append(running[0])

    before = os.getloadavg()
    folder = tmp_path_factory.mktemp("demo")
    code, log, queue = run(folder, site_profile, cluster, cancel_one_training)
    print(f"\n{queue.table()}")
    print(f"The demo through Slurm: {time.monotonic() - queue.began:.0f} s, {len(queue.jobs)} Slurm jobs.")
    looks = len(queue.gpus_running)
    print(f"A job waited for the GPU, cores being idle, in {queue.waited_for_gpu} of {looks} looks at squeue.")
    print(f"Most jobs with a GPU at once: {max(queue.gpus_running)}")
    print(f"Load of {os.cpu_count()} cores (1, 5, 15 min) before {before}, at the end {os.getloadavg()}")
    assert code == 0, log[-3000:]
    return Run(folder, log, queue, cancelled[0])


def test_demo_runs_and_nothing_is_left_to_do(demo, cluster, site_profile):
    assert (demo.folder / "results/demo/report/index.html").exists()
    code, log, _ = run(demo.folder, site_profile, cluster)
    assert code == 0 and "Nothing to be done" in log


def test_the_scheduler_gives_the_gpu_to_one_job_at_a_time(demo):
    assert max(demo.queue.gpus_running) == 1
    assert demo.queue.waited_for_gpu > 0  # several wanted it at once, and there were cores for them


def test_many_small_jobs_go_in_packs(demo):
    """The interferograms alone are more than a hundred jobs of Snakemake."""
    assert len(demo.queue.jobs) < 80


def test_a_job_that_dies_comes_back_and_the_results_are_those_of_a_run_without_slurm(demo, tmp_path):
    jobs = demo.queue.jobs
    assert jobs[demo.cancelled].states[-1] == "CANCELLED"
    assert [job.states[-1] for job in jobs.values()].count("COMPLETED") == len(jobs) - 1
    assert len(demo.queue.of_rule("train")) == 3  # two experiments, one of them twice
    said = re.search(rf"SLURM-job '{demo.cancelled}' failed, SLURM status is: '(\w+)'", demo.log)
    assert said, demo.log[-3000:]
    began = time.monotonic()
    answer = snakemake(tmp_path, config="", timeout=7200)
    print(f"\nThe demo without Slurm: {time.monotonic() - began:.0f} s; load at its end {os.getloadavg()}")
    assert answer.returncode == 0, answer.stdout[-3000:]
    assert digests(demo.folder) == digests(tmp_path)
    fault_table.record(
        "A cluster job dies (scancel of a training)",
        f"{said[0]}; it was submitted again by itself".replace(demo.cancelled, "4711"),
        "nothing but the job at work",
    )
