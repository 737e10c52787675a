"""What a score or a picture means is said where it could be read wrongly."""

import re

import pandas as pd

from slipmap.report import comparison, pairs, susceptibility

FOLDS = pd.DataFrame({"model": ["GAM", "SVM"], "scheme": "random", "auc": [0.916, 0.88], "default": True})
TEST = pd.DataFrame({"Model": ["GAM", "SVM"], "AUC": [0.84, 0.717]})


def test_folds_at_random_are_said_to_hold_for_ground_near_training_pixels_alone():
    said = susceptibility._marked({"cross_validation_summary": FOLDS, "test_scores": TEST})
    assert "up to 0.92" in said and "reach 0.72 to 0.84" in said
    blocks = FOLDS.assign(scheme="blocks")
    assert susceptibility._marked({"cross_validation_summary": blocks, "test_scores": TEST}) == ""
    assert susceptibility._marked({"test_scores": TEST}) == ""


def test_a_model_of_pixels_that_ranks_better_than_every_network_is_named(tmp_path):
    for best, said in (("GAM", True), ("rs", False)):
        auc = {"GAM": 0.8, "rs": 0.8, best: 0.9}
        rows = [(m, x, x, a) for m, a in auc.items() for x in (0.0, 1.0)]
        names = ["model", "false_positive_rate", "true_positive_rate", "auc"]
        pd.DataFrame(rows, columns=names).to_csv(tmp_path / "roc.csv", index=False)
        (drawn,) = comparison.roc({"roc.csv": tmp_path / "roc.csv"}, ["rs"])
        assert ("The largest is that of GAM" in drawn["caption"]) is said


def test_one_coherence_of_all_pairs_is_no_scale_of_colours():
    network = pd.DataFrame({"pair": ["a_b", "b_c"], "mean_coherence": [0.791, 0.792]})
    assert "0.79 in all of them" in pairs.caption(network, None) and "(dark)" not in pairs.caption(network, None)
    network["mean_coherence"] = [0.3, 0.8]
    assert re.search(r"from 0\.30 \(dark\) to 0\.80 \(light\)", pairs.caption(network, None))
