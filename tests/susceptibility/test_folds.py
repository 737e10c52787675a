"""Folds: neighbours together, regions whole, distances those of the map; and the range of autocorrelation."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

from slipmap.config.screening import ScreeningSettings
from slipmap.config.susceptibility import ComparisonSettings
from slipmap.errors import InputError
from slipmap.io import raster
from slipmap.io.grid import Grid
from slipmap.screening.sampling import Sample
from slipmap.susceptibility import compare, schemes
from slipmap.susceptibility.areas import AreaFiles
from slipmap.susceptibility.autocorrelation import block_side, spherical_range, variogram
from slipmap.susceptibility.distances import distance_table, fold_distances, ground_points, mismatch, nearest
from slipmap.susceptibility.folds import block_folds, kmeans_folds, knndm_folds, random_folds, region_folds

RNG = np.random.default_rng(0)
PLACE = RNG.integers(0, 400, (600, 2)).astype(float)
SAMPLE = Sample(
    RNG.normal(size=(600, 1)).astype(np.float32),
    (np.arange(600) % 2).astype(np.uint8),
    PLACE[:, 1].astype(int),
    PLACE[:, 0].astype(int),
    ("slope",),
)
UNIFORM = np.random.default_rng(1).uniform(0, 400, (500, 2))


def clustered(seed: int = 2) -> np.ndarray:
    """600 places in 25 tight clusters of a square of 400 m: all near each other, far from most of the square."""
    rng = np.random.default_rng(seed)
    return np.repeat(rng.uniform(0, 400, (25, 2)), 24, axis=0) + rng.normal(scale=3, size=(600, 2))


def gaussian_field(place: np.ndarray, length: float, rng: np.random.Generator) -> np.ndarray:
    """Values with a spherical covariance of range `length` and variance 1."""
    h = np.minimum(cdist(place, place) / length, 1)
    return np.linalg.cholesky(1 - 1.5 * h + 0.5 * h**3 + 1e-9 * np.eye(len(place))) @ rng.normal(size=len(place))


@pytest.mark.parametrize("name", ["blocks", "kmeans"])
def test_spatial_folds_keep_neighbours_together(name: str) -> None:
    fold = block_folds(SAMPLE, 4, 0, 80) if name == "blocks" else kmeans_folds(PLACE, 4, 0)
    assert set(fold) == set(range(4))
    if name == "blocks":
        assert pd.Series(fold).groupby(SAMPLE.blocks(80)).nunique().eq(1).all()
    distance = cdist(PLACE, PLACE)
    np.fill_diagonal(distance, np.inf)
    near = distance.argmin(axis=1)
    chance = random_folds(SAMPLE, 4, 0)
    assert (fold == fold[near]).mean() > 0.8 > (chance == chance[near]).mean() + 0.4


def test_every_region_is_a_fold_and_one_region_is_none() -> None:
    regions = np.array([7, 7, 3, 9, 3])
    assert region_folds(regions).tolist() == [1, 1, 0, 2, 0]
    with pytest.raises(InputError, match=r"names regions, but all labelled pixels lie in one"):
        region_folds(np.ones(4, int))


def test_too_few_blocks_is_one_sentence() -> None:
    with pytest.raises(InputError, match=r"lie in 1 blocks of 1000 pixels, too few for 5 spatial folds"):
        block_folds(SAMPLE, 5, 0, 1000)


def test_distances_are_those_of_brute_force_and_w_the_area_between_the_curves() -> None:
    fold = random_folds(SAMPLE, 3, 0)
    apart = cdist(PLACE, PLACE)
    apart[fold[:, None] == fold[None]] = np.inf
    np.testing.assert_allclose(fold_distances(PLACE, fold), apart.min(axis=1))
    wanted, got = nearest(UNIFORM, PLACE), apart.min(axis=1)
    steps = np.sort(np.concatenate([wanted, got]))
    curves = [np.searchsorted(np.sort(d), steps[:-1], side="right") / len(d) for d in (wanted, got)]
    assert mismatch(got, wanted) == pytest.approx((np.abs(curves[0] - curves[1]) * np.diff(steps)).sum())


def test_knndm_divides_an_even_sample_at_random_and_a_clustered_one_as_far_as_the_map() -> None:
    """Linnenbrink et al. 2024: random for an even sample; in clusters, W far below that of random folds."""
    lattice = np.stack(np.meshgrid(np.arange(10, 400, 20), np.arange(13, 400, 27)), axis=-1).reshape(-1, 2)
    even = lattice + np.random.default_rng(5).uniform(-4, 4, lattice.shape)
    fold = knndm_folds(even, UNIFORM, 5, 0)
    assert np.bincount(fold).tolist() == [60] * 5
    assert not np.array_equal(fold, knndm_folds(even, UNIFORM, 5, 1))

    place = clustered()
    wanted = nearest(UNIFORM, place)
    at_random = np.arange(600) % 5
    w = {name: mismatch(fold_distances(place, f), wanted) for name, f in
         (("random", at_random), ("knndm", knndm_folds(place, UNIFORM, 5, 0)))}  # fmt: skip
    assert w["knndm"] < 0.35 * w["random"]
    assert np.bincount(knndm_folds(place, UNIFORM, 5, 0)).max() <= 300  # no fold holds more than half
    np.testing.assert_array_equal(knndm_folds(place, UNIFORM, 5, 0), knndm_folds(place, UNIFORM, 5, 0))


def test_the_default_is_the_scheme_whose_distances_are_those_of_the_map() -> None:
    place = clustered()
    fold = {"random": np.arange(600) % 5, "kmeans": kmeans_folds(place, 5, 0)}
    far = {name: [fold_distances(place, f)] for name, f in fold.items()}
    away = distance_table(nearest(3 * UNIFORM, place), far).set_index("scheme")
    assert away.default.to_dict() == {"prediction": False, "random": False, "kmeans": True}
    at_home = distance_table(nearest(place + 1, place), far).set_index("scheme")  # a map of the sampled ground alone
    assert at_home.default["random"] and at_home["median"]["prediction"] < 2


@pytest.mark.parametrize("length", [30.0, 90.0])
def test_variogram_finds_the_range_that_was_put_in(length: float) -> None:
    found = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        place = rng.uniform(0, 400, (350, 2))
        found.append(spherical_range(variogram(place, gaussian_field(place, length, rng))))
    assert np.median(found) == pytest.approx(length, rel=0.25)


def test_white_noise_has_no_range_and_semivariance_is_the_variance() -> None:
    rng = np.random.default_rng(0)
    noise = [rng.normal(scale=2, size=600) for _ in range(5)]
    assert sum(np.isnan(spherical_range(variogram(PLACE, z))) for z in noise) >= 4
    assert variogram(PLACE, noise[0]).semivariance.mean() == pytest.approx(4, rel=0.15)


def test_blocks_have_the_side_of_the_range_of_what_factors_leave_unexplained() -> None:
    rng = np.random.default_rng(3)
    field = gaussian_field(PLACE + rng.uniform(0, 0.5, PLACE.shape), 60, rng)
    labels = (field + rng.normal(scale=0.3, size=600) > 0).astype(np.uint8)
    told = Sample(field[:, None].astype(np.float32), labels, SAMPLE.rows, SAMPLE.cols, ("cause",))
    blind = Sample(SAMPLE.values, labels, SAMPLE.rows, SAMPLE.cols, ("slope",))
    side = block_side(blind, PLACE * 10, 10.0, None)
    assert 30 <= side.pixels <= 90 and side.range == pytest.approx(10 * side.pixels, abs=10)
    # a factor that is the cause leaves nothing that neighbours share
    assert block_side(told, PLACE * 10, 10.0, None).pixels < side.pixels / 2
    assert block_side(blind, PLACE * 10, 10.0, 7).pixels == 7
    cut = block_side(blind, PLACE * 10, 10.0, None, least=100)
    assert cut.pixels < side.pixels and "Cut from" in cut.source


GRID = Grid.from_bounds("EPSG:32632", 10, (0, 0, 600, 600))


@pytest.fixture
def area(tmp_path: Path) -> AreaFiles:
    """Labels in one corner alone; a factor for which the labels of one half were used; regions of classes."""
    rng = np.random.default_rng(1)
    rows, cols = np.indices(GRID.shape)
    label = (rng.random(GRID.shape) < 0.5).astype(np.uint8)
    label[(rows > 30) | (rng.random(GRID.shape) < 0.5)] = 255
    floats = {
        "noise": rng.normal(size=GRID.shape),
        "leak": np.where(cols < 30, label % 2, rng.integers(0, 2, GRID.shape)),
    }
    for name, values in floats.items():
        raster.write(tmp_path / f"{name}.tif", GRID, values.astype(np.float32), bands=[name], units="1", long_name=name)
    codes = {"inventory": label, "catchment": (1 + cols // 20).astype(np.uint8)}
    for name, values in codes.items():
        raster.write(
            tmp_path / f"{name}.tif", GRID, values, bands=[name], units="1", long_name=name, dtype="uint8",
            categories={1: "a", 2: "b", 3: "c"},
        )  # fmt: skip
    return AreaFiles({n: tmp_path / f"{n}.tif" for n in ("noise", "leak", "catchment")}, tmp_path / "inventory.tif")


def test_ground_points_cover_the_map_and_not_the_labels(area: AreaFiles) -> None:
    points = ground_points(area, ["noise"], 0, 400)
    assert points.shape == (400, 2) and points[:, 1].max() > 550 and points[:, 0].max() > 550
    assert np.abs(points.mean(axis=0) - 295).max() < 40


def test_regions_are_left_out_one_by_one(area: AreaFiles, tmp_path: Path) -> None:
    settings = {"models": ["logistic"], "schemes": ["regions"], "regions": "catchment", "factors": ["noise"]}
    settings |= {"repeats": 3, "folds": 2}
    compare.run({"x": area}, settings, tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "cross_validation.csv")
    assert table.fold.tolist() == [0, 1, 2] and set(table.repeat) == {0}  # in one way alone
    with pytest.raises(InputError, match=r"susceptibility.regions names 'noise', which is no factor of classes"):
        compare.run({"x": area}, settings | {"regions": "noise"}, tmp_path / "out")
    with pytest.raises(InputError, match=r"schemes names regions, but there are none"):
        compare.run({"x": area}, settings | {"regions": None}, tmp_path / "out")


def test_every_fold_screens_without_the_pixels_that_it_judges(area: AreaFiles, tmp_path: Path) -> None:
    """A factor that is the label in one half of the ground: the fold that judges this half must not have kept it."""
    with compare.opened(area.factors, area.inventory) as layers:
        from slipmap.screening.sampling import draw

        sample = draw(layers, 800, 0, splits=None).select(["noise", "leak"])
    screening = ScreeningSettings(min_importance=0.1, trees=20, keep=["noise"])
    west = sample.cols < 30
    assert compare.fold_factors(sample, west, sample.names, screening) == ["noise", "leak"]
    assert compare.fold_factors(sample, ~west, sample.names, screening) == ["noise"]
    settings = {"models": ["logistic"], "schemes": ["kmeans"], "folds": 2, "sample": 800}
    screening = {"min_importance": 0.1, "trees": 20, "keep": ["noise"]}
    compare.run({"x": area}, settings, tmp_path / "out", selected=["noise"], screening=screening)
    record = pd.read_json(tmp_path / "out" / "sample.json", typ="series")
    assert record.kept_in_folds["noise"] == 2 and record.kept_in_folds["leak"] >= 1  # judged again, not `selected`


def test_screening_of_a_fold_sees_the_other_folds_alone(
    area: AreaFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of four random folds three quarters of the pixels, and the fourth is what cross-validation then judges."""
    seen = []

    def spy(sample: Sample, screening: ScreeningSettings) -> list[str]:
        seen.append(set(zip(sample.rows.tolist(), sample.cols.tolist(), strict=True)))
        return ["noise"]

    monkeypatch.setattr(compare, "screened", spy)
    settings = {"models": ["logistic"], "schemes": ["random"], "folds": 4, "sample": 400}
    compare.run({"x": area}, settings, tmp_path / "out", screening={})
    judged = pd.read_csv(tmp_path / "out" / "cross_validation.csv").pixels
    everywhere = set.union(*seen)
    assert [len(everywhere - learnt) for learnt in seen] == judged.tolist() and len(seen) == 4
    assert not set.intersection(*seen)


def test_old_key_is_refused_with_its_new_name(tmp_path: Path) -> None:
    from slipmap.config import read_config

    text = (Path(__file__).parents[2] / "config" / "areas" / "ecuador.yaml").read_text(encoding="utf-8")
    (tmp_path / "c.yaml").write_text(text.replace("      folds: 5\n", "      folds: 5\n      spatial: kmeans\n"))
    with pytest.raises(InputError, match=r"susceptibility.spatial' is called 'schemes' now"):
        read_config(tmp_path / "c.yaml")
    assert schemes.ComparisonSettings is ComparisonSettings and ComparisonSettings().schemes is None
