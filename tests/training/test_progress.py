"""The bar of a training: in a terminal, and none in a file, which would get every step of it."""

import io
import sys
from types import SimpleNamespace

import pytest

from slipmap.training import callbacks


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("stream", "shown"), [(Terminal, True), (io.StringIO, False)])
def test_the_bar_is_for_terminals(stream, shown, monkeypatch):
    out = stream()
    monkeypatch.setattr(sys, "stderr", out)
    monkeypatch.setattr(callbacks, "_ours", lambda module: SimpleNamespace(steps=10))
    monkeypatch.setattr(callbacks, "record_of", lambda trainer: SimpleNamespace(history=[row]))
    row = {"epoch": 1, "training_loss": 0.5, "validation_f1": 0.25}
    bar = callbacks.Progress("Training unet")
    trainer = SimpleNamespace(is_global_zero=True, global_step=0)
    bar.on_train_start(trainer, None)
    for step in range(1, 11):
        trainer.global_step = step
        bar.on_train_batch_end(trainer)
    bar.on_train_epoch_end(trainer, None)
    bar.on_train_end()
    assert bool(out.getvalue()) == shown
    assert ("Training unet" in out.getvalue() and "0.250" in out.getvalue()) == shown
