"""Builds a self-contained HTML page from a template of `pages/`, its styles and scripts, and the data.

`{{name}}` in a template stands for the file of that name in `pages/`, or for a value that is given: text is escaped, and
the data is JSON without a `<`, so that nothing in it can end the script element it stands in.  The reports on a run, on a
campaign and on a comparison are each a `{{main}}` within `report.html`; `steps.html` stands alone.
"""

from __future__ import annotations

import html
import json
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Mapping

SLOT = re.compile(r"\{\{([\w.]+)\}\}")


def embedded(data: Mapping[str, Any]) -> str:
    """`data` as JSON that may stand in a script element."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def page(
    template: str, data: Mapping[str, Any], *, main: str = "", raw: Mapping[str, str] | None = None, **text: str
) -> str:
    """The page made from `pages/<template>`, around `pages/<main>` if it is one; `raw` are parts that are HTML already."""
    pages = files("collector.report") / "pages"
    values = {name: html.escape(value) for name, value in text.items()}
    values.update(raw or {}, data=embedded(data))

    def content(name: str) -> str:
        return (pages / name).read_text(encoding="utf-8")

    def filled(name: str) -> str:
        return SLOT.sub(lambda slot: values[slot[1]] if slot[1] in values else content(slot[1]), content(name))

    if main:
        values["main"] = filled(main)
    return filled(template)
