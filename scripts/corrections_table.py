"""Writes the guide's table "What the default corrects" from the catalogue.

python -m scripts.corrections_table
"""

from __future__ import annotations

from collector.guide import FOLDER
from collector.report.entries import corrections_table


PAGE = FOLDER / "project.md"
BEGIN = "<!-- from collector/catalogue/corrections.toml, by python -m scripts.corrections_table -->"
END = "<!-- end -->"


def written(text: str) -> str:
    """`text` with the table between the two marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{PAGE}: the marks of the table are missing: {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{corrections_table()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
