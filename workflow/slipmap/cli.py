"""The command line beside the workflow: look at a config before running it, list what there is, link real data."""

import argparse
import sys
from pathlib import Path

from slipmap import __version__
from slipmap.errors import SlipmapError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit status (1 after an error that the user can mend, said in one sentence)."""
    options = _parser().parse_args(arguments)
    try:
        return options.command(options) or 0
    except SlipmapError as error:
        print(f"slipmap: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="slipmap",
        description="Helpers beside the workflow itself, which is run with 'snakemake --cores N --resources gpu=1'.",
    )
    parser.add_argument("--version", action="version", version=f"slipmap {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    check = commands.add_parser("check", help="check a config and the inputs it names, without running anything")
    check.add_argument("config", nargs="?", default="config/config.yaml", help="config file (default: %(default)s)")
    check.set_defaults(command=_check)

    models = commands.add_parser("models", help="list the architectures of the registry")
    models.set_defaults(command=_models)

    link = commands.add_parser("link", help="link real data from a folder to where an area's config looks for them")
    link.add_argument("area", help="name of the area: the data appear under resources/AREA/")
    link.add_argument("--from", dest="source", required=True, metavar="PATH", help="folder that holds the data")
    link.set_defaults(command=_link)

    template = commands.add_parser("template", help="rewrite a config so that every option stands in it, explained")
    template.add_argument("config", help="config file")
    template.set_defaults(command=_template)

    schema = commands.add_parser("schema", help="write the JSON Schema of the config from the settings models")
    schema.set_defaults(command=_schema)

    picture = commands.add_parser("picture", help="draw one picture of an area's map")
    picture.add_argument("area")
    picture.add_argument("experiment")
    picture.add_argument("output", help="PNG to write")
    picture.set_defaults(command=_picture)

    bench = commands.add_parser("bench", help="measure speed against named peers, as ratios")
    bench.add_argument("what", nargs="*", help="which benchmarks (default: all)")
    bench.set_defaults(command=_bench)
    return parser


def _check(options: argparse.Namespace) -> None:
    from slipmap.config import read_config
    from slipmap.inputs.check import check_run

    settings = read_config(options.config)
    check_run(settings)
    print(
        f"{options.config}: {len(settings.areas)} area(s) ({', '.join(settings.areas)}) and "
        f"{len(settings.experiments)} experiment(s) are in order."
    )


def _models(_: argparse.Namespace) -> None:
    from slipmap.models import list_models

    print("\n".join(list_models()))


def _link(options: argparse.Namespace) -> None:
    from slipmap.inputs.link import link

    made = link(options.area, Path(options.source))
    print(f"linked {len(made)} file(s) into resources/{options.area}/")


def _template(options: argparse.Namespace) -> None:
    from slipmap.config.template import rewrite

    rewrite(options.config)


def _schema(_: argparse.Namespace) -> None:
    from slipmap.config.schema import SCHEMA, write_schema

    write_schema()
    print(f"wrote {SCHEMA.name}")


def _picture(options: argparse.Namespace) -> None:
    from slipmap.report.overview import run

    run(options.area, options.experiment, options.output)


def _bench(options: argparse.Namespace) -> None:
    from slipmap.bench import run

    run(options.what)


if __name__ == "__main__":
    sys.exit(main())
