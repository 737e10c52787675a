"""Finished interferograms of the user's HyP3 jobs."""

import re
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from slipmap.config.acquire import AcquireSentinel1Settings
from slipmap.errors import InputError
from slipmap.factors.scene import scene_date
from slipmap.fetch import local, unpack
from slipmap.fetch.download import RemoteFile
from slipmap.fetch.products import Found, Product, Target
from slipmap.fetch.web import Web, documented, pages

PATTERN = (
    r"S1\w*_(?P<date>\d{8})T\d{6}_\d{8}T\d{6}_[VH]{2}[RP]\d+_INT\d+_G_\w+\.zip|S1_\w+_(IW[123]_)?\d{8}_\d{8}_\w+\.zip"
)
_TYPES = ("INSAR_GAMMA", "INSAR_ISCE_BURST", "INSAR_ISCE_MULTI_BURST")
# what the deformation stage reads of a product; amplitude, browse pictures and the rest are left in the archive
_WANTED = re.compile(r"(_unw_phase|_corr|_conncomp|_dem|_inc_map|_inc_map_ell|_lv_theta|_lv_phi)\.tif$|\.txt$")


def search(where: Target, settings: AcquireSentinel1Settings, web: Web) -> Found:
    """The user's successful interferogram jobs whose two dates lie from start to end.

    Raises
    ------
    InputError : there are none. TransferError : the service cannot be reached, or knows no such user.
    """
    if settings.archive:
        key = f"areas.{where.area}.acquire.sentinel1.archive"
        found = local.search("hyp3", settings.archive, PATTERN, where, key=key)
        return replace(found, products=tuple(p for p in found.products if _last_date(p.name) <= where.end))
    products, left, settled = [], [], True
    parameters = {"name": settings.hyp3_name} if settings.hyp3_name else {}
    with documented(settings.hyp3_service):
        jobs = [
            job
            for page in pages(web, f"{settings.hyp3_service}/jobs", lambda page: page.get("next"), params=parameters)
            for job in page.get("jobs", [])
            if job.get("job_type") in _TYPES
        ]
        for job in jobs:
            given = job.get("job_parameters") or {}
            names = [name for key in ("granules", "reference", "secondary") for name in given.get(key, [])]
            dates = [day for name in names if (day := scene_date(name))]
            if not dates or min(dates) < where.start or max(dates) > where.end:
                continue
            if job.get("status_code") != "SUCCEEDED" or not job.get("files"):
                left.append(f"{job.get('job_id')}: {str(job.get('status_code', 'unknown')).lower()}, left out")
                settled &= job.get("status_code") == "FAILED"
                continue
            files = tuple(RemoteFile(file["filename"], file["url"], file.get("size")) for file in job["files"])
            products.append(
                Product(files[0].name.removesuffix(".zip"), files, min(dates), None, {"job": job["job_id"]})
            )
    if not products:
        raise InputError(
            f"areas.{where.area}.acquire.sentinel1: HyP3 has no finished interferogram of yours"
            f"{' named ' + settings.hyp3_name if settings.hyp3_name else ''} from {where.start} to {where.end}; "
            "order them there "
            f"(or wait until they are done)."
        )
    unique = {product.name: product for product in products}
    kept = tuple(unique[name] for name in sorted(unique))
    return Found("hyp3", settings.hyp3_service, {}, kept, tuple(left), settled)


def _last_date(name: str) -> date:
    return datetime.strptime(max(re.findall(r"_(\d{8})(?=[T_])", name)), "%Y%m%d").date()


def deliver(paths: dict[str, Path], output: str | Path) -> None:
    """Unpack each product once, beside its archive, and link what the deformation stage reads of it."""
    links = []
    for name, archive in sorted(paths.items()):
        folder = archive.parent / "unpacked" / name.removesuffix(".zip")
        if archive.is_symlink() or not _is_writable(archive.parent):
            folder = Path(output).parent / "unpacked" / name.removesuffix(".zip")
        if not folder.is_dir():
            unpack.unpack(archive, folder)
        files = [path for path in sorted(folder.rglob("*")) if path.is_file() and _WANTED.search(path.name)]
        if not any(path.name.endswith("_unw_phase.tif") for path in files):
            raise InputError(
                f"{archive} holds no *_unw_phase.tif; it is no unwrapped interferogram of HyP3: remove it."
            )
        links += [(f"{folder.name}/{path.name}", path) for path in files if "README" not in path.name]
    local.place(links, output)


def _is_writable(folder: Path) -> bool:
    import os

    return os.access(folder, os.W_OK)
