"""Published weights of Prithvi-EO-2.0: names and shapes of the files, bands by name, the scale of pretraining."""

import pytest
import torch
from safetensors.torch import save_file

from helpers.training_stores import tiny_store
from slipmap.config.run import ExperimentSettings
from slipmap.config.training import EncoderWeightsSettings, TrainingSettings
from slipmap.errors import InputError
from slipmap.models import create_model
from slipmap.patches.normalisation import BandStatistics, Normaliser, Statistics
from slipmap.training import train
from slipmap.training.start import load_encoder, start_from
from slipmap.training.weights import read_tensors

# config.json of ibm-nasa-geospatial/Prithvi-EO-2.0-*: dim, depth, heads, patch, frames
PUBLISHED = {
    "prithvi_eo_v2_tiny": (192, 12, 16, 1),
    "prithvi_eo_v2_100": (768, 12, 16, 4),
    "prithvi_eo_v2_300": (1024, 24, 16, 4),
    "prithvi_eo_v2_600": (1280, 32, 14, 4),
}
BANDS = ["B2", "B3", "B4", "B8A", "B11", "B12"]


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def transformer(prefix, dim, depth):
    """Names and shapes of `depth` blocks of a vision transformer, as timm names them."""
    shapes = {}
    for number in range(depth):
        block = f"{prefix}.{number}"
        for name, out, source in (
            ("attn.qkv", 3 * dim, dim),
            ("attn.proj", dim, dim),
            ("mlp.fc1", 4 * dim, dim),
            ("mlp.fc2", dim, 4 * dim),
        ):
            shapes[f"{block}.{name}.weight"], shapes[f"{block}.{name}.bias"] = (out, source), (out,)
        for name in ("norm1", "norm2"):
            shapes[f"{block}.{name}.weight"] = shapes[f"{block}.{name}.bias"] = (dim,)
    return shapes


def published(dim, depth, patch, frames, coordinates=True):
    """Names and shapes of a published file: the masked autoencoder, encoder and decoder."""
    tokens = frames * (224 // patch) ** 2 + 1
    shapes = {
        "encoder.cls_token": (1, 1, dim),
        "encoder.pos_embed": (1, tokens, dim),
        "encoder.patch_embed.proj.weight": (dim, 6, 1, patch, patch),
        "encoder.patch_embed.proj.bias": (dim,),
        "encoder.norm.weight": (dim,),
        "encoder.norm.bias": (dim,),
        "decoder.mask_token": (1, 1, 512),
        "decoder.decoder_pos_embed": (1, tokens, 512),
        "decoder.decoder_embed.weight": (512, dim),
        "decoder.decoder_norm.weight": (512,),
        "decoder.decoder_pred.weight": (6 * patch * patch, 512),
    }
    if coordinates:
        for part in ("encoder.temporal_embed_enc", "encoder.location_embed_enc", "decoder.temporal_embed_dec"):
            shapes[f"{part}.scale"] = (1,)
    return shapes | transformer("encoder.blocks", dim, depth)


@pytest.fixture(scope="module")
def tiny():
    """A file of the smallest model, with random numbers."""
    random = torch.Generator().manual_seed(0)
    shapes = published(*PUBLISHED["prithvi_eo_v2_tiny"])
    return {name: 0.05 * torch.randn(shape, generator=random) for name, shape in shapes.items()}


def saved(tensors, tmp_path):
    path = tmp_path / "prithvi.safetensors"
    save_file(tensors, path)
    return path


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_encoder_has_the_published_names_and_shapes(name):
    shapes = {key: shape for key, shape in published(*PUBLISHED[name]).items() if key.startswith("encoder.")}
    for beside in ("pos_embed", "temporal_embed_enc.scale", "location_embed_enc.scale"):
        del shapes[f"encoder.{beside}"]
    dim, bands, date, rows, columns = shapes["encoder.patch_embed.proj.weight"]
    assert date == 1  # one date long: the axis that ours has not
    shapes["encoder.patch_embed.proj.weight"] = (dim, bands, rows, columns)
    with torch.device("meta"):
        ours = create_model(name, 6, 1).state_dict()
    assert {key: tuple(t.shape) for key, t in ours.items() if key.startswith("encoder.")} == shapes


@pytest.mark.parametrize("prefix", ["encoder.", ""])
def test_a_published_file_is_loaded_whole(tiny, tmp_path, prefix):
    """Every tensor of the encoder, value for value; with the prefix of the autoencoder or without."""
    tensors = {key.replace("encoder.", prefix, 1): value for key, value in tiny.items()}
    model = create_model("prithvi_eo_v2_tiny", 6, 1)
    settings = TrainingSettings(encoder_weights={"path": str(saved(tensors, tmp_path))})
    loaded = start_from(model, settings, BANDS)
    for key, value in model.state_dict().items():
        if key.startswith("encoder."):
            assert key in loaded and torch.equal(value, tiny[key].reshape(value.shape)), key
    assert len(loaded) == 12 * 12 + 5


def test_bands_go_by_name_and_others_begin_at_nothing(tiny, tmp_path):
    model = create_model("prithvi_eo_v2_tiny", 4, 1)
    given = EncoderWeightsSettings(path=str(saved(tiny, tmp_path)))
    load_encoder(model, given, ["slope", "B4", "B2", "B8"])
    kernel, theirs = model.encoder.patch_embed.proj.weight, tiny["encoder.patch_embed.proj.weight"][:, :, 0]
    assert torch.equal(kernel[:, 1], theirs[:, 2]) and torch.equal(kernel[:, 2], theirs[:, 0])
    assert not kernel[:, [0, 3]].any()  # B8 is the broad band: not one of pretraining unless it is said
    load_encoder(model, given.model_copy(update={"bands": {"B8": 3}}), ["slope", "B4", "B2", "B8"])
    assert torch.equal(model.encoder.patch_embed.proj.weight[:, 3], theirs[:, 3])


@pytest.mark.parametrize("method", ["zscore", "minmax"])
def test_the_encoder_sees_what_pretraining_saw(tiny, tmp_path, method):
    """Our normalised reflectance and their (10,000 x - mean) / std give the same features."""
    torch.manual_seed(0)
    reflectance = torch.rand(6, 32, 48) * 0.4
    bands = tuple(
        BandStatistics(name, count=9, mean=0.1 + 0.02 * n, std=0.05 + 0.01 * n, minimum=0.01 * n, maximum=0.5)
        for n, name in enumerate(BANDS)
    )
    statistics = Statistics(method, bands)
    ours = torch.from_numpy(Normaliser(BANDS, statistics)(reflectance.numpy()))
    mean = torch.tensor([1087.0, 1342.0, 1433.0, 2734.0, 1958.0, 1363.0])[:, None, None]
    std = torch.tensor([2248.0, 2179.0, 2178.0, 1850.0, 1242.0, 1049.0])[:, None, None]
    theirs = (reflectance * 10_000 - mean) / std
    given = EncoderWeightsSettings(path=str(saved(tiny, tmp_path)))
    features = []
    for image, known in ((ours, statistics), (theirs, None)):
        model = create_model("prithvi_eo_v2_tiny", 6, 1)
        load_encoder(model, given, BANDS, known)
        with torch.no_grad():
            features.append(model.encoder.patch_embed(image[None]))
    torch.testing.assert_close(*features, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("encoder.blocks.7.attn.qkv.bias"), r"lacks 'encoder\.blocks\.7\.attn\.qkv\.bias' \(1 tensors"),
        (lambda t: t.update({"encoder.blocks.12.norm1.weight": torch.ones(192)}), r"has 'blocks\.12\.norm1\.weight'"),
        (
            lambda t: t.update({"encoder.norm.bias": torch.ones(768)}),
            r"'encoder\.norm\.bias' is \(768,\), the model need",
        ),
    ],
)
def test_a_file_that_does_not_fit_is_one_sentence(tiny, tmp_path, change, message):
    tensors = dict(tiny)
    change(tensors)
    given = EncoderWeightsSettings(path=str(saved(tensors, tmp_path)))
    with pytest.raises(InputError, match=message):
        load_encoder(create_model("prithvi_eo_v2_tiny", 6, 1), given, BANDS)


def test_bands_that_are_none_are_asked_about(tiny, tmp_path):
    given = EncoderWeightsSettings(path=str(saved(tiny, tmp_path)))
    model = create_model("prithvi_eo_v2_tiny", 2, 1)
    with pytest.raises(
        InputError, match=r"none of the channels \(slope, B8\) has the name of a band of pretraining \(B2, B3, B4, B8A"
    ):
        load_encoder(model, given, ["slope", "B8"])
    with pytest.raises(InputError, match=r"bands\.B8 is 6, but .* has 6 input channels, counted from 0"):
        load_encoder(model, given.model_copy(update={"bands": {"B8": 6}}), ["slope", "B8"])
    digital = Statistics("zscore", (BandStatistics("slope"), BandStatistics("B4", mean=1433.0, std=500.0, count=9)))
    with pytest.raises(InputError, match=r"the mean of B4 is 1433, so it is no reflectance from 0 to 1"):
        load_encoder(model, given, ["slope", "B4"], digital)
    load_encoder(model, given.model_copy(update={"reflectance": False}), ["slope", "B4"], digital)


def test_its_recipe_trains_with_the_encoder_frozen(tmp_path):
    """From a file, on a few patches: the encoder stays as it was published while the decoder learns."""
    store = tiny_store(tmp_path / "d.zarr")
    random = torch.Generator().manual_seed(0)
    shapes = published(48, 4, 16, 1, coordinates=False)
    tensors = {name: 0.05 * torch.randn(shape, generator=random) for name, shape in shapes.items()}
    settings = ExperimentSettings(
        dataset="d",
        train_areas=["simulated"],
        model={"name": "prithvi_eo_v2_tiny", "options": {"width": 0.125, "depth": 4}},
        training={
            "recipe": "prithvi_eo_v2",
            "epochs": 1,
            "batch_size": 4,
            "freeze_epochs": 1,
            "encoder_weights": {"path": str(saved(tensors, tmp_path)), "bands": {"slope": 2}, "reflectance": False},
        },
    )
    assert (settings.training.learning_rate, settings.training.weight_decay) == (5e-5, 0.1)
    train.run([store], None, settings, 0, tmp_path / "seed_0")
    after = read_tensors(tmp_path / "seed_0" / "last.safetensors")
    kept = [name for name in after if name.startswith("encoder.") and "patch_embed.proj.weight" not in name]
    assert all(torch.equal(after[name], tensors[name]) for name in kept) and len(kept) == 4 * 12 + 4
