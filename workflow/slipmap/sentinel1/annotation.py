"""The annotation of one swath of an IW SLC product (Sentinel-1 Product Specification, S1-RS-MDA-52-7441)."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from slipmap.arrays import Doubles, Integers, Real
from slipmap.constants import SPEED_OF_LIGHT
from slipmap.errors import InputError
from slipmap.sentinel1.elements import child, text
from slipmap.sentinel1.orbit_numbers import CYCLE, ORBITS, following, relative_orbit
from slipmap.sentinel1.orbits import Orbit, seconds, state_vectors

# Burst cycle: beam cycle time and preamble, s (ESA, Sentinel-1 burst ID map, 2022)
_BEAM_CYCLE, _PREAMBLE = 2.758273, 2.299849
_PERIOD = CYCLE / ORBITS  # s, of one orbit


@dataclass(frozen=True)
class Polynomial:
    """A polynomial in slant range time: value(τ) = Σ cₖ (τ − t0)ᵏ, Hz or Hz/s, valid round azimuth time `time`."""

    time: float
    t0: float
    coefficients: tuple[float, ...]

    @overload
    def __call__(self, slant_range_time: float) -> float: ...
    @overload
    def __call__(self, slant_range_time: Doubles) -> Doubles: ...
    def __call__(self, slant_range_time: Doubles | float) -> Real | float:
        """Value at `slant_range_time` (s)."""
        x = np.asarray(slant_range_time) - self.t0
        value: Real = np.polynomial.polynomial.polyval(x, np.array(self.coefficients))
        return value


@dataclass(frozen=True)
class Burst:
    """One burst: `lines` rows of the measurement from `first_row` on.

    Parameters
    ----------
    swath : "IW1". number : from 0, in its product. track : relative orbit, the next one beyond the ascending node.
    identifier : ESA's number of the burst. Where it is computed it may differ by one between dates of the same ground.
    start : azimuth time of the first line, s. lines, samples : size.
    valid : first line, last line, first sample, last sample (inclusive) of the rectangle in which all pixels are valid.
    """

    swath: str
    number: int
    track: int
    identifier: int
    start: float
    first_row: int
    lines: int
    samples: int
    valid: tuple[int, int, int, int]

    @property
    def empty(self) -> bool:
        """Whether no rectangle of it is valid."""
        return self.valid[1] < self.valid[0] or self.valid[3] < self.valid[2]


@dataclass(frozen=True)
class GeolocationGrid:
    """ESA's own tie points, one array for each quantity: s, s, 1, 1, degrees, degrees, m, degrees."""

    azimuth_time: Doubles
    slant_range_time: Doubles
    line: Doubles
    pixel: Doubles
    latitude: Doubles
    longitude: Doubles
    height: Doubles
    incidence: Doubles


@dataclass(frozen=True)
class Swath:
    """What the annotation of one swath and polarisation tells; SI units, times in s after `epoch`.

    Parameters
    ----------
    steering_rate : rad/s. chirp_rate : of the transmitted pulse, Hz/s. doppler, fm_rates : polynomials, in time order.
    range_bandwidth, azimuth_bandwidth : processed, Hz. range_window, azimuth_window : Hamming coefficients.
    track : relative orbit at the start. bursts : those that hold data, of the `listed` ones that the measurement has.
    bistatic_reference : the τ for which the processor's azimuth times are exact, s; see `bistatic_reference`.
    """

    path: str
    epoch: np.datetime64
    mission: str
    swath: str
    polarisation: str
    pass_direction: str
    track: int
    absolute_orbit: int
    heading: float
    radar_frequency: float
    range_sampling_rate: float
    slant_range_time: float
    azimuth_time_interval: float
    steering_rate: float
    chirp_rate: float
    pulse_repetition_frequency: float
    range_bandwidth: float
    azimuth_bandwidth: float
    range_window: float
    azimuth_window: float
    lines_per_burst: int
    samples_per_burst: int
    start: float
    stop: float
    processor: str
    doppler: tuple[Polynomial, ...]
    fm_rates: tuple[Polynomial, ...]
    bursts: tuple[Burst, ...]
    orbit: Orbit
    grid: GeolocationGrid
    bistatic_reference: float
    listed: int

    @property
    def wavelength(self) -> float:
        """Radar wavelength, m."""
        return SPEED_OF_LIGHT / self.radar_frequency

    @property
    def range_spacing(self) -> float:
        """Slant range from sample to sample, m."""
        return SPEED_OF_LIGHT / (2 * self.range_sampling_rate)

    @property
    def middle_range_time(self) -> float:
        """Slant range time of the middle sample, s."""
        return self.slant_range_time + self.samples_per_burst / (2 * self.range_sampling_rate)


def line_time(line: Doubles, bursts: Sequence[Burst], interval: float) -> Doubles:
    """Azimuth time (s) of rows of a measurement that consists of `bursts`, one after the other."""
    line = np.asarray(line, float)
    size = bursts[0].lines
    number: Integers = np.clip(line // size, 0, len(bursts) - 1).astype(int)
    starts = np.array([burst.start for burst in bursts], float)
    return starts[number] + (line - number * size) * interval


def read_swath(
    source: bytes | str, path: str, epoch: np.datetime64 | None = None, tracks: tuple[int, int] | None = None
) -> Swath | None:
    """Parse one annotation file; None where it lists no burst, or none that holds data.

    Parameters
    ----------
    source : its contents. path : its name, for messages.
    epoch : zero of all times; None: midnight of the day on which the swath begins.
    tracks : relative orbits at the start and at the stop, from the manifest; None: from the absolute orbit number.

    Raises
    ------
    InputError : not the annotation of an IW SLC swath, or an element is missing in it.
    """
    try:
        root = ET.fromstring(source)
    except ET.ParseError as error:
        raise InputError(f"{path}: not XML that can be read ({error}); fetch the product again.") from error
    try:
        _require_iw_slc(root, path)
        timing = child(root, "swathTiming")
        lengths = [
            len(text(burst, key).split())
            for burst in timing.findall("burstList/burst")
            for key in ("firstValidSample", "lastValidSample")
        ]
        if lengths and set(lengths) != {int(text(timing, "linesPerBurst"))}:
            raise ValueError("firstValidSample and lastValidSample do not have linesPerBurst values")
        return _swath(root, path, epoch, tracks) if lengths else None
    except (AttributeError, TypeError, ValueError, IndexError) as error:
        raise InputError(
            f"{path}: not the annotation of an IW SLC product, or something is missing in it ({error}); "
            f"fetch the product again."
        ) from error


def _require_iw_slc(root: ET.Element, path: str) -> None:
    header = child(root, "adsHeader")
    mode, kind = text(header, "mode"), text(header, "productType")
    if (mode, kind) != ("IW", "SLC"):
        raise InputError(f"{path}: a product of mode {mode} and type {kind}; give IW SLC products.")


def _swath(root: ET.Element, path: str, epoch: np.datetime64 | None, tracks: tuple[int, int] | None) -> Swath | None:
    header, general = child(root, "adsHeader"), child(root, "generalAnnotation")
    if epoch is None:
        epoch = np.datetime64(text(header, "startTime")[:10]).astype("M8[ns]")
    image = child(root, "imageAnnotation/imageInformation")
    processing = child(root, "imageAnnotation/processingInformation")
    orbit_number = int(text(header, "absoluteOrbitNumber"))
    mission = text(header, "missionId")
    orbit = state_vectors(
        [
            [
                seconds(text(vector, "time"), epoch),
                *(float(text(vector, f"{part}/{axis}")) for part in ("position", "velocity") for axis in "xyz"),
            ]
            for vector in general.findall("orbitList/orbit")
        ],
        f"the orbit in {path}",
    )
    start, stop = (seconds(text(image, f"product{end}LineUtcTime"), epoch) for end in ("First", "Last"))
    tracks = tracks or _tracks(mission, orbit_number, orbit, (start, stop), path)
    timing = child(root, "swathTiming")
    interval = float(text(image, "azimuthTimeInterval"))
    listed = _bursts(timing, text(header, "swath"), epoch, tracks, interval, orbit)
    bursts = tuple(burst for burst in listed if not burst.empty)
    if not bursts:
        return None
    grid = _geolocation(root, epoch)
    return Swath(
        path=path,
        epoch=epoch,
        mission=mission,
        swath=text(header, "swath"),
        polarisation=text(header, "polarisation"),
        pass_direction=text(general, "productInformation/pass").upper(),
        track=tracks[0],
        absolute_orbit=orbit_number,
        **_radar(general, processing),
        slant_range_time=float(text(image, "slantRangeTime")),
        azimuth_time_interval=interval,
        lines_per_burst=int(text(timing, "linesPerBurst")),
        samples_per_burst=int(text(timing, "samplesPerBurst")),
        start=start,
        stop=stop,
        processor=processing.findtext("applicationLutId") or "",
        doppler=_doppler(root, epoch, processing.findtext("dcMethod") or ""),
        fm_rates=_fm_rates(general, epoch),
        bursts=bursts,
        orbit=orbit,
        grid=grid,
        bistatic_reference=bistatic_reference(grid, listed, interval, path),
        listed=len(listed),
    )


def _radar(general: ET.Element, processing: ET.Element) -> dict[str, float]:
    """Heading, frequencies, rates, bandwidths and windows, by the names that `Swath` has for them."""
    product = child(general, "productInformation")
    downlink = child(general, "downlinkInformationList/downlinkInformation")
    parameters = child(processing, "swathProcParamsList/swathProcParams")
    return {
        "heading": float(text(product, "platformHeading")),
        "radar_frequency": float(text(product, "radarFrequency")),
        "range_sampling_rate": float(text(product, "rangeSamplingRate")),
        "steering_rate": float(np.radians(float(text(product, "azimuthSteeringRate")))),
        "chirp_rate": float(text(downlink, "downlinkValues/txPulseRampRate")),
        "pulse_repetition_frequency": float(text(downlink, "prf")),
        "range_bandwidth": float(text(parameters, "rangeProcessing/processingBandwidth")),
        "azimuth_bandwidth": float(text(parameters, "azimuthProcessing/processingBandwidth")),
        "range_window": float(text(parameters, "rangeProcessing/windowCoefficient")),
        "azimuth_window": float(text(parameters, "azimuthProcessing/windowCoefficient")),
    }


def _numbers(element: ET.Element) -> tuple[float, ...]:
    return tuple(float(value) for value in (element.text or "").split())


def _doppler(root: ET.Element, epoch: np.datetime64, method: str) -> tuple[Polynomial, ...]:
    """The Doppler centroid that the processor used: estimated from the data, or from the geometry."""
    used = "dataDcPolynomial" if "data" in method.lower() else "geometryDcPolynomial"
    return tuple(
        Polynomial(seconds(text(e, "azimuthTime"), epoch), float(text(e, "t0")), _numbers(child(e, used)))
        for e in root.findall("dopplerCentroid/dcEstimateList/dcEstimate")
    )


def _fm_rates(general: ET.Element, epoch: np.datetime64) -> tuple[Polynomial, ...]:
    found = []
    for element in general.findall("azimuthFmRateList/azimuthFmRate"):
        listed = element.find("azimuthFmRatePolynomial")  # c0, c1, c2 before IPF 2.43 (2015)
        coefficients = (
            _numbers(listed) if listed is not None else tuple(float(text(element, c)) for c in ("c0", "c1", "c2"))
        )
        found.append(Polynomial(seconds(text(element, "azimuthTime"), epoch), float(text(element, "t0")), coefficients))
    return tuple(found)


def _tracks(mission: str, absolute: int, orbit: Orbit, span: tuple[float, float], path: str) -> tuple[int, int]:
    """Relative orbits at the start and at the stop of a swath whose absolute orbit, at its start, is known."""
    track = relative_orbit(mission, absolute)
    if track is None:
        raise InputError(
            f"{path}: the relative orbit of absolute orbit {absolute} of {mission} is not known and there is no "
            f"manifest.safe that says it; give the whole product."
        )
    south, north = (np.interp(time, orbit.times, orbit.positions[:, 2]) for time in span)
    return track, following(track) if south < 0 <= north else track


def _bursts(
    timing: ET.Element,
    swath: str,
    epoch: np.datetime64,
    tracks: tuple[int, int],
    interval: float,
    orbit: Orbit,
) -> tuple[Burst, ...]:
    lines, samples = int(text(timing, "linesPerBurst")), int(text(timing, "samplesPerBurst"))
    bursts = []
    for number, element in enumerate(timing.findall("burstList/burst")):
        given = element.findtext("burstId")
        start = seconds(text(element, "azimuthTime"), epoch)
        after_node = float(text(element, "azimuthAnxTime")) + lines / 2 * interval
        if tracks[0] == tracks[1]:
            after_node %= _PERIOD  # some products count on from the node before the last
        identifier = int(given) if given else burst_identifier(after_node, tracks[0])
        beyond = np.interp(start + lines / 2 * interval, orbit.times, orbit.positions[:, 2]) >= 0
        valid = _valid(element)
        bursts.append(
            Burst(swath, number, tracks[int(beyond)], identifier, start, number * lines, lines, samples, valid)
        )
    return tuple(bursts)


def _valid(burst: ET.Element) -> tuple[int, int, int, int]:
    """First and last valid line, first and last valid sample; last before first where no line holds data."""
    first, last = (np.array(text(burst, key).split(), int) for key in ("firstValidSample", "lastValidSample"))
    good = np.flatnonzero((first >= 0) & (last >= first))
    if not len(good):
        return 0, -1, 0, -1
    return int(good[0]), int(good[-1]), int(first[good].max()), int(last[good].min())


def burst_identifier(time_after_node: float, track: int) -> int:
    """ESA's number of a burst on its track (1 …): 1 + ⌊(t + (track − 1) T_orbit − T_preamble) / T_beam⌋.

    Parameters
    ----------
    time_after_node : azimuth time of the burst's middle after the ascending node, s. track : relative orbit number.
    """
    return 1 + int((time_after_node + (track - 1) * _PERIOD - _PREAMBLE) // _BEAM_CYCLE)


def track_of_burst(identifier: int) -> int | None:
    """Track of a burst from ESA's number of it, which goes on from track to track; None next to the ascending node.

    Numbers there differ by one between processors, so that they do not tell on which side of the node a burst lies.
    """
    turns = ((identifier - 1) * _BEAM_CYCLE + _PREAMBLE) / _PERIOD
    if min(turns % 1, 1 - turns % 1) < 2 * _BEAM_CYCLE / _PERIOD:
        return None
    return int(turns) % ORBITS + 1


def _geolocation(root: ET.Element, epoch: np.datetime64) -> GeolocationGrid:
    points = root.findall("geolocationGrid/geolocationGridPointList/geolocationGridPoint")
    keys = ("slantRangeTime", "line", "pixel", "latitude", "longitude", "height", "incidenceAngle")
    times = np.array([seconds(text(point, "azimuthTime"), epoch) for point in points])
    return GeolocationGrid(times, *(np.array([float(text(point, key)) for point in points]) for key in keys))


def bistatic_reference(grid: GeolocationGrid, bursts: Sequence[Burst], interval: float, path: str) -> float:
    """Slant range time (s) at which the processor's azimuth times are exact.

    The IPF shifts whole lines by half the slant range time of one reference range, while each range asks for half of
    its own (start-stop approximation; Gisinger et al. 2021, IEEE TGRS 59, eq. 5). ESA's geolocation grid holds both
    times: t_grid − t_line = (τ − τ_ref) / 2, from which τ_ref is taken.

    Only tie points within half a line of where their line number puts them count: IPF 2.36 spaces them evenly in time,
    and where bursts were cut out, their last row is the first of a burst that is gone. If none does, as where the
    numbers are those of the whole scene, t_line is the nearest line of the burst that is imaged at that time.

    Raises
    ------
    InputError : there are no tie points, or they contradict each other by more than a tenth of a line.
    """
    late = grid.azimuth_time - line_time(grid.line, bursts, interval)
    fits = np.abs(late) < interval / 2
    if not fits.any():
        starts = np.array([burst.start for burst in bursts])
        own = np.clip(np.searchsorted(starts, grid.azimuth_time + interval / 2, side="right") - 1, 0, None)
        late = grid.azimuth_time - starts[own]
        late -= np.round(late / interval) * interval
        fits = np.ones(len(late), bool)
    found = grid.slant_range_time[fits] - 2 * late[fits]
    if not len(found) or np.subtract(*np.percentile(found, [75, 25])) > 0.2 * interval:
        raise InputError(
            f"{path}: its geolocation grid does not fit its bursts, so that the azimuth times cannot be corrected; "
            f"give the whole product."
        )
    return float(np.median(found))
