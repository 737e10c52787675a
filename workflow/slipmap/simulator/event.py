"""A simulated storm: new landslides that lose coherence and change backscatter, with rain and harvest beside them."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from slipmap.arrays import Doubles, Flags, Floats, Real
from slipmap.config.inputs import SimulatedEventSettings
from slipmap.errors import InputError
from slipmap.io.grid import Grid
from slipmap.simulator.fields import power_law, stream
from slipmap.simulator.landcover import BADLAND, FIELD, FOREST, GRASS, QUARRY, SCAR
from slipmap.simulator.landslides import Landslide, label, outlines, place_landslides
from slipmap.simulator.terrain import Terrain

UNCHANGED, NEW, HARVESTED, WET = range(4)
CHANGES = {UNCHANGED: "unchanged", NEW: "new landslide", HARVESTED: "harvested field", WET: "wetter by 1 dB in VV"}
# VV of ground soaked by rain, over dry ground, dB
WETTING = {GRASS: 1.5, FIELD: 2.5, SCAR: 2.5, BADLAND: 2.5, QUARRY: 1.5, FOREST: 0.4}
CROSS_WETTING = 0.5  # of that in VH
MEMORY = 10.0  # days over which the ground dries to 1/e (antecedent precipitation index)
SOAKED = 60.0  # mm of that index that soak the ground to 1 - 1/e
ROUGHER = (2.0, 5.0)  # dB by which VV of a new landslide rises or falls (Mondini et al. 2019 see both)
CLEARED = (1.5, 5.0)  # dB by which VH falls where vegetation is gone
BARE = (0.4, 0.9)  # share of a new landslide without vegetation
FARMED = (2.0, 2.5)  # dB, scatter of VV and VH of a field that was worked
BEFORE, AFTER = timedelta(days=6), timedelta(days=9)  # from the event to the Sentinel-2 scenes


@dataclass
class Event:
    """What the storm, the weather and the farmers do to scatterers on each date; a `sentinel1.Disturbance`.

    Parameters
    ----------
    dates : of the images. first : number of the first after the event. slides : new landslides.
    number : (rows, cols), of the new landslide on each pixel, 0 for none.
    change : (2, landslides + 1), dB of VV and VH by number. worked : by image, (parcels,) bool, since the one before.
    farmed : by image, (2, parcels) dB. parcel, field : (rows, cols), number of the parcel; bool.
    wetness : by image, 0-1. soaking : (rows, cols), dB of VV where the wetness is 1.
    """

    settings: SimulatedEventSettings
    dates: list[date]
    first: int
    slides: list[Landslide]
    number: NDArray[np.int32]
    change: Doubles
    worked: Flags
    farmed: Doubles
    parcel: NDArray[np.int32]
    field: Flags
    wetness: Doubles
    soaking: Real

    def renewed(self, k: int) -> Flags:
        """New landslides on the first image after the event, and fields that were worked."""
        return np.asarray((self.field & self.worked[k][self.parcel]) | self.bared(k))

    def bared(self, k: int) -> Flags:
        """New landslides on the first image after the event."""
        return np.asarray((self.number > 0) & (k == self.first))

    def kept(self, k: int) -> Floats:
        """Correlation that a change of moisture leaves, float32: the more the ground takes up, the less."""
        difference = abs(self.wetness[k] - self.wetness[k - 1]) if k else 0.0
        left: Real = np.exp(-difference * self.soaking)
        return left.astype(np.float32)

    def gain(self, k: int, *, cross: bool) -> Floats:
        """Factor of the amplitude, float32."""
        factor: Doubles = 10 ** (self.decibels(k)[int(cross)] / 20)
        return factor.astype(np.float32)

    def decibels(self, k: int) -> Doubles:
        """Change of VV and VH against dry, unworked ground before the event, dB (2, rows, cols)."""
        wet = self.wetness[k] * self.soaking
        found = np.stack([wet, CROSS_WETTING * wet]) + np.where(self.field, self.farmed[k][:, self.parcel], 0)
        return found + self.change[:, self.number] if k >= self.first else found

    def truth(self) -> NDArray[np.uint8]:
        """Class of `CHANGES` of each pixel, uint8."""
        wetter = self.soaking * (self.wetness[self.first] - self.wetness[self.first - 1])
        found = np.where(wetter >= 1, WET, UNCHANGED)
        found[self.field & self.worked[self.first][self.parcel]] = HARVESTED
        found[self.number > 0] = NEW
        return found.astype(np.uint8)

    def bare(self) -> Doubles:
        """Share of bare ground of the new landslides, 0-1 (rows, cols)."""
        return np.array([0.0, *(slide.bare for slide in self.slides)])[self.number]

    def outlines(self, grid: Grid) -> gpd.GeoDataFrame:
        """New landslides with the change of VV and VH, dB, and the share of bare ground."""
        frame = outlines(self.slides, grid)[["slope", "length", "bare", "geometry"]]
        return frame.assign(vv_db=self.change[0, 1:].round(2), vh_db=self.change[1, 1:].round(2))

    def scene_dates(self) -> tuple[date, date]:
        """Of the Sentinel-2 scenes before and after the event."""
        return self.settings.date - BEFORE, self.settings.date + AFTER


def simulate_event(
    seed: int,
    settings: SimulatedEventSettings,
    dates: list[date],
    grid: Grid,
    terrain: Terrain,
    slides: list[Landslide],
    cover: np.ndarray,
    parcel: np.ndarray,
    rain: np.ndarray,
) -> Event:
    """Draw the event of a simulated area.

    Parameters
    ----------
    dates : of the images. slides : older landslides. cover, parcel : (rows, cols). rain : mm of each day from the first
        image on, that of the event not in it.

    Raises
    ------
    InputError : the event is not between two images.
    """
    after = [k for k, day in enumerate(dates) if day > settings.date]
    if not after or after[0] == 0:
        raise InputError(
            f"simulate.event.date: {settings.date} is not between two images ({dates[0]} to {dates[-1]}); move it, or "
            f"simulate more dates."
        )
    rng = stream(seed, "event")
    new = place_landslides(seed, grid, terrain, settings.landslides, 0.0, among=slides)
    new = [replace(slide, bare=float(rng.uniform(*BARE))) for slide in new]
    change = np.zeros((2, len(new) + 1))
    change[0, 1:] = rng.uniform(*ROUGHER, len(new)) * rng.choice([-1, 1], len(new))
    change[1, 1:] = -rng.uniform(*CLEARED, len(new))
    parcels = int(parcel.max()) + 1
    share = np.full(len(dates), settings.worked)
    share[0], share[after[0]] = 0.0, settings.harvest
    worked = rng.random((len(dates), parcels)) < share[:, None]
    drawn = rng.normal(0, 1, (len(dates), 2, parcels)) * np.reshape(FARMED, (1, 2, 1))
    farmed = np.zeros_like(drawn)
    for k in range(1, len(dates)):
        farmed[k] = np.where(worked[k], drawn[k], farmed[k - 1])
    soaking = np.zeros(max(WETTING) + 1)
    soaking[list(WETTING)] = list(WETTING.values())
    patchy = np.clip(1 + 0.5 * power_law(rng, grid.shape, 3.2, outer=80), 0.1, 2.0)
    return Event(
        settings, dates, after[0], new, label(new, grid), change, worked, farmed, parcel, cover == FIELD,
        _wetness(settings, dates, rain), soaking[np.minimum(cover, len(soaking) - 1)] * patchy,
    )  # fmt: skip


def event_rain(settings: SimulatedEventSettings, start: date, days: int) -> np.ndarray:
    """Rain of the event, mm of each day from `start` on: the larger part on its day, the rest on the day before."""
    rain = np.zeros(days)
    day = (settings.date - start).days
    rain[day], rain[max(day - 1, 0)] = 0.7 * settings.rain, 0.3 * settings.rain
    return rain


def _wetness(settings: SimulatedEventSettings, dates: list[date], rain: np.ndarray) -> np.ndarray:
    """Wetness of the ground on each date, 0-1, from the rain of the days before (antecedent precipitation index)."""
    rain = rain + event_rain(settings, dates[0], len(rain))
    days = np.array([(day - dates[0]).days for day in dates])
    age = days[:, None] - np.arange(len(rain))
    index = (np.where(age >= 0, np.exp(-np.maximum(age, 0) / MEMORY), 0) * rain).sum(axis=1)
    return np.asarray(1 - np.exp(-index / SOAKED))
