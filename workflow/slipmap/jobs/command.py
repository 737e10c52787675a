"""How Snakemake was called: whether it is to work or only to answer a question, and by which Python."""

import shlex
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# options of Snakemake 9 with which it tells something and makes nothing
_QUESTIONS = (
    *("lint", "report", "list_rules", "list_target_rules", "print_compilation", "dag", "rulegraph", "filegraph"),
    *("d3dag", "summary", "detailed_summary", "list_changes", "list_input_changes", "list_params_changes"),
    *("list_untracked", "list_conda_envs", "unlock"),
)


def only_asks(arguments: Sequence[str]) -> bool:
    """Whether Snakemake, called with `arguments`, makes nothing: another run may be working in the same folder."""
    from snakemake.cli import get_argument_parser  # loaded already where Snakemake runs

    options, _ = get_argument_parser().parse_known_args(list(arguments))
    return any(getattr(options, name, None) for name in _QUESTIONS)


def quote_interpreter() -> None:
    """Let Snakemake start jobs with a Python whose path holds a space or a quote.

    Snakemake 9 puts ``sys.executable`` into shell commands as it stands (snakemake/snakemake#2645).
    """
    if Path(sys.executable).exists():  # not quoted yet
        sys.executable = shlex.quote(sys.executable)


def spare_pandas() -> None:
    """Keep Snakemake from importing pandas, half a second, to ask whether a parameter is a table of it.

    A parameter can be one only where pandas was imported already. Snakemake 9 imports it for each run, each dry run and
    each job of a cluster.
    """
    from snakemake import persistence

    kind = next((one for one in vars(persistence).values() if hasattr(one, "_serialize_param_pandas")), None)
    if kind is None:  # another Snakemake, which asks otherwise
        return
    asks = kind._serialize_param_pandas

    def ask(self: Any, value: Any) -> Any:
        return asks(self, value) if "pandas" in sys.modules else self._serialize_param_builtin(value)

    kind._serialize_param_pandas = ask


def look_once_a_second() -> None:
    """Keep Snakemake from looking for ready jobs more and more often, which takes a third of a core after 200 jobs.

    To start no more jobs a second than its limit, Snakemake 9 plans at every look another one a second later. Each job
    that ends makes it look once more, so it adds one look a second for the rest of the run. Here one look at most is
    planned at a time.
    """
    from snakemake.scheduling.job_scheduler import JobScheduler

    if not hasattr(JobScheduler, "_schedule_reevalutation"):  # another Snakemake, which plans otherwise
        return
    planned: set[int] = set()  # schedulers that will look again

    def plan(self: Any, delay: float) -> None:
        def look() -> None:
            planned.discard(id(self))
            self._open_jobs.release()

        if id(self) not in planned:
            planned.add(id(self))
            timer = threading.Timer(delay, look)
            timer.daemon = True  # a run that has ended does not wait for it
            timer.start()

    JobScheduler._schedule_reevalutation = plan
