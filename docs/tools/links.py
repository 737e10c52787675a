"""Check the built site (``python docs/tools/links.py site``): links lead somewhere, nothing comes from elsewhere.

Links to other sites are only looked at for their form: whether they answer depends on the day.
"""

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADS = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "video": "src"}
_NOT_LOADED = {"canonical", "next", "prev", "alternate", "edit"}  # relations of <link> that load nothing


class Page(HTMLParser):
    """What a page links to, what it loads, and the anchors that it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note one element."""
        given = {key: value or "" for key, value in attrs}
        self.anchors.update(given[key] for key in ("id", "name") if given.get(key))
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        attribute = LOADS.get(tag)
        if attribute and given.get(attribute) and not set(given.get("rel", "").split()) & _NOT_LOADED:
            self.loads.append(given[attribute])


def faults(site: Path) -> Iterator[str]:
    """One sentence for each link that leads nowhere and each thing that is loaded from another site."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        where = path.relative_to(site)
        if where.name == "404.html":  # served for any address, so its links begin at the root
            continue
        for link in page.loads:
            if urlsplit(link).netloc:
                yield f"{where} loads {link} from another site"
        for link in (*page.links, *page.loads):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
            if target.is_dir():
                target /= "index.html"
            if not target.exists():
                yield f"{where} links to {link}, which is not there"
            elif parts.fragment and target.suffix == ".html":
                other = pages.get(site / target.relative_to(site.resolve()))
                if other is not None and unquote(parts.fragment) not in other.anchors:
                    yield f"{where} links to {link}, which has no such anchor"


def main(site: Path) -> int:
    """Print the faults; 1 if there are any."""
    found = list(faults(site))
    print("\n".join(found) or f"{site}: every link leads somewhere, and nothing is loaded from elsewhere")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
