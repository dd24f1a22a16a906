"""Takes pictures of the two HTML pages (step-through page and run page) in a real browser.

    python scripts/pictures.py FOLDER [--scenario NAME ..]
    python scripts/pictures.py --readme

For each page light and dark, at a desk's width and at a phone's: of the step-through page the start, a step in the middle
and the violation, of the run page the top and the whole; the files' names say what each shows.  With --readme, only the
picture that the README has.  Needs chromium or chrome.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from itertools import product
from pathlib import Path

from collector.explore import explore
from collector.explore.replay import Replay
from collector.explore.token import Token
from collector.report import page as reportpage
from collector.report.page import page
from collector.report.schedule.steps import steps
from collector.scenarios.registry import SCENARIOS
from tests.collector.report.browser import Browser, found


SIZES = {"desk": (1280, 800), "phone": (390, 844)}
THEMES = ("light", "dark")
README_SIZE = (1280, 720)
README_PICTURE = Path(reportpage.__file__).with_name("pages") / "steps.png"
RUN = ["--heap", "synthetic:random,n=20000,m=40000,seed=1", "--cycles", "8", "--seed", "1", "--quiet"]


def stepspage(name: str, file: Path) -> int:
    """Write the step-through page of a scenario's shrunk failure; returns the number of its records."""
    scenario = SCENARIOS[name]
    program = scenario.variants["failing"].program
    failure = explore(program, seed=1, races=scenario.variants["failing"].races).failure
    assert failure is not None
    replayed = Replay(Token.decode(failure.schedule), program, sources=True)
    records = steps(replayed.schedule, scenario.title, name, "failing", failure.schedule)
    file.write_text(page("steps.html", records, title=scenario.title), encoding="utf-8")
    return len(records["steps"])


def stepped(browser: Browser, folder: Path, scenario: str) -> None:
    """All pictures of a scenario's page."""
    file = folder / f"{scenario}.html"
    middle = stepspage(scenario, file) // 2
    for (width, size), theme in product(SIZES.items(), THEMES):
        browser.size(*size)
        browser.open(file, f"#theme={theme}")
        for what, script in (("start", "go(0)"), ("middle", f"go({middle})"), ("violation", "go(last)")):
            browser.do(script)
            browser.picture(folder / f"{scenario}-{width}-{theme}-{what}.png")


def ran(browser: Browser, folder: Path) -> None:
    """All pictures of a run's page."""
    file = folder / "run.html"
    subprocess.run([sys.executable, "-m", "collector.run", *RUN, "--html", file], check=True)
    for (width, size), theme in product(SIZES.items(), THEMES):
        browser.size(*size)
        browser.open(file, f"#theme={theme}")
        browser.picture(folder / f"run-{width}-{theme}-top.png")
        browser.size(size[0], browser.do("document.documentElement.scrollHeight"))
        browser.picture(folder / f"run-{width}-{theme}-whole.png")


def main() -> int:
    """Make them; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--scenario", choices=[*SCENARIOS], nargs="+", default=["aba", "latedecrement", "pless"])
    parser.add_argument("--readme", action="store_true", help="make the README's picture instead")
    args = parser.parse_args()
    program = found()
    if program is None:
        print("no chromium or chrome here (Debian: apt install chromium)", file=sys.stderr)
        return 2
    if not args.folder and not args.readme:
        parser.error("name a folder, or --readme")
    with tempfile.TemporaryDirectory() as scratch, Browser(program, Path(scratch) / "profile") as browser:
        if args.readme:
            file = Path(scratch) / "page.html"
            stepspage("aba", file)
            browser.size(*README_SIZE)
            browser.open(file, "#11&theme=light")
            browser.picture(README_PICTURE)
            print(README_PICTURE)
            return 0
        args.folder.mkdir(parents=True, exist_ok=True)
        for scenario in args.scenario:
            stepped(browser, args.folder, scenario)
        ran(browser, args.folder)
    for made in sorted(args.folder.glob("*.png")):
        print(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
