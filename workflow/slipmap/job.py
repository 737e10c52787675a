"""What every script of the workflow does around its one call to the library."""

import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from slipmap import runs
from slipmap.errors import SlipmapError


@contextmanager
def job(snakemake: Any) -> Iterator[None]:
    """Run the body as a job of the workflow.

    The job joins its run (it dies when the run's owner does), keeps libraries to the rule's threads, writes its log
    to the rule's log file, and turns an error that a user can mend into one sentence and a non-zero exit. Any other
    error goes to the log with its traceback.

    Import libraries inside the body: what is imported before cannot be held to the rule's threads.
    """
    runs.join()
    # Snakemake puts the scripts' folder first on the path, where "network.py" would hide a module of that name
    sys.path[:] = [entry for entry in sys.path if Path(entry).name != "scripts"]
    for name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
        os.environ[f"{name}_NUM_THREADS"] = str(snakemake.threads)
    os.environ["GDAL_NUM_THREADS"] = str(snakemake.threads)
    os.environ.setdefault("GDAL_CACHEMAX", "256")  # MB; GDAL's own default grows with the machine
    os.environ.setdefault("MPLBACKEND", "Agg")
    path = Path(str(snakemake.log[0]))
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as log:
        logging.basicConfig(stream=log, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
        sys.stdout = log
        try:
            yield
        except SlipmapError as error:
            log.write(f"{error}\n")
            print(f"\nslipmap, {snakemake.rule}: {error}\n", file=sys.stderr)
            raise SystemExit(1) from None
        except Exception as error:
            traceback.print_exc(file=log)
            print(
                f"\nslipmap, {snakemake.rule}: {type(error).__name__}: {str(error).strip().partition(chr(10))[0]}\n"
                f"This is a fault of slipmap, not of your input; the traceback is in {path}.\n",
                file=sys.stderr,
            )
            raise SystemExit(1) from None
        finally:
            sys.stdout = sys.__stdout__
