"""What Snakemake says when a run cannot go on, as one sentence."""

import re
from pathlib import Path

_NO_RULE = re.compile(r"No rule to produce (.+?)(?: \(if you use input functions|\.?$)", re.MULTILINE)
_LACKS = re.compile(r"Missing input files for rule .*?output: (.+?)\n.*affected files:\s*(\S+)", re.DOTALL)
_LOGS = Path(".snakemake/log")  # Snakemake's own, in the working directory
_MOST = 600  # characters


def sentence(text: str, folder: str | Path = ".") -> str:
    """One sentence of an error that Snakemake logs; "" of one that a job tells by itself.

    Parameters
    ----------
    text : as Snakemake words it: the error's class, often a place in a file of rules, the message, a traceback.
    folder : working directory of the run, where the log is.
    """
    if "CalledProcessError" in text or "At least one job did not complete" in text:
        return ""
    if found := _NO_RULE.search(text):
        return (
            f"slipmap: {found[1]} is nothing that this config can make; correct --target, or leave it out to make all "
            f"('slipmap check' lists what a run makes)."
        )
    if found := _LACKS.search(text):
        return (
            f"slipmap: {found[1]} needs {found[2]}, which is not there and which this config cannot make; give the "
            f"input that it is made from ('slipmap check' says what is not made and why)."
        )
    lines = [line.strip() for line in text.splitlines() if not re.match(r"Traceback|\s*File \"|\s*[\^~]+$", line)]
    lines = [re.sub(r"^(?:\w+(?:Error|Exception))(?: in .*)?[:.]$", "", line) for line in lines]
    told = " ".join(line for line in lines if line)
    if len(told) > _MOST:
        told = f"… {told[-_MOST:]}"  # the cause stands at the end
    return (
        f"slipmap: the run cannot go on: {(told or text.strip() or 'no reason given').rstrip('.')}{_log(Path(folder))}."
    )


def _log(folder: Path) -> str:
    """Where Snakemake's latest log is."""
    newest = max((folder / _LOGS).glob("*.log"), default=None)  # their names begin with the time
    return f"; all that Snakemake said is in {newest}" if newest else ""
