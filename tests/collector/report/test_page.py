"""A page is one file, and nothing in it can break out."""

from __future__ import annotations

import json

from collector.report.page import embedded, page
from tests.collector.report.schedules import told


def test_data_cannot_end_its_script_element() -> None:
    """A `</script>` in the data is not one in the page, and comes back as it was."""
    data = {"title": "</script><b>&"}

    assert "<" not in embedded(data)
    assert json.loads(embedded(data)) == data


def test_the_page_is_whole_and_fetches_nothing() -> None:
    """No slot is left open, and nothing in it names another file or host."""
    made = page("steps.html", told("aba"), title="<aba> & co")

    assert "{{" not in made
    assert "<title>&lt;aba&gt; &amp; co</title>" in made
    for fetching in ("http:", "https:", "src=", "<link", "@import", "url("):
        assert fetching not in made
