"""Progress of a run in one line a stage, for `slipmap run` (Snakemake: ``--logger slipmap``).

Snakemake finds logger plugins by the name of their package, so this one cannot live inside `slipmap`.
"""

import signal
import sys
import threading
import time
from collections import Counter, defaultdict
from itertools import takewhile
from logging import ERROR, LogRecord
from pathlib import Path
from types import FrameType

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from slipmap.checkout import CHECKOUT
from slipmap.jobs.failure import sentence
from slipmap.jobs.runs import PROGRESS, STATE
from slipmap.jobs.stages import stage_of_rule

EVERY = 10.0  # seconds between two lines where no terminal shows one line that changes


def duration(seconds: float) -> str:
    """ "40 s", "3 min", "2 h 05 min"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


class LogHandler(LogHandlerBase):
    """Turns Snakemake's events into lines such as ``42 %  deformation: unwrap (31 of 98), about 3 min left``."""

    def __post_init__(self) -> None:
        self._stream = sys.stderr
        self._live = self._stream.isatty()
        self._began = time.monotonic()
        self._shown = 0.0
        self._rules: dict[int, str] = {}
        self._started: dict[int, float] = {}
        self._took: defaultdict[str, list[float]] = defaultdict(list)
        self._expected: Counter[str] = Counter()
        self._finished: Counter[str] = Counter()
        self._stage = self._line = ""
        self._progress = (0, 0)
        self._interrupted = False
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._interrupt)

    @property
    def writes_to_stream(self) -> bool:
        """It writes to stderr."""
        return True

    @property
    def writes_to_file(self) -> bool:
        """It writes to no file."""
        return False

    @property
    def has_filter(self) -> bool:
        """It chooses what to show by itself."""
        return True

    @property
    def has_formatter(self) -> bool:
        """It words what it shows by itself."""
        return True

    @property
    def needs_rulegraph(self) -> bool:
        """It needs no graph."""
        return False

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        """Say in a sentence that Ctrl+C was heard; the jobs that end of it are no failures."""
        if not self._interrupted:
            self._say("interrupted; what was finished stays. Give the same command again to go on.")
        self._interrupted = True
        signal.default_int_handler(number, frame)

    def emit(self, record: LogRecord) -> None:
        """Show one event, where it says something new."""
        if self._interrupted:
            return
        match getattr(record, "event", None):
            case LogEvent.RUN_INFO:
                counts = getattr(record, "stats", {})
                self._expected.update({name: n for name, n in counts.items() if name != "total"})
                self._progress = (0, int(counts.get("total", 0)))
            case LogEvent.JOB_INFO:
                job = int(getattr(record, "jobid", -1))
                self._rules[job] = str(getattr(record, "rule_name", ""))
                self._started[job] = time.monotonic()
                self._show(self._rules[job])
            case LogEvent.JOB_FINISHED:
                job = int(getattr(record, "job_id", -1))
                rule = self._rules.get(job, "")
                self._finished[rule] += 1
                if job in self._started:
                    self._took[rule].append(time.monotonic() - self._started.pop(job))
                self._show(rule)
            case LogEvent.PROGRESS:
                self._progress = (int(getattr(record, "done", 0)), int(getattr(record, "total", 0)))
                if self._progress[0] == self._progress[1]:
                    self._end()
            case LogEvent.JOB_ERROR | LogEvent.GROUP_ERROR:
                self._say(f"failed: {getattr(record, 'rule_name', '')}{_logs(record)}")
            case LogEvent.ERROR:
                if told := sentence(record.getMessage()):
                    self._say(told)
            case None if record.levelno >= ERROR or "Nothing to be done" in record.getMessage():
                self._say(record.getMessage())

    def _show(self, rule: str) -> None:
        stage = stage_of_rule().get(rule)
        if stage is None:
            return
        done, total = self._progress
        of = f"{self._finished[rule]} of {max(self._expected[rule], self._finished[rule])}"
        line = f"{100 * done / total if total else 0:3.0f} %  {stage}: {rule} ({of}){self._left()}"
        now = time.monotonic()
        if STATE.is_dir():
            (STATE / PROGRESS).write_text(f"{line}\n", encoding="utf-8")
        if self._live:
            if stage != self._stage and self._line:
                self._stream.write("\n")
            self._stream.write(f"\r{line:<{len(self._line)}}")
            self._line = line
        elif stage != self._stage or now - self._shown > EVERY:
            self._stream.write(f"{line}\n")
            self._shown = now
        self._stage = stage
        self._stream.flush()

    def _left(self) -> str:
        """The time that is left, once a job of every rule that still has some has ended; before, nobody knows.

        Each job is taken to last as long as the mean of its rule's, as many at once as there were so far.
        """
        left = {rule: n - self._finished[rule] for rule, n in self._expected.items() if n > self._finished[rule]}
        left = {rule: n for rule, n in left.items() if rule in stage_of_rule()}  # a target has no work of its own
        if not left or any(not self._took[rule] for rule in left):
            return ""
        work = sum(n * sum(self._took[rule]) / len(self._took[rule]) for rule, n in left.items())
        passed = max(time.monotonic() - self._began, 1e-3)
        lanes = max(sum(map(sum, self._took.values())) / passed, 1.0)
        return f", about {duration(work / lanes)} left"

    def _end(self) -> None:
        self._say(f"100 %  done in {duration(time.monotonic() - self._began)}")

    def _say(self, text: str) -> None:
        if self._live and self._line:
            self._stream.write("\n")
            self._line = ""
        self._stream.write(f"{text}\n")
        self._stream.flush()


def _logs(record: LogRecord) -> str:
    logs = [str(path) for path in getattr(record, "log", None) or ()]
    return f"; its log is {', '.join(logs)}" if logs else ""


def _require_configs(arguments: list[str]) -> None:
    """End Snakemake with a sentence where a config file is not there; by itself it shows a traceback.

    Snakemake imports its plugins before it opens config files. ``--configfile`` takes every word up to the next
    option, so a target behind it is taken for a config, too.
    """
    if "snakemake" not in Path(arguments[0]).name or not _is_ours(arguments):
        return
    for number, argument in enumerate(arguments):
        if argument not in ("--configfile", "--configfiles"):
            continue
        named = list(takewhile(lambda word: not word.startswith("-"), arguments[number + 1 :]))
        for place, file in enumerate(named):
            if Path(file).is_file() and not (place and file.startswith("results/")):
                continue
            told = f"slipmap: {file} is no config file"
            if place and (file.startswith("results/") or not Path(file).suffix):
                told += f"; if it is a target, give it before --configfile (snakemake {file} --configfile {named[0]})"
            sys.exit(f"{told}." if place else f"{told}: it does not exist; correct the path behind --configfile.")


def _is_ours(arguments: list[str]) -> bool:
    """Whether the run is of slipmap's Snakefile."""
    given = [arguments[n + 1] for n, word in enumerate(arguments[:-1]) if word in ("-s", "--snakefile")]
    snakefile = Path(given[-1] if given else "Snakefile")
    return snakefile.is_file() and snakefile.resolve() == (CHECKOUT / "Snakefile").resolve()


_require_configs(sys.argv)
