"""Charts as SVG for a page: text stays text, colours are the page's own, the same figures give the same bytes."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from benchmarks.comparison.report.catalogue import FAMILIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

INK, SOFT, LINE = "#0e0000", "#0e0001", "#0e0002"
"""Stand for the page's colours, ``var(--ink)`` and so on, in its light and its dark dress."""

_NAMES = {INK: "ink", SOFT: "soft", LINE: "line"} | {f"#0f000{number}": f"c{number}" for number in range(8)}
_MARKERS = "o^sDvPX*"
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "letheward", "svg.fonttype": "none", "font.size": 11.5, "font.family": "DejaVu Sans",
    "text.parse_math": False, "axes.unicode_minus": True, "axes.spines.top": False, "axes.spines.right": False,
    "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": SOFT, "xtick.color": SOFT, "ytick.color": SOFT,
    "xtick.labelcolor": INK, "ytick.labelcolor": INK, "axes.grid": True, "grid.color": LINE, "grid.linewidth": 0.6,
    "axes.facecolor": "none", "figure.facecolor": "none", "legend.frameon": False, "axes.axisbelow": True,
    "path.simplify": False,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chart:
    """``svg`` is an element for a page; ``title`` and ``alt`` are in it too, ``caption`` is not."""

    title: str
    alt: str
    caption: str
    svg: str


def colour(number: int) -> str:
    """One of the page's colours for lines and points."""
    return f"#0f000{number % 8}"


def family_colour(family: str) -> str:
    """The colour of a family of methods."""
    return colour(FAMILIES.index(family) if family in FAMILIES else len(FAMILIES) - 1)


def family_marker(family: str) -> str:
    """The mark of a family of methods, so that colour is not all that tells them apart."""
    return _MARKERS[FAMILIES.index(family) if family in FAMILIES else len(FAMILIES) - 1]


@contextmanager
def figure(width: float, height: float) -> Iterator[Figure]:
    """A figure in inches, drawn in this project's style.

    Raises:
        RuntimeError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError as error:
        raise RuntimeError(f"charts need matplotlib ({error}): install letheward[bench]") from error
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*[Gg]lyph")  # the page's own fonts draw the text
        yield Figure(figsize=(width, height), layout="constrained")


def finished(
    drawn: Figure, name: str, title: str, alt: str, caption: str = "", tips: Mapping[str, str] | None = None
) -> Chart:
    """The chart. ``name``: begins its ids; ``tips``: what to show at an artist, by its gid."""
    out = io.StringIO()
    drawn.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    svg = out.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(\sid="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r"#0[ef]000[0-9]", lambda found: f"var(--{_NAMES[found[0]]})", svg)
    svg = re.sub(r"'?DejaVu Sans'?(, [^;\"]*)?", "system-ui, sans-serif", svg)
    for gid, tip in (tips or {}).items():
        svg = svg.replace(f'<g id="{name}-{gid}">', f'<g id="{name}-{gid}"><title>{escape(tip)}</title>')
    named = f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-alt">{escape(alt)}</desc>'
    opened = re.sub(r'^<svg ([^>]*?)width="[^"]*"([^>]*?)height="[^"]*"', r"<svg \1\2", svg, count=1)
    opened = re.sub(r"^<svg ", f'<svg role="img" aria-labelledby="{name}-title {name}-alt" ', opened, count=1)
    return Chart(title, alt, caption, re.sub(r"^(<svg[^>]*>)", lambda found: found[0] + named, opened, count=1))


def logarithmic(axis: Axis) -> None:
    """Mark the powers of ten, in figures."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def short(text: str, most: int = 26) -> str:
    """Text for a legend or an axis, without what no font has a sign for."""
    clean = "".join(sign if sign.isprintable() else " " for sign in text)
    return clean if len(clean) <= most else clean[: most - 1] + "…"


def number_points(axes: Axes, points: Sequence[tuple[float, float, str]], drawn: Figure) -> None:
    """Put each point's number beside it, where the least is in its way. Points are (x, y, number)."""
    drawn.draw_without_rendering()
    spots = [(float(at[0]), float(at[1])) for at in axes.transData.transform([(x, y) for x, y, _ in points])]
    scale = drawn.dpi / 72
    taken: list[tuple[float, float]] = []
    around = [(9, 7), (9, -9), (-9, 7), (-9, -9), (0, 12), (0, -14), (15, 0), (-15, 0), (17, 13), (-17, -13), (17, -13)]

    def crowd(x: float, y: float) -> float:
        return sum(
            max(0.0, 13 * scale - max(abs(x - other_x), abs(y - other_y))) for other_x, other_y in (*spots, *taken)
        )

    for (x, y, text), (left, low) in zip(points, spots, strict=True):
        best = min(around, key=lambda at: crowd(left + at[0] * scale, low + at[1] * scale) + 0.01 * abs(at[0]))
        taken.append((left + best[0] * scale, low + best[1] * scale))
        axes.annotate(text, (x, y), xytext=best, textcoords="offset points", ha="center", va="center", fontsize=10,
                      annotation_clip=False)  # fmt: skip
