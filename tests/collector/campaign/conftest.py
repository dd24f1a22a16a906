"""A specification, and what comes of it if nobody disturbs the campaign."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collector.campaign import spec
from collector.campaign.store import Store
from tests.collector.campaign.campaigns import SPEC, rows, run


if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(name="specification")
def _specification(tmp_path: Path) -> str:
    """Of some seconds."""
    path = tmp_path / "spec.toml"
    path.write_text(SPEC, encoding="ascii")
    return str(path)


@pytest.fixture(name="alone", scope="session")
def _alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a campaign that one process does by itself."""
    folder = tmp_path_factory.mktemp("alone")
    (folder / "spec.toml").write_text(SPEC, encoding="ascii")
    with Store(str(folder / "results.db")) as store:
        run(store.plan(spec.tasks(str(folder / "spec.toml")), "code"), store)
    return folder / "results.db"


@pytest.fixture(name="undisturbed")
def _undisturbed(alone: Path) -> list[tuple[object, ...]]:
    """The rows of a campaign that nobody disturbs."""
    return rows(alone)
