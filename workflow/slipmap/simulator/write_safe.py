"""Write (simulated) SAFE products of IW SLC, annotation in the schema of the Sentinel-1 Product Specification."""

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock

import numpy as np
import rasterio
from rasterio.control import GroundControlPoint
from rasterio.windows import Window

from slipmap.io.atomic import write_aside
from slipmap.sentinel1.annotation import Burst, Polynomial, Swath, line_time

CROSS = {"VV": "VH", "HH": "HV"}
# Held by who writes pixels: with several threads the lines that GDAL's cache gives up would lie in files in any order
_WRITING = Lock()
# Amplitude look-up tables: constant, as those of real products nearly are
_SIGMA, _BETA, _GAMMA, _DN = 311.0, 237.0, 273.0, 237.0


def product_name(swath: Swath, *, dual: bool = False) -> str:
    """As ESA names products: mission, mode, polarisation, first and last time, orbit; no data take or checksum."""
    start, stop = (_compact(swath.epoch, t) for t in (swath.start, swath.stop))
    kind = {"VV": "V", "HH": "H"}[swath.polarisation]
    many = "D" if dual else "S"
    return f"{swath.mission}_IW_SLC__1S{many}{kind}_{start}_{stop}_{swath.absolute_orbit:06d}_000000_0000.SAFE"


def write_product(
    folder: Path,
    swath: Swath,
    pixels: Callable[[Burst], np.ndarray],
    cross: Callable[[Burst], np.ndarray] | None = None,
) -> Path:
    """Write a SAFE folder of one swath into `folder`; returns it.

    Parameters
    ----------
    swath : what the annotation shall say. pixels : digital numbers of a burst, complex64 (lines, samples).
    cross : those of the cross polarisation (VH of VV), where the product has it.
    """
    product = folder / product_name(swath, dual=cross is not None)
    images = [(swath, pixels)]
    if cross is not None:
        images.append((replace(swath, polarisation=CROSS[swath.polarisation]), cross))
    with write_aside(product) as aside:
        for name in ("annotation/calibration", "measurement"):
            (aside / name).mkdir(parents=True)
        stems = [_write_image(aside, *image, number) for number, image in enumerate(images, start=1)]
        (aside / "manifest.safe").write_bytes(_manifest(swath, stems))
    return product


def _write_image(aside: Path, swath: Swath, pixels: Callable[[Burst], np.ndarray], number: int) -> str:
    """Write annotation, calibration and measurement of one polarisation; returns their stem."""
    stem = (
        f"{swath.mission.lower()}-{swath.swath.lower()}-slc-{swath.polarisation.lower()}-"
        f"{_compact(swath.epoch, swath.start).lower()}-{_compact(swath.epoch, swath.stop).lower()}-"
        f"{swath.absolute_orbit:06d}-000000-{number:03d}"
    )
    (aside / "annotation" / f"{stem}.xml").write_bytes(annotation(swath))
    (aside / "annotation/calibration" / f"calibration-{stem}.xml").write_bytes(_calibration(swath))
    grid = swath.grid
    points = [
        GroundControlPoint(*place)
        for place in zip(grid.line, grid.pixel, grid.longitude, grid.latitude, grid.height, strict=True)
    ]
    out = rasterio.open(
        aside / "measurement" / f"{stem}.tiff",
        "w",
        gcps=points,
        crs="EPSG:4326",
        driver="GTiff",
        width=swath.samples_per_burst,
        height=swath.lines_per_burst * len(swath.bursts),
        count=1,
        dtype="complex_int16",
    )
    try:
        for burst in swath.bursts:
            window = Window(0, burst.first_row, burst.samples, burst.lines)
            numbers = np.rint(pixels(burst).view(np.float32)).view(np.complex64)
            with _WRITING:
                out.write(numbers, 1, window=window)
    finally:
        with _WRITING:
            out.close()
    return stem


def annotation(swath: Swath) -> bytes:
    """The annotation of `swath`: all that `read_swath` reads."""
    time = _clock(swath.epoch)
    root = ET.Element("product")
    _add(
        root,
        "adsHeader",
        missionId=swath.mission,
        productType="SLC",
        polarisation=swath.polarisation,
        mode="IW",
        swath=swath.swath,
        startTime=time(swath.start),
        stopTime=time(swath.stop),
        absoluteOrbitNumber=swath.absolute_orbit,
        missionDataTakeId=0,
        imageNumber="001",
    )
    _general(ET.SubElement(root, "generalAnnotation"), swath, time)
    _image(ET.SubElement(root, "imageAnnotation"), swath, time)
    estimates = _list(ET.SubElement(root, "dopplerCentroid"), "dcEstimateList", len(swath.doppler))
    for polynomial in swath.doppler:
        item = _add(estimates, "dcEstimate", azimuthTime=time(polynomial.time), t0=repr(polynomial.t0))
        for name in ("geometryDcPolynomial", "dataDcPolynomial"):
            _coefficients(item, name, polynomial)
    _timing(ET.SubElement(root, "swathTiming"), swath, time)
    _geolocation(ET.SubElement(root, "geolocationGrid"), swath, time)
    return _xml(root)


def _general(general: ET.Element, swath: Swath, time: Callable[[float], str]) -> None:
    _add(
        general,
        "productInformation",
        **{"pass": swath.pass_direction.capitalize()},
        platformHeading=repr(swath.heading),
        projection="Slant Range",
        rangeSamplingRate=repr(swath.range_sampling_rate),
        radarFrequency=repr(swath.radar_frequency),
        azimuthSteeringRate=repr(float(np.degrees(swath.steering_rate))),
    )
    downlink = _add(
        _list(general, "downlinkInformationList", 1),
        "downlinkInformation",
        swath=swath.swath,
        prf=repr(swath.pulse_repetition_frequency),
    )
    _add(downlink, "downlinkValues", txPulseRampRate=repr(swath.chirp_rate))
    orbit = swath.orbit
    listed = _list(general, "orbitList", len(orbit.times))
    for at, position, velocity in zip(orbit.times, orbit.positions, orbit.velocities, strict=True):
        item = _add(listed, "orbit", time=time(at), frame="Earth Fixed")
        for name, vector in (("position", position), ("velocity", velocity)):
            _add(item, name, **{axis: repr(float(v)) for axis, v in zip("xyz", vector, strict=True)})
    listed = _list(general, "azimuthFmRateList", len(swath.fm_rates))
    for polynomial in swath.fm_rates:
        item = _add(listed, "azimuthFmRate", azimuthTime=time(polynomial.time), t0=repr(polynomial.t0))
        _coefficients(item, "azimuthFmRatePolynomial", polynomial)


def _image(image: ET.Element, swath: Swath, time: Callable[[float], str]) -> None:
    _add(
        image,
        "imageInformation",
        productFirstLineUtcTime=time(swath.start),
        productLastLineUtcTime=time(swath.stop),
        slantRangeTime=repr(swath.slant_range_time),
        pixelValue="Complex",
        outputPixels="16 bit Signed Integer",
        rangePixelSpacing=repr(swath.range_spacing),
        azimuthTimeInterval=repr(swath.azimuth_time_interval),
        azimuthFrequency=repr(1 / swath.azimuth_time_interval),
        numberOfSamples=swath.samples_per_burst,
        numberOfLines=swath.lines_per_burst * len(swath.bursts),
    )
    processing = _add(image, "processingInformation", dcMethod="Data Analysis", applicationLutId=swath.processor)
    parameters = _add(_list(processing, "swathProcParamsList", 1), "swathProcParams", swath=swath.swath)
    for name, bandwidth, window in (
        ("rangeProcessing", swath.range_bandwidth, swath.range_window),
        ("azimuthProcessing", swath.azimuth_bandwidth, swath.azimuth_window),
    ):
        _add(
            parameters,
            name,
            windowType="Hamming",
            windowCoefficient=repr(window),
            processingBandwidth=repr(bandwidth),
            numberOfLooks=1,
        )
    _fields(processing, ellipsoidName="WGS84", bistaticDelayCorrectionApplied="true")


def _timing(timing: ET.Element, swath: Swath, time: Callable[[float], str]) -> None:
    _fields(timing, linesPerBurst=swath.lines_per_burst, samplesPerBurst=swath.samples_per_burst)
    listed = _list(timing, "burstList", len(swath.bursts))
    for burst in swath.bursts:
        first, last, near, far = burst.valid
        inside = [first <= line <= last for line in range(burst.lines)]
        item = _add(listed, "burst", azimuthTime=time(burst.start), azimuthAnxTime=repr(burst.start - swath.start))
        for name, value in (("firstValidSample", near), ("lastValidSample", far)):
            element = ET.SubElement(item, name, count=str(burst.lines))
            element.text = " ".join(str(value if ok else -1) for ok in inside)
        ET.SubElement(item, "burstId", absolute=str(burst.identifier)).text = str(burst.identifier)


def _geolocation(element: ET.Element, swath: Swath, time: Callable[[float], str]) -> None:
    grid = swath.grid
    listed = _list(element, "geolocationGridPointList", len(grid.line))
    for k in range(len(grid.line)):
        _add(
            listed,
            "geolocationGridPoint",
            azimuthTime=time(grid.azimuth_time[k]),
            slantRangeTime=repr(float(grid.slant_range_time[k])),
            line=int(grid.line[k]),
            pixel=int(grid.pixel[k]),
            latitude=repr(float(grid.latitude[k])),
            longitude=repr(float(grid.longitude[k])),
            height=repr(float(grid.height[k])),
            incidenceAngle=repr(float(grid.incidence[k])),
        )


def _calibration(swath: Swath) -> bytes:
    root = ET.Element("calibration")
    lines = np.unique(np.linspace(0, swath.lines_per_burst * len(swath.bursts) - 1, 5).astype(int))
    pixels = np.unique(np.linspace(0, swath.samples_per_burst - 1, 9).astype(int))
    listed = _list(root, "calibrationVectorList", len(lines))
    for line in lines:
        item = _add(
            listed,
            "calibrationVector",
            azimuthTime=_clock(swath.epoch)(float(line_time(line, swath.bursts, swath.azimuth_time_interval))),
            line=line,
        )
        constants = {"sigmaNought": _SIGMA, "betaNought": _BETA, "gamma": _GAMMA, "dn": _DN}
        tables: dict[str, Iterable[float]] = {n: [v] * len(pixels) for n, v in constants.items()}
        for name, values in {"pixel": pixels, **tables}.items():
            ET.SubElement(item, name, count=str(len(pixels))).text = " ".join(str(v) for v in values)
    return _xml(root)


def _manifest(swath: Swath, stems: Sequence[str]) -> bytes:
    space = {"xfdu": "urn:ccsds:schema:xfdu:1", "safe": "http://www.esa.int/safe/sentinel-1.0"}
    for prefix, uri in space.items():
        ET.register_namespace(prefix, uri)
    root = ET.Element(f"{{{space['xfdu']}}}XFDU")
    section = ET.SubElement(root, "metadataSection")
    ET.SubElement(section, f"{{{space['safe']}}}relativeOrbitNumber", type="start").text = str(swath.track)
    ET.SubElement(section, f"{{{space['safe']}}}facility", name="slipmap: SIMULATED, not an observation")
    objects = ET.SubElement(root, "dataObjectSection")
    for stem in stems:
        for place in (f"measurement/{stem}.tiff", f"annotation/{stem}.xml"):
            ET.SubElement(objects, "fileLocation", href=f"./{place}")
    return _xml(root)


def _xml(root: ET.Element) -> bytes:
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return written


def _add(parent: ET.Element, name: str, **fields: object) -> ET.Element:
    element = ET.SubElement(parent, name)
    _fields(element, **fields)
    return element


def _fields(element: ET.Element, **fields: object) -> None:
    for name, value in fields.items():
        ET.SubElement(element, name).text = str(value)


def _list(parent: ET.Element, name: str, count: int) -> ET.Element:
    return ET.SubElement(parent, name, count=str(count))


def _coefficients(parent: ET.Element, name: str, polynomial: Polynomial) -> None:
    values: Sequence[float] = polynomial.coefficients
    ET.SubElement(parent, name, count=str(len(values))).text = " ".join(repr(float(v)) for v in values)


def _clock(epoch: np.datetime64) -> Callable[[float], str]:
    """Seconds to UTC text, to the microsecond as ESA writes it."""

    def text(seconds: float) -> str:
        return str((epoch.astype("M8[us]") + np.timedelta64(round(float(seconds) * 1e6), "us")).astype("M8[us]"))

    return text


def _compact(epoch: np.datetime64, seconds: float) -> str:
    moment = str((epoch.astype("M8[us]") + np.timedelta64(round(seconds * 1e6), "us")).astype("M8[s]"))
    return moment.replace("-", "").replace(":", "")
