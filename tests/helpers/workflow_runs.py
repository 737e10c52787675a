"""Run the workflow itself in a folder of its own, as a user would."""

import contextlib
import html
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).parents[2]
SNAKEMAKE = Path(sys.executable).with_name("snakemake")

GRID = {"crs": "EPSG:32632", "resolution": 12.5, "bounds": [500000, 5000000, 502400, 5002400]}  # 192 x 192


def small_config() -> dict:
    """A simulated area and a prediction area, small enough for a test; two experiments on the first.

    The velocity of the first is made by sbas; that of the second by phase linking in two ministacks, with sbas beside.
    """
    training = {"epochs": 2, "batch_size": 8}
    experiment = {
        "dataset": "p32",
        "train_areas": ["valley"],
        "test_areas": ["valley"],
        "model": {"name": "unet", "options": {"width": 0.125}},
        "training": training,
        "prediction": {"tile": 64, "overlap": 0.25},
    }
    return {
        "areas": {
            "valley": {
                "grid": GRID,
                "simulate": {"seed": 3, "dates": 6, "landslides": 25, "scenes": 2},
                "split": {"block": 32, "buffer": 0},
                "screening": {"unusable": "drop"},  # so few days of rain are everywhere the same
            },
            "ungauged": {
                "grid": GRID | {"bounds": [520000, 5000000, 522400, 5002400]},
                "simulate": {"seed": 4, "dates": 6, "landslides": 25, "scenes": 2, "inventory": False},
                "deformation": {
                    "estimator": "phase_linking",
                    "compare_with": "sbas",
                    "nearest_neighbours": 2,
                    "phase_linking": {"ministack": 3},
                },
            },
        },
        "datasets": {"p32": {"size": 32, "stride": 16}},
        "experiments": {"rs": experiment | {"exclude": ["velocity"]}, "rs_dr": experiment},
    }


def write_config(folder: Path, config: dict, name: str = "run.yaml") -> Path:
    """Write `config` into `folder`; return its path."""
    path = folder / name
    path.write_text(yaml.safe_dump(config))
    return path


def command(folder: Path, *arguments: str, config: str = "run.yaml") -> list[str]:
    """The command line that runs the workflow in `folder`."""
    given = ["--configfile", str(folder / config)] if config else []
    return [
        str(SNAKEMAKE),
        "--snakefile",
        str(REPOSITORY / "Snakefile"),
        "--directory",
        str(folder),
        *arguments,  # before --resources, which would take a target for a resource
        *given,
        "--cores",
        "2",
        "--resources",
        "gpu=1",
    ]


def snakemake(
    folder: Path, *arguments: str, config: str = "run.yaml", timeout: float = 900
) -> subprocess.CompletedProcess:
    """Run the workflow to its end; stdout and stderr come together in ``stdout``."""
    return run_and_kill(command(folder, *arguments, config=config), cwd=folder, timeout=timeout)


def run_and_kill(arguments: list, cwd: Path, timeout: float) -> subprocess.CompletedProcess:
    """Run a program with everything it starts; after `timeout` seconds all of it is killed.

    Its output (stdout and stderr together) goes to a file: a pipe would stay open as long as any grandchild lives.
    """
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        process = subprocess.Popen(
            [str(a) for a in arguments],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment(),
            cwd=cwd,
            start_new_session=True,
        )
        try:
            process.wait(timeout)
        finally:
            if process.poll() is None:
                kill_group(process)
        output.seek(0)
        return subprocess.CompletedProcess(process.args, process.returncode, output.read())


def kill_group(process: subprocess.Popen) -> None:
    """Kill a process that leads a session of its own, and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def environment() -> dict[str, str]:
    """The environment of a run: nothing of a surrounding run, one thread for the linear algebra."""
    return {k: v for k, v in os.environ.items() if not k.startswith("SLIPMAP_RUN")} | {"OMP_NUM_THREADS": "1"}


def visible_text(page: str) -> str:
    """The words of an HTML page, its styles and scripts left out, white space as single blanks."""
    bare = re.sub(r"<(style|script)\b.*?</\1>", " ", page, flags=re.DOTALL | re.IGNORECASE)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", bare)).split())
