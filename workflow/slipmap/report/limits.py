"""What an analyst could wrongly conclude from the maps and scores, said where they are shown."""

from slipmap.patches.store import split_description
from slipmap.report.sources import Sources


def limits(sources: Sources) -> list[str]:
    """Sentences for the section on limits, those that apply to this area."""
    text = []
    if sources.simulated:
        text.append(
            "The data are simulated. A score or an rms of this report is a test of the software, not evidence about "
            "any real slope."
        )
    if sources.settings.note:
        text.append(sources.settings.note)
    if sources.deformation:
        text.append(
            "The radar measures only motion along its line of sight, relative to the reference area. No measured "
            "motion is not stability: slopes that move across the line of sight, faster than the radar can follow "
            "between two dates, or under vegetation that changes, look still or are nodata. Velocities are mean rates "
            "over the dates used; a slope may have moved in a few days of them."
        )
    if sources.mapped:
        text += [
            "The probability says how much a pixel looks like the landslides of the inventory that trained the model. "
            "It is not a probability of failure in some period, and even a calibrated one is not a risk: risk also "
            "needs what is exposed, and how it is damaged.",
            "The uncertainty is the spread over the ensemble's members (seeds, mirrored views, dropout). It shows "
            "where they disagree; where all of them are wrong together it is small, and one member alone has none.",
            "Outlines are pixels above a threshold. Their area, and their number above all, depend on the threshold, "
            "the pixel size and the smallest area kept; neighbouring landslides merge.",
        ]
    if sources.mapped and sources.inventory:
        text.append(
            "'Not in the inventory' does not mean that a landslide is recent: it may be a false alarm, or old and "
            "never mapped. Look at the imagery before calling it new."
        )
    optical = sources.settings.inputs.sentinel2
    if sources.mapped and optical is not None and optical.before:
        text.append(
            "The factors hold images from before and after the event. What changed in between for another reason, "
            "such as harvest, ploughing or felling, can look like a landslide."
        )
    if sources.tested:
        text += _test_ground(sources)
        text.append(
            "An inventory has errors of its own: landslides missed, outlines shifted. A 'false alarm' may be a "
            "landslide that nobody mapped."
        )
        if all(len(e.tests) == 1 for e in sources.tested.values()):
            text.append(
                "Each experiment was trained once: there is no spread over seeds, so a small difference between two "
                "experiments may be chance. Give training.seeds more than one seed to see."
            )
    elif sources.mapped:
        text.append(
            "Without an inventory nothing here says how good the maps are. Check some outlines against imagery or in "
            "the field before acting on any."
        )
    return text


def _test_ground(sources: Sources) -> list[str]:
    """How far test ground is from what was learnt from: by how the area is split, and by who was trained in it."""
    here = [name for name, e in sources.tested.items() if sources.area in e.settings.train_areas]
    away = [name for name in sources.tested if name not in here]
    method = split_description(sources.split)["method"] if sources.split else ""
    text = []
    if here and method == "random":
        text.append(
            "Test patches were drawn at random among training patches and touch them. The test scores are too high "
            "and say little of ground that was not learnt from; use spatial blocks (split.method) to judge a map."
        )
    elif here:
        blocks = " by blocks" if method in ("blocks", "kfold") else ""
        text.append(
            f"Test ground is held out{blocks}, yet it lies in the same area, scenes and inventory as training ground. "
            "Scores elsewhere will as a rule be lower."
        )
    if here:
        whose = f"The maps of {', '.join(here)}" if away else "The maps"
        text.append(
            f"{whose} cover training ground as well. There they agree with the inventory better than they deserve; "
            "judge them by the test ground."
        )
    if away:
        text.append(
            f"{', '.join(away)} learnt nothing in this area. The scores say how well what was learnt elsewhere does "
            "in this one place; another place will give others."
        )
    return text
