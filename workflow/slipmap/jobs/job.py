"""What every script of the workflow does around its one call to the library."""

import contextlib
import logging
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from slipmap.errors import SlipmapError
from slipmap.jobs import disk, runs
from slipmap.memory import keep_arrays


def checked(settings: Mapping[str, Any]) -> Any:
    """Settings as a rule gives them, by attribute (a section too): Snakemake has checked them, and its job need not.

    For jobs of which a run has hundreds: to import pydantic and build the models takes a third of their start.
    """
    return SimpleNamespace(**{k: checked(v) if isinstance(v, Mapping) else v for k, v in settings.items()})


@contextlib.contextmanager
def job(snakemake: Any) -> Iterator[None]:
    """Run the body as a job of the workflow.

    The job joins its run (it dies when the run's owner does), keeps libraries to the rule's threads and scratch files
    to the rule's tmpdir, writes its log to the rule's log file, and turns an error that a user can correct, a full disk
    among them, into one sentence and a non-zero exit. Any other error goes to the log with its traceback.

    Import libraries inside the body: what is imported before cannot be held to the rule's threads.
    """
    runs.join()
    keep_arrays()
    # Snakemake puts the scripts' folder first on the path, where "network.py" would hide a module of that name
    sys.path[:] = [entry for entry in sys.path if Path(entry).name != "scripts"]
    for name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
        os.environ[f"{name}_NUM_THREADS"] = str(snakemake.threads)
    os.environ["GDAL_NUM_THREADS"] = str(snakemake.threads)
    os.environ.setdefault("GDAL_CACHEMAX", "256")  # MB; GDAL's own default grows with the machine
    os.environ.setdefault("MPLBACKEND", "Agg")
    os.environ["TMPDIR"] = str(snakemake.resources.get("tmpdir") or tempfile.gettempdir())  # a node's own scratch
    tempfile.tempdir = None  # so that Python looks at TMPDIR again
    path = Path(str(snakemake.log[0]))
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as log:
        logging.raiseExceptions = False  # of a log that cannot be written; the job's own error is told below
        logging.basicConfig(stream=log, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
        sys.stdout = log
        try:
            yield
        except SlipmapError as error:
            log.write(f"{error}\n")
            print(f"\nslipmap, {snakemake.rule}: {error}\n", file=sys.stderr)
            raise SystemExit(1) from None
        except KeyboardInterrupt:  # the terminal sends Ctrl+C to every job too
            log.write("interrupted\n")
            raise SystemExit(130) from None
        except Exception as error:
            what = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
            advice = disk.trouble(error, [*snakemake.output, path, os.environ["TMPDIR"]]) or (
                f"This is a fault of slipmap, not of your input; the traceback is in {path}."
            )
            with contextlib.suppress(OSError):  # the disk may be full
                traceback.print_exc(file=log)
            print(f"\nslipmap, {snakemake.rule}: {what}\n{advice}\n", file=sys.stderr)
            raise SystemExit(1) from None
        finally:
            sys.stdout = sys.__stdout__
