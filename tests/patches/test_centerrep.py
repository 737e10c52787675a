"""CenterRep as our reading of EMR-HRNet §2.2 has it, and the other augmentations."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import find_objects, label

from slipmap.config.patches import AugmentSettings
from slipmap.patches.augmentation import augment, brighten, turn
from slipmap.patches.centerrep import center_rep
from slipmap.patches.dataset import StoredPatches
from slipmap.patches.normalisation import BandStatistics, Normaliser, Statistics

EIGHT = np.ones((3, 3), int)


@st.composite
def scenes(draw):
    """Ignored margins, and ellipses of landslide, one of which may lie at the border."""
    rows, cols = draw(st.integers(40, 90)), draw(st.integers(40, 90))
    r, c = np.mgrid[:rows, :cols]
    mask = np.zeros((rows, cols), np.uint8)
    for _ in range(draw(st.integers(1, 4))):
        r0, c0 = draw(st.integers(0, rows - 1)), draw(st.integers(0, cols - 1))
        a, b = draw(st.integers(2, 14)), draw(st.integers(2, 14))
        mask[((r - r0) / a) ** 2 + ((c - c0) / b) ** 2 <= 1] = 1
    if draw(st.booleans()):
        mask[: draw(st.integers(1, 8))] = 255
    image = np.random.default_rng(draw(st.integers(0, 99))).normal(0, 1, (3, rows, cols)).astype(np.float32)
    return image, mask, draw(st.integers(0, 99))


@settings(max_examples=80, deadline=None)
@given(scene=scenes(), by=st.sampled_from(["side", "area"]))
def test_reading_of_the_paper(scene, by):
    image, mask, seed = scene
    before = image.copy(), mask.copy()
    changed, labels, boxes = center_rep(image, mask, np.random.default_rng(seed), by=by)
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(mask, before[1])
    landslides = find_objects(label(mask == 1, EIGHT)[0])
    touched = np.zeros(mask.shape, bool)
    for row, col, row_end, col_end in boxes:
        touched[row:row_end, col:col_end] = True
        own = [
            s
            for s in landslides
            if abs((s[0].start + s[0].stop) - (row + row_end)) <= 1
            and abs((s[1].start + s[1].stop) - (col + col_end)) <= 1  # one box, at the centre of one landslide's
        ]
        assert own
        height, width = (row_end - row), (col_end - col)
        sides = [(height / (s[0].stop - s[0].start), width / (s[1].stop - s[1].start)) for s in own]
        if by == "side":
            assert any(0.2 - 1e-9 <= h <= 0.3 + 1e-9 and 0.2 - 1e-9 <= w <= 0.3 + 1e-9 for h, w in sides)
        else:
            assert any(0.2 - 1e-9 <= h * w <= 0.3 + 1e-9 for h, w in sides)
        # the texture is one piece of the same image where there is no landslide and nothing is ignored
        piece = image[:, row:row_end, col:col_end].copy()
        known = mask[row:row_end, col:col_end] != 255
        new = changed[:, row:row_end, col:col_end]
        assert (new[:, ~known] == piece[:, ~known]).all()
        assert (labels[row:row_end, col:col_end][known] == 0).all()
    # nothing outside the boxes changed, ignored pixels stay ignored
    np.testing.assert_array_equal(changed[:, ~touched], image[:, ~touched])
    np.testing.assert_array_equal(labels[~touched], mask[~touched])
    np.testing.assert_array_equal(labels == 255, mask == 255)
    # every pixel laid over a landslide is a pixel of the background
    background = set(image[0][mask == 0].tolist())
    assert set(changed[0][touched & (mask != 255)].tolist()) <= background


def test_texture_is_one_contiguous_piece_of_background():
    image = np.arange(60 * 60, dtype=np.float32).reshape(1, 60, 60)
    mask = np.zeros((60, 60), np.uint8)
    mask[20:40, 20:40] = 1
    for seed in range(20):
        changed, labels, [(row, col, row_end, col_end)] = center_rep(image, mask, np.random.default_rng(seed))
        piece = changed[0, row:row_end, col:col_end]
        assert (np.diff(piece, axis=0) == 60).all() and (np.diff(piece, axis=1) == 1).all()
        sources = np.unravel_index(piece.astype(int), mask.shape)
        assert (mask[sources] == 0).all()
        assert 4 <= row_end - row <= 6 and 4 <= col_end - col <= 6
        assert (labels == 0).sum() == (mask == 0).sum() + piece.size


def test_each_of_several_landslides_has_its_box():
    mask = np.zeros((80, 80), np.uint8)
    mask[5:25, 5:25] = mask[50:70, 10:20] = mask[0:10, 60:80] = 1  # the last at the border
    _, _, boxes = center_rep(np.zeros((1, 80, 80), np.float32), mask, np.random.default_rng(0))
    assert len(boxes) == 3
    centres = sorted(((r + r1) / 2, (c + c1) / 2) for r, c, r1, c1 in boxes)
    np.testing.assert_allclose(centres, [(5, 70), (15, 15), (60, 15)], atol=0.5)


def test_left_alone_where_it_cannot_be_done():
    tiny = np.zeros((20, 20), np.uint8)
    tiny[4:6, 4:6] = 1  # 20-30 % of 2 pixels is no pixel
    full = np.ones((20, 20), np.uint8)  # no background to take texture from
    for mask in (tiny, full):
        image = np.random.default_rng(0).normal(size=(2, 20, 20)).astype(np.float32)
        changed, labels, boxes = center_rep(image, mask, np.random.default_rng(0))
        assert boxes == []
        np.testing.assert_array_equal(changed, image)
        np.testing.assert_array_equal(labels, mask)


def hillshade_bands(surface):
    """Elevation and the eastward and northward parts of its downslope direction, rows running south."""
    south, east = np.gradient(surface)
    downslope = -east, south
    norm = np.hypot(*downslope)
    azimuth = np.degrees(np.arctan2(downslope[0], downslope[1])) % 360
    return np.stack([surface, downslope[0] / norm, downslope[1] / norm, azimuth]).astype(np.float32)


@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.parametrize("mirror", [False, True])
def test_aspect_turns_with_the_ground(quarters, mirror):
    """Turning the bands gives what the terrain analysis of the turned terrain gives."""
    rng = np.random.default_rng(3)
    r, c = np.mgrid[:24, :24] / 24
    surface = 40 * r + 25 * c + 6 * np.sin(5 * r + 3 * c) + rng.normal(0, 0.01, (24, 24))
    bands = ["elevation", "aspect_sin", "aspect_cos", "aspect"]
    mask = (surface > 40).astype(np.uint8)
    turned, labels = turn(hillshade_bands(surface), mask, bands, quarters, mirror)
    ground = np.rot90(surface[:, ::-1] if mirror else surface, quarters)
    expected = hillshade_bands(ground)
    np.testing.assert_allclose(turned[:3], expected[:3], atol=1e-5)
    assert np.abs((turned[3] - expected[3] + 180) % 360 - 180).max() < 1e-3
    np.testing.assert_array_equal(labels, ground > 40)


def test_half_of_the_aspect_vector_is_never_turned_by_90_degrees():
    image = np.random.default_rng(0).normal(size=(2, 8, 8)).astype(np.float32)
    mask = np.zeros((8, 8), np.uint8)
    done = set()
    for seed in range(60):
        done.update(augment(image, mask, ["aspect_sin", "slope"], AugmentSettings(), np.random.default_rng(seed))[2])
    assert done == {"mirror", "turn180"}


def test_brightness_changes_reflectance_alone():
    image = np.ones((5, 4, 4), np.float32)
    bright = brighten(image, ["B2", "B8A_after", "ndvi", "slope", "red"], 1.2)
    np.testing.assert_allclose(bright[:, 0, 0], [1.2, 1.2, 1, 1, 1.2], rtol=1e-6)


def test_all_eight_orientations_are_drawn():
    image = np.arange(16, dtype=np.float32).reshape(1, 4, 4)
    mask = np.zeros((4, 4), np.uint8)
    seen = {
        augment(image, mask, ["slope"], AugmentSettings(), np.random.default_rng(seed))[0].tobytes()
        for seed in range(100)
    }
    assert len(seen) == 8


def test_size_and_reading_of_the_settings_arrive():
    """On the fly and offline: half of each side, and a third of the area, of a landslide of 20 x 20 pixels."""
    image, mask = np.random.default_rng(0).normal(size=(1, 60, 60)).astype(np.float32), np.zeros((60, 60), np.uint8)
    mask[20:40, 20:40] = 1
    for size, by, least, most in (((0.5, 0.5), "side", 100, 100), ((0.33, 0.34), "area", 132, 136)):
        options = AugmentSettings(flips=False, rotations=False, centerrep=1.0, centerrep_size=size, centerrep_by=by)
        _, labels, _ = augment(image, mask, ["slope"], options, np.random.default_rng(0))
        assert least <= 400 - (labels == 1).sum() <= most
        stored = SimpleNamespace(
            channels=1, shape=(60, 60), redrawn=True, augment=options, positive=[True], bands=["slope"],
            _normalise=Normaliser(["slope"], Statistics("zscore", (BandStatistics("slope", std=1.0),))),
            raw=lambda _: (image, mask),
        )  # fmt: skip
        _, labels = StoredPatches.read(stored, [0], draw=[0])
        assert least <= 400 - (labels == 1).sum() <= most
