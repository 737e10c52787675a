"""The demo through a real Slurm (`make test-slurm`): the scheduler, not Snakemake, serialises the GPU jobs."""

import os
import re
import subprocess
import time
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

import slurm_cluster
from workflow_runs import REPOSITORY, SNAKEMAKE

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(slurm_cluster.why_not() is not None, reason=str(slurm_cluster.why_not())),
]

PROFILE = REPOSITORY / "workflow/profiles/slurm"


class Queue:
    """What squeue showed while the workflow ran: each job's rule, whether it has a GPU, and its state over time."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.states: dict[str, list[str]] = defaultdict(list)
        self.rules: dict[str, str] = {}
        self.gpus_running: list[int] = []
        self.gpus_waiting: list[int] = []

    def look(self) -> None:
        shown = subprocess.run(
            ["squeue", "-h", "-t", "all", "-o", "%i|%T|%b|%k"], env=self.environment, capture_output=True, text=True
        ).stdout
        gpu_states = []
        for line in shown.splitlines():
            number, state, devices, comment = line.split("|", 3)
            self.rules[number] = comment
            if not self.states[number] or self.states[number][-1] != state:
                self.states[number].append(state)
            if "gpu" in devices:
                gpu_states.append(state)
        self.gpus_running.append(sum(state in ("RUNNING", "COMPLETING") for state in gpu_states))
        self.gpus_waiting.append(gpu_states.count("PENDING"))

    def numbers(self, rule: str) -> list[str]:
        return [number for number, comment in self.rules.items() if re.search(rf"\b(rule_)?{rule}", comment)]


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
    profile["resources"] = {"pairs": min(4, os.cpu_count())}  # a pack must fit a node
    profile["set-resources"] = profile.get("set-resources", {}) | {
        rule: profile.get("set-resources", {}).get(rule, {}) | {"slurm_partition": "gpu"}
        for rule in ("train", "evaluate", "map_landslides")
    }
    folder = tmp_path_factory.mktemp("profile")
    (folder / "config.yaml").write_text(yaml.safe_dump(profile))
    return folder


def run(folder: Path, profile: Path, environment: dict, meanwhile=lambda queue: None, wait_s: float = 3000):
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
    return process.returncode, (folder / "run.log").read_text(), queue


def test_demo_runs_through_slurm_and_a_job_that_dies_comes_back(cluster, site_profile, tmp_path):
    cancelled = []

    def cancel_one_training(queue: Queue) -> None:
        running = [number for number in queue.numbers("train") if queue.states[number][-1] == "RUNNING"]
        if running and not cancelled:
            subprocess.run(["scancel", running[0]], env=cluster, check=True)
            cancelled.append(running[0])

    started = time.monotonic()
    code, log, queue = run(tmp_path, site_profile, cluster, cancel_one_training)
    print(f"\ndemo through Slurm: {time.monotonic() - started:.0f} s, {len(queue.states)} Slurm jobs")
    assert code == 0, log[-3000:]
    assert (tmp_path / "results/demo/report/index.html").exists()

    # one GPU, several jobs that want it at once, and never two with it
    assert max(queue.gpus_running) == 1
    assert max(waiting for waiting, running in zip(queue.gpus_waiting, queue.gpus_running, strict=True) if running) >= 1
    # the job that was killed was submitted again, and only it
    assert queue.states[cancelled[0]][-1] == "CANCELLED"
    assert len(queue.numbers("train")) == 3  # two experiments, one of them twice
    # the many small jobs went in packs: 132 pairs are two rules of them
    assert len(queue.states) < 80

    again, log, _ = run(tmp_path, site_profile, cluster)
    assert again == 0 and "Nothing to be done" in log
