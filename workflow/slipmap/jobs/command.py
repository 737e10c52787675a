"""How Snakemake was called: whether it is to work or only to answer a question, and by which Python."""

import shlex
import sys
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
