"""The annotation of one swath of an IW SLC product (Sentinel-1 Product Specification, S1-RS-MDA-52-7441)."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from slipmap.constants import SPEED_OF_LIGHT
from slipmap.errors import InputError
from slipmap.sentinel1.orbit_numbers import CYCLE, ORBITS, relative_orbit
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

    def __call__(self, slant_range_time: np.ndarray | float) -> np.ndarray | float:
        """Value at `slant_range_time` (s)."""
        return np.polynomial.polynomial.polyval(np.asarray(slant_range_time) - self.t0, self.coefficients)


@dataclass(frozen=True)
class Burst:
    """One burst: `lines` rows of the measurement from `first_row` on.

    Parameters
    ----------
    swath : "IW1". number : from 0, in its product. identifier : of the burst on its track, the same on all dates.
    start : azimuth time of the first line, s. lines, samples : size.
    valid : first line, last line, first sample, last sample (inclusive) of the rectangle in which all pixels are valid.
    """

    swath: str
    number: int
    identifier: int
    start: float
    first_row: int
    lines: int
    samples: int
    valid: tuple[int, int, int, int]


@dataclass(frozen=True)
class GeolocationGrid:
    """ESA's own tie points, one array for each quantity: s, s, 1, 1, degrees, degrees, m, degrees."""

    azimuth_time: np.ndarray
    slant_range_time: np.ndarray
    line: np.ndarray
    pixel: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    height: np.ndarray
    incidence: np.ndarray


@dataclass(frozen=True)
class Swath:
    """What the annotation of one swath and polarisation tells; SI units, times in s after `epoch`.

    Parameters
    ----------
    steering_rate : rad/s. chirp_rate : of the transmitted pulse, Hz/s. doppler, fm_rates : polynomials, in time order.
    range_bandwidth, azimuth_bandwidth : processed, Hz. range_window, azimuth_window : Hamming coefficients.
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


def line_time(line: np.ndarray, bursts: Sequence[Burst], interval: float) -> np.ndarray:
    """Azimuth time (s) of rows of a measurement that consists of `bursts`, one after the other."""
    line = np.asarray(line, float)
    size = bursts[0].lines
    number = np.clip(line // size, 0, len(bursts) - 1).astype(int)
    return np.array([burst.start for burst in bursts])[number] + (line - number * size) * interval


def read_swath(text: bytes | str, path: str, epoch: np.datetime64 | None = None, track: int | None = None) -> Swath:
    """Parse one annotation file.

    Parameters
    ----------
    text : its contents. path : its name, for messages.
    epoch : zero of all times; None: midnight of the day on which the swath begins.
    track : relative orbit number from the manifest; None: from the absolute orbit number.

    Raises
    ------
    InputError : not the annotation of an IW SLC swath, or an element is missing in it.
    """
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        raise InputError(f"{path}: not XML that can be read ({error}); fetch the product again.") from error
    try:
        return _swath(root, path, epoch, track)
    except (AttributeError, TypeError, ValueError, IndexError) as error:
        raise InputError(
            f"{path}: not the annotation of an IW SLC product, or something is missing in it ({error}); "
            f"fetch the product again."
        ) from error


def _swath(root: ET.Element, path: str, epoch: np.datetime64 | None, track: int | None) -> Swath:
    header, general = root.find("adsHeader"), root.find("generalAnnotation")
    mode, kind = header.findtext("mode"), header.findtext("productType")
    if (mode, kind) != ("IW", "SLC"):
        raise InputError(f"{path}: a product of mode {mode} and type {kind}; give IW SLC products.")
    if epoch is None:
        epoch = np.datetime64(header.findtext("startTime")[:10]).astype("M8[ns]")
    image = root.find("imageAnnotation/imageInformation")
    processing = root.find("imageAnnotation/processingInformation")
    parameters = processing.find("swathProcParamsList/swathProcParams")
    product = general.find("productInformation")
    downlink = general.find("downlinkInformationList/downlinkInformation")
    orbit_number = int(header.findtext("absoluteOrbitNumber"))
    mission = header.findtext("missionId")
    if track is None:
        track = relative_orbit(mission, orbit_number)
    if track is None:
        raise InputError(
            f"{path}: the relative orbit of absolute orbit {orbit_number} of {mission} is not known and there is no "
            f"manifest.safe that says it; give the whole product."
        )
    timing = root.find("swathTiming")
    interval = float(image.findtext("azimuthTimeInterval"))
    bursts = _bursts(timing, header.findtext("swath"), epoch, track, interval)
    grid = _geolocation(root, epoch)
    return Swath(
        path=path,
        epoch=epoch,
        mission=mission,
        swath=header.findtext("swath"),
        polarisation=header.findtext("polarisation"),
        pass_direction=product.findtext("pass").upper(),
        track=track,
        absolute_orbit=orbit_number,
        heading=float(product.findtext("platformHeading")),
        radar_frequency=float(product.findtext("radarFrequency")),
        range_sampling_rate=float(product.findtext("rangeSamplingRate")),
        slant_range_time=float(image.findtext("slantRangeTime")),
        azimuth_time_interval=interval,
        steering_rate=float(np.radians(float(product.findtext("azimuthSteeringRate")))),
        chirp_rate=float(downlink.findtext("downlinkValues/txPulseRampRate")),
        pulse_repetition_frequency=float(downlink.findtext("prf")),
        range_bandwidth=float(parameters.findtext("rangeProcessing/processingBandwidth")),
        azimuth_bandwidth=float(parameters.findtext("azimuthProcessing/processingBandwidth")),
        range_window=float(parameters.findtext("rangeProcessing/windowCoefficient")),
        azimuth_window=float(parameters.findtext("azimuthProcessing/windowCoefficient")),
        lines_per_burst=int(timing.findtext("linesPerBurst")),
        samples_per_burst=int(timing.findtext("samplesPerBurst")),
        start=seconds(image.findtext("productFirstLineUtcTime"), epoch),
        stop=seconds(image.findtext("productLastLineUtcTime"), epoch),
        processor=processing.findtext("applicationLutId") or "",
        doppler=_doppler(root, epoch, processing.findtext("dcMethod") or ""),
        fm_rates=_fm_rates(general, epoch),
        bursts=bursts,
        orbit=state_vectors(
            [
                [
                    seconds(vector.findtext("time"), epoch),
                    *(float(vector.findtext(f"{part}/{axis}")) for part in ("position", "velocity") for axis in "xyz"),
                ]
                for vector in general.findall("orbitList/orbit")
            ],
            f"the orbit in {path}",
        ),
        grid=grid,
        bistatic_reference=bistatic_reference(grid, bursts, interval),
    )


def _numbers(element: ET.Element | None) -> tuple[float, ...]:
    return tuple(float(value) for value in element.text.split())


def _doppler(root: ET.Element, epoch: np.datetime64, method: str) -> tuple[Polynomial, ...]:
    """The Doppler centroid that the processor used: estimated from the data, or from the geometry."""
    used = "dataDcPolynomial" if "data" in method.lower() else "geometryDcPolynomial"
    return tuple(
        Polynomial(seconds(e.findtext("azimuthTime"), epoch), float(e.findtext("t0")), _numbers(e.find(used)))
        for e in root.findall("dopplerCentroid/dcEstimateList/dcEstimate")
    )


def _fm_rates(general: ET.Element, epoch: np.datetime64) -> tuple[Polynomial, ...]:
    found = []
    for element in general.findall("azimuthFmRateList/azimuthFmRate"):
        listed = element.find("azimuthFmRatePolynomial")  # c0, c1, c2 before IPF 2.43 (2015)
        coefficients = (
            _numbers(listed) if listed is not None else tuple(float(element.findtext(c)) for c in ("c0", "c1", "c2"))
        )
        found.append(
            Polynomial(seconds(element.findtext("azimuthTime"), epoch), float(element.findtext("t0")), coefficients)
        )
    return tuple(found)


def _bursts(timing: ET.Element, swath: str, epoch: np.datetime64, track: int, interval: float) -> tuple[Burst, ...]:
    lines, samples = int(timing.findtext("linesPerBurst")), int(timing.findtext("samplesPerBurst"))
    bursts = []
    for number, element in enumerate(timing.findall("burstList/burst")):
        given = element.findtext("burstId")
        start = seconds(element.findtext("azimuthTime"), epoch)
        middle = float(element.findtext("azimuthAnxTime")) + lines / 2 * interval
        identifier = int(given) if given else burst_identifier(middle, track)
        first, last = (np.array(element.findtext(key).split(), int) for key in ("firstValidSample", "lastValidSample"))
        good = np.flatnonzero(first >= 0)
        valid = (int(good[0]), int(good[-1]), int(first[good].max()), int(last[good].min()))
        bursts.append(Burst(swath, number, identifier, start, number * lines, lines, samples, valid))
    return tuple(bursts)


def burst_identifier(time_after_node: float, track: int) -> int:
    """ESA's number of a burst on its track (1 …): 1 + ⌊(t + (track − 1) T_orbit − T_preamble) / T_beam⌋.

    Parameters
    ----------
    time_after_node : azimuth time of the burst's middle after the ascending node, s. track : relative orbit number.
    """
    return 1 + int((time_after_node + (track - 1) * _PERIOD - _PREAMBLE) // _BEAM_CYCLE)


def _geolocation(root: ET.Element, epoch: np.datetime64) -> GeolocationGrid:
    points = root.findall("geolocationGrid/geolocationGridPointList/geolocationGridPoint")
    keys = ("slantRangeTime", "line", "pixel", "latitude", "longitude", "height", "incidenceAngle")
    times = np.array([seconds(point.findtext("azimuthTime"), epoch) for point in points])
    return GeolocationGrid(times, *(np.array([float(point.findtext(key)) for point in points]) for key in keys))


def bistatic_reference(grid: GeolocationGrid, bursts: Sequence[Burst], interval: float) -> float:
    """Slant range time (s) at which the processor's azimuth times are exact.

    The IPF shifts whole lines by half the slant range time of one reference range, while each range asks for half of
    its own (start-stop approximation; Gisinger et al. 2021, IEEE TGRS 59, eq. 5). ESA's geolocation grid holds both
    times: t_grid − t_line = (τ − τ_ref) / 2, from which τ_ref is taken.
    """
    return float(np.median(grid.slant_range_time - 2 * (grid.azimuth_time - line_time(grid.line, bursts, interval))))
