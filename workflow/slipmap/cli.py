"""The command line beside the workflow: look at a config before running it, list factors and models, link real data."""

import argparse
import os
import sys
from pathlib import Path
from typing import TypeAlias

from slipmap import __version__
from slipmap.command_line import CommandLine
from slipmap.errors import InputError, SlipmapError
from slipmap.sharing import command as weights_command
from slipmap.viewer import command as viewer_command

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit status (1 after an error that the user can correct, said in one sentence)."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    passed_on: list[str] = []
    if given[:1] == ["run"] and "--" in given:
        cut = given.index("--")
        given, passed_on = given[:cut], given[cut + 1 :]
    options = _parser().parse_args(given)
    if passed_on:
        options.passed_on = passed_on
    try:
        status = options.command(options) or 0
        sys.stdout.flush()  # a closed pipe shows here, not after everything
        return status
    except SlipmapError as error:
        print(f"slipmap: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("slipmap: interrupted; nothing half-written was left. Give the same command again.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more as it ends
        print("slipmap: whatever read the output has closed it; the rest is not shown.", file=sys.stderr)
        return 141
    except OSError as error:
        if error.filename is None:
            raise
        print(f"slipmap: {error.filename}: {error.strerror}; correct the path or its permissions.", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = CommandLine(
        prog="slipmap",
        description="Landslide maps from Sentinel-1, Sentinel-2, a DEM and lithology. 'slipmap init' writes a config "
        "from your files, 'slipmap check' looks at it, 'slipmap run CONFIG' makes the map and the report.",
    )
    parser.add_argument("--version", action="version", version=f"slipmap {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_run(commands)
    check = commands.add_parser("check", help="check a config and the inputs it names, without running anything")
    check.add_argument("config", nargs="?", help="config file (default: config/config.yaml, or the only one here)")
    check.add_argument("--all", action="store_true", help="say of every product that is not made why, each in a line")
    check.set_defaults(command=_check)
    _add_looks(commands)
    _add_init(commands)
    _add_new_area(commands)
    practice = commands.add_parser(
        "practice", help="write simulated files to practise with: a DEM, a Sentinel-2 scene, landslides, Sentinel-1"
    )
    practice.add_argument("folder", help="new folder for the files")
    practice.set_defaults(command=_practice)
    _add_plans(commands)
    _add_lists(commands)
    weights_command.add(commands)
    link = commands.add_parser("link", help="link real data from a folder to where an area's config looks for them")
    link.add_argument("area", help="name of the area: the data appear under resources/AREA/")
    link.add_argument("--from", dest="source", required=True, metavar="PATH", help="folder that holds the data")
    link.set_defaults(command=_link)
    viewer_command.add(commands)
    _add_upkeep(commands)
    return parser


def _add_run(commands: Commands) -> None:
    run = commands.add_parser(
        "run",
        help="run the workflow in this folder: the demo, or the area of a config",
        description="Runs Snakemake with slipmap's Snakefile; the same as 'snakemake --cores N --resources gpu=1 "
        "--configfile CONFIG' in a checkout. What stands after -- is passed on to Snakemake.",
    )
    run.add_argument("config", nargs="?", help="config file (default: the demo, where no config lies in this folder)")
    run.add_argument("--target", nargs="+", default=[], help="files or rules to make (default: all)")
    run.add_argument("--cores", default="all", help="number of cores (default: %(default)s)")
    run.add_argument("--gpus", type=int, default=1, help="GPU jobs at a time (default: %(default)s)")
    run.add_argument("-n", "--dry-run", action="store_true", help="show what would run")
    run.add_argument("--full-output", action="store_true", help="Snakemake's own messages instead of one line a stage")
    run.set_defaults(command=_run, passed_on=[])


def _add_looks(commands: Commands) -> None:
    status = commands.add_parser("status", help="tell how far each stage is, whether a run works here, what it took")
    status.add_argument("area", nargs="*", help="areas to tell of (default: all under results/)")
    status.set_defaults(command=_status)
    show = commands.add_parser("open", help="open an area's report in the browser")
    show.add_argument("area", nargs="?", help="area (default: the one that has a report)")
    show.set_defaults(command=_open)


def _add_plans(commands: Commands) -> None:
    rates = commands.add_parser("rates", help="measure what each stage of a finished run took, for `new-area` to go by")
    rates.add_argument("results", nargs="?", default="results/demo", help="an area's results (default: %(default)s)")
    rates.add_argument("--out", metavar="FILE", help="file to write (default: rates.csv in your slipmap folder)")
    rates.set_defaults(command=_rates)
    scale = commands.add_parser(
        "scale", help="tell what a large area will take, stage by stage, from the benchmarks of a finished run"
    )
    scale.add_argument("results", nargs="?", default="results/demo", help="an area's results (default: %(default)s)")
    scale.add_argument("--km2", type=float, default=50_000, help="size of the area (default: %(default)g)")
    scale.add_argument("--resolution", type=float, default=12.5, help="metres (default: %(default)g)")
    scale.add_argument("--dates", type=int, default=103, help="Sentinel-1 acquisitions (default: %(default)s)")
    scale.add_argument("--estimator", choices=("phase_linking", "sbas"), help="one alone, of a run that has both")
    scale.set_defaults(command=_scale)


def _add_lists(commands: Commands) -> None:
    models = commands.add_parser("models", help="list the architectures: size, when to take which, paper")
    models.add_argument("name", nargs="?", help="show the options of this one")
    models.set_defaults(command=_models)
    factors = commands.add_parser(
        "factors", help="list every factor: its unit, what it needs, whether it is made by default"
    )
    factors.set_defaults(command=_factors)


def _add_upkeep(commands: Commands) -> None:
    template = commands.add_parser("template", help="rewrite a config so that every option stands in it, explained")
    template.add_argument("config", help="config file")
    template.set_defaults(command=_template)
    schema = commands.add_parser("schema", help="write the JSON Schema of the config from the settings models")
    schema.set_defaults(command=_schema)
    bench = commands.add_parser("bench", help="measure speed against named peers, as ratios")
    bench.add_argument("what", nargs="*", help="which benchmarks (default: all)")
    bench.add_argument(
        "--repeat", type=int, default=1, metavar="N", help="run each N times and print the range (default: %(default)s)"
    )
    bench.set_defaults(command=_bench)


def _add_init(commands: Commands) -> None:
    parser = commands.add_parser(
        "init",
        help="write the config of an area from the files that you have",
        description="Looks at the files and writes a short config that runs; says what will be mapped and what not. "
        "To have data fetched instead: slipmap new-area.",
    )
    parser.add_argument("name", help="name of the area: letters, digits, - and _")
    for key, what in (
        ("dem", "elevation raster"),
        ("sentinel1", "folder or file of Sentinel-1 data, at any level"),
        ("sentinel2", "Sentinel-2 scene, or a folder of scenes or band files"),
        ("sentinel2-before", "the same, before an event"),
        ("sentinel2-after", "the same, after it"),
        ("inventory", "landslides: polygons, points or a raster"),
        ("lithology", "lithological units: vector or class raster"),
        ("rainfall", "rain: NetCDF or GeoTIFFs with dates"),
        ("soil-moisture", "soil moisture: NetCDF or GeoTIFFs with dates"),
        ("roads", "roads (lines)"),
        ("faults", "faults (lines)"),
    ):
        parser.add_argument(f"--{key}", metavar="PATH", help=what)
    parser.add_argument(
        "--sentinel1-level",
        metavar="LEVEL",
        help="safe, slc, wrapped, unwrapped or velocity, where the file names do not tell",
    )
    parser.add_argument(
        "--sentinel2-bands",
        metavar="B2,B3,…",
        help="names of the bands of a GeoTIFF that does not name them, in their order",
    )
    for key in ("inventory", "lithology", "roads", "faults"):
        parser.add_argument(f"--{key}-layer", metavar="NAME", help=f"layer to read, where --{key} has several layers")
    parser.add_argument("--lithology-attribute", metavar="NAME", help="attribute that names the rock (vectors)")
    parser.add_argument(
        "--bbox", nargs=4, type=float, metavar=("W", "S", "E", "N"), help="the area, in degrees (default: the ground "
        "that the rasters share)",
    )  # fmt: skip
    parser.add_argument("--crs", metavar="EPSG:N", help="CRS of the grid (default: the DEM's, or the UTM zone)")
    parser.add_argument(
        "--resolution", type=float, help="pixel size, m (default: that of the finest raster, but no finer than 10)"
    )
    parser.add_argument("--weights", metavar="FOLDER", help="trained experiment to map the area with")
    parser.add_argument("--out", metavar="FILE", help="config to write (default: NAME.yaml)")
    parser.add_argument("--force", action="store_true", help="overwrite the config")
    parser.set_defaults(command=_init)


def _init(options: argparse.Namespace) -> int:
    from slipmap.planning import init
    from slipmap.planning.ground import OPTICAL

    keys = ("dem", "sentinel1", *OPTICAL, "inventory", "lithology", "rainfall", "soil_moisture", "roads", "faults")
    begun = init.begin(
        options.name,
        {key: getattr(options, key) for key in keys if getattr(options, key)},
        output=options.out or f"{options.name}.yaml",
        bbox=tuple(options.bbox) if options.bbox else None,
        crs=options.crs,
        resolution=options.resolution,
        sentinel1_level=options.sentinel1_level,
        sentinel2_bands=[band.strip() for band in (options.sentinel2_bands or "").split(",") if band.strip()],
        layers={key: name for key in init.LAYERED if (name := getattr(options, f"{key}_layer"))},
        lithology_attribute=options.lithology_attribute,
        weights=options.weights,
        overwrite=options.force,
    )
    print(init.message(begun))
    return 1 if begun.faults else 0


def _practice(options: argparse.Namespace) -> None:
    from slipmap.simulator import practice

    for path in practice.run(options.folder):
        print(f"wrote {path}")
    print("All of it is simulated: it shows how slipmap works, and nothing about a real place.")


def _status(options: argparse.Namespace) -> None:
    from slipmap.planning import status

    print(status.page(options.area))


def _open(options: argparse.Namespace) -> None:
    from slipmap.planning import status

    print(status.show(options.area))


def _add_new_area(commands: Commands) -> None:
    parser = commands.add_parser(
        "new-area",
        help="write a config for a new study area, from a box or polygon and dates",
        description="Writes a commented config: grid, UTM zone, the tracks, scenes and tiles that there are, the "
        "size of "
        "the download, and the disk and time that the area will need.",
    )
    parser.add_argument("name", help="name of the area: letters, digits, - and _")
    ground = parser.add_mutually_exclusive_group(required=True)
    ground.add_argument(
        "--bbox", nargs=4, type=float, metavar=("W", "S", "E", "N"), help="west, south, east, north, degrees"
    )
    ground.add_argument("--polygon", metavar="FILE", help="vector file; its bounding box is the area")
    ground.add_argument("--simulated", type=int, metavar="SEED", help="simulate the area from this seed instead")
    parser.add_argument("--dates", nargs=2, metavar=("A", "B"), help="first and last date, YYYY-MM-DD (real areas)")
    parser.add_argument("--out", metavar="FILE", help="config to write (default: config/areas/NAME.yaml)")
    parser.add_argument("--resolution", type=float, default=12.5, help="pixel size, m (default: %(default)s)")
    parser.add_argument("--offline", action="store_true", help="search nothing now; the run searches when it begins")
    parser.add_argument("--archive", metavar="FOLDER", help="local archive that stands for every service")
    parser.add_argument(
        "--service", action="append", default=[], metavar="KIND=ADDRESS",
        help="another address of a kind's service, dem=https://mirror.example.org say; may be given several times",
    )  # fmt: skip
    parser.add_argument("--weights", metavar="FOLDER", help="trained experiment to map the area with")
    parser.add_argument(
        "--fine-tune", metavar="FOLDER", help="trained experiment to go on from (the area needs landslides)"
    )
    parser.add_argument(
        "--from", dest="source", default="config/config.yaml", metavar="CONFIG",
        help="config in which it was trained, and whose simulation --simulated follows (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--rates", metavar="FILE", help="rates to estimate with, of `slipmap rates` (default: yours, else the demo's)"
    )
    parser.add_argument("--force", action="store_true", help="overwrite the config")
    parser.set_defaults(command=_new_area)


def _new_area(options: argparse.Namespace) -> None:
    from slipmap.planning import command

    print(command.new_area(options))


def _rates(options: argparse.Namespace) -> None:
    from slipmap.planning import cost

    measured, path = cost.measure(options.results), options.out or cost.user_rates()
    cost.write_rates(measured, path)
    for stage in cost.STAGES:
        if stage.name in measured:
            rate = measured[stage.name]
            spent = f"{rate.core_seconds:10.3g} core s for each {stage.grows}"
            print(f"{stage.name:32} {spent}, {rate.bytes:.3g} bytes for each {stage.disk_grows}")
        else:
            print(f"{stage.name:32} no such jobs in this run: the demo's rates stand")
    print(f"wrote {path}, which 'slipmap new-area' {'reads with --rates' if options.out else 'goes by'}")


def _run(options: argparse.Namespace) -> None:
    from slipmap.checkout import CONFIG
    from slipmap.config import here
    from slipmap.jobs import launch

    if options.config is None:
        here.require_none(CONFIG / "config.yaml")
        print("No config is given: slipmap makes the demo, a simulated area, in results/demo.", file=sys.stderr)
    launch.launch(
        launch.snakemake_command(
            options.config,
            options.target,
            cores=options.cores,
            gpus=options.gpus,
            dry_run=options.dry_run,
            full_output=options.full_output,
            options=options.passed_on,
        )
    )


def _check(options: argparse.Namespace) -> None:
    from slipmap.check import summary
    from slipmap.check.run import check_run
    from slipmap.config import here, read_config
    from slipmap.fetch.check import advice

    config = options.config or here.only(option="slipmap check CONFIG")
    settings = read_config(config)
    seen = check_run(settings)
    print(
        f"{config}: {len(settings.areas)} area(s) ({', '.join(settings.areas)}) and "
        f"{len(settings.experiments)} experiment(s) are in order. A run makes:"
    )
    for line in summary.lines(settings, seen, every=options.all):
        print(line)
    for line in advice(settings):
        print(f"note: {line}")


def _scale(options: argparse.Namespace) -> None:
    from slipmap.planning import scale

    asked = (options.results, options.km2, options.resolution, options.dates)
    print(scale.page(*asked, estimator=options.estimator))


def _models(options: argparse.Namespace) -> None:
    from slipmap.models import listing

    print(listing.page(options.name) if options.name else listing.table())


def _factors(_: argparse.Namespace) -> None:
    from slipmap.factors.listing import table

    print(table())


def _link(options: argparse.Namespace) -> None:
    from slipmap.inputs.link import link

    made = link(options.area, Path(options.source))
    print(f"linked {len(made)} file(s) into resources/{options.area}/")


def _template(options: argparse.Namespace) -> None:
    from slipmap.config.template import rewrite

    rewrite(options.config)


def _schema(_: argparse.Namespace) -> None:
    from slipmap.checkout import SCHEMA
    from slipmap.config.schema import write_schema

    write_schema()
    print(f"wrote {SCHEMA.name}")


def _bench(options: argparse.Namespace) -> None:
    from slipmap.checkout import BENCHMARKS

    if not BENCHMARKS.is_dir():
        raise InputError("the benchmarks are not part of the installed package; run 'slipmap bench' from a checkout.")
    sys.path.insert(0, str(BENCHMARKS.parent))
    from benchmarks import run

    if options.repeat < 1:
        raise InputError(f"--repeat {options.repeat}: give a number of runs from 1.")
    run(options.what, options.repeat)


if __name__ == "__main__":
    sys.exit(main())
