"""A gigabyte goes through in constant memory; the peak is measured in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.keys.conftest import Bank, run_openssl

GIGABYTE = 1_000_000_000
LIMIT_KIB = 100 * 1024
"""Python with cryptography takes about 40 MiB of it."""

_SCRIPT = """
import io, sys
from datetime import UTC, datetime
from pathlib import Path
from keys.cms import sign_attached, sign_detached, verify_attached, verify_detached
from keys.certificates import Anchor, AnchorKind, Trust
from keys.private import load_certificates, load_signer
from keys.sealed import MasterKey, Masters, SealedReader, SealedWriter

folder, size_bytes, ca, key, certificate = Path(sys.argv[1]), int(sys.argv[2]), *map(Path, sys.argv[3:6])
at = datetime(2026, 6, 1, tzinfo=UTC)
master = MasterKey("m", bytes(32))
signer = load_signer("k", key, certificate)
trust = Trust("bank", "test", [Anchor("ca", load_certificates(ca)[0], AnchorKind.ROOT)])

with (folder / "sealed").open("wb") as raw, SealedWriter(raw, master, b"c") as writer:
    block = bytes(range(250)) * 4000
    for start in range(0, size_bytes, len(block)):
        writer.write(block[: size_bytes - start])

def unsealed():
    return SealedReader((folder / "sealed").open("rb"), Masters(master), b"c")

with unsealed() as source, (folder / "signed").open("wb") as sink:
    sign_attached(source, size_bytes, signer, at, sink)
signature = sign_detached(unsealed(), signer, at)
detached = verify_detached(unsealed(), signature, trust, at)

class Count:
    size_bytes = 0
    def write(self, block):
        self.size_bytes += len(block)

count = Count()
with (folder / "signed").open("rb") as source:
    assert verify_attached(source, trust, at, count) == detached
assert count.size_bytes == size_bytes, count.size_bytes
# Not `ru_maxrss`: that one is inherited from the process that started this one.
status = Path("/proc/self/status").read_text()
print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""


def peak_kib(bank: Bank, folder: Path, kind: str, size_bytes: int) -> int:
    arguments = [folder, size_bytes, bank.root_path, bank.key_path(kind), bank.certificate_path(kind)]
    finished = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return int(finished.stdout)


@pytest.mark.parametrize("kind", ["rsa-2048", "ec-p256"])
def test_sealing_and_signing_take_constant_memory(bank: Bank, tmp_path: Path, kind: str) -> None:
    assert peak_kib(bank, tmp_path, kind, 20_000_000) < LIMIT_KIB


@pytest.mark.heavy
def test_a_gigabyte_takes_constant_memory(bank: Bank, tmp_path: Path) -> None:
    assert peak_kib(bank, tmp_path, "rsa-2048", GIGABYTE) < LIMIT_KIB
    arguments = ["cms", "-verify", "-binary", "-inform", "DER", "-in", tmp_path / "signed", "-no_attr_verify"]
    assert run_openssl(*arguments, "-noverify", "-out", tmp_path / "clear") == b""
    assert (tmp_path / "clear").stat().st_size == GIGABYTE
