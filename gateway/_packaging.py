"""Notices at import that a package of ours is hidden by somebody else's of the same name.

`formats`, `keys` and `channels` are general names; `channels` is Django Channels' too. The
worst case is a quiet mixture of both in one folder, so the files themselves are looked at.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

OWN_FILES = {"formats": "records.py", "keys": "signer.py", "channels": "channel.py"}
FOREIGN_FILES = {"channels": "consumer.py"}


def check_packages() -> None:
    """Raise `ImportError` unless the three packages beside this one are those that get imported."""
    for name, own_file in OWN_FILES.items():
        spec = find_spec(name)
        folders = [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []
        if not folders or not (folders[0] / own_file).is_file():
            where = str(folders[0]) if folders else "nothing"
            raise ImportError(_message(name, f"Python finds {where}"), name=name)
        foreign = FOREIGN_FILES.get(name)
        if foreign and (folders[0] / foreign).exists():
            raise ImportError(_message(name, f"another package was installed into {folders[0]}"), name=name)


def _message(name: str, found: str) -> str:
    return (
        f"Bankgate's package {name!r} is hidden by another of that name: {found}. "
        "Install Bankgate into an environment of its own (python3 -m venv); "
        "it cannot share one with Django Channels"
    )


# At import, so that the clear message comes before the puzzling one.
check_packages()
