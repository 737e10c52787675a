"""Records of two factors. Read each time the workflow is planned: what makes them is imported when they are made."""

from slipmap.factors.record import Direction, Factor, Ramp

FACTORS = (
    Factor(
        name="example_northness",
        family="terrain",
        needs=("inputs.dem",),
        units="1",
        long_name="northness: cosine of aspect times sine of slope, positive on slopes that face north",
        compute="slipmap_example.ground:northness",
        reach=1,
        limits=(-1.0, 1.0),
        style=Ramp("RdBu", (-1, 1)),
        direction=Direction("north", "the steepest descent"),
    ),
    Factor(
        name="steeper_than_{degrees}",
        family="terrain",
        needs=(),
        uses=("slope",),
        units="degrees",
        long_name="degrees by which the slope is steeper than {degrees}, 0 where it is not",
        compute="slipmap_example.ground:steeper",
        limits=(0.0, 90.0),
    ),
)
