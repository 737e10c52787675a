"""The commands that show finished results: report, view, picture."""

import argparse
from pathlib import Path
from typing import TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
AREA = "name of the area: a folder of results/"


def add(commands: Commands) -> None:
    """Add the commands to those of ``slipmap``."""
    report = commands.add_parser("report", help="say where an area's report is, or print its summary as PDF")
    report.add_argument("area", help=AREA)
    report.add_argument("--pdf", action="store_true", help="print the summary: summary.pdf beside the report")
    report.add_argument("--out", metavar="FILE", help="PDF to write instead")
    report.set_defaults(command=_report)

    view = commands.add_parser(
        "view", help="look at an area's finished results in a browser: any pixel's series, a moved reference, profiles"
    )
    view.add_argument("area", help=AREA)
    view.add_argument("--config", help="config of the run (default: the one in this folder that has the area)")
    view.add_argument("--port", type=int, default=8808, help="port on 127.0.0.1 (default: %(default)s)")
    view.add_argument("--no-browser", action="store_true", help="only say where the page is")
    view.set_defaults(command=_view)

    picture = commands.add_parser("picture", help="draw one picture of an area's map")
    picture.add_argument("area", help=AREA)
    picture.add_argument("experiment", help="experiment whose map is drawn: a folder of results/AREA/maps")
    picture.add_argument("output", help="PNG to write")
    picture.set_defaults(command=_picture)


def _report(options: argparse.Namespace) -> None:
    from slipmap.report import printing

    if options.pdf or options.out:
        print(printing.run(options.area, out=Path(options.out) if options.out else None))
    else:
        print(printing.page_of(options.area))


def _view(options: argparse.Namespace) -> None:
    from slipmap.config import here
    from slipmap.viewer.server import run

    config = options.config or here.only(options.area, option="--config FILE")
    run(options.area, config, options.port, not options.no_browser)


def _picture(options: argparse.Namespace) -> None:
    from slipmap.report.overview import run

    run(options.area, options.experiment, options.output)
    print(options.output)
