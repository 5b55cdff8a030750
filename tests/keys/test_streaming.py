"""Two gigabytes go through in constant memory; the peak is measured in a process of its own."""

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
from keys.cms import EnvelopeWriter, SignedWriter, decrypt, sign_attached, sign_detached
from keys.cms import verify_attached, verify_detached
from keys.cms_forms import EnvelopeForm
from keys.certificates import Anchor, AnchorKind, Trust
from keys.private import load_certificates, load_decrypter, load_signer, make_encrypter
from keys.stages import connect, finish
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

if sys.argv[6]:
    form = EnvelopeForm(cipher=sys.argv[6])
    signed = SignedWriter(size_bytes, [signer], at)
    recipient = make_encrypter(load_certificates(certificate)[0])
    stages = [signed, EnvelopeWriter(signed.size_bytes, [recipient], form)]
    with unsealed() as source, (folder / "enveloped").open("wb") as sink:
        first = connect(stages, sink)
        for block in source.blocks():
            first.write(block)
        finish(stages)
    (folder / "sealed").unlink()
    with (folder / "enveloped").open("rb") as source, (folder / "opened").open("wb") as sink:
        decrypt(source, [load_decrypter("k", key, certificate)], sink, form)
    count = Count()
    with (folder / "opened").open("rb") as source:
        assert verify_attached(source, trust, at, count).digest == detached.digest
    assert count.size_bytes == size_bytes, count.size_bytes
    (folder / "opened").unlink()
# Not `ru_maxrss`: that one is inherited from the process that started this one.
status = Path("/proc/self/status").read_text()
print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""


def peak_kib(bank: Bank, folder: Path, kind: str, size_bytes: int, cipher: str) -> int:
    """Of signing, verifying, and with a cipher of sealing into an envelope and opening it."""
    keys = [bank.root_path, bank.key_path(kind), bank.certificate_path(kind)]
    arguments = [folder, size_bytes, *keys, cipher]
    finished = subprocess.run(
        [sys.executable, "-c", _SCRIPT, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return int(finished.stdout)


KINDS = [("rsa-2048", "aes-256-gcm"), ("rsa-2048", "aes-256-cbc"), ("ec-p256", ""), ("sm2", "sm4-cbc")]


@pytest.mark.parametrize(("kind", "cipher"), KINDS)
def test_sealing_and_signing_take_constant_memory(bank: Bank, tmp_path: Path, kind: str, cipher: str) -> None:
    assert peak_kib(bank, tmp_path, kind, 20_000_000, cipher) < LIMIT_KIB


@pytest.mark.heavy
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("kind", "cipher"), [("rsa-2048", "aes-256-gcm"), ("sm2", "sm4-cbc")])
def test_two_gigabytes_take_constant_memory(bank: Bank, tmp_path: Path, kind: str, cipher: str) -> None:
    assert peak_kib(bank, tmp_path, kind, 2 * GIGABYTE, cipher) < LIMIT_KIB
    for path in tmp_path.iterdir():
        path.unlink()


@pytest.mark.heavy
@pytest.mark.timeout(900)
def test_openssl_opens_a_gigabyte_of_ours(bank: Bank, tmp_path: Path) -> None:
    """It reads such a file as a whole, and none of two gigabytes."""
    peak_kib(bank, tmp_path, "rsa-2048", GIGABYTE, "aes-256-cbc")
    judge = ["cms", "-decrypt", "-binary", "-inform", "DER", "-in", tmp_path / "enveloped"]
    keys = ["-inkey", bank.key_path("rsa-2048"), "-recip", bank.certificate_path("rsa-2048")]
    run_openssl(*judge, *keys, "-out", tmp_path / "judged")
    arguments = ["cms", "-verify", "-binary", "-inform", "DER", "-in", tmp_path / "judged", "-noverify"]
    assert run_openssl(*arguments, "-no_attr_verify", "-out", tmp_path / "clear") == b""
    assert (tmp_path / "clear").stat().st_size == GIGABYTE
    for path in tmp_path.iterdir():
        path.unlink()
