"""What the loop sees: order, balance, augmentation equal to that of the patch stage, streamed equal to kept."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.training_stores import tiny_store
from slipmap.config.patches import AugmentSettings
from slipmap.config.recipes import RECIPES
from slipmap.config.training import TrainingSettings
from slipmap.errors import InputError
from slipmap.patches.augmentation import brighten, turn
from slipmap.patches.dataset import StoredPatches
from slipmap.patches.normalisation import BandStatistics, Statistics, channel_names, linear_terms, normalise
from slipmap.training.augment import BatchAugmentation
from slipmap.training.batches import OrderedBatches, TrainingBatches, epoch_order
from slipmap.training.schedule import optimiser, rate_factor
from slipmap.training.source import choose_bands

CPU = torch.device("cpu")
NONE = BatchAugmentation(AugmentSettings(flips=False, rotations=False), (), ())


def test_each_patch_once_an_epoch_in_another_order():
    positive = np.arange(20) % 3 == 0
    first, second = epoch_order(positive, 4, 1, 0), epoch_order(positive, 4, 1, 1)
    assert first.shape == (5, 4) and sorted(first.ravel()) == list(range(20))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, epoch_order(positive, 4, 1, 0))
    assert not np.array_equal(first, epoch_order(positive, 4, 2, 0))
    assert epoch_order(positive, 6, 1, 0).shape == (3, 6)  # the rest waits for another epoch's order
    assert epoch_order(positive[:3], 8, 1, 0).shape == (1, 3)
    assert epoch_order(positive[:1], 8, 1, 0).shape == (1, 2)  # batch normalisation needs two


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_balanced_sampling(share):
    positive = np.zeros(100, bool)
    positive[:10] = True
    order = epoch_order(positive, 10, 0, 0, share).ravel()
    assert positive[order].mean() == pytest.approx(share)
    counts = np.bincount(order[positive[order]], minlength=10)[:10]
    assert counts.max() - counts.min() <= 1  # the few are repeated alike
    negatives = order[~positive[order]]
    assert len(set(negatives)) == len(negatives)


BANDS = ("aspect_sin", "aspect_cos", "aspect", "slope", "B4", "lithology")


def statistics(method):
    random = np.random.default_rng(1)
    bands = [
        BandStatistics(name, mean=m, std=s, minimum=m - 3 * s, maximum=m + 2 * s, count=9)
        for name, m, s in zip(BANDS[:-1], random.normal(0, 1, 5), random.uniform(0.5, 2, 5), strict=True)
    ]
    return Statistics(
        method, (*bands, BandStatistics("lithology", kind="categorical", classes={1: "a", 2: "b"}, count=9))
    )


@pytest.mark.parametrize("method", ["zscore", "minmax"])
@pytest.mark.parametrize(("mirror", "quarters"), [(m, q) for m in (False, True) for q in range(4)])
def test_turning_normalised_channels_is_turning_raw_bands(method, mirror, quarters, monkeypatch):
    """The patch stage turns raw bands; turned and then normalised must be normalised and then turned."""
    random = np.random.default_rng(0)
    raw = random.normal(0, 1, (3, 6, 8, 8)).astype(np.float32)
    raw[:, 2] = random.uniform(0, 359, raw[:, 2].shape)
    raw[:, 2, 0, 0] = -1  # flat
    raw[:, 5] = random.integers(1, 3, raw[:, 5].shape)
    raw[random.random(raw.shape) < 0.1] = np.nan
    mask = random.integers(0, 2, (3, 8, 8)).astype(np.uint8)
    chosen = statistics(method)
    augmentation = BatchAugmentation.fitted(AugmentSettings(), channel_names(BANDS, chosen), chosen)
    drawn = np.array([mirror, False, mirror]), np.array([quarters, 0, quarters])
    monkeypatch.setattr("slipmap.training.augment.draw_turns", lambda *_: drawn)
    image = torch.from_numpy(np.stack([normalise(patch, BANDS, chosen) for patch in raw]))
    kept = image.clone()
    turned, turned_mask = augmentation(image, torch.from_numpy(mask), random)
    assert torch.equal(image, kept)  # the batch that came in is not changed
    for number, (m, q) in enumerate([(mirror, quarters), (False, 0), (mirror, quarters)]):
        expected, expected_mask = turn(raw[number], mask[number], BANDS, q, m)
        np.testing.assert_allclose(turned[number], normalise(expected, BANDS, chosen), atol=2e-4)
        np.testing.assert_array_equal(turned_mask[number], expected_mask)


@settings(max_examples=60, deadline=None)
@given(
    mirror=st.booleans(),
    quarters=st.integers(0, 3),
    method=st.sampled_from(["zscore", "minmax"]),
    constant=st.sampled_from([None, *BANDS[:3]]),
    brightness=st.sampled_from([0.0, 0.3]),
    seed=st.integers(0, 9999),
)
def test_gaps_stay_gaps_through_every_turn(mirror, quarters, method, constant, brightness, seed):
    """Against NumPy and complex numbers on raw values with gaps: a gap moves with its band and stays the mean."""
    random = np.random.default_rng(seed)
    slope_faces = random.uniform(-np.pi, np.pi, (5, 5))
    raw = random.uniform(0.1, 1, (6, 5, 5))
    raw[0], raw[1] = np.cos(slope_faces), np.sin(slope_faces)  # east, north
    raw[2] = (90 - np.degrees(slope_faces)) % 360
    raw[5] = random.integers(1, 3, raw[5].shape)
    chosen = statistics(method)
    bands = [replace(b, std=0.0, minimum=b.mean, maximum=b.mean) if b.name == constant else b for b in chosen.bands]
    chosen = Statistics(method, tuple(bands))
    for at, band in enumerate(bands[:-1]):  # values that are exactly the mean are no gaps
        raw[at, 1, 1] = band.mean if 0 < band.mean < 1 else raw[at, 1, 1]
    raw = raw.astype(np.float32)
    raw[random.random(raw.shape) < 0.3] = np.nan
    if constant:
        raw[BANDS.index(constant)] = bands[BANDS.index(constant)].mean
    augmentation = BatchAugmentation.fitted(
        AugmentSettings(brightness=brightness), channel_names(BANDS, chosen), chosen
    )
    image = torch.from_numpy(normalise(raw, BANDS, chosen))[None]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("slipmap.training.augment.draw_turns", lambda *_: (np.array([mirror]), np.array([quarters])))
        got, _ = augmentation(image, torch.zeros(1, 5, 5, dtype=torch.uint8), np.random.default_rng(seed))
    moved = np.stack([np.rot90(band[:, ::-1] if mirror else band, quarters) for band in raw])
    gaps = [np.isnan(moved[i]) for i in ((1, 0) if quarters % 2 else (0, 1))]
    filled = np.nan_to_num(moved[:2])
    vector = filled[0] + 1j * filled[1]
    vector = (-vector.conj() if mirror else vector) * 1j**quarters
    expected = moved.copy()
    expected[0], expected[1] = (
        np.where(g, np.nan, part) for g, part in zip(gaps, (vector.real, vector.imag), strict=True)
    )
    faces = np.exp(1j * np.radians(90 - moved[2]))
    faces = (-faces.conj() if mirror else faces) * 1j**quarters
    expected[2] = np.where(np.isnan(moved[2]), np.nan, (90 - np.degrees(np.angle(faces))) % 360)
    if brightness:
        expected[4] *= np.float32(1 + brightness * np.random.default_rng(seed).uniform(-1, 1))
    wanted = normalise(expected, BANDS, chosen)
    difference = np.abs(got[0].numpy() - wanted)
    turn_of = 360 * abs(linear_terms(bands[2], method)[1])  # north is 0 and 360 degrees
    difference[2] = np.minimum(difference[2], np.abs(difference[2] - turn_of))
    assert difference.max() < 2e-3


def test_all_eight_turns_are_drawn_alike():
    augmentation = BatchAugmentation.fitted(AugmentSettings(), ["slope"], statistics("zscore"))
    corner = torch.zeros(4000, 1, 4, 4)
    corner[:, 0, 0, 1] = 1
    moved, _ = augmentation(corner, torch.zeros(4000, 4, 4, dtype=torch.uint8), np.random.default_rng(0))
    counts = moved[:, 0].sum(0)
    places = counts[counts > 0]
    assert len(places) == 8
    assert places.min() > 400 and places.max() < 600
    only = BatchAugmentation.fitted(AugmentSettings(rotations=False), ["slope"], statistics("zscore"))
    moved, _ = only(corner, torch.zeros(4000, 4, 4, dtype=torch.uint8), np.random.default_rng(0))
    assert (moved[:, 0].sum(0) > 0).sum() == 4


def test_brightness_scales_reflectance_and_nothing_else():
    chosen = statistics("zscore")
    settings = AugmentSettings(flips=False, rotations=False, brightness=0.2)
    names = channel_names(BANDS, chosen)
    raw = np.random.default_rng(3).uniform(0.1, 1, (6, 4, 4)).astype(np.float32)
    image = torch.from_numpy(normalise(raw, BANDS, chosen))[None]
    mask = torch.zeros(1, 4, 4, dtype=torch.uint8)
    bright, _ = BatchAugmentation.fitted(settings, names, chosen)(image, mask, np.random.default_rng(7))
    at = names.index("B4")
    band = chosen.bands[4]
    factor = (bright[0, at, 0, 0] * band.std + band.mean) / raw[4, 0, 0]
    assert abs(factor - 1) > 1e-3 and 0.8 <= factor <= 1.2
    expected = normalise(brighten(raw, BANDS, float(factor)), BANDS, chosen)
    np.testing.assert_allclose(bright[0], expected, atol=1e-5)


@pytest.fixture(scope="module")
def patches(tmp_path_factory):
    store = tiny_store(tmp_path_factory.mktemp("store") / "d.zarr")
    bands, chosen = choose_bands([store], None, None, [])
    return store, bands, chosen


def batches(patches, **options):
    settings = {"cache": 1 << 30, "positive_share": None} | options
    source = StoredPatches([patches[0]], "training", *patches[1:], settings.pop("augment", None))
    return TrainingBatches(source, 4, 0, settings.pop("positive_share"), NONE, CPU, **settings)


def test_streamed_batches_are_those_kept_in_memory(patches):
    kept, streamed = batches(patches), batches(patches, cache=0)
    reading = batches(patches, cache=0, workers=1)
    assert kept.resident is not None and streamed.resident is None
    for a, b, c in zip(kept, streamed, reading, strict=True):
        assert torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) and torch.equal(a[0], c[0])


def test_processes_share_each_batch(patches):
    whole, halves = list(batches(patches)), [list(batches(patches, rank=rank, world=2)) for rank in (0, 1)]
    for number, (image, _) in enumerate(whole):
        both = torch.cat([halves[0][number][0], halves[1][number][0]])
        assert torch.equal(both.flatten(1).sum(1).sort().values, image.flatten(1).sum(1).sort().values)
    source = StoredPatches([patches[0]], "validation", *patches[1:])
    shares = [sum(len(mask) for _, mask in OrderedBatches(source, 3, CPU, rank=rank, world=3)) for rank in range(3)]
    assert sum(shares) == len(source)


def test_centerrep_is_drawn_again_and_the_store_is_not_changed(patches):
    always = AugmentSettings(flips=False, rotations=False, centerrep=1.0)
    plain, changed = batches(patches), batches(patches, augment=always)
    assert changed.resident is None  # each epoch has its own patches
    changed.current_epoch = lambda: 0
    first = [mask for _, mask in changed]
    again = [mask for _, mask in changed]
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    before = [mask for _, mask in plain]
    assert any(not torch.equal(a, b) for a, b in zip(first, before, strict=True))
    assert all(torch.all((a == 1) <= (b == 1)) for a, b in zip(first, before, strict=True))
    assert all(torch.equal(a[1], b) for a, b in zip(batches(patches), before, strict=True))


def test_class_weights_are_those_of_the_training_pixels(patches):
    from sklearn.utils.class_weight import compute_class_weight

    source = batches(patches).patches
    _, mask = source.read(range(len(source)))
    expected = compute_class_weight("balanced", classes=np.array([0, 1]), y=mask[mask != 255])
    assert source.class_weights("balanced") == pytest.approx(tuple(expected))
    assert source.class_weights(3.0) == (1, 3)
    assert source.class_weights(None) == (1, 1)


def test_stores_of_two_areas(tmp_path):
    stores = [tiny_store(tmp_path / f"{name}.zarr", seed=seed, area=name) for seed, name in enumerate("ab")]
    bands, chosen = choose_bands(stores, None, None, ["lithology"])
    both = StoredPatches(stores, "training", bands, chosen)
    single = [StoredPatches([store], "training", bands, chosen) for store in stores]
    assert len(both) == sum(map(len, single))
    image, _ = both.read([0, len(single[0])])
    np.testing.assert_array_equal(image[0], single[0].read([0])[0][0])
    np.testing.assert_array_equal(image[1], single[1].read([0])[0][0])
    small = tiny_store(tmp_path / "small.zarr", size=8)
    with pytest.raises(InputError, match="differ in patch size"):
        StoredPatches([stores[0], small], "training", bands, chosen)


@pytest.mark.parametrize("name", ["constant", "cosine", "one_cycle", "polynomial", "exponential"])
def test_schedules(name):
    settings = TrainingSettings(schedule=name, decay=0.9)
    factors = np.array([rate_factor(settings, step, 100, 10) for step in range(100)])
    assert factors.max() == pytest.approx(1.0, abs=1e-3) and factors.min() >= 0
    expected = {
        "constant": 1.0,
        "cosine": 0.5 * (1 + np.cos(np.pi * 0.5)),
        "polynomial": 0.5**0.9,
        "exponential": 0.9**5,
    }
    if name in expected:
        assert factors[50] == pytest.approx(expected[name])
    else:
        reference = torch.optim.lr_scheduler.OneCycleLR(
            torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0), max_lr=1.0, total_steps=101
        )
        assert factors[0] == pytest.approx(reference.get_last_lr()[0])
        assert np.argmax(factors) == 30


STATED = {  # what the text of each paper says, read there and not in the code
    # Land 2024, 13, 835, section 3.1: "5000 epochs", read as the baseline's 5000 steps (see `assumed`)
    # the rest is the Landslide4Sense baseline's: Adam, 0.001, 5e-4, 32, cross-entropy
    "sbconv": {
        "max_steps": 5000, "optimiser": "adam", "learning_rate": 0.001, "weight_decay": 5e-4, "batch_size": 32,
        "loss": {"cross_entropy": 1.0}, "schedule": "constant",
    },
    # Remote Sensing 2024, 16, 992, section 4.2: binary cross-entropy, Adam, 0.0001, 8, checkpoint on the loss
    "fcadensenet": {
        "batch_size": 8, "optimiser": "adam", "learning_rate": 0.0001, "loss": {"bce": 1.0}, "monitor": "loss",
        "positive_share": 0.7,
    },
    # Sensors 2024, 24, 3677, section 3.1: SGD, 0.001, cosine, 4, 100, early stopping, rotation, brightness, CenterRep
    "emr_hrnet": {"batch_size": 4, "epochs": 100, "optimiser": "sgd", "learning_rate": 0.001, "schedule": "cosine"},
    # Remote Sensing 2024, 16, 1712, section 3.1: SGD, 8, 0.0001, 200
    "msasnet": {"batch_size": 8, "epochs": 200, "optimiser": "sgd", "learning_rate": 0.0001},
    # J. Comput. Commun. 2025, 13, 80-107, Table 1
    "enhanced_unet": {"batch_size": 16, "epochs": 50, "learning_rate": 1e-5},
    # configs/landslide.yaml of NASA-IMPACT/Prithvi-EO-2.0
    "prithvi_eo_v2": {
        "batch_size": 8, "epochs": 50, "optimiser": "adamw", "learning_rate": 5e-5, "weight_decay": 0.1,
        "schedule": "cosine", "loss": {"focal": 1.0}, "patience": 10, "monitor": "loss",
    },
}  # fmt: skip


@pytest.mark.parametrize("name", STATED)
def test_recipes_are_those_of_the_papers_text(name):
    given = TrainingSettings(recipe=name)
    assert {key: getattr(given, key) for key in STATED[name]} == STATED[name]
    if name == "emr_hrnet":
        assert given.patience and given.augment.rotations and given.augment.brightness and given.augment.centerrep
        assert given.weight_decay > 0  # "L2 regularization"
    assert set(STATED) == set(RECIPES)


def test_recipes_set_what_the_papers_state_and_yield_to_the_user():
    sbconv = TrainingSettings(recipe="sbconv")
    assert (sbconv.max_steps, sbconv.batch_size, sbconv.optimiser, sbconv.learning_rate) == (5000, 32, "adam", 1e-3)
    fcadensenet = TrainingSettings(recipe="fcadensenet", batch_size=2)
    assert (fcadensenet.batch_size, fcadensenet.learning_rate, fcadensenet.loss) == (2, 1e-4, {"bce": 1.0})
    with pytest.raises(ValueError, match="did you mean 'msasnet'"):
        TrainingSettings(recipe="msanet")
    with pytest.raises(ValueError, match="did you mean 'lovasz'"):
        TrainingSettings(loss={"lovas": 1.0})


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd", "rmsprop"])
def test_optimisers_cover_every_parameter(name):
    model = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3))
    made = optimiser(model.parameters(), TrainingSettings(optimiser=name, weight_decay=0.1))
    assert sum(len(group["params"]) for group in made.param_groups) == 4
    if name == "adamw":
        decays = {id(p): group["weight_decay"] for group in made.param_groups for p in group["params"]}
        assert decays[id(model[0].weight)] == 0.1 and decays[id(model[0].bias)] == decays[id(model[1].weight)] == 0
