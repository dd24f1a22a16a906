"""Pictures of both pages, in a real browser: python scripts/pictures.py FOLDER [--scenario NAME].

For each page light and dark, at a desk's width and at a phone's: of the step-through page the start, a step in the middle
and the violation, of the run page the top and the whole.  Needs chromium or chrome; the names say what each shows.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from collector.explore import explore
from collector.explore.replay import Replay
from collector.explore.token import Token
from collector.report.page import page
from collector.report.steps import steps
from collector.scenarios.catalogue import SCENARIOS
from tests.report.browser import Browser, found


DESK, PHONE = (1280, 800), (390, 844)
RUN = ["--heap", "synthetic:random,n=20000,m=40000,seed=1", "--cycles", "8", "--seed", "1", "--quiet"]


def stepspage(name: str, file: Path) -> int:
    """Write the step-through page of a scenario's shrunk failure; returns the number of its records."""
    scenario = SCENARIOS[name]
    program = scenario.variants["failing"].program
    failure = explore(program, seed=1, races=scenario.variants["failing"].races).failure
    assert failure is not None
    replayed = Replay(Token.decode(failure.schedule), program, sources=True)
    records = steps(replayed, scenario.title, name, "failing", failure.schedule)
    file.write_text(page("steps.html", records, title=scenario.title), encoding="utf-8")
    return len(records["steps"])


def main() -> int:
    """Make all of them; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scenario", choices=[*SCENARIOS], nargs="+", default=["aba", "latedecrement", "pless"])
    args = parser.parse_args()
    program = found()
    if program is None:
        print("no chromium or chrome here (Debian: apt install chromium)", file=sys.stderr)
        return 2
    args.folder.mkdir(parents=True, exist_ok=True)
    run = args.folder / "run.html"
    status = subprocess.run([sys.executable, "-m", "collector.run", *RUN, "--html", run], check=False).returncode
    with tempfile.TemporaryDirectory() as profile, Browser(program, Path(profile)) as browser:
        for scenario in args.scenario:
            file = args.folder / f"{scenario}.html"
            middle = stepspage(scenario, file) // 2
            for size, width in ((DESK, "desk"), (PHONE, "phone")):
                browser.size(*size)
                for theme in ("light", "dark"):
                    browser.open(file, f"#theme={theme}")
                    for what, script in (
                        ("start", "acts.home()"),
                        ("middle", f"go({middle})"),
                        ("violation", "go(last)"),
                    ):
                        browser.do(script)
                        browser.picture(args.folder / f"{scenario}-{width}-{theme}-{what}.png")
        for size, width in ((DESK, "desk"), (PHONE, "phone")):
            for theme in ("light", "dark"):
                browser.size(*size)
                browser.open(run, f"#theme={theme}")
                browser.picture(args.folder / f"run-{width}-{theme}-top.png")
                browser.size(size[0], browser.do("document.documentElement.scrollHeight"))
                browser.picture(args.folder / f"run-{width}-{theme}-whole.png")
    for made in sorted(args.folder.glob("*.png")):
        print(made)
    return status


if __name__ == "__main__":
    sys.exit(main())
