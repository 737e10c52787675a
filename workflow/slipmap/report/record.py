"""Where a result comes from: checksums of the inputs, run times and memory of the jobs, versions of the software."""

import hashlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pandas as pd

PACKAGES = (
    "slipmap", "snakemake", "numpy", "scipy", "rasterio", "geopandas", "whitebox-workflows", "whirlwind-insar",
    "xarray", "scikit-learn", "torch", "lightning",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Installed versions of what the results depend on most."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def checksum(path: str | Path, limit_megabytes: float) -> dict[str, object]:
    """Size and SHA-256 of a file, or of a folder (over its files' relative names and digests, sorted).

    Above `limit_megabytes` in all the digest is left out: it would take longer than the work it vouches for.
    """
    path = Path(path)
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    size = sum(file.stat().st_size for file in files)
    digest = ""
    if size <= limit_megabytes * 1e6:
        if path.is_dir():
            whole = hashlib.sha256()
            for file in files:
                whole.update(f"{file.relative_to(path).as_posix()}\0{_sha256(file)}\n".encode())
            digest = whole.hexdigest()
        else:
            digest = _sha256(path)
    return {"path": path.as_posix(), "files": len(files), "bytes": size, "sha256": digest}


def _sha256(path: Path) -> str:
    with open(path, "rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def benchmarks(folder: str | Path) -> pd.DataFrame:
    """Wall time (s), CPU time (s) and peak memory (MB) of each job, from Snakemake's benchmark files.

    Jobs of one rule over many pairs (subfolders) are one row: their number, the sum of their times, the highest
    memory.
    """
    rows = []
    root = Path(folder)
    for path in sorted(root.rglob("*.tsv")):
        table = pd.read_csv(path, sep="\t", na_values=["-", "NA"])
        if not len(table):
            continue
        last = table.iloc[-1]
        group = path.relative_to(root).parts
        rows.append(
            {
                "job": group[0] if len(group) > 1 else path.stem,
                "jobs": 1,
                "seconds": float(last["s"]),
                "cpu_seconds": float(last["cpu_time"]) if "cpu_time" in last else float("nan"),
                "max_rss_mb": float(last["max_rss"]),
            }
        )
    if not rows:
        return pd.DataFrame(columns=["job", "jobs", "seconds", "cpu_seconds", "max_rss_mb"])
    sums = {"jobs": "sum", "seconds": "sum", "cpu_seconds": "sum", "max_rss_mb": "max"}
    return pd.DataFrame(rows).groupby("job", sort=True).agg(sums).reset_index()
