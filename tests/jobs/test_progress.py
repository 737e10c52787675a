"""What `slipmap run` shows of a run: one line a stage, how far it is, where the log of a failed job is."""

import io
import logging
import signal
import sys

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

import snakemake_logger_plugin_slipmap as plugin
from snakemake_logger_plugin_slipmap import LogHandler, duration, stage_of_rule


@pytest.fixture
def shown(monkeypatch):
    """Feeds events to a handler; returns what it wrote."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    before = signal.getsignal(signal.SIGINT)
    handler = LogHandler(None, None)

    def feed(message="", level=logging.INFO, **fields):
        record = logging.LogRecord("snakemake", level, "", 0, message, (), None)
        record.__dict__.update(fields)
        handler.emit(record)
        return stream.getvalue().splitlines()

    yield feed
    signal.signal(signal.SIGINT, before)


def test_every_rule_has_the_stage_of_its_file():
    stages = stage_of_rule()
    assert stages["unwrap"] == "deformation" and stages["train"] == "training" and stages["report"] == "report"
    assert stages["unwrap_supplied"] == "deformation"


def test_a_stage_is_one_line_with_how_far_the_run_is(shown):
    shown(event=LogEvent.RUN_INFO, stats={"simulate": 1, "unwrap": 8, "total": 10})
    shown(event=LogEvent.JOB_INFO, jobid=1, rule_name="simulate")
    shown(event=LogEvent.JOB_FINISHED, job_id=1)
    shown(event=LogEvent.PROGRESS, done=1, total=10)
    for job in range(2, 8):
        shown(event=LogEvent.JOB_INFO, jobid=job, rule_name="unwrap")
        shown(event=LogEvent.JOB_FINISHED, job_id=job)
        lines = shown(event=LogEvent.PROGRESS, done=job, total=10)
    assert lines == ["  0 %  inputs: simulate (0 of 1)", " 10 %  deformation: unwrap (0 of 8)"]


@pytest.fixture
def clock(monkeypatch):
    """The time of the plugin, which only tests let pass."""
    now = [1000.0]
    monkeypatch.setattr(plugin.time, "monotonic", lambda: now[0])
    return now


def job(shown, clock, number, rule, seconds):
    shown(event=LogEvent.JOB_INFO, jobid=number, rule_name=rule)
    clock[0] += seconds
    return shown(event=LogEvent.JOB_FINISHED, job_id=number)


def test_no_time_is_told_while_a_rule_has_not_ended_once(clock, shown):
    shown(event=LogEvent.RUN_INFO, stats={"unwrap": 30, "train": 1, "all": 1, "total": 32})
    for number in range(30):
        lines = job(shown, clock, number, "unwrap", 20.0)
    lines = job(shown, clock, 30, "train", 3600.0)
    assert lines and not any("left" in line for line in lines)


def test_time_left_is_that_of_the_jobs_that_are_left(clock, shown):
    shown(event=LogEvent.RUN_INFO, stats={"unwrap": 4, "train": 2, "all": 1, "total": 7})
    job(shown, clock, 0, "train", 600.0)
    for number in range(1, 3):
        lines = job(shown, clock, number, "unwrap", 20.0)
    # one training and two interferograms: 640 s, one job at a time
    assert lines[-1].endswith("unwrap (2 of 4), about 11 min left")


def test_jobs_side_by_side_share_the_time(clock, shown):
    shown(event=LogEvent.RUN_INFO, stats={"unwrap": 8, "total": 8})
    for pair in range(2):
        for number in (2 * pair, 2 * pair + 1):
            shown(event=LogEvent.JOB_INFO, jobid=number, rule_name="unwrap")
        clock[0] += 30.0
        for number in (2 * pair, 2 * pair + 1):
            shown(event=LogEvent.JOB_FINISHED, job_id=number)
    clock[0] += 11.0  # a line is written every ten seconds
    lines = shown(event=LogEvent.JOB_INFO, jobid=9, rule_name="unwrap")
    # 120 s of jobs in 71 s, and four of 30 s are left: 71 s
    assert lines[-1].endswith("(4 of 8), about 1 min left")


def test_a_failed_job_names_its_log(shown):
    lines = shown(event=LogEvent.JOB_ERROR, level=logging.ERROR, rule_name="unwrap", log=["results/a/logs/unwrap.log"])
    assert lines == ["failed: unwrap; its log is results/a/logs/unwrap.log"]


def test_an_error_of_the_workflow_itself_is_shown_and_chatter_is_not(shown):
    assert shown("Building DAG of jobs...") == []
    assert shown("Missing input files", level=logging.ERROR) == ["Missing input files"]


def test_the_end_says_how_long_it_took(shown):
    assert shown(event=LogEvent.PROGRESS, done=10, total=10)[-1].startswith("100 %  done in")


@pytest.mark.parametrize(("seconds", "text"), [(12.4, "12 s"), (170, "3 min"), (7500, "2 h 05 min")])
def test_durations_read_as_people_say_them(seconds, text):
    assert duration(seconds) == text


def test_ctrl_c_is_one_sentence_and_no_failure(shown):
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    lines = shown(event=LogEvent.JOB_ERROR, rule_name="train")
    assert lines == ["interrupted; what was finished stays. Give the same command again to go on."]
