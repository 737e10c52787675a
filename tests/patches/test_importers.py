"""The index of importers, the protocol that each of them meets, importers of other packages, the page about them."""

import subprocess
import sys

import numpy as np
import pytest

from helpers import patches_samples as samples
from helpers import plugin
from helpers.patches_imports import read, run
from slipmap.check.run import check_run
from slipmap.config import parse_config
from slipmap.config.patches import ImportSettings
from slipmap.errors import InputError
from slipmap.io import marks
from slipmap.jobs.provenance import LIBRARY, code_files
from slipmap.patches import importers
from slipmap.patches.importing import page


def test_names_are_known_without_importing_an_importer():
    code = (
        "import sys; from slipmap.patches import importers; importers.formats(); "
        "sys.exit(bool({'numpy', 'h5py', 'slipmap.patches.importers.bijie'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("format_", importers.own_formats())
def test_an_importer_says_what_it_reads(format_, tmp_path):
    importer = importers.load(format_)
    assert importer.name == format_ and importer.files
    said = (importer.title, importer.source, importer.bands, importer.classes, importer.split, importer.checks)
    for text in (*said, importer.__doc__):
        assert text and text.strip() == text
    assert set(importer.settings) <= set(ImportSettings.model_fields)
    for settings in (
        ImportSettings(format=format_, path=str(tmp_path)),
        ImportSettings(format=format_, path="nowhere"),
    ):
        with pytest.raises(InputError, match="source"):  # an empty folder, and none
            importer.check(settings)


def config(**source):
    experiments = {"a": {"train_areas": ["d"], "test_areas": ["d"]}}
    return parse_config({"datasets": {"d": {"source": source}}, "experiments": experiments})


@pytest.mark.parametrize(
    ("typo", "meant"), [("bije", "bijie"), ("landslides4sense", "landslide4sense"), ("folders", "folder")]
)
def test_a_misspelt_format_is_met_with_the_right_one(typo, meant, tmp_path):
    sentence = f"datasets.d.source.format: there is no importer of the format '{typo}'; did you mean '{meant}'"
    with pytest.raises(InputError, match=sentence):
        check_run(config(format=typo, path=str(tmp_path)))
    with pytest.raises(InputError, match=f"no importer of the format '{typo}'; did you mean '{meant}'"):
        run(tmp_path, format=typo, path=str(tmp_path))


@pytest.mark.parametrize(
    ("make", "format_", "said"),
    [
        (samples.landslide4sense, "landslide4sense", "12 images|6 images were found, 3799 are published"),
        (samples.bijie, "bijie", "8 images were found, 770 are published"),
        (samples.bijie, "landslide4sense", r"source\.path: .* has neither TrainData/img nor images/train"),
        (samples.landslide4sense, "bijie", r"source\.path: .* has no folder landslide/image"),
        (samples.bijie, "sen12landslides", r"source\.path: .* has no NetCDF file"),
        (samples.bijie, "folder", r"source\.images: .*images is not a folder"),
    ],
)
def test_a_check_sees_what_the_import_would_refuse(make, format_, said, tmp_path):
    root = make(tmp_path / "data")
    for refuses in (
        lambda: check_run(config(format=format_, path=str(root))),
        lambda: run(tmp_path, format=format_, path=str(root), counts="published"),
    ):
        with pytest.raises(InputError, match=said):
            refuses()


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder on the Python path that holds the package of ``tests/plugin_package``."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(plugin.install(folder))
    yield folder
    for module in [module for module in sys.modules if module.partition(".")[0] == "slipmap_example"]:
        del sys.modules[module]


def tiles(folder):
    folder.mkdir()
    for i in range(8):
        image = np.random.default_rng(i).integers(0, 101, (3, 16, 16))
        np.savez(folder / f"tile_{i}.npz", image=image, landslide=image[0] > 50)
    return folder


def test_an_importer_of_another_package(site, tmp_path):
    source = {"format": "example", "path": str(tiles(tmp_path / "tiles"))}
    assert "example" in importers.formats()
    check_run(config(**source))
    image, mask, index = read(run(tmp_path, **source))
    for band, labels, name in zip(image[:, 0], mask, index["source"], strict=True):
        there = np.load(tmp_path / f"tiles/{name}.npz")
        np.testing.assert_allclose(band, there["image"][0] / 100, rtol=1e-6)
        np.testing.assert_array_equal(labels, there["landslide"])


def test_its_code_is_part_of_the_job_that_imports(site):
    scripts = LIBRARY.parent / "scripts"
    files = {site / "slipmap_example/tiles.py", LIBRARY / "patches/importers/bijie.py"}
    assert files <= code_files(scripts / "import_patches.py")
    assert site / "slipmap_example/tiles.py" not in code_files(scripts / "terrain.py")


def test_without_its_package_an_importer_is_refused(tmp_path):
    with pytest.raises(InputError, match="no importer of the format 'example'"):
        run(tmp_path, format="example", path=str(tiles(tmp_path / "tiles")))


@pytest.mark.parametrize("code", ["import nothing_of_that_name", "1 / 0", "IMPORTER ="])
def test_a_package_that_cannot_be_imported_is_named(site, tmp_path, code):
    (site / "slipmap_example/tiles.py").write_text(code)
    said = r"'slipmap-example' registers the importer of 'example' \(slipmap_example\.tiles\) but cannot be imported"
    with pytest.raises(InputError, match=said):
        run(tmp_path, format="example", path=str(tiles(tmp_path / "tiles")))


def test_a_package_may_not_take_a_name_of_ours(site):
    note = next(site.glob("*.dist-info")) / "entry_points.txt"
    note.write_text(note.read_text().replace("example = slipmap_example.tiles", "bijie = slipmap_example.tiles"))
    with pytest.raises(InputError, match="the importer of 'bijie', a name that slipmap has taken"):
        importers.formats()


def test_the_page_is_what_the_importers_say(repository):
    """Made again by ``python -m slipmap.patches.importing.page docs/input_formats.md``."""
    text = (repository / "docs/input_formats.md").read_text(encoding="utf-8")
    assert marks.between(text, page.MARK, page.section()) == text
    for format_ in importers.own_formats():
        assert f"`format: {format_}`" in text


def test_a_page_without_its_marks_is_refused():
    with pytest.raises(ValueError, match="no <!-- importers: begin -->"):
        marks.between("# A page", "importers", "text")
