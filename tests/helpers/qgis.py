"""QGIS's own loader, where Debian's python3-qgis is installed."""

import subprocess
import sys
from pathlib import Path

import pytest

PYTHON_QGIS = Path("/usr/bin/python3")


def _found() -> bool:
    asked = [PYTHON_QGIS, "-c", "import qgis.core"]
    return PYTHON_QGIS.exists() and subprocess.run(asked, capture_output=True, check=False).returncode == 0


needs_qgis = pytest.mark.skipif(
    sys.platform != "linux" or not _found(), reason="QGIS is not installed (apt-get install python3-qgis)"
)
