"""Writes the README's table "What the default corrects" from the catalogue.

python -m scripts.readme_table
"""

from __future__ import annotations

from pathlib import Path

from collector.report.entries import corrections_table


README = Path(__file__).parent.parent / "README.md"
BEGIN = "<!-- from collector/catalogue/corrections.toml, by python -m scripts.readme_table -->"
END = "<!-- end -->"


def written(text: str) -> str:
    """`text` with the table between the two marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{README}: the marks of the table are missing: {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{corrections_table()}\n\n{END}{after}"


if __name__ == "__main__":
    README.write_text(written(README.read_text("utf-8")), "utf-8")
