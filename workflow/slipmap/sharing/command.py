"""`slipmap weights`: list, publish and fetch; imports what it needs when it is called."""

import argparse
from typing import Any


def add(commands: Any) -> None:
    """Add ``slipmap weights`` to the commands of the parser."""
    parser = commands.add_parser(
        "weights",
        help="list trained weights at hand; publish and fetch them",
        description="Without a further word it lists what is in weights/ and results/. 'publish' and 'fetch' have "
        "options of their own: slipmap weights publish --help.",
    )
    parser.add_argument(
        "--near", nargs="+", metavar="PLACE", help="LON LAT in degrees, or a config: list what is nearest first"
    )
    parser.set_defaults(command=_list_weights)
    actions = parser.add_subparsers(metavar="ACTION")
    publish = actions.add_parser("publish", help="write a folder and a zip of a trained experiment, with a card")
    publish.add_argument("experiment", help="results/AREA/experiments/NAME of a finished run")
    publish.add_argument("--licence", required=True, help="licence of the weights, CC-BY-4.0 say")
    publish.add_argument("--data", choices=("real", "simulated"), help="what they learnt from, where no file tells")
    publish.add_argument("--to", default="published", metavar="FOLDER", help="where to write (default: %(default)s)")
    publish.set_defaults(command=_publish)
    fetch = actions.add_parser("fetch", help="fetch published weights, from an address or a file")
    fetch.add_argument("source", help="address or file of the zip")
    fetch.add_argument("--sha256", help="its checksum (default: what lies beside it as .sha256)")
    fetch.add_argument("--to", default="weights", metavar="FOLDER", help="where to put them (default: %(default)s)")
    fetch.set_defaults(command=_fetch_weights)


def _list_weights(options: argparse.Namespace) -> None:
    from slipmap.sharing import listing

    place = listing.place_of(options.near) if options.near else None
    print(listing.table(listing.find(), place))


def _publish(options: argparse.Namespace) -> None:
    from slipmap.sharing import publish

    card, archive = publish.run(options.experiment, options.to, licence=options.licence, data=options.data)
    print(card.page())
    print(f"wrote {archive} and {archive}.sha256; upload both")


def _fetch_weights(options: argparse.Namespace) -> None:
    from slipmap.sharing import fetch

    card, folder = fetch.run(options.source, options.to, options.sha256)
    print(card.page())
    print(f"wrote {folder}; next: slipmap init NAME --dem FILE … --weights {folder}")
