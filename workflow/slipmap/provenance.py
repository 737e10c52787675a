"""What a result was made from: the digest of the code, so that results are remade when their stage's code changes."""

import hashlib
from functools import cache
from pathlib import Path

LIBRARY = Path(__file__).parent
_SHARED = ("atomic.py", "errors.py", "grid.py", "raster.py")


@cache
def code_digest(*parts: str) -> str:
    """Short SHA-256 of the Python files of the library's `parts` (packages or modules) and of what all stages share.

    Snakemake reruns a job when its script changes but not when a module which that script imports does; a rule that
    carries this digest as a parameter is rerun then, and only then (a fresh checkout changes dates, not contents).
    """
    digest = hashlib.sha256()
    for part in (*_SHARED, *parts):
        root = LIBRARY / part
        for path in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
            digest.update(path.relative_to(LIBRARY).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
