"""Faults put into the learning and the phase linking on purpose, one at a time, and whether a test finds each.

``python -m benchmarks.mutations`` copies the checkout, changes one place of it, runs the test files concerned until one
fails, and goes on with the next; it prints a line for each and how many were found. The faults of wiring, recipes,
splits and metrics were chosen from the code, before the tests were looked at. Some twenty minutes of one processor;
``--only "phase linking"`` runs those of phase linking.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks import _linking_faults as linking

ROOT = Path(__file__).parents[1]
COPIED = ("workflow", "tests", "config", "benchmarks", "docs", "Snakefile", "pyproject.toml", "README.md", "Makefile")


@dataclass(frozen=True)
class Fault:
    """One change of one place.

    Attributes
    ----------
    what : in words.
    file : which file.
    before, after : the text, and what is put in its place (where it stands first).
    tests : files or tests that are concerned.
    """

    what: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]


FAULTS = (
    Fault(
        "U-Net: skips times zero",
        "workflow/slipmap/models/unet.py",
        "torch.cat([skips.pop(), upsample(x)], dim=1)",
        "torch.cat([0 * skips.pop(), upsample(x)], dim=1)",
        ("tests/models/test_wiring_unets.py",),
    ),
    Fault(
        "ResU-Net: shortcut times zero",
        "workflow/slipmap/models/resunet.py",
        "self.residual(x) + self.shortcut(x)",
        "self.residual(x) + 0 * self.shortcut(x)",
        ("tests/models/test_wiring_unets.py",),
    ),
    Fault(
        "MsASNet: attention before upsampling left out",
        "workflow/slipmap/models/msasnet.py",
        "upsample(attention(x))",
        "upsample(x)",
        ("tests/models/test_wiring_networks.py",),
    ),
    Fault(
        "FCADenseNet: attention on the skips left out",
        "workflow/slipmap/models/fcdensenet.py",
        "skips.append(attention(x))",
        "skips.append(x)",
        ("tests/models/test_wiring_networks.py",),
    ),
    Fault(
        "FCADenseNet: bilinear instead of nearest",
        "workflow/slipmap/models/fcdensenet.py",
        'size=skip.shape[-2:], mode="nearest"',
        'size=skip.shape[-2:], mode="bilinear"',
        ("tests/models/test_wiring_networks.py",),
    ),
    Fault(
        "RMA: level not added",
        "workflow/slipmap/models/hrnet.py",
        "out.append(level + resize_like(block(out[-1]), level))",
        "out.append(resize_like(block(out[-1]), level))",
        ("tests/models/test_wiring_hrnet.py",),
    ),
    Fault(
        "DEMA: not dilated",
        "workflow/slipmap/models/hrnet.py",
        'spread = dilation if attention == "dema" else 1',
        "spread = 1",
        ("tests/models/test_wiring_hrnet.py",),
    ),
    Fault(
        "ShapeFormer: gate without the features",
        "workflow/slipmap/models/shapeformer.py",
        "finest * (1 + torch.sigmoid(boundary))",
        "finest * torch.sigmoid(boundary)",
        ("tests/models/test_wiring_transformers.py",),
    ),
    Fault(
        "ShapeFormer: boundary not supervised",
        "workflow/slipmap/models/shapeformer.py",
        "+ self.boundary_weight * boundary_loss(",
        "+ 0 * boundary_loss(",
        ("tests/models/test_boundary.py",),
    ),
    Fault(
        "Enhanced U-Net: one hybrid level more",
        "workflow/slipmap/models/enhanced_unet.py",
        "if level < hybrid_levels",
        "if level <= hybrid_levels",
        ("tests/models/test_wiring_unets.py",),
    ),
    Fault(
        "TransUNet: no positions",
        "workflow/slipmap/models/transunet.py",
        "features = features + resize_like(self.position, features)",
        "features = features + 0 * resize_like(self.position, features)",
        ("tests/models/test_wiring_transformers.py",),
    ),
    Fault(
        "SegFormer: maps joined in reverse",
        "workflow/slipmap/models/segformer.py",
        "resize_like(level, maps[0]) for level in maps]",
        "resize_like(level, maps[0]) for level in maps[::-1]]",
        ("tests/models/test_wiring_transformers.py",),
    ),
    Fault(
        "Prithvi: last map not normalised",
        "workflow/slipmap/models/backbones/prithvi.py",
        "kept = self.norm(tokens) if last else tokens",
        "kept = tokens",
        ("tests/models/test_wiring_transformers.py",),
    ),
    Fault(
        "UPerNet: nothing comes down",
        "workflow/slipmap/models/blocks/upernet.py",
        "summed.insert(0, own + resize_like(summed[0], own))",
        "summed.insert(0, own + 0 * resize_like(summed[0], own))",
        ("tests/models/test_wiring_transformers.py",),
    ),
    Fault(
        "recipe sbconv: weight decay times ten",
        "workflow/slipmap/config/recipes.py",
        '"weight_decay": 5e-4',
        '"weight_decay": 5e-3',
        ("tests/training/test_batches.py",),
    ),
    Fault(
        "recipe emr_hrnet: constant rate",
        "workflow/slipmap/config/recipes.py",
        '"momentum": 0.9,\n            "weight_decay": 1e-4,\n            "schedule": "cosine"',
        '"momentum": 0.9,\n            "weight_decay": 1e-4,\n            "schedule": "constant"',
        ("tests/training/test_batches.py",),
    ),
    Fault(
        "recipe fcadensenet: class mix 5:5",
        "workflow/slipmap/config/recipes.py",
        '"positive_share": 0.7',
        '"positive_share": 0.5',
        ("tests/training/test_batches.py",),
    ),
    Fault(
        "recipe enhanced_unet: rate times ten",
        "workflow/slipmap/config/recipes.py",
        '"learning_rate": 1e-5',
        '"learning_rate": 1e-4',
        ("tests/training/test_batches.py",),
    ),
    Fault(
        "tables: classes of the paper not given on",
        "workflow/slipmap/training/tables.py",
        '"model": {"classes": table.inputs.classes or 1}',
        '"model": {"classes": 1}',
        ("tests/training/test_tables.py",),
    ),
    Fault(
        "tables: a published number with two digits exchanged",
        "config/tables/emr_hrnet_table2.yaml",
        "81.52",
        "81.25",
        ("tests/training/test_tables.py",),
    ),
    Fault(
        "split: landslide's other part not left out",
        "workflow/slipmap/patches/split.py",
        "label[foreign] = IGNORE",
        "label[foreign] = label[foreign]",
        ("tests/patches/test_split.py", "tests/patches/test_landslides_apart.py"),
    ),
    Fault(
        "split: half the buffer",
        "workflow/slipmap/patches/split.py",
        "reach = -(-buffer // 2)",
        "reach = buffer // 4",
        ("tests/patches/test_split.py",),
    ),
    Fault(
        "split: a landslide belongs to the block with least of it",
        "workflow/slipmap/patches/landslides.py",
        "np.lexsort((-self.table[:, 1], self.table[:, 2], self.table[:, 0]))",
        "np.lexsort((-self.table[:, 1], -self.table[:, 2], self.table[:, 0]))",
        ("tests/patches/test_split.py",),
    ),
    Fault(
        "kNNDM: the worst division stays",
        "workflow/slipmap/susceptibility/folds.py",
        "if w < least:",
        "if w > least:",
        ("tests/susceptibility/test_folds.py",),
    ),
    Fault(
        "buffer: metres read as pixels",
        "workflow/slipmap/config/patches.py",
        '(1.0 if unit == "m" else pixel)',
        "pixel",
        ("tests/patches/test_split.py",),
    ),
    Fault(
        "metrics: recall of the background with the wrong denominator",
        "workflow/slipmap/training/metrics.py",
        "macro_recall = (recall + _ratio(tn, tn + fp)) / 2",
        "macro_recall = (recall + _ratio(tn, tn + fn)) / 2",
        ("tests/training/test_metrics.py",),
    ),
    Fault(
        "metrics: undefined scores of images count as 0",
        "workflow/slipmap/training/metrics.py",
        "defined = {name: values[~np.isnan(values)] for name, values in table.items()}",
        "defined = {name: np.nan_to_num(values) for name, values in table.items()}",
        ("tests/training/test_metrics.py", "tests/training/test_run.py"),
    ),
    Fault(
        "calibration: judged on what it was fitted on",
        "workflow/slipmap/training/calibration.py",
        "judged.brier(_of_bins(fitted(fitted_on, method)))",
        "judged.brier(_of_bins(fitted(judged, method)))",
        ("tests/training/test_calibration.py",),
    ),
    Fault(
        "conformal: twice the misses",
        "workflow/slipmap/prediction/conformal.py",
        "np.floor((pixels + 1) * (1 - coverage))",
        "np.floor((pixels + 1) * 2 * (1 - coverage))",
        ("tests/prediction/test_conformal.py",),
    ),
    Fault(
        "interval: every pixel a block of its own",
        "workflow/slipmap/susceptibility/interval.py",
        "_, of = np.unique(block, return_inverse=True)",
        "of = np.arange(len(block))",
        ("tests/susceptibility/test_interval.py",),
    ),
    Fault(
        "small images enlarged",
        "workflow/slipmap/patches/resize.py",
        "scale = min(1.0, size / max(rows, cols))",
        "scale = size / max(rows, cols)",
        ("tests/patches/test_import_folder.py", "tests/patches/test_import_published.py"),
    ),
    Fault(
        "EMR-HRNet without dropout",
        "workflow/slipmap/models/hrnet.py",
        '"dropout": {"default": 0.5,',
        '"dropout": {"default": 0.0,',
        ("tests/training/test_tables.py",),
    ),
    Fault(
        "FCADenseNet without bottleneck",
        "workflow/slipmap/models/fcdensenet.py",
        '            "bottleneck": True,\n            "upsampling": {"default": "convolution"',
        '            "bottleneck": False,\n            "upsampling": {"default": "convolution"',
        ("tests/training/test_tables.py", "tests/models/test_index.py"),
    ),
    Fault(
        "FC-DenseNet row with transposed convolutions",
        "config/tables/fcadensenet_table3.yaml",
        "options: {bottleneck: true, upsampling: convolution}",
        "options: {bottleneck: true}",
        ("tests/training/test_tables.py",),
    ),
    Fault(
        "RMA top-down by default",
        "workflow/slipmap/models/hrnet.py",
        '"pyramid": {"default": "chain",',
        '"pyramid": {"default": "top_down",',
        ("tests/models/test_index.py",),
    ),
    Fault(
        "no floor under narrow attention",
        "workflow/slipmap/models/blocks/squeeze.py",
        "LEAST_HIDDEN = 4",
        "LEAST_HIDDEN = 1",
        ("tests/models/test_gates.py",),
    ),
    Fault(
        "MsASNet's natural widths in its cost column",
        "workflow/slipmap/models/msasnet.py",
        '"variant": {"default": "table",',
        '"variant": {"default": "natural",',
        ("tests/training/test_tables.py",),
    ),
    Fault(
        "SegNet untied in its cost column",
        "config/tables/msasnet_table4.yaml",
        "options: {tie_bottleneck: true}",
        "options: {tie_bottleneck: false}",
        ("tests/training/test_tables.py",),
    ),
    Fault(
        "no object stage in the scores",
        "workflow/slipmap/training/evaluate.py",
        "found = model.object_stage(found & (truth != IGNORE))",
        "found = found & (truth != IGNORE)",
        ("tests/models/test_object_rules.py",),
    ),
    Fault(
        "distance to training ground left out of the tables",
        "workflow/slipmap/training/table_results.py",
        '"test distance, ours": distance_of(loaded)',
        '"test distance, ours": float("nan")',
        ("tests/training/test_tables.py",),
    ),
    Fault(
        "the alarm of a blank map",
        "workflow/slipmap/prediction/usable.py",
        "if span[1] - span[0] < LEAST_RANGE:",
        "if False:",
        ("tests/prediction/test_usable.py",),
    ),
    Fault(
        "headline rows with one seed",
        "workflow/slipmap/training/tables.py",
        "settings.seeds if row.headline else settings.seeds[:1]",
        "settings.seeds[:1]",
        ("tests/training/test_tables.py",),
    ),
    Fault(
        "prithvi bands in the file's order",
        "workflow/slipmap/training/foundation.py",
        "own = kernel[:, bands[name]]",
        "own = kernel[:, number % kernel.shape[1]]",
        ("tests/training/test_foundation.py",),
    ),
)
LINKING = tuple(
    Fault(f"phase linking: {what}", linking.FOLDER + file, before, after, (f"{linking.TESTS}{name}",))
    for what, file, before, after, name in linking.CHANGES
)


def run(only: str = "") -> dict[str, object]:
    """Print what became of each fault whose words hold `only`; how many there are, and which no test found."""
    missed = []
    chosen = [fault for fault in (*FAULTS, *LINKING) if only in fault.what]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for name in COPIED:
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, place / name)
        for fault in chosen:
            found = _found(place, fault)
            missed += [] if found else [fault.what]
            print(f"{'found' if found else 'NOT FOUND'}: {fault.what}", flush=True)
    return {"faults": len(chosen), "found": len(chosen) - len(missed), "not found": missed}


def _found(place: Path, fault: Fault) -> bool:
    """Whether a test fails with the fault in the copy at `place`, which is left as it was."""
    path = place / fault.file
    text = path.read_text(encoding="utf-8")
    if fault.before not in text:
        raise SystemExit(f"{fault.file} does not hold {fault.before!r} any more; correct benchmarks/mutations.py.")
    path.write_text(text.replace(fault.before, fault.after, 1), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *fault.tests]
    done = subprocess.run(
        command,
        check=False,
        cwd=place,
        env=os.environ | {"PYTHONPATH": str(place / "workflow")},
        capture_output=True,
    )
    path.write_text(text, encoding="utf-8")
    return done.returncode == 1  # pytest: some test failed


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="", help="faults whose words hold this")
    result = run(parser.parse_args().only)
    print(f"{result['found']} of {result['faults']} found")
    sys.exit(1 if result["not found"] else 0)


if __name__ == "__main__":
    main()
