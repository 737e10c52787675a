"""What every rule has without stating it: the digest of its code, a log, a benchmark, an environment."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from snakemake.api import ConfigSettings, OutputSettings, ResourceSettings, SnakemakeApi
from snakemake.settings.types import Quietness

from helpers.layout import is_one_of, templates
from slipmap.checkout import CONFIG, SNAKEFILE
from slipmap.config import layout
from slipmap.jobs.provenance import LIBRARY
from slipmap.jobs.rules import SCRIPTS, record_place


@pytest.fixture(scope="module")
def rules():
    """The demo's rules as Snakemake knows them, by name."""
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL}, dryrun=True)) as api:
        settings = ConfigSettings(configfiles=[CONFIG / "config.yaml"])
        loaded = api.workflow(ResourceSettings(cores=1), settings, snakefile=SNAKEFILE)
        workflow = loaded._workflow  # made by reading the Snakefile
        return {rule.name: rule for rule in workflow.rules if rule.script}


def test_every_rule_with_a_script_has_a_digest_of_its_own_script(rules):
    assert len(rules) > 40
    for name, rule in rules.items():
        digest = rule.params.code(None)
        assert len(digest) == 12 and int(digest, 16), name
    assert rules["network"].params.code(None) != rules["unwrap"].params.code(None)
    assert {script.rpartition("/")[2] for script in (rule.script for rule in rules.values())} == {
        path.name for path in SCRIPTS.glob("*.py")
    }


def test_every_rule_keeps_a_log_and_a_benchmark_of_its_own(rules):
    """Two rules that wrote into one file would take each other's log away."""
    for kind in ("logs", "benchmarks"):
        places = [str(rule.log[0] if kind == "logs" else rule.benchmark) for rule in rules.values()]
        assert all(f"/{kind}/" in place for place in places) and len(set(places)) == len(places)
    assert all((Path(rule.conda_env).parent / "slipmap.yaml").is_file() for rule in rules.values())


def test_rules_make_what_the_layout_names_and_nothing_else(rules):
    """One map of result paths: a path that no rule makes is dead, one that is not in the map is stated twice."""
    made = {re.sub(r"{[^{}]*(?:{\d+}[^{}]*)*}", "x", str(path)) for rule in rules.values() for path in rule.output}
    made = {path.split("/", 2)[2] for path in made if path.startswith("results/")}
    made = {path.replace("deformation/sbas/", "deformation/") for path in made}  # the same names beside linked phases
    folders = {"sentinel1/slc", "sentinel1/slc_vh"}
    folders |= {f"deformation/{name}" for name in ("interferograms", "unwrapped", "linked")}
    known = templates() - {"logs", "benchmarks"} - folders
    of_seeds = {f"experiments/{{}}/seed_{{}}/{name}" for name in (*layout.SEED_FILES.values(), layout.TEST_METRICS)}
    known = (known - {"experiments/{}/seed_{}", "tables"}) | of_seeds
    assert sorted(path for path in made if not is_one_of(path, known)) == []
    unmade = {one for one in known if not any(is_one_of(path, {one}) for path in made)}
    assert unmade == set()


@pytest.mark.parametrize(
    ("rule", "output", "place"),
    [
        ("network", "results/{area}/deformation/network.csv", ("results/{area}", "network")),
        ("unwrap", r"results/{area}/deformation/unwrapped/{pair,\d{8}_\d{8}}.tif", ("results/{area}", "unwrap/{pair}")),
        ("search", "resources/{area}/search/{kind}.geojson", ("results/{area}", "search_{kind}")),
        ("optical_demo", "results/demo/factors/ndvi.tif", ("results/demo", "optical_demo")),
        ("train", "results/{area}/x/{experiment}/seed_{seed}/w", ("results/{area}", "train_{experiment}_{seed}")),
    ],
)
def test_where_a_rules_log_and_benchmark_lie(rule, output, place):
    assert record_place(rule, output) == place


MADE = "from slipmap.jobs.rules import complete_rules\n\nrule one:\n    output: 'results/a/one.txt'\n    script: "
SCRIPT = "from slipmap.stage import run\nrun(snakemake.output[0], {text!r})\n"
STAGE = "def run(path, text):\n    from slipmap.late import ADDED\n    open(path, 'w').write(text + ADDED)\n"


def test_a_change_of_a_module_imported_inside_a_function_reruns_the_job(tmp_path):
    """A workflow of one rule with a library of its own beside ours: run, nothing to do, run after the change."""
    library = tmp_path / "workflow" / "slipmap"
    shutil.copytree(LIBRARY / "jobs", library / "jobs", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("__init__.py", "errors.py", "checkout.py", "plugins.py"):
        shutil.copy(LIBRARY / name, library)
    (library / "stage.py").write_text(STAGE)
    (library / "late.py").write_text("ADDED = 'first'\n")
    for folder in ("workflow/scripts", "envs"):
        (tmp_path / folder).mkdir()
    (tmp_path / "envs" / "slipmap.yaml").write_text("dependencies: []\n")
    (tmp_path / "workflow" / "scripts" / "one.py").write_text(SCRIPT.format(text="text "))
    (tmp_path / "Snakefile").write_text(
        MADE + "'workflow/scripts/one.py'\n\ncomplete_rules(workflow.rules, workflow.current_basedir)\n"
    )
    command = [sys.executable, "-m", "snakemake", "one", "--cores", "1", "--quiet", "progress"]

    def run():
        environment = {"PYTHONPATH": str(library.parent), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
        done = subprocess.run(command, cwd=tmp_path, env=environment, text=True, capture_output=True)
        assert done.returncode == 0, done.stderr
        return (tmp_path / "results/a/one.txt").stat().st_mtime_ns, (tmp_path / "results/a/one.txt").read_text()

    first = run()
    assert first[1] == "text first" and run() == first
    (library / "late.py").write_text("ADDED = 'second'\n")
    assert run()[1] == "text second"
