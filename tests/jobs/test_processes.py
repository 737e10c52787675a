"""Pieces of a job on several processes: in order, and each a job of the run, so that it ends with the run."""

import os
import subprocess
import sys

from slipmap.jobs.processes import in_processes

INSIDE = """
import os, sys
from slipmap.jobs import runs
from slipmap.jobs.processes import in_processes

runs.claim(sys.argv[1])
parent = os.getpid()

def piece(number):
    from slipmap.jobs import runs
    return number, os.getpid() != parent, len(runs._held)

print(list(in_processes(piece, [(k,) for k in range(5)], 2)))
"""


def test_one_job_starts_no_process():
    assert list(in_processes(lambda k: (k, os.getpid()), [(k,) for k in range(3)], 1)) == [
        (k, os.getpid()) for k in range(3)
    ]


def test_each_process_holds_the_lock_of_the_runs_jobs(tmp_path):
    done = subprocess.run([sys.executable, "-c", INSIDE, str(tmp_path)], capture_output=True, text=True)
    assert done.stdout.strip() == str([(k, True, 1) for k in range(5)]), done.stderr[-1500:]
