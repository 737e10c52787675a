"""Networks and readers: which pairs, which files, which sentences."""

import csv
from datetime import date, timedelta
from itertools import pairwise
from types import SimpleNamespace

import networkx
import numpy as np
import pytest
import rasterio
from affine import Affine

from slipmap.config.deformation import DeformationSettings
from slipmap.config.inputs import Sentinel1Settings
from slipmap.deformation import check, network
from slipmap.deformation.readers import gamma
from slipmap.deformation.reading import read_stack
from slipmap.deformation.stack import Acquisition, Pair
from slipmap.errors import Faults, InputError

DAYS = [date(2021, 1, 1) + timedelta(days=12 * k) for k in range(10)]


def write_slc(path, day, baseline=0.0, shape=(8, 8), corner=5e5, **tags):
    profile = dict(
        driver="GTiff", dtype="complex64", count=1, crs="EPSG:32632", transform=Affine(3, 0, corner, 0, -12, 5e6)
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(path, "w", height=shape[0], width=shape[1], **profile) as out:
        out.write(np.ones(shape, np.complex64), 1)
        out.update_tags(
            **{
                "ACQUISITION_DATE": day,
                "WAVELENGTH": 0.0554658,
                "PERPENDICULAR_BASELINE": baseline,
                "SLANT_RANGE": 850e3,
                "INCIDENCE_ANGLE": 39.0,
                "RANGE_BANDWIDTH": 56.5e6,
                "TRACK": 117,
            }
            | tags
        )


@pytest.fixture
def slcs(tmp_path):
    folder = tmp_path / "slcs"
    for k, day in enumerate(DAYS):
        write_slc(folder / f"{day:%Y%m%d}.tif", day, 20.0 * (k % 3))
    return folder


def read(folder, **more):
    return read_stack(Sentinel1Settings(**({"level": "slc", "path": str(folder)} | more)))


def test_pairs_are_those_within_both_thresholds():
    rng = np.random.default_rng(0)
    acquisitions = [Acquisition(d, "", float(b)) for d, b in zip(DAYS, rng.normal(0, 80, 10), strict=True)]
    names = {p.name for p in network.form_pairs(acquisitions, 36, 90)}
    expected = {
        f"{a.date:%Y%m%d}_{b.date:%Y%m%d}"
        for i, a in enumerate(acquisitions)
        for b in acquisitions[i + 1 :]
        if (b.date - a.date).days <= 36 and abs(b.perpendicular_baseline - a.perpendicular_baseline) <= 90
    }
    assert names == expected and 0 < len(names) < 24


def test_spanning_tree_is_networkxs():
    rng = np.random.default_rng(1)
    pairs = [Pair(a, b, 0.0, {}) for i, a in enumerate(DAYS) for b in DAYS[i + 1 :]]
    quality = rng.random(len(pairs))
    graph = networkx.Graph()
    for pair, value in zip(pairs, quality, strict=True):
        graph.add_edge(pair.reference, pair.secondary, weight=value, name=pair.name)
    tree = networkx.maximum_spanning_tree(graph)
    assert network.spanning_tree(pairs, quality) == {d["name"] for _, _, d in tree.edges(data=True)}
    kept = network.drop_incoherent(pairs, quality, 2.0)
    assert len(kept) == 9 and len(network.subsets(kept, DAYS)) == 1


def test_baselines_of_dates_from_pairs():
    truth = dict(zip(DAYS, np.random.default_rng(2).normal(0, 50, 10), strict=True))
    pairs = [Pair(a, b, truth[b] - truth[a], {}) for i, a in enumerate(DAYS) for b in DAYS[i + 1 : i + 3]]
    solved = network.baselines_by_date(pairs)
    for day in DAYS:
        assert solved[day] == pytest.approx(truth[day] - truth[DAYS[0]], abs=1e-9)
    assert network.baselines_by_date([Pair(a, b, None, {}) for a, b in pairwise(DAYS)]) is None


def test_network_of_slcs(slcs, tmp_path):
    settings = DeformationSettings(max_temporal_baseline=24)
    outputs = [tmp_path / name for name in ("network.csv", "network.png", "stack.json")]
    pairs = network.run(Sentinel1Settings(level="slc", path=str(slcs)), settings, *outputs)
    assert len(pairs) == 9 + 8 and all(p.exists() for p in outputs)
    with open(outputs[0], newline="") as source:
        rows = list(csv.DictReader(source))
    assert rows[0]["pair"] == "20210101_20210113" and float(rows[0]["perpendicular_baseline_m"]) == 20
    assert rows[0]["reference_file"].endswith("20210101.tif")


def test_network_that_falls_apart_is_named(slcs):
    for path in sorted(slcs.glob("*.tif"))[4:6]:
        path.unlink()
    stack = read(slcs)
    settings = DeformationSettings(max_temporal_baseline=24)
    with pytest.raises(InputError, match=r"falls into 2 subsets \(2021-01-01 to 2021-02-06 \(4\)|falls into 2 subsets"):
        network.choose_pairs(stack, settings)
    joined = network.choose_pairs(stack, settings.model_copy(update={"allow_subsets": True}))
    assert len(network.subsets(joined, [a.date for a in stack.acquisitions])) == 2


def test_so_is_one_beside_that_of_linked_phases(slcs):
    """Neighbouring dates are paired whatever lies between them; interferograms beside them are not."""
    for path in sorted(slcs.glob("*.tif"))[4:6]:
        path.unlink()
    stack, faults = read(slcs), Faults()
    settings = DeformationSettings(estimator="phase_linking", max_temporal_baseline=24)
    area = SimpleNamespace(deformation=settings)
    check._check_network(stack, area, faults)
    assert faults.found == []
    area.deformation = settings.model_copy(update={"compare_with": "sbas"})
    assert len(check._check_network(stack, area, faults)) == 3 * 8 - (1 + 2 + 3)
    assert len(faults.found) == 1 and "falls into 2 subsets" in faults.found[0]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (dict(name="twice.tif", day=DAYS[3]), "same date"),
        (dict(name="odd.tif", day="2021-13-45"), "is not a date"),
        (dict(name="moved.tif", day="2022-01-01", corner=5.1e5), "is not the other"),
        (dict(name="small.tif", day="2022-01-01", shape=(8, 9)), "is not the other"),
        (dict(name="lband.tif", day="2022-01-01", WAVELENGTH=0.236), "its wavelength is 0.236"),
        (dict(name="track.tif", day="2022-01-01", TRACK=44), "its track is 44"),
    ],
)
def test_bad_slc_gets_one_sentence_that_names_it(slcs, change, sentence):
    name, day = change.pop("name"), change.pop("day")
    write_slc(slcs / name, day, **change)
    with pytest.raises(InputError, match=sentence) as error:
        read(slcs)
    assert name in str(error.value) or "same date" in str(error.value)


def test_one_corrupt_file_among_many_is_left_out_and_named(slcs):
    (slcs / f"{DAYS[5]:%Y%m%d}.tif").write_bytes(b"not a tiff")
    stack = read(slcs)
    assert len(stack.acquisitions) == 9 and "20210302.tif" in stack.left_out[0]


def test_nothing_there(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read(tmp_path / "none")
    with pytest.raises(InputError, match="is empty"):
        read(tmp_path)
    (tmp_path / "notes.txt").write_text("to be ordered\n")
    with pytest.raises(InputError, match="no SLC of a known format"):
        read(tmp_path)
    with pytest.raises(InputError, match="no unwrapped interferograms of a known format"):
        read(tmp_path, level="unwrapped")


def write_phase(path, shape=(4, 5)):
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = dict(
        driver="GTiff", dtype="float32", count=1, crs="EPSG:4326", transform=Affine(0.001, 0, 11, 0, -0.001, 44)
    )
    with rasterio.open(path, "w", height=shape[0], width=shape[1], **profile) as out:
        out.write(np.ones(shape, np.float32), 1)


NAMES = {
    "hyp3": (
        "S1AA_20210101T053551_20210113T053551_VVP012_INT80_G_ueF_51B6/"
        "S1AA_20210101T053551_20210113T053551_VVP012_INT80_G_ueF_51B6_{}.tif",
        "unw_phase",
        "corr",
    ),
    "licsar": ("20210101_20210113/20210101_20210113.geo.{}.tif", "unw", "cc"),
    "isce2": ("20210101_20210113/{}.tif", "filt_fine.unw.geo", "filt_fine.cor.geo"),
    "gamma": ("20210101-20210113_VV_8rlks_eqa_{}.tif", "unw", "cc"),
}


@pytest.mark.parametrize("format_", NAMES)
def test_format_is_recognised_from_the_files(tmp_path, format_):
    pattern, unwrapped, coherence = NAMES[format_]
    for role in (unwrapped, coherence):
        write_phase(tmp_path / pattern.format(role))
    stack = read(tmp_path, level="unwrapped")
    assert stack.format == format_ and [p.name for p in stack.pairs] == ["20210101_20210113"]
    assert set(stack.pairs[0].files) == {"unwrapped", "coherence"}
    insisted = read(tmp_path, level="unwrapped", format=format_)
    assert insisted.pairs == stack.pairs
    other = next(f for f in NAMES if f != format_)
    with pytest.raises(InputError, match=f"no readable unwrapped interferogram|{other}"):
        read(tmp_path, level="unwrapped", format=other)


def test_pair_without_coherence(tmp_path):
    write_phase(tmp_path / "20210101_20210113.geo.unw.tif")
    stack = read(tmp_path, level="unwrapped")
    assert "no coherence raster beside it; the pair counts, as one of coherence 0.5" in stack.notes[0]
    assert not stack.left_out and not stack.pairs_left_out and len(stack.pairs) == 1


def test_gamma_baseline_is_that_of_gammas_own_table(real_data):
    """`*_bperp.par` is GAMMA's evaluation of the same baseline over the scene; ours is its value at the centre."""
    folder = real_data / "mexico_city"
    look = gamma.look_angle(folder / "slc_par" / "r20180106_VV_slc.par")
    for base in sorted((folder / "baselines").glob("*base.par")):
        lines = (folder / "baselines" / base.name.replace("base", "bperp")).read_text().splitlines()
        words = [line.split() for line in lines]
        rows = [[float(v) for v in w] for w in words if len(w) == 9 and w[0].isdigit() and w[1].isdigit()]
        table = np.array([row for row in rows if row[0] == 2500])  # line, range, T, C, N, look angle, b_para, b_perp …
        expected = np.interp(look, table[:, 5], table[:, 7])
        # The baseline changes along the track; at the scene's centre it is that of the vector.
        assert gamma.perpendicular_baseline(base, look) == pytest.approx(expected, abs=1.0)


def with_another(folder, name):
    """A stack of three pairs and another file."""
    for first, second in pairwise(DAYS[:4]):
        for role in ("unw", "cc"):
            write_phase(folder / f"{first:%Y%m%d}_{second:%Y%m%d}.geo.{role}.tif")
    write_phase(folder / name)


def test_a_pair_that_is_there_twice_is_refused(tmp_path):
    with_another(tmp_path, "again/20210113_20210125.geo.unw.tif")
    with pytest.raises(InputError, match="has the same dates as") as error:
        read(tmp_path, level="unwrapped")
    assert str(tmp_path / "again/20210113_20210125.geo.unw.tif") in str(error.value)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("20210125_20210113.geo.unw.tif", "first date is not before the second"),
        ("20211340_20211341.geo.unw.tif", "'20211340' is not a date"),
        ("first.geo.unw.tif", "no two dates"),
    ],
)
def test_an_interferogram_without_dates_that_can_be_is_left_out_and_named(tmp_path, name, sentence):
    with_another(tmp_path, name)
    stack = read(tmp_path, level="unwrapped")
    assert len(stack.pairs) == 3
    assert [sentence in line and str(tmp_path / name) in line for line in stack.left_out] == [True]


def test_interferogram_of_another_wavelength_or_track(tmp_path):
    stem = "S1AA_{0:%Y%m%d}T053551_{1:%Y%m%d}T053551_VVP012_INT80_G_ueF_51B6"
    for k, days in enumerate(pairwise(DAYS[:4])):
        folder = tmp_path / stem.format(*days)
        for role in ("unw_phase", "corr"):
            write_phase(folder / f"{folder.name}_{role}.tif")
        with rasterio.open(folder / f"{folder.name}_unw_phase.tif", "r+") as file:
            file.update_tags(WAVELENGTH_METRES=0.2384 if k == 2 else 0.0554658)
    with pytest.raises(InputError, match=r"its wavelength is 0.2384, the other files' is 0.0554658") as error:
        read(tmp_path, level="unwrapped")
    assert folder.name in str(error.value)
