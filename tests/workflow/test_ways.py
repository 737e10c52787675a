"""Every way to install slipmap runs a small area to its report: wheel, source distribution, module, snakedeploy."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml

from helpers.workflow_runs import REPOSITORY, run_and_kill

pytestmark = pytest.mark.slow


def valley(name="valley", left=500_000):
    """A config of one simulated area, down to 128 pixels, for deformation, factors and report."""
    grid = {"crs": "EPSG:32632", "resolution": 12.5, "bounds": [left, 5_000_000, left + 1600, 5_001_600]}
    area = {
        "grid": grid,
        "simulate": {"seed": 3, "dates": 4, "landslides": 5, "scenes": 1},
        "split": {"block": 32, "buffer": 0},
        "screening": {"unusable": "drop"},  # so few days of rain are everywhere the same
    }
    return {"areas": {name: area}}


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """The files under version control, as a git repository of their own."""
    place = tmp_path_factory.mktemp("sources") / "slipmap"
    names = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    for name in names.splitlines():
        if (REPOSITORY / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes((REPOSITORY / name).read_bytes())
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.org"]
    subprocess.run(["git", "init", "--quiet", "--initial-branch", "main"], cwd=place, check=True)
    subprocess.run([*git, "add", "--all"], cwd=place, check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", "All"], cwd=place, check=True)
    return place


@pytest.fixture(scope="module")
def packages(sources, tmp_path_factory):
    """The wheel and the source distribution that `make release` builds."""
    place = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(place)]
    answer = subprocess.run([*build, str(sources)], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout[-2000:] + answer.stderr[-2000:]
    return place


def run(command, folder, path=None):
    """Run a command in `folder`, with the library at `path`, and return what it said."""
    environment = {"PYTHONPATH": str(path)} if path else {}
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        answer = run_and_kill([str(word) for word in command], cwd=folder, timeout=600)
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)
    assert answer.returncode == 0, answer.stdout[-4000:]
    return answer.stdout


def keep_compiled(library):
    """Put numba's compiled kernels beside a copy of the library; it takes them where the times of files agree."""
    source = REPOSITORY / "workflow" / "slipmap"
    for compiled in source.rglob("*.nb[ci]"):
        place = library / compiled.relative_to(source)
        place.parent.mkdir(exist_ok=True)
        shutil.copy2(compiled, place)
        for path in compiled.parents[1].glob("*.py"):
            if (library / path.relative_to(source)).is_file():
                os.utime(library / path.relative_to(source), ns=(path.stat().st_mtime_ns, path.stat().st_mtime_ns))


def is_reported(folder, name="valley"):
    page = (folder / "results" / name / "report/index.html").read_text(encoding="utf-8")
    return "<title" in page and (folder / "results" / name / "deformation/velocity.tif").is_file()


SLIPMAP = [sys.executable, "-m", "slipmap.cli"]


def test_the_wheel(packages, tmp_path):
    (wheel,) = packages.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    keep_compiled(tmp_path / "site/slipmap")
    (tmp_path / "valley.yaml").write_text(yaml.safe_dump(valley()))
    said = run([*SLIPMAP, "run", "valley.yaml", "--cores", "2"], tmp_path, tmp_path / "site")
    assert "report: results/valley/report/index.html" in said
    assert is_reported(tmp_path)


def test_the_source_distribution_in_a_folder_with_spaces_and_other_letters(packages, tmp_path):
    """Sources, config and results all under a name with a space, a quote and letters beyond ASCII."""
    (archive,) = packages.glob("*.tar.gz")
    place = tmp_path / "l'été à Überlingen"
    with tarfile.open(archive) as source:
        source.extractall(place, filter="data")
    (checkout,) = place.iterdir()
    keep_compiled(checkout / "workflow/slipmap")
    (place / "my valley.yaml").write_text(yaml.safe_dump(valley()))
    command = [sys.executable, "-m", "snakemake", "--snakefile", checkout / "Snakefile"]
    options = ["--configfile", "my valley.yaml", "--cores", "2", "--resources", "gpu=1"]
    run([*command, *options], place, checkout / "workflow")
    assert is_reported(place)


MODULE = """
module {name}:
    snakefile:
        {snakefile!r}
    config:
        {config!r}


use rule * from {name} as {name}_*

"""


def test_as_a_module_twice_in_one_workflow(tmp_path):
    names = {"first": 500_000, "second": 520_000}
    text = "".join(
        MODULE.format(name=name, snakefile=str(REPOSITORY / "Snakefile"), config=valley(name, left))
        for name, left in names.items()
    )
    targets = [f"results/{name}/report/index.html" for name in names]
    text += f"rule both:\n    default_target: True\n    input: {targets!r}\n"
    (tmp_path / "Snakefile").write_text(text)
    run([sys.executable, "-m", "snakemake", "--cores", "2", "--resources", "gpu=1"], tmp_path)
    assert all(is_reported(tmp_path, name) for name in names)


def test_snakedeploy(sources, tmp_path):
    """What snakedeploy writes of a repository, run with the same module declared as git reads it from the disk.

    snakedeploy 0.17 names a local repository by a path that leads from the new folder to itself, and GitHub's is out of
    reach of a test; to Snakemake both are a Snakefile in git.
    """
    deploy = [Path(sys.executable).with_name("snakedeploy"), "deploy-workflow", sources, tmp_path / "mine"]
    run([*deploy, "--branch", "main", "--name", "slipmap"], tmp_path)
    snakefile = tmp_path / "mine/workflow/Snakefile"
    text = snakefile.read_text()
    assert '"workflow/Snakefile"' in text and "use rule * from slipmap" in text
    assert (tmp_path / "mine/config/config.yaml").read_bytes() == (REPOSITORY / "config/config.yaml").read_bytes()
    snakefile.write_text(text.replace('"workflow/Snakefile"', f'"git+file://{sources}/workflow/Snakefile@main"'))
    (tmp_path / "mine/config/config.yaml").write_text(yaml.safe_dump(valley()))
    # the library that is tested, under the version that the sources have
    note = tmp_path / f"site/slipmap-{version_of(sources)}.dist-info"
    note.mkdir(parents=True)
    (note / "METADATA").write_text(f"Metadata-Version: 2.1\nName: slipmap\nVersion: {version_of(sources)}\n")
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--resources", "gpu=1"]
    run(command, tmp_path / "mine", f"{note.parent}{os.pathsep}{REPOSITORY / 'workflow'}")
    assert is_reported(tmp_path / "mine")


def version_of(sources):
    import tomllib

    return tomllib.loads((sources / "pyproject.toml").read_text())["project"]["version"]
