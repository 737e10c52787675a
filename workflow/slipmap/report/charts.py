"""Charts as inline SVG: sharp at every size, nothing to fetch, text that a screen reader finds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from matplotlib.ticker import MaxNLocator

WIDTH, HEIGHT = 440, 270
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 14, 44


@dataclass(frozen=True)
class Line:
    """One curve (or, with `markers` alone, points, with `ring` as rings) of a chart."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    colour: str
    dash: str = ""
    markers: bool = False
    stroke: bool = True
    ring: bool = False


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers between `low` and `high`."""
    values = MaxNLocator(nbins=count, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    slack = 1e-9 * (high - low)
    return [float(v) for v in values if low - slack <= v <= high + slack]


def number(value: float, digits: int = 4) -> str:
    """A number as a reader wants it: no trailing zeros, a true minus sign."""
    if not np.isfinite(value):
        return "–"
    if value != 0 and (abs(value) >= 1e6 or abs(value) < 1e-3):
        return f"{value:.{max(digits - 2, 1)}g}".replace("-", "−")
    text = f"{value:.{digits}g}"
    if "e" in text:
        text = f"{value:.0f}"
    return text.replace("-", "−")


Segment = tuple[float, float, float, float, str, str]  # x0, y0, x1, y1, colour, dash


def chart(
    lines: Sequence[Line],
    *,
    title: str,
    x_label: str,
    y_label: str,
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
    x_ticks: Mapping[float, str] | None = None,
    verticals: Mapping[float, str] | None = None,
    segments: Sequence[Segment] = (),
    diagonal: bool = False,
) -> str:
    """Curves and points over two axes.

    Parameters
    ----------
    title : said to screen readers.
    x_ticks : position → label; None: round numbers.
    verticals : position → label of dashed marks.
    segments : (x0, y0, x1, y1, colour, dash) thin lines below the curves; an empty colour is grey.
    diagonal : also draw y = x.
    """
    xs = np.concatenate([np.asarray(line.x, float) for line in lines] or [np.zeros(1)])
    ys = np.concatenate([np.asarray(line.y, float) for line in lines] or [np.zeros(1)])
    x0, x1 = x_range or _padded(xs, 0.02)
    y0, y1 = y_range or _padded(ys, 0.06)

    frame = _Frame(x0, x1, y0, y1)
    out = [_open(WIDTH, HEIGHT, title), *frame.grid(x_ticks or {x: number(x) for x in ticks(x0, x1)})]
    if diagonal:
        low, high = max(x0, y0), min(x1, y1)
        out.append(frame.line("mark", low, low, high, high))
    for x, label in (verticals or {}).items():
        out += frame.vertical(x, label)
    out += [frame.line("thin", *segment) for segment in segments]
    for line in lines:
        out += frame.curve(line)
    middle, half = (LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2
    out.append(f'<text class="axis" x="{middle}" y="{HEIGHT - 7}" text-anchor="middle">{escape(x_label)}</text>')
    out.append(
        f'<text class="axis" transform="translate(13 {half}) rotate(-90)" text-anchor="middle">{escape(y_label)}</text>'
    )
    out.append("</svg>")
    return "".join(out) + _key(lines)


@dataclass(frozen=True)
class _Frame:
    """The ranges of both axes, and what is drawn between them, as elements of SVG."""

    x0: float
    x1: float
    y0: float
    y1: float

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a point lies in the picture."""
        return (
            LEFT + (x - self.x0) / (self.x1 - self.x0) * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - (y - self.y0) / (self.y1 - self.y0) * (HEIGHT - TOP - BOTTOM),
        )

    def grid(self, x_ticks: Mapping[float, str]) -> Iterator[str]:
        for y in ticks(self.y0, self.y1):
            _, py = self.place(self.x0, y)
            yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{py:.1f}" y2="{py:.1f}"/>'
            yield f'<text class="tick" x="{LEFT - 7}" y="{py + 4:.1f}" text-anchor="end">{number(y)}</text>'
        for x, label in x_ticks.items():
            px, _ = self.place(x, self.y0)
            yield f'<line class="grid" x1="{px:.1f}" x2="{px:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
            at, anchor = (WIDTH, "end") if px + 3.5 * len(label) > WIDTH else (px, "middle")
            where = f'x="{at:.1f}" y="{HEIGHT - BOTTOM + 17}" text-anchor="{anchor}"'
            yield f'<text class="tick" {where}>{escape(label)}</text>'

    def vertical(self, x: float, label: str) -> Iterator[str]:
        px, _ = self.place(x, self.y0)
        yield f'<line class="mark" x1="{px:.1f}" x2="{px:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
        at, anchor = (px + 4, "start") if px < WIDTH - 90 else (px - 4, "end")
        yield f'<text class="tick" x="{at:.1f}" y="{TOP + 11}" text-anchor="{anchor}">{escape(label)}</text>'

    def line(self, kind: str, x0: float, y0: float, x1: float, y1: float, colour: str = "", dash: str = "") -> str:
        (ax, ay), (bx, by) = self.place(x0, y0), self.place(x1, y1)
        style = f"stroke:{colour};" * bool(colour) + f"stroke-dasharray:{dash}" * bool(dash)
        own = f' style="{style}"' if style else ""
        return f'<line class="{kind}"{own} x1="{ax:.1f}" y1="{ay:.1f}" x2="{bx:.1f}" y2="{by:.1f}"/>'

    def curve(self, line: Line) -> Iterator[str]:
        points = [self.place(x, y) for x, y in zip(line.x, line.y, strict=True) if np.isfinite(x) and np.isfinite(y)]
        if line.stroke and len(points) > 1:
            path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
            dash = f' stroke-dasharray="{line.dash}"' if line.dash else ""
            yield f'<polyline points="{path}" fill="none" stroke="{line.colour}" stroke-width="2"{dash}/>'
        if line.ring:
            look = f'fill="none" stroke="{line.colour}" stroke-width="2.5"'
            yield from (f'<circle cx="{px:.1f}" cy="{py:.1f}" r="7" {look}/>' for px, py in points)
        elif line.markers or len(points) == 1:
            yield from (f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3.2" fill="{line.colour}"/>' for px, py in points)


def heat_map(matrix: np.ndarray, names: Sequence[str], title: str) -> str:
    """A correlation matrix, −1 … 1, as coloured cells with the coefficient where it is 0.5 or more in size."""
    import matplotlib

    cell, label = 26, 24 + max(int(7.2 * len(name)) for name in names)
    size = label + cell * len(names) + label // 2
    ramp = matplotlib.colormaps["RdBu_r"]
    out = [_open(size, size - 20, title, natural=True)]
    for i, name in enumerate(names):
        y = label - 20 + cell * i
        out.append(f'<text class="tick" x="{label - 6}" y="{y + 17}" text-anchor="end">{escape(name)}</text>')
        x = label + cell * i + 17
        out.append(f'<text class="tick" transform="translate({x} {label - 26}) rotate(-60)">{escape(name)}</text>')
        for j, other in enumerate(names):
            value = matrix[i, j]
            if not np.isfinite(value):
                continue
            red, green, blue = (round(255 * c) for c in ramp((value + 1) / 2)[:3])
            out.append(
                f'<rect x="{label + cell * j}" y="{y}" width="{cell - 1}" height="{cell - 1}" '
                f'fill="rgb({red},{green},{blue})">'
                f"<title>{escape(name)} and {escape(other)}: {value:.2f}</title></rect>"
            )
            if i != j and abs(value) >= 0.5:
                ink = "#fff" if abs(value) > 0.7 else "#222"
                text = f"{value:.1f}".replace("-", "−").replace("0.", ".")
                out.append(
                    f'<text class="cell" x="{label + cell * j + 12.5}" y="{y + 17}" text-anchor="middle" '
                    f'style="fill:{ink}">{text}</text>'
                )
    out.append("</svg>")
    return "".join(out)


def bars(items: Sequence[tuple[str, float]], title: str, unit: str, colour: str = "#0072b2") -> str:
    """Horizontal bars, in the order given."""
    row, label, width = 21, 24 + max([int(7.2 * len(name)) for name, _ in items] or [0]), WIDTH
    height = row * len(items) + 10
    most = max([abs(v) for _, v in items if np.isfinite(v)] or [1]) or 1
    span = width - label - 62
    out = [_open(width, height, f"{title} ({unit})" if unit else title)]
    for i, (name, value) in enumerate(items):
        y = 5 + row * i
        length = span * max(value, 0) / most if np.isfinite(value) else 0
        out.append(f'<text class="tick" x="{label - 7}" y="{y + 14}" text-anchor="end">{escape(name)}</text>')
        out.append(f'<rect x="{label}" y="{y + 3}" width="{length:.1f}" height="{row - 7}" fill="{colour}"/>')
        out.append(f'<text class="tick" x="{label + length + 6:.1f}" y="{y + 14}">{number(value, 3)}</text>')
    out.append("</svg>")
    return "".join(out)


def _padded(values: np.ndarray, share: float) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    if high == low:
        return low - 0.5, high + 0.5
    return low - share * (high - low), high + share * (high - low)


def _open(width: float, height: float, title: str, natural: bool = False) -> str:
    """The start of a picture; `natural`: never scaled down (its text would become too small), the page scrolls it."""
    style = f' style="width:{width:g}px;max-width:none"' if natural else ""
    return (
        f'<svg class="chart" viewBox="0 0 {width:g} {height:g}" role="img"{style} aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>"
    )


def _key(lines: Sequence[Line]) -> str:
    named = [line for line in lines if line.name]
    if len(named) < 2:
        return ""
    items = "".join(
        f'<span><i style="border-color:{line.colour};border-top-style:{"dashed" if line.dash else "solid"}"></i>'
        f"{escape(line.name)}</span>"
        for line in named
    )
    return f'<p class="key">{items}</p>'
