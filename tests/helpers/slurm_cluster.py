"""A real Slurm of one node, thrown away after the test: munged, slurmctld and slurmd as root, no systemd, no cgroups.

Slurm 22.05 (Debian 12) was used to find what such a node needs; each setting that surprises has its reason beside it.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

CORES = max(4, os.cpu_count())  # room for two GPU jobs of two threads: it is the GPU that one of them waits for
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "srun", "sinfo")

CONFIG = """
ClusterName=slipmap
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={root}/run/munge.socket
CredType=cred/munge
SlurmctldPort={port}
SlurmdPort={node_port}
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool
SlurmctldPidFile={root}/run/slurmctld.pid
SlurmdPidFile={root}/run/slurmd.pid
SlurmctldLogFile={root}/log/slurmctld.log
SlurmdLogFile={root}/log/slurmd.log
SwitchType=switch/none
MpiDefault=none
# no cgroups: processes are followed by their parents, and nothing enforces memory
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
# no database, so sacct is of no use: squeue must show a finished job for long enough to be asked about it
AccountingStorageType=accounting_storage/none
MinJobAge=900
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0
# cores that the machine may not have
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
ReturnToService=2
KillWait=2
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory_mb} Gres=gpu:pretended:1 State=UNKNOWN
PartitionName=cpu Nodes={host} Default=YES MaxTime=UNLIMITED State=UP
PartitionName=gpu Nodes={host} MaxTime=UNLIMITED State=UP
"""
# a GPU needs a File to be counted: a bare Count=1 registers none
GPUS = "Name=gpu Type=pretended File=/dev/null\n"
# initialises without a controller as long as neither proctrack nor task plugin asks for one
CGROUPS = "CgroupPlugin=cgroup/v1\nCgroupMountpoint={root}/run/cgroup\n"
# the executor's job step drops SLURM_CONF before it calls srun
SRUN = '#!/bin/sh\nSLURM_CONF="{root}/etc/slurm.conf" exec {srun} "$@"\n'


def why_not() -> str | None:
    """Why no Slurm can be started here, or None."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        return f"{', '.join(missing)} not installed (Debian: apt-get install slurm-wlm munge)"
    if os.geteuid() != 0:
        return "a throw-away Slurm is started as root"
    return None


@contextlib.contextmanager
def one_node(root: Path) -> Iterator[dict[str, str]]:
    """Start a cluster that keeps its state in `root`; yield the environment for its commands; stop it at the end.

    Two partitions (cpu, gpu) on one node with `CORES`, 80 % of this machine's memory and one pretended GPU.
    """
    for name in ("etc", "run/cgroup", "log", "state", "spool", "bin"):
        (root / name).mkdir(parents=True)
    for folder in (root, root / "run"):
        folder.chmod(0o755)  # munge refuses a socket in a folder that others may not enter
    host = socket.gethostname().split(".")[0]
    memory_mb = int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**20 * 0.8)
    port, node_port = _free_ports(2)
    config = root / "etc" / "slurm.conf"
    values = {"root": root, "host": host, "cpus": CORES, "memory_mb": memory_mb}
    config.write_text(CONFIG.format(**values, port=port, node_port=node_port))
    (root / "etc" / "gres.conf").write_text(GPUS)
    (root / "etc" / "cgroup.conf").write_text(CGROUPS.format(root=root))
    srun = root / "bin" / "srun"
    srun.write_text(SRUN.format(root=root, srun=shutil.which("srun")))
    srun.chmod(0o755)
    key = root / "etc" / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    environment = os.environ | {"SLURM_CONF": str(config), "PATH": f"{root / 'bin'}:{os.environ['PATH']}"}
    try:
        _call(
            f"munged --force --key-file={key} --socket={root}/run/munge.socket --pid-file={root}/run/munged.pid "
            f"--log-file={root}/log/munged.log --seed-file={root}/run/munged.seed",
            environment,
        )
        _call(f"slurmctld -c -f {config}", environment)  # -c: a drained state of before must not persist
        _call(f"slurmd -f {config}", environment)
        _wait_until_idle(environment)
        yield environment
    finally:
        for daemon in ("slurmd", "slurmctld", "munged"):
            _stop(root / "run" / f"{daemon}.pid")


def _call(command: str, environment: dict[str, str]) -> None:
    done = subprocess.run(command.split(), env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stderr}"


def _wait_until_idle(environment: dict[str, str], wait_s: float = 30) -> None:
    end = time.monotonic() + wait_s
    while time.monotonic() < end:
        state = subprocess.run(["sinfo", "-h", "-o", "%T"], env=environment, capture_output=True, text=True).stdout
        if "idle" in state:
            return
        time.sleep(0.2)
    raise AssertionError(f"The Slurm node did not come up: {state}")


def _stop(pid_file: Path, wait_s: float = 10) -> None:
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text())
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 15)
        end = time.monotonic() + wait_s
        while time.monotonic() < end:
            os.kill(pid, 0)
            time.sleep(0.1)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
