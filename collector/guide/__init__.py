"""The pages of the guide, Markdown files in this folder, by topic; `python -m collector.run guide` prints them."""

from __future__ import annotations

from pathlib import Path


FOLDER = Path(__file__).parent
TOPICS = {
    "protocol": "The protocol in ten minutes",
    "testing": "Testing your own lock-free code",
    "museum": "The museum",
    "designs": "The line of designs",
    "faults": "Planted faults and mutants",
    "stress": "Stress by name",
    "campaign": "Many cores, many machines",
    "reports": "Reading the reports",
    "heaps": "Real heaps, and Go as referee",
    "speed": "How fast it is, and where the floors are",
    "project": "Working on this project",
}
"""Title of each page, in the order in which to read them."""


def page(topic: str) -> str:
    """The text of a page; raises KeyError if there is no such topic."""
    if topic not in TOPICS:
        raise KeyError(topic)
    return (FOLDER / f"{topic}.md").read_text("utf-8")
