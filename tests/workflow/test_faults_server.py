"""Faults of a service under the workflow (`make test-faults`): a clear sentence, then the same file.

The download engine's own tests are in test_acquisition_download.py; here a user gives the same command twice.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml

from fetch.test_ground import serve_dem
from helpers import fault_table
from helpers.fetch_server import PAGE, Answer, service
from helpers.fetch_services import dem_tile
from helpers.workflow_runs import snakemake

pytestmark = pytest.mark.faults

TILE = dem_tile(38, -110)
DEM = "resources/moab/dem.tif"
STALL_S = 1.0
REST = "nothing; the second run asked only for the rest of the file"


@dataclass(frozen=True)
class Fault:
    """What becomes of the n-th answer; what the message says of it; what the next run does."""

    name: str
    spoil: Callable[[Answer, int], Answer]
    said: str
    lost: str


def third(answer: Answer, n: int) -> int:
    """Of the first answer a third comes, of the others nothing."""
    return 0 if n else len(answer.body) // 3


FAULTS = [
    Fault(
        "A server resets the connection", lambda a, n: replace(a, cut=third(a, n)), "that was received is kept", REST
    ),
    Fault(
        "A server stalls",
        lambda a, n: replace(a, cut=third(a, n), hang=3 * STALL_S),
        "stalls",
        REST,
    ),
    Fault(
        "A server sends a web page for data",
        lambda a, n: Answer(PAGE, headers={"Content-Type": "text/html"}),
        "is a web page, not data",
        "nothing; the page was thrown away",
    ),
    Fault(
        "A server sends half a file",
        lambda a, n: replace(a, body=a.body[: len(a.body) // 2]),
        "were announced",
        "nothing; the half was not taken for the file",
    ),
]


def write_area(folder: Path, url: str) -> None:
    """A config whose elevation comes from the bucket at `url`."""
    area = {
        "grid": {"crs": "EPSG:32612", "bounds": [600_000, 4_270_000, 602_400, 4_272_400]},
        "acquire": {
            "start": "2023-01-01",
            "end": "2023-01-10",
            "tries": 2,
            "stall": STALL_S,
            "dem": {"service": url, "margin": 500.0},
        },
        "factors": {"include": ["slope"]},
    }
    (folder / "run.yaml").write_text(yaml.safe_dump({"areas": {"moab": area}}))


def digest(folder: Path) -> str:
    return hashlib.sha256((folder / DEM).read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("undisturbed")
    with service() as bucket:
        serve_dem(bucket, {(38, -110): TILE})
        write_area(folder, bucket.url)
        answer = snakemake(folder, DEM)
    assert answer.returncode == 0, answer.stdout[-3000:]
    return digest(folder)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_server(tmp_path, undisturbed, fault):
    with service() as bucket:
        serve_dem(bucket, {(38, -110): TILE})
        write_area(tmp_path, bucket.url)
        whole = bucket.routes[-1][1]
        spoilt: list[str] = []

        def answer(asked):
            if asked.method == "HEAD":
                return whole(asked)
            spoilt.append(asked.path)
            return fault.spoil(whole(asked), len(spoilt) - 1)

        bucket.route(r"/.*\.tif", answer)
        failed = snakemake(tmp_path, DEM)
        assert failed.returncode != 0 and spoilt
        assert "Traceback" not in failed.stdout and not (tmp_path / DEM).exists()
        seen = fault_table.sentence(failed.stdout)
        assert fault.said in seen

        bucket.routes.pop(0)
        again = snakemake(tmp_path, DEM)
        assert again.returncode == 0, again.stdout[-3000:]
        asked = [request for request in bucket.asked if request.method == "GET" and request.path.endswith(".tif")][-1]
        assert ("Range" in asked.headers) == (fault.lost == REST)
    assert digest(tmp_path) == undisturbed
    fault_table.record(fault.name, seen, fault.lost)
