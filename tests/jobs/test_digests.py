"""Kept digests are those of the code as it is: any change of a file puts an end to them."""

import json
import os

import pytest

from slipmap.jobs import digests, provenance
from slipmap.jobs.digests import digest_of


@pytest.fixture
def script(monkeypatch, tmp_path):
    """The script of a small library, in a working directory of Snakemake."""
    monkeypatch.setattr(provenance, "LIBRARY", tmp_path / "slipmap")
    monkeypatch.chdir(tmp_path)
    for name, text in {"slipmap/stage.py": "X = 1\n", "scripts/one.py": "from slipmap.stage import X\n"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / ".snakemake").mkdir()
    forget()
    yield tmp_path / "scripts/one.py"
    forget()


def forget():
    """As a new process begins."""
    for cached in (*vars(provenance).values(), *vars(digests).values()):
        if hasattr(cached, "cache_clear"):
            cached.cache_clear()


def kept(script):
    return script.parents[1] / ".snakemake/slipmap/code.json"


def test_a_second_process_takes_what_the_first_kept(script):
    first = digest_of(script)
    assert first == provenance.code_digest(script)
    record = json.loads(kept(script).read_text())
    assert record["digests"] == {"one.py": first}
    kept(script).write_text(json.dumps(record | {"digests": {"one.py": "as kept"}}))
    forget()
    assert digest_of(script) == "as kept"


def test_every_change_counts_even_one_that_hides_its_time(script):
    first = digest_of(script)
    stage = script.parents[1] / "slipmap/stage.py"
    before = stage.stat()
    stage.write_text("X = 2\n")
    os.utime(stage, ns=(before.st_atime_ns, before.st_mtime_ns))
    forget()
    changed = digest_of(script)
    assert changed == provenance.code_digest(script) != first
    (script.parents[1] / "slipmap/new.py").write_text("")
    script.write_text("from slipmap.new import Y\n")
    forget()
    assert digest_of(script) not in (first, changed)


@pytest.mark.parametrize("text", ["", "[]", '{"state": 1}', "{"])
def test_a_record_that_cannot_be_read_is_made_again(script, text):
    first = digest_of(script)
    kept(script).write_text(text)
    forget()
    assert digest_of(script) == first
    assert json.loads(kept(script).read_text())["digests"] == {"one.py": first}


def test_nothing_is_written_where_snakemake_has_no_records(script):
    (script.parents[1] / ".snakemake").rmdir()
    assert digest_of(script) == provenance.code_digest(script)
    assert not (script.parents[1] / ".snakemake").exists()
