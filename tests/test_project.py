"""The project as such: its faces, its walls, its wheel."""

from __future__ import annotations

import ast
import importlib
import os
import pkgutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("gateway", "formats", "channels", "keys")


@pytest.mark.parametrize("package", PACKAGES)
def test_all_names_what_the_face_imports(package: str) -> None:
    """`__all__` is sorted out by hand; nothing public is left out, nothing named is absent."""
    module = importlib.import_module(package)
    tree = ast.parse((ROOT / package / "__init__.py").read_text("utf-8"))
    imported = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module != "__future__"
        for alias in node.names
    }
    public = {name for name in imported if not name.startswith("_")}
    assert set(getattr(module, "__all__", [])) == public
    assert [name for name in getattr(module, "__all__", []) if not hasattr(module, name)] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_says_what_it_is(package: str) -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / package).rglob("*.py"))
        if (tree := ast.parse(path.read_text("utf-8"))).body and ast.get_docstring(tree) is None
    ]
    assert silent == []


def test_walls_between_the_packages_hold() -> None:
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_only_the_simulator_needs_the_simulators_extra() -> None:
    """asyncssh comes with an extra: a gateway without it must start."""
    users = [
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if "simulator" not in path.parts and _imports(path, "asyncssh")
    ]
    assert users == []


def _imports(path: Path, package: str) -> bool:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import) and any(a.name.split(".")[0] == package for a in node.names):
            return True
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == package:
            return True
    return False


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONWARNINGS": "default"},
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_wheel_has_the_four_packages_and_nothing_else(wheel_names: list[str]) -> None:
    tops = {name.split("/")[0] for name in wheel_names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


def test_wheel_is_typed_and_licensed(wheel_names: list[str]) -> None:
    wanted = {f"{package}/py.typed" for package in PACKAGES}
    assert wanted <= set(wheel_names)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in wheel_names)


def test_wheel_has_every_file_of_the_packages(wheel_names: list[str]) -> None:
    """Layouts and migrations are data that a wheel forgets easily."""
    present = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert present - set(wheel_names) == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_can_be_imported(package: str) -> None:
    module = importlib.import_module(package)
    for found in pkgutil.walk_packages(module.__path__, f"{package}."):
        if not found.name.endswith("__main__") and ".migrations." not in found.name:
            importlib.import_module(found.name)


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (("__init__.py", "consumer.py", "routing.py"), "Python finds "),
        (("__init__.py", "channel.py", "consumer.py"), "another package was installed into "),
    ],
    ids=["hidden", "mixed"],
)
def test_another_channels_package_is_noticed(tmp_path: Path, files: tuple[str, ...], found: str) -> None:
    """Django Channels before ours on the path, or installed over ours: a sentence, not a riddle."""
    folder = tmp_path / "channels"
    folder.mkdir()
    for name in files:
        (folder / name).write_text("")
    script = (
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]\n"
        "import runpy; runpy.run_path("
        f"{str(ROOT / 'gateway' / '_packaging.py')!r})['check_packages']()"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert run.stderr.splitlines()[-1] == (
        f"ImportError: Bankgate's package 'channels' is hidden by another of that name: {found}{folder}. "
        "Install Bankgate into an environment of its own (python3 -m venv); "
        "it cannot share one with Django Channels"
    )
