"""The pages in a real browser: keys, slider, tooltip, colours, and a phone's width."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from collector.explore import explore
from collector.explore.replay import Replay
from collector.explore.token import Token
from collector.report.page import page
from collector.report.schedule.alternatives import leads
from collector.report.schedule.steps import steps
from collector.run import main
from collector.scenarios.registry import SCENARIOS
from tests.collector.report.browser import Browser, found


if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
PROGRAM = found()
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no chromium or chrome here (Debian: apt install chromium)")
NOW = "document.querySelector('.row.now .mono').textContent"
BACKGROUND = "getComputedStyle(document.body).backgroundColor"
OVERFLOW = "document.documentElement.scrollWidth - innerWidth"
"""Pixels by which the page is wider than the window."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests here; starting it takes a second or two."""
    assert PROGRAM
    with Browser(PROGRAM, tmp_path_factory.mktemp("profile")) as started:
        yield started


def stepped(name: str, folder: Path) -> Path:
    """The step-through page of a scenario's shrunk failure."""
    scenario = SCENARIOS[name]
    program = scenario.variants["failing"].program
    failure = explore(program, seed=1).failure
    assert failure is not None
    again = Replay(Token.decode(failure.schedule), program, sources=True)
    records = steps(again.schedule, scenario.title, leads=leads(again, program))
    file = folder / f"{name}.html"
    file.write_text(page("steps.html", records, title=scenario.title), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def aba(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two threads and a shrunk ABA."""
    return stepped("aba", tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def noreset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A livelock."""
    return stepped("noreset", tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a short run."""
    file = tmp_path_factory.mktemp("pages") / "run.html"
    words = [
        "--heap",
        "synthetic:random,n=2000,m=4000,seed=1",
        "--cycles",
        "2",
        "--workbuf",
        "112",
        "--html",
        str(file),
    ]
    assert main(["stress", *words, "--quiet"]) == 0
    return file


class TestSteps:
    """The step-through page."""

    def test_arrows_home_and_end_step(self, browser: Browser, aba: Path) -> None:
        """Right and down go on, left and up go back, and there is nothing beyond either end."""
        browser.open(aba)
        seen = []
        for key in ("ArrowRight", "ArrowDown", "ArrowLeft", "End", "ArrowRight", "ArrowUp", "Home", "ArrowLeft"):
            browser.press(key)
            seen.append(browser.do(NOW))

        assert seen == [
            "load work.full = node2#0",
            "load node2.next = node1#0",
            "load work.full = node2#0",
            "cas work.full node2#0 := node1#0",
            "cas work.full node2#0 := node1#0",
            "cas work.full node0#0 := node2#0",
            "start",
            "start",
        ]

    def test_n_and_p_go_from_switch_to_switch(self, browser: Browser, aba: Path) -> None:
        """To the first step of the thread that goes on; past the last switch lies the end, before the first the start."""
        browser.open(aba)
        seen = []
        for key in "nnpp":
            browser.press(key)
            seen.append(browser.do("document.getElementById('where').textContent"))

        assert seen == ["step 2 of 11", "step 11 of 11", "step 2 of 11", "the start"]

    def test_v_goes_to_the_violation(self, browser: Browser, aba: Path) -> None:
        """The failing step is shown with what failed, and told in words."""
        browser.open(aba)
        browser.press("v")

        assert (
            browser.do("document.querySelector('.row.now .fails').textContent")
            == "check: a node is lost or in two places"
        )
        assert "although pusher changed it" in browser.do("document.getElementById('words').textContent")

    def test_what_each_thread_does_next_is_shown(self, browser: Browser, aba: Path) -> None:
        """The step each is about to take, as it will turn out; the one that goes on stands out; at the end nothing."""
        browser.open(aba, "#step=1")
        rows = "document.getElementById('threads').innerText.split('\\n').filter(Boolean)"

        assert browser.do(rows) == ["popper", "cas work.full node2#0 := node1#0", "pusher", "load work.full = node2#0"]
        assert browser.do("document.querySelector('#threads .goes').textContent") == "load work.full = node2#0"
        browser.press("End")
        assert browser.do(rows) == ["popper", "nothing more", "pusher", "nothing more"]
        assert browser.do("document.querySelector('#notes .fails').textContent").endswith(
            "a node is lost or in two places"
        )

    def test_who_could_go_instead_is_shown_and_where_that_leads(self, browser: Browser, aba: Path) -> None:
        """The other thread, what it would do, how that ends; opened, the steps and the command that replays it."""
        browser.open(aba, "#step=1")
        others = "document.getElementById('others').innerText"

        assert browser.do(others).split("\n") == ["popper cas work.full ends well"]
        browser.do("document.querySelector('#others summary').click()")
        told = browser.do(others).split("\n")
        assert told[1] == "popper cas work.full node2#0 := node1#0"
        assert "pusher load work.full = node1#0" in told
        assert told[-1].startswith("python -m collector.run replay s2.")
        assert main(told[-1].split()[3:]) == 2  # it is of a program without a name
        browser.press("End")
        assert browser.do(others) == "Nobody: no other thread can go here."

    def test_each_row_shows_its_source_line(self, browser: Browser, aba: Path) -> None:
        """File, number and the line's own text."""
        browser.open(aba)
        lines = browser.do("[...document.querySelectorAll('.row .line')].map(e => e.textContent)")

        assert len(lines) == 12
        for line in lines:
            place, _, code = line.partition("  ")
            file, _, number = place.partition(":")
            (found,) = ROOT.glob(f"workbuf/{file}")
            assert found.read_text().splitlines()[int(number) - 1].strip() == code

    def test_a_livelock_goes_round_again(self, browser: Browser, noreset: Path) -> None:
        """At the end of the round its first step is next, under the words that say so."""
        browser.open(noreset)
        browser.press("v")

        assert browser.do("document.querySelector('.forever').textContent") == "And from here on, for ever:"
        assert browser.do("document.getElementById('threads').innerText").split() == [
            "m0",
            "hint",
            "work.full",
            "=",
            "0",
        ]

    def test_the_slider_goes_anywhere(self, browser: Browser, aba: Path) -> None:
        """Moving it shows that step, its lists and its source line; the address says where we are."""
        browser.open(aba)
        browser.do("slider.value = 8; slider.dispatchEvent(new Event('input'))")

        assert browser.do(NOW) == "cas work.full node1#0 := node0#0"
        assert browser.do("document.getElementById('lists').innerText").split() == ["full", "node0"]
        assert "cas(head, old, nxt)" in browser.do("document.querySelector('#source .here').textContent")
        assert browser.do("location.hash") == "#7"

    def test_arrows_on_the_focused_slider_step_once(self, browser: Browser, aba: Path) -> None:
        """The slider's own keys do not step a second time."""
        browser.open(aba)
        browser.do("slider.focus()")
        browser.press("ArrowRight", "ArrowRight")

        assert browser.do(NOW) == "load node2.next = node1#0"

    def test_the_fragment_says_where_to_begin(self, browser: Browser, aba: Path) -> None:
        """So a step can be pointed at."""
        browser.open(aba, "#9&theme=dark")

        assert browser.do(NOW) == "post node2.next := node0#0"
        assert browser.do("document.documentElement.dataset.theme") == "dark"

    @pytest.mark.parametrize("fragment", ["#7", "#step=7", "#7&theme=dark"])
    def test_a_page_opens_at_a_step(self, browser: Browser, aba: Path, fragment: str) -> None:
        """`page.html#7`: the step is selected, and in sight; the older form still does."""
        browser.open(aba, fragment)

        assert browser.do("document.getElementById('where').textContent") == "step 7 of 11"
        browser.do("box = document.querySelector('.row.now').getBoundingClientRect()")
        assert browser.do("box.top >= 0 && box.bottom <= innerHeight")

    def test_each_step_has_a_link(self, browser: Browser, aba: Path) -> None:
        """Its number, which leads there; the address says where one is."""
        browser.open(aba, "#0")
        browser.do("document.querySelectorAll('a.at')[4].click()")

        assert browser.do("[...document.querySelectorAll('a.at')].map(a => a.hash)") == [f"#{n}" for n in range(12)]
        assert browser.do(NOW).startswith("cas work.full")
        assert browser.do("location.hash") == "#4"

    def test_a_nodes_history_shows_on_hover(self, browser: Browser, aba: Path) -> None:
        """What was done to it so far, and where it is now; steps to come are not told."""
        browser.size(1280, 800)
        browser.open(aba, "#step=7")
        box = browser.do("(b => [b.x + 4, b.y + 4])(document.querySelector('#lists .chip').getBoundingClientRect())")
        browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=box[0], y=box[1])
        said = browser.do("tip.hidden ? '' : tip.innerText")

        assert said.startswith("node0 is on full")
        assert "pusher reads node1.next: node0, count 0" in said
        assert "writes node0" not in said

    def test_nouns_are_marked_as_whole_words(self, browser: Browser, aba: Path) -> None:
        """What the record names, wherever it stands, and nothing that only contains it."""
        browser.open(aba)
        browser.do("nouns.add('x')")
        parts = "marked('xadd x +1 = x2 of x, x', {nouns: ['x', 'gone']})"

        assert browser.do(parts + ".map(p => p.textContent ? `[${p.textContent}]` : p).join('')") == (
            "xadd [x] +1 = x2 of [x], [x]"
        )

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_colours_follow_the_system_until_toggled(self, browser: Browser, aba: Path, scheme: str) -> None:
        """Light and dark by the system's setting, the other one by the button; text stands out in both."""
        browser.scheme(scheme)
        browser.open(aba)
        followed = browser.do(BACKGROUND)
        browser.press("t", "ArrowRight")

        assert (brightness(followed) < 128) == (scheme == "dark")
        assert (brightness(browser.do(BACKGROUND)) < 128) == (scheme == "light")
        for what in ("body", ".verdict", "header .quiet", ".row.now .line", ".tag"):
            colours = browser.do(
                f"(e => [getComputedStyle(e).color, getComputedStyle(document.querySelector('.panel')).backgroundColor])"
                f"(document.querySelector('{what}'))"
            )
            assert contrast(*colours) >= 4.5, what

    @pytest.mark.parametrize("width", [360, 760, 1280])
    def test_no_page_is_wider_than_its_window(self, browser: Browser, aba: Path, width: int) -> None:
        """At a phone's width too, at every step; there the current step stays in sight."""
        browser.size(width, 780)
        browser.open(aba)
        browser.do("plain.checked = true")
        wide = []
        for _ in range(13):
            wide.append(browser.do(OVERFLOW))
            browser.press("ArrowRight")

        assert max(wide) <= 0
        assert browser.do(
            "(b => b.top >= 0 && b.bottom <= innerHeight)(document.querySelector('.row.now').getBoundingClientRect())"
        )

    def test_nothing_is_fetched(self, browser: Browser, aba: Path) -> None:
        """The page asks for no other resource."""
        browser.open(aba)

        assert browser.do("performance.getEntriesByType('resource').length") == 0


class TestRun:
    """The page of a run."""

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("width", [360, 1280])
    def test_it_fits_and_can_be_read(self, browser: Browser, run: Path, width: int, scheme: str) -> None:
        """No wider than the window, text that stands out, charts drawn, wide tables scrolling within themselves."""
        browser.size(width, 800)
        browser.scheme(scheme)
        browser.open(run)

        assert browser.do(OVERFLOW) <= 0
        assert (brightness(browser.do(BACKGROUND)) < 128) == (scheme == "dark")
        assert browser.do("document.querySelectorAll('svg').length") == 4
        assert browser.do("[...document.querySelectorAll('svg')].every(e => e.getBoundingClientRect().height > 100)")
        for what, ink in (("td", "color"), (".verdict", "color"), ("svg text", "fill")):
            colours = browser.do(
                f"(e => [getComputedStyle(e).{ink}, getComputedStyle(document.querySelector('.panel')).backgroundColor])"
                f"(document.querySelector('{what}'))"
            )
            assert contrast(*colours) >= 4.5, what

    def test_t_changes_the_colours(self, browser: Browser, run: Path) -> None:
        """As on the other page."""
        browser.scheme("light")
        browser.open(run)
        browser.press("t")

        assert brightness(browser.do(BACKGROUND)) < 128


@pytest.mark.parametrize("width", [360, 1280])
def test_a_comparisons_page_fits(browser: Browser, tmp_path: Path, width: int) -> None:
    """No wider than the window; its tables, which are, scroll within themselves."""
    file = tmp_path / "compare.html"
    words = ["--on", "stepped", "--seeds", "1", "--cycles", "1", "--mutators", "2", "--helpers", "1"]
    assert main(["compare", "parent", "seed", *words, "--heap", "synthetic:list,n=40", "--html", str(file)]) in (0, 3)
    browser.size(width, 800)
    browser.open(file)

    assert browser.do(OVERFLOW) <= 0
    assert browser.do("document.querySelectorAll('.figures td').length") > 20
    assert browser.do("[...document.querySelectorAll('svg')].every(e => e.getBoundingClientRect().height > 100)")


def channels(colour: str) -> list[float]:
    """Red, green and blue of `rgb(r, g, b)`."""
    return [float(part) for part in colour.partition("(")[2].rstrip(")").split(",")[:3]]


def brightness(colour: str) -> float:
    """0 for black, 255 for white."""
    return sum(channels(colour)) / 3


def luminance(colour: str) -> float:
    """Relative luminance as WCAG defines it."""
    linear = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in channels(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    """Contrast ratio as WCAG defines it, 1 to 21."""
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)
