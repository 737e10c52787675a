"""The last lines of a run: each report that was made, and three numbers of it."""

from slipmap.jobs.ending import ending


def test_each_report_is_named_with_three_numbers(tmp_path):
    made = tmp_path / "results/valley/report"
    (made / "tables").mkdir(parents=True)
    (made / "index.html").write_text("")
    (made / "tables/headline.csv").write_text(
        'value,label,detail\n227,landslides outlined,"4 % of the area, map of rs"\n132,not in the inventory,x\n'
        "31,moving,x\n41 %,of what is mapped on test ground is right,x\n"
    )
    (made / "tables/verdict.csv").write_text(
        'word,reason\nFor screening only,"Too few test landslides to tell: 9, in all."\n'
    )
    lines = ending([str(made / "index.html"), str(tmp_path / "results/other/report/index.html")]).splitlines()
    assert lines == [
        f"report: {made / 'index.html'}",
        "  For screening only. Too few test landslides to tell: 9, in all.",
        "  227 landslides outlined",
        "  132 not in the inventory",
        "  31 moving",
    ]


def test_a_report_without_numbers_is_named_alone(tmp_path):
    page = tmp_path / "index.html"
    page.write_text("")
    assert ending([str(page)]) == f"report: {page}"
