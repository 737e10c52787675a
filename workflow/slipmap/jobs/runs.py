"""One run at a time in a folder, and no orphans: what makes ``kill -9`` harmless.

The main Snakemake process holds an exclusive lock on ``.snakemake/slipmap/run.lock`` for as long as it lives; the
kernel drops the lock when the process dies, however it dies. Each job holds a shared lock on ``jobs.lock`` and
watches the process that started it. A new run therefore knows three things for certain: whether another run is
alive, whether a lock that Snakemake left behind is stale, and when the last orphaned job is gone.

Jobs on other nodes of a cluster cannot watch a process; for them each run has a token, written to ``run.json`` and
inherited through the environment, and a job whose token is no longer the current one cannot rename into results.
"""

import base64
import fcntl
import json
import os
import shutil
import signal
import socket
import sys
import threading
import time
import uuid
from pathlib import Path

from slipmap.errors import InputError, SupersededError
from slipmap.jobs import disk

TOKEN = "SLIPMAP_RUN_TOKEN"
OWNER = "SLIPMAP_RUN_OWNER"
FOLDER = "SLIPMAP_RUN_FOLDER"
STATE = Path(".snakemake/slipmap")  # of a run, in its working directory
PROGRESS = "progress.txt"  # the line that `slipmap run` shows, for `slipmap status`
_held: list[int] = []  # file descriptors whose locks this process keeps until it ends
_claimed: set[Path] = set()  # folders whose runs this process owns


def claim(folder: str | Path, wait_s: float = 20.0) -> bool:
    """Make this process the owner of the runs in `folder`; clear what a dead owner left.

    Parameters
    ----------
    folder : the working directory of the workflow (the one that holds ``.snakemake``).
    wait_s : how long to wait for orphaned jobs of a dead run to end (they watch their owner and end by themselves).

    Returns
    -------
    bool : whether the run before this one in `folder` ended without releasing Snakemake's lock (it was killed).

    Raises
    ------
    InputError : another run is alive in `folder`, its orphans do not end, or results cannot be written there.
    """
    if Path(folder).resolve() in _claimed:  # the workflow stands twice in another, as two modules
        return False
    for place in (folder, Path(folder) / "results", Path(folder) / "resources"):
        disk.require_writable(Path(place))
    state = Path(folder) / STATE
    state.mkdir(parents=True, exist_ok=True)
    record = state / "run.json"
    fd = os.open(state / "run.lock", os.O_RDWR | os.O_CREAT, 0o666)
    if not _try_lock(fd, fcntl.LOCK_EX, 1.0):
        owner = json.loads(record.read_text()) if record.exists() else {}
        raise InputError(
            f"Another slipmap run (process {owner.get('pid', 'unknown')} on {owner.get('host', 'this machine')}) is "
            f"working in {Path(folder).resolve()}; wait until it ends or stop it first."
        )
    _held.append(fd)
    _claimed.add(Path(folder).resolve())
    jobs = os.open(state / "jobs.lock", os.O_RDWR | os.O_CREAT, 0o666)
    if not _try_lock(jobs, fcntl.LOCK_EX, wait_s):
        raise InputError(
            f"Jobs of an earlier run are still alive in {Path(folder).resolve()}; wait until they end or kill them."
        )
    os.close(jobs)
    killed = _clear(Path(folder))
    token = uuid.uuid4().hex
    (state / PROGRESS).unlink(missing_ok=True)
    record.write_text(json.dumps({"token": token, "pid": os.getpid(), "host": socket.gethostname()}))
    os.environ[TOKEN] = token
    os.environ[OWNER] = json.dumps([socket.gethostname(), os.getpid(), _start_time(os.getpid())])
    os.environ[FOLDER] = str(state.resolve())
    return killed


def _clear(folder: Path) -> bool:
    """Remove the locks of a dead run and the outputs that its jobs had not finished; whether there were any."""
    locks = list((folder / ".snakemake" / "locks").glob("*.lock"))
    incomplete = folder / ".snakemake" / "incomplete"
    markers = [path for path in incomplete.rglob("*") if path.is_file() and path.name != "migration_underway"]
    for marker in markers:  # Snakemake names a marker by the output's path in base 64, in pieces if it is long
        pieces = [piece.removeprefix("@") for piece in marker.relative_to(incomplete).parts]
        remove(folder / base64.urlsafe_b64decode("".join(pieces)).decode())
        marker.unlink()
    for lock in locks:
        lock.unlink(missing_ok=True)
    for top in ("results", "resources"):
        _remove_asides(folder / top)
    return bool(locks or markers)


def _remove_asides(folder: Path) -> None:
    """Remove what killed jobs were writing aside (`atomic.write_aside`); no job is alive when this is called."""
    for place, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            if name.startswith(".") and ".partial" in name:
                remove(Path(place) / name)
        folders[:] = [name for name in folders if not name.endswith(".zarr") and ".partial" not in name]


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there. An error under way learns whether the disk was full before."""
    disk.note_full(sys.exception(), path)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def join() -> None:
    """Make this process a job of the run that started it: hold the jobs' lock and die with the run's owner.

    Does nothing outside a run (a library call, a test), and nothing twice.
    """
    folder = os.environ.get(FOLDER)
    if not folder or _held or not Path(folder).is_dir():
        return
    require_current()
    host, pid, started = json.loads(os.environ[OWNER])
    if host != socket.gethostname():
        return  # another node: the token alone guards the results
    fd = os.open(Path(folder) / "jobs.lock", os.O_RDWR)
    fcntl.flock(fd, fcntl.LOCK_SH)
    _held.append(fd)
    threading.Thread(target=_watch, args=(pid, started), daemon=True, name="slipmap-owner-watch").start()


def require_current() -> None:
    """Raise `SupersededError` if this process is a job of a run that is no longer the current one."""
    token, folder = os.environ.get(TOKEN), os.environ.get(FOLDER)
    if not token or not folder:
        return
    try:
        current = json.loads((Path(folder) / "run.json").read_text())["token"]
    except (OSError, ValueError, KeyError):
        return
    if current != token:
        raise SupersededError("This job belongs to a run that has ended; its result was thrown away.")


def _watch(pid: int, started: str, period_s: float = 0.25) -> None:
    while _start_time(pid) == started:
        time.sleep(period_s)
    os.kill(os.getpid(), signal.SIGKILL)  # at once: a tidy exit would delete the next run's files


def _start_time(pid: int) -> str:
    """Start time of process `pid` in clock ticks since boot; "" if there is none, or only a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "" if _is_dead(pid) else "alive"
    return "" if fields[0] in "ZX" else fields[19]


def _is_dead(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _try_lock(fd: int, kind: int, wait_s: float) -> bool:
    end = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(fd, kind | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(0.1)
