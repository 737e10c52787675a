"""Commands that are given no config take the one of this folder, and never another by silence."""

import pytest

from slipmap import cli
from slipmap.config import here
from slipmap.errors import InputError
from slipmap.jobs import launch


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a config of an area, and a YAML file that is none."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "valley.yaml").write_text("areas: {valley: {}}\n")
    (tmp_path / "other.yaml").write_text("colours: [red]\n")
    (tmp_path / "broken.yaml").write_text("areas: [\n")
    return tmp_path


def test_the_only_config_is_found_and_by_its_area(folder):
    assert here.only() == "valley.yaml" == here.only("valley")
    with pytest.raises(InputError, match="no config that has area 'gorge'; give one: --config FILE"):
        here.only("gorge", option="--config FILE")


def test_of_several_none_is_chosen_but_the_usual_one(folder):
    (folder / "gorge.yaml").write_text("areas: {gorge: {}}\n")
    with pytest.raises(InputError, match=r"several configs in this folder: gorge.yaml, valley.yaml; name one"):
        here.only()
    assert here.only("gorge") == "gorge.yaml"
    (folder / "config").mkdir()
    (folder / "config/config.yaml").write_text("areas: {demo: {}}\n")
    assert here.only() == "config/config.yaml"


def test_run_without_a_config_does_not_start_the_demo_beside_ones_own(folder, monkeypatch, capsys):
    ran = []
    monkeypatch.setattr(launch, "launch", ran.append)
    assert cli.main(["run"]) == 1 and not ran
    assert "this folder has valley.yaml; give it: slipmap run valley.yaml" in capsys.readouterr().err
    (folder / "valley.yaml").unlink()
    assert cli.main(["run"]) == 0 and len(ran) == 1
    assert "demo, a simulated area" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["staus"], "slipmap: there is no command 'staus'; did you mean 'status'? See 'slipmap --help'."),
        (["run", "--corse", "2"], "slipmap: unrecognized arguments: --corse"),
    ],
)
def test_a_wrong_command_line_is_one_sentence(typed, said, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(typed)
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith(said) and told.count("\n") == 1
