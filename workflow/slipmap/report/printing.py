"""Print a report's Summary as PDF with a browser that is installed."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from slipmap.config.layout import Results
from slipmap.errors import InputError
from slipmap.io.atomic import write_aside

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
SECONDS = 180


def browser() -> str | None:
    """A Chromium, Chrome or Edge on the path."""
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def page_of(area: str, root: str | Path = "") -> Path:
    """The report of an area; `InputError` where there is none."""
    page = Path(root) / Results(area).report
    if not page.is_file():
        raise InputError(f"{page} does not exist; run the workflow for {area} first.")
    return page


def run(area: str, root: str | Path = "", out: Path | None = None) -> Path:
    """Print the Summary of an area's report in the run's folder `root`; return the PDF (`out`, or beside the report).

    Raises
    ------
    InputError : there is no report, no browser, or the browser fails.
    """
    page = page_of(area, root)
    program = browser()
    if program is None:
        raise InputError(
            "no Chromium, Chrome or Edge is on the path to write the PDF with; install one (apt-get install chromium), "
            f"or open {page} in any browser and print it."
        )
    out = out or page.with_name("summary.pdf")
    with write_aside(out) as aside, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [program, "--headless", "--disable-gpu", "--no-pdf-header-footer", "--virtual-time-budget=20000"]
        command += ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        command += [f"--user-data-dir={profile}", f"--print-to-pdf={aside.resolve()}", page.resolve().as_uri()]
        try:
            answer = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            raise InputError(f"{program} took more than {SECONDS} s over {page}; print it from a browser.") from None
        if answer.returncode or not aside.is_file():
            last = answer.stderr.strip().splitlines()[-1:] or [f"status {answer.returncode}"]
            raise InputError(f"{program} could not print {page}: {last[0]}")
    return out
