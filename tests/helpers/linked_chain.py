"""From SLC files to velocity with linked phases, by the drivers of each step."""

from pathlib import Path

from slipmap.config.deformation import DeformationSettings, LinkingSettings
from slipmap.config.inputs import Sentinel1Settings
from slipmap.deformation import invert_network, network
from slipmap.deformation.phase_linking import driver, pairs
from slipmap.deformation.phase_linking.ministack import split
from slipmap.deformation.stack import load_network
from slipmap.jobs.job import checked


def settings_of(looks, **options):
    """Linked phases, and nothing that takes long waves out of the series."""
    return DeformationSettings(
        estimator="phase_linking", slc_looks=looks, deramp="none", troposphere="none", phase_linking=options
    )


def velocity_of(slcs, settings, folder):
    """Link, unwrap and invert the SLCs of a folder; the pairs. Maps come to lie in `folder`."""
    folder, options = Path(folder), settings.phase_linking
    csv, stack = folder / "network.csv", folder / "stack.json"
    network.run(Sentinel1Settings(level="slc", path=str(slcs)), settings, csv, folder / "network.png", stack)
    chosen = load_network(csv)
    files = {p.reference: p.files["reference"] for p in chosen} | {p.secondary: p.files["secondary"] for p in chosen}
    own = checked(settings.model_dump(mode="json", include=set(LinkingSettings.model_fields)))  # as a job has them
    folders, made = [], []
    for days in split(list(files), options.ministack):
        folders.append(folder / "linked" / f"{days[0]:%Y%m%d}")
        driver.run({day: files[day] for day in days}, own, folders[-1], earlier=folders[:-1])
    for pair in chosen:
        made.append(folder / "unwrapped" / f"{pair.name}.tif")
        pairs.run(folders, pair, settings, made[-1])
    linked = {"linked_phases": folders, "least_fit": options.min_goodness_of_fit}
    invert_network.run(csv, stack, made, settings, folder, **linked)
    return chosen
