"""Install each file of a release into an empty environment and plan the demo with it: ``try_release.py dist``."""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


def try_out(package: Path, folder: Path) -> str:
    """What the installed command says of its version, after it planned the demo; raises where one of them fails."""
    environment = folder / "environment"
    venv.create(environment, with_pip=True)
    binaries, work = environment / "bin", folder / "an empty folder"
    work.mkdir()
    pip = [binaries / "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--constraint", REPOSITORY / "constraints.txt", package.resolve()], check=True)
    version = subprocess.run([binaries / "slipmap", "--version"], cwd=work, check=True, capture_output=True, text=True)
    planned = subprocess.run([binaries / "slipmap", "run", "-n"], cwd=work, capture_output=True, text=True, check=False)
    if planned.returncode or "results/demo/report/index.html" not in planned.stdout:
        raise SystemExit(f"{package.name} does not plan the demo:\n{planned.stdout[-3000:]}{planned.stderr[-3000:]}")
    return version.stdout.strip()


def main(folder: Path) -> None:
    """Try the wheel and the source distribution."""
    packages = [*sorted(folder.glob("*.whl")), *sorted(folder.glob("*.tar.gz"))]
    if len(packages) != 2:
        raise SystemExit(
            f"{folder} holds {len(packages)} packages; it should be one wheel and one source distribution."
        )
    for package in packages:
        with tempfile.TemporaryDirectory() as name:
            print(f"{package.name}: {try_out(package, Path(name))}, and it plans the demo")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
