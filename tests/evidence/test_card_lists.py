"""What a journal tells of card lists was signed, and by whom; a list out of nothing is found."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from gateway.audit.verify import verify
from gateway.demonstration.site import Site
from tests.evidence.forger import Forger, Row
from tests.gateway.sites import CITY, PERSONS, Ground, payments_of
from tests.rules.card_lists import cells, listed, taken


@pytest.fixture(scope="module")
def key(master_site: Site) -> Path:
    return master_site.configuration.parent / "keys" / "journal-1.pem"


@pytest.fixture(scope="module")
def made(master_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of three lists the second took the place of the first, and was dropped; the third waits."""
    (one,) = payments_of(CITY, 1)
    folder = tmp_path_factory.mktemp("lists")
    ground = Ground(master_site, folder / "site")
    with ground.open() as gateway:
        ground.submit(gateway, [one])
        taken(ground, gateway, listed(folder, [cells(one, 1)]))
        second = taken(ground, gateway, listed(folder, [cells(one, 2)]))
        ground.decide(gateway, second, "drop-list", PERSONS[0])
        gateway.bring_card_list(listed(folder, [cells(one, 3)]))
        gateway.audit_export(folder / "bundle")
    return folder / "bundle"


@pytest.fixture
def bundle(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "bundle"))


def forged(key: Path, bundle: Path, kind: str, changes: dict[str, object]) -> list[str]:
    """The last event of a kind tells something else, and the chain is made anew: what is found then."""
    forger = Forger(bundle, key, key.with_suffix(".crt"))
    events = forger.rows("events")
    told: Row = [event for event in events if event["kind"] == kind][-1]
    body = json.loads(told["body"]) | changes
    told["body"] = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    forger.write_history(events)
    return [one.message for one in verify(bundle).findings]


def test_true_lists_are_nothing_to_find(bundle: Path) -> None:
    assert verify(bundle).findings == []


@pytest.mark.parametrize(
    ("kind", "changes", "found"),
    [
        ("card list taken", {"card_list": 3}, "tells of card list 3, which nobody had brought"),
        ("card list taken", {"card_list": 9}, "tells of card list 9, which nobody had brought"),
        ("card list taken", {"object": "card-list:2#0"}, "take-list of card list 2 was signed by nobody"),
        ("card list taken", {"replaces": None}, "takes the place of another one than was in force"),
        ("card list dropped", {"content_sha256": "0" * 64}, "drop-list of card list 2 was signed by nobody"),
        ("card list brought", {"card_list": 1}, "tells of no card list, or of 1 a second time"),
    ],
)
def test_a_list_that_nobody_took_so_is_found(
    key: Path, bundle: Path, kind: str, changes: dict[str, object], found: str
) -> None:
    told = forged(key, bundle, kind, changes)
    assert any(found in line for line in told), told


@pytest.mark.parametrize("kind", ["card list brought", "card list taken", "card list dropped"])
def test_nonsense_breaks_nothing(key: Path, bundle: Path, kind: str) -> None:
    nonsense: dict[str, object] = {
        "card_list": [1],
        "platform": {},
        "content_sha256": None,
        "object": 7,
        "replaces": [[]],
    }
    assert forged(key, bundle, kind, nonsense) != []
