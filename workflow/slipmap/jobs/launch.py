"""`slipmap run`: Snakemake with the workflow's Snakefile, wherever slipmap is installed."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from slipmap.checkout import CONFIG, SNAKEFILE
from slipmap.errors import InputError


def snakemake_command(
    config: str | None,
    targets: Sequence[str] = (),
    *,
    cores: str = "all",
    gpus: int = 1,
    dry_run: bool = False,
    full_output: bool = False,
    options: Sequence[str] = (),
) -> list[str]:
    """The command line that runs the workflow in the current folder.

    Parameters
    ----------
    config : config file; None: the demo's.
    targets : files or rules to make; none: everything that the config asks for.
    cores : number of cores, or "all". gpus : GPU jobs at a time. full_output : Snakemake's own
        messages instead of one line a stage. options : passed on to Snakemake as they are.

    Raises
    ------
    InputError : `config` does not exist; `cores` is neither.
    """
    path = Path(config) if config is not None else CONFIG / "config.yaml"
    if not path.is_file():
        raise InputError(f"{path} does not exist; give the config of your area ('slipmap init' writes one).")
    if cores != "all" and not (cores.isdecimal() and int(cores) > 0):
        raise InputError(f"--cores {cores}: give a whole number from 1, or all.")
    command = [sys.executable, "-m", "snakemake", *targets, "--snakefile", str(SNAKEFILE)]
    command += ["--configfile", str(path), "--cores", cores, "--resources", f"gpu={gpus}"]
    if dry_run:
        command.append("--dry-run")
    elif not full_output:
        command += ["--logger", "slipmap"]
    return [*command, *options]


def launch(command: Sequence[str]) -> None:
    """Become the process that `command` describes; nothing after this call runs."""
    sys.stdout.flush()
    os.execv(command[0], list(command))
