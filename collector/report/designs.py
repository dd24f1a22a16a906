"""A comparison of designs as a table, as Markdown, as JSON and as an HTML page with charts."""

from __future__ import annotations

from dataclasses import asdict
from html import escape
from typing import TYPE_CHECKING, Any

from collector.compare.comparison import Place
from collector.report.page import page
from collector.report.run.charts import Series, bars, lines, panel
from collector.report.tables import markdown


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from collector.compare.comparison import Comparison, Spread
    from collector.compare.figures import Measure
    from collector.designs.design import Design

AXIS = {"designs": "design", "sizes": "bytes in a buffer", "heaps": "heap", "ms": "mutators"}
"""What lies along each axis."""


def head(of: Comparison) -> tuple[str, ...]:
    """The headings: the base first, then the others."""
    along = () if of.axis == "designs" else (AXIS[of.axis],)
    return ("measure", "for", *along, *(design.name for design in ordered(of)))


def ordered(of: Comparison) -> list[Design]:
    """The base, and those that are put over it."""
    return [of.base, *(design for design in of.designs if design is not of.base)]


def rows(of: Comparison) -> Iterator[tuple[str, ...]]:
    """A row for each measure and place on the axis."""
    for measure in of.taken:
        for at, point in enumerate(of.points):
            along = () if of.axis == "designs" else (point.label,)
            places = [Place(point.label, design.name) for design in ordered(of)]
            said = [value(of, measure, place) for place in places]
            yield (*((measure.name, measure.unit) if not at else ("", "")), *along, *said)


def value(of: Comparison, measure: Measure, place: Place) -> str:
    """`2 (1.99-2), x 42.7 (42.4-43)`: the median and range over seeds, and those of the ratio to the base."""
    spread = of.spread(measure, place)
    if spread is None:
        return "-"
    ratio = None if place.design == of.base.name else of.ratio(measure, place)
    return f"{ranged(spread)}, x {ranged(ratio)}" if ratio else ranged(spread)


def ranged(spread: Spread) -> str:
    """The median, and in brackets the range unless it is one number."""
    middle, low, high = (brief(number) for number in spread)
    return middle if low == high else f"{middle} ({low}-{high})"


def brief(number: float) -> str:
    """Three digits, no exponent; five behind the point at most."""
    text = f"{number:.3g}"
    if "e" not in text:
        return text
    return f"{number:.0f}" if number >= 1 else f"{number:.5f}"


def text(made: Iterable[Comparison]) -> str:
    """The tables in Markdown."""
    return "\n\n".join(f"{of.machine.capitalize()}:\n\n{markdown(head(of), rows(of))}" for of in made) + "\n"


def record(of: Comparison) -> dict[str, Any]:
    """Everything, for JSON."""
    return {
        "machine": of.machine,
        "axis": of.axis,
        "base": of.base.name,
        "seeds": of.seeds,
        "designs": {
            design.name: {"when": design.when, "commits": design.commits, "what": design.what} for design in of.designs
        },
        "runs": [
            {
                **place._asdict(),
                "figures": [
                    {"seed": seed, **asdict(figures), "delays": len(figures.delays)} for seed, figures in runs.items()
                ],
                "measures": [
                    {
                        "key": measure.key,
                        "name": measure.name,
                        "for": measure.unit,
                        "values": list(of.values(measure, place).values()),
                        "median": spread.median,
                        "ratio": ratio._asdict() if (ratio := of.ratio(measure, place)) else None,
                    }
                    for measure in of.measures
                    if (spread := of.spread(measure, place))
                ],
            }
            for place, runs in of.runs.items()
        ],
        "failed": of.failed,
        "missing": of.missing,
    }


def chart(of: Comparison, measure: Measure) -> str:
    """The medians: a bar a design, or a line a design along the axis."""
    title, axis = f"{measure.name}, {measure.unit}", AXIS[of.axis]

    def middle(point: str, design: str) -> float | None:
        spread = of.spread(measure, Place(point, design))
        return spread.median if spread else None

    if of.axis == "designs":
        names = [design.name for design in of.designs]
        series = [Series(measure.name, [middle("", name) for name in names])]
        drawn = bars(title, measure.unit, names, series, axis)
    else:
        labels = [point.label for point in of.points]
        series = [Series(design.name, [middle(label, design.name) for label in labels]) for design in of.designs]
        drawn = lines(title, measure.unit, labels, series, axis)
    return panel(f"{title} ({of.machine})", drawn, series)


def lacks(made: Sequence[Comparison]) -> list[str]:
    """What was not measured, and which runs failed, and why."""
    missing = [f"not measured: {what}" for of in made for what in of.missing]
    return missing + [f"failed: {what}" for of in made for what in of.failed]


def comparepage(
    made: Sequence[Comparison], about: str, command: str, outcome: str, *, interrupted: bool = False
) -> str:
    """The page: what is compared, what was not measured or failed, charts, tables, the command."""
    bad = interrupted or any(of.failed for of in made)
    charts = "".join(chart(of, measure) for of in made for measure in of.taken)
    whats = "".join(
        f"<tr><th>{escape(design.name)}</th><td>{escape(design.when)}: {escape(design.what)}</td></tr>"
        for design in made[0].designs
    )
    return page(
        "report.html",
        {"comparisons": list(map(record, made))},
        main="compare.html",
        raw={
            "charts": charts,
            "designs": whats,
            "lacks": lackspanel(made),
            "tables": "".join(map(tablepanel, made)),
            "verdict": "bad" if bad else "" if lacks(made) else "good",
        },
        title="Designs side by side",
        outcome=outcome,
        about=about,
        command=command,
    )


def lackspanel(made: Sequence[Comparison]) -> str:
    """What failed and what was not measured, if anything."""
    said = escape("\n".join(lacks(made)))
    return (
        f'<section class="panel"><h2>Failed or not measured</h2><pre tabindex="0">{said}</pre></section>'
        if said
        else ""
    )


def whole(cell: str) -> str:
    """A cell that may be broken behind a comma only: a median stays with its range."""
    return cell.translate({ord(" "): "\N{NO-BREAK SPACE}", ord("-"): "\N{NON-BREAKING HYPHEN}"}).replace(
        ",\N{NO-BREAK SPACE}", ", "
    )


def tablepanel(of: Comparison) -> str:
    """The table of one machine."""
    headings = "".join(f"<th>{escape(cell)}</th>" for cell in head(of))
    said = [(*row[:2], *map(whole, row[2:])) for row in rows(of)]
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in said)
    note = f"Medians over the seeds, with the range; x: the ratio to {of.base.name}, seed by seed."
    return (
        f'<section class="panel"><h2>{escape(of.machine)}</h2><p class="note">{escape(note)}</p>'
        f'<div class="wide" tabindex="0"><table class="left figures">'
        f"<thead><tr>{headings}</tr></thead><tbody>{body}</tbody></table></div></section>"
    )
