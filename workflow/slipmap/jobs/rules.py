"""What every rule of the workflow has, given to all of them once: code digest, log, benchmark, environment."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from slipmap.checkout import CHECKOUT
from slipmap.jobs.digests import digest_of

SCRIPTS = CHECKOUT / "workflow" / "scripts"
ENVIRONMENT = str(CHECKOUT / "envs" / "slipmap.yaml")
MANY = ("date", "pair", "scatteritem")  # wildcards with so many values that their logs have a folder of their own


def complete_rules(rules: Iterable[Any], folder: object) -> None:
    """Give each rule of ours with a script what it does not state itself.

    That is a parameter ``code`` (the digest of what its script imports), a log, a benchmark and a conda environment.
    Call it when all rules are there.

    Parameters
    ----------
    rules : Snakemake's ``workflow.rules``.
    folder : of our Snakefile (``workflow.current_basedir``); rules from elsewhere, those of a workflow that imports
        ours as a module, are left alone.
    """
    for rule in rules:
        if rule.script is None or not Path(str(rule.snakefile)).is_relative_to(str(folder)):
            continue
        rule.set_params(code=_digest_of(SCRIPTS / Path(rule.script).name))
        place, name = record_place(rule.name, str(rule.output[0]))
        if not rule.log:
            rule.log_modifier = rule.output_modifier
            rule.set_log(f"{place}/logs/{name}.log")
        if rule.benchmark is None:
            rule.benchmark_modifier = rule.output_modifier
            rule.benchmark = f"{place}/benchmarks/{name}.tsv"
        if rule.conda_env is None:
            rule.conda_env = ENVIRONMENT


def record_place(rule: str, output: str) -> tuple[str, str]:
    """Folder and name of a rule's log and benchmark, from one of its outputs.

    The first wildcard of the output, or its second folder, is the place (an area or a data set). The others follow the
    rule's name, those of many values in a folder of the rule's.

    >>> record_place("map_part", "results/{area}/maps/{experiment}/parts/{scatteritem}.tif")
    ('results/{area}', 'map_part_{experiment}/{scatteritem}')
    """
    wildcards = list(dict.fromkeys(re.findall(r"\{([A-Za-z]\w*)", output)))
    place = f"{{{wildcards[0]}}}" if wildcards else output.split("/")[1]
    some = [name for name in wildcards[1:] if name not in MANY]
    many = [name for name in wildcards[1:] if name in MANY]
    name = "_".join([rule, *(f"{{{wildcard}}}" for wildcard in some)])
    return f"results/{place}", "/".join([name, *(f"{{{wildcard}}}" for wildcard in many)])


def _digest_of(script: Path) -> Callable[[Any], str]:
    """Params function: only a job that may run pays for its digest."""
    return lambda wildcards: digest_of(script)
