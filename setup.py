"""Puts the workflow's own files into the wheel, where `slipmap run` finds them (slipmap/checkout.py)."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
FILES = (
    "Snakefile",
    "config",
    "envs",
    "workflow/rules",
    "workflow/scripts",
    "workflow/profiles",
    "workflow/report",
    "workflow/schemas",
)


class BuildWithWorkflow(build_py):
    """As setuptools builds, and the workflow's files beside the library."""

    def run(self) -> None:
        """Build, then copy; an editable installation uses the checkout itself."""
        super().run()
        if self.editable_mode:
            return
        for name in FILES:
            source, target = ROOT / name, Path(self.build_lib) / "slipmap" / "workflow_files" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, target)


setup(cmdclass={"build_py": BuildWithWorkflow})
