"""The PKCS#11 libraries that this process has loaded, by the binding of the extra `[hsm]`.

A library's state belongs to the process, whoever asks: it is initialized once, a child after a
fork must initialize it anew, and its threads may not call it at the same time.
"""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from keys.errors import KeyUnavailable

if TYPE_CHECKING:
    from pkcs11._pkcs11 import lib

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class Module:
    """One library. Whoever calls into it, or into what came from it, holds `lock`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.RLock()
        self.generation = 0
        """Grows when all sessions end; one that was opened under a smaller number is none any more."""
        self._loaded = False
        self._forked = False

    def library(self) -> lib:
        """The initialized library; raises `KeyUnavailable`."""
        _require_module(self.path)
        package = binding()
        try:
            library: lib = package.lib(str(self.path))
            if self._forked:
                library.reinitialize()
                self._forked = False
        except package.PKCS11Error as error:
            raise KeyUnavailable(
                f"{self.path} cannot be used as a PKCS#11 library ({type(error).__name__})",
                "compare module-path with where the token's software is installed",
            ) from None
        self._loaded = True
        return library

    def restart(self, generation: int) -> None:
        """End all sessions and begin anew, unless somebody did so since `generation`."""
        if generation == self.generation:
            self.generation += 1
            self.library().reinitialize()

    def forget_parent(self) -> None:
        """In a child: sessions, and a lock that some thread held, stayed with the parent."""
        self.lock = threading.RLock()
        self.generation += 1
        self._forked = self._loaded


class _Modules:
    """All modules of this process: one library must not be initialized twice."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_path: dict[Path, Module] = {}
        os.register_at_fork(after_in_child=self._after_fork)

    def get(self, path: Path) -> Module:
        with self._lock:
            return self._by_path.setdefault(path.resolve(), Module(path))

    def _after_fork(self) -> None:
        self._lock = threading.Lock()
        for module in self._by_path.values():
            module.forget_parent()


_modules = _Modules()


def module_at(path: Path) -> Module:
    """The module of that file, the same for everybody in this process."""
    return _modules.get(path)


def _require_module(path: Path) -> None:
    """What is loaded runs with all our rights."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise KeyUnavailable(
            f"PKCS#11 library {path}: {error.strerror}", "install the token's software, or mend module-path"
        ) from None
    if mode & _OTHERS_WRITE:
        raise KeyUnavailable(
            f"PKCS#11 library {path} may be written by others (mode {stat.S_IMODE(mode):04o})",
            f"chmod go-w {path}, and install the token's software again",
        )


def binding() -> ModuleType:
    """The package behind the extra; raises `KeyUnavailable` where it is not installed."""
    try:
        import pkcs11
    except ImportError:
        raise KeyUnavailable(
            "keys in tokens need a package that is not installed", "pip install 'bankgate[hsm]'"
        ) from None
    module: ModuleType = pkcs11
    return module
