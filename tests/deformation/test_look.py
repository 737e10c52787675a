"""Rasters of the line of sight as they are delivered: the incidence they tell, and units that cannot be."""

import numpy as np
import pytest

from helpers.interferogram_samples import PAIRS, PLACE, SHAPE, hyp3, licsar, name, phase, read, tif
from slipmap.errors import InputError

CENTRE = (  # of HyP3: incidence 39.37 degrees at the scene's centre, by the triangle of satellite, ground and Earth
    "Baseline: 12.5\nHeading: -12.5\nSlant range center: 877870.1389\nSpacecraft height: 700618.6319\n"
    "Earth radius at nadir: 6368057.9343\n"
)


def stem(a, b, n):
    return f"S1AA_{a:%Y%m%d}T053541_{b:%Y%m%d}T053540_VVP024_INT80_G_ueF_A1{n:02d}"


def full(value):
    return np.full(SHAPE, value, np.float32)


def look(folder, theta, phi=-2.9, text=CENTRE):
    hyp3(folder, stem, text=text)
    product = stem(*PAIRS[0], 0)
    tif(folder / product / f"{product}_lv_theta.tif", full(theta) if np.isscalar(theta) else theta)
    tif(folder / product / f"{product}_lv_phi.tif", full(phi))
    return folder


@pytest.mark.parametrize("incidence", [31.0, 36.0, 45.0])
def test_the_rasters_go_before_the_centre_of_the_scene(tmp_path, incidence):
    radar = read(look(tmp_path, np.radians(90 - incidence))).radar
    assert radar.incidence == pytest.approx(incidence, abs=1e-4) and radar.slant_range == pytest.approx(877870.1)


def test_without_rasters_it_is_that_of_the_centre(tmp_path):
    hyp3(tmp_path, stem, text=CENTRE)
    assert read(tmp_path).radar.incidence == pytest.approx(39.37, abs=0.01)
    assert read(tmp_path, incidence=33.0).radar.incidence == 33.0


def test_it_is_that_of_the_ground_that_the_interferograms_share(tmp_path):
    """The look vector is of the whole scene, from 30 to 45 degrees; one pair lacks the first three columns."""
    cols = SHAPE[1]
    hyp3(tmp_path, stem, cut=lambda n: 3 * (n == 1), text=CENTRE)
    product = stem(*PAIRS[0], 0)
    across = np.radians(90 - np.linspace(30, 45, cols, dtype=np.float32)) * np.ones(SHAPE, np.float32)
    tif(tmp_path / product / f"{product}_lv_theta.tif", across)
    assert read(tmp_path).radar.incidence == pytest.approx(np.linspace(30, 45, cols)[3:].mean(), abs=0.01)


@pytest.mark.parametrize(
    ("theta", "phi", "says"),
    [
        (50.6, -2.9, r"lv_theta\.tif: it has angles up to 50\.6, beyond 1\.57: degrees"),
        (0.88, -167.0, r"lv_phi\.tif: it has angles up to 167, beyond 6\.28: degrees"),
        (0.88, 13.0, r"lv_phi\.tif: it has angles up to 13,"),
        (np.radians(0.88), -2.9, r"lv_theta\.tif: its mean incidence angle is 89"),
        (np.radians(35.0), -2.9, r"lv_theta\.tif: its mean incidence angle is 55 degrees, .* text file 39\.4"),
    ],
)
def test_angles_that_cannot_be_are_refused(tmp_path, theta, phi, says):
    with pytest.raises(InputError, match=says) as error:
        read(look(tmp_path, theta, phi))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("theta", "phi", "says"), [(51.0, -2.9, "lv_theta"), (0.9, -167.0, "lv_phi")])
def test_gamma_in_degrees(tmp_path, theta, phi, says):
    for days in PAIRS:
        tif(tmp_path / f"{name(*days, '-')}.unw.tif", phase(*days))
        tif(tmp_path / f"{name(*days, '-')}.cc.tif", full(0.8))
    tif(tmp_path / "geo.lv_theta.tif", full(theta))
    tif(tmp_path / "geo.lv_phi.tif", full(phi))
    with pytest.raises(InputError, match=rf"{says}\.tif: it has angles up to .*degrees, where radians are meant"):
        read(tmp_path)


@pytest.mark.parametrize("factor", [1.0, 100.0, np.pi / 180])
@pytest.mark.parametrize("kind", ["licsar", "geometry"])
def test_vectors_are_unit_vectors(tmp_path, factor, kind):
    licsar(tmp_path)
    east, north, up = (factor * np.float32(v) for v in (-0.6158, -0.1088, 0.7804))  # incidence 38.7 degrees
    if kind == "licsar":
        for axis, value in zip("ENU", (east, north, up), strict=True):
            tif(tmp_path / f"064D.geo.{axis}.tif", full(value), place=PLACE)
    else:
        bands = [full(v) for v in (east, north, up)]
        tif(tmp_path / "geometry.tif", *bands, descriptions=("los_east", "los_north", "los_up"))
    if factor == 1:
        assert read(tmp_path).radar.incidence == pytest.approx(38.7, abs=0.05)
        return
    with pytest.raises(InputError, match=r"tif: east, north and up make vectors of length"):
        read(tmp_path)
