"""Signing and sealing as ratios to plain hashing, in one run: `python -m tests.bench.bench_keys`.

A file of 256 MB (`python -m tests.bench.bench_keys MEGABYTES` for another size) is hashed with
SHA-256, signed, verified, sealed and opened. Each figure is the best of three; what is written
goes nowhere, so that the disk is not measured. Prints ratios, fails never.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from keys.authority import Authority
from keys.certificates import Anchor, AnchorKind, Trust
from keys.cms import sign_attached, sign_detached, verify_attached, verify_detached
from keys.fingerprint import Fingerprinter
from keys.sealed import MasterKey, Masters, SealedReader, SealedWriter, open_texts, seal_texts
from keys.sealed_header import Sink
from keys.signer import Signer
from tests.bench.measure import Ratio, compare

MEGABYTE = 1_000_000
TEXTS = 100_000
BLOCK_BYTES = 256 * 1024
NOW = datetime.now(UTC)
START, END = NOW - timedelta(days=1), NOW + timedelta(days=1)
MASTER = MasterKey("bench", bytes(32))


class Nowhere:
    """A sink that drops what it gets."""

    def write(self, block: bytes, /) -> int:
        return len(block)


class Files:
    """The content, and what signing and sealing make of it."""

    def __init__(self, folder: Path, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self.content = folder / "content"
        self.signed = folder / "signed"
        self.sealed = folder / "sealed"
        self.content.write_bytes(bytes(range(250)) * (size_bytes // 250))

    def hash(self) -> None:
        digest = hashlib.sha256()
        with self.content.open("rb") as source:
            while block := source.read(BLOCK_BYTES):
                digest.update(block)

    def sign_detached(self, signer: Signer) -> bytes:
        with self.content.open("rb") as source:
            return sign_detached(source, signer, NOW)

    def sign_attached(self, signer: Signer) -> None:
        with self.content.open("rb") as source:
            sign_attached(source, self.size_bytes, signer, NOW, Nowhere())

    def write_signed(self, signer: Signer) -> None:
        with self.content.open("rb") as source, self.signed.open("wb") as sink:
            sign_attached(source, self.size_bytes, signer, NOW, sink)

    def verify_detached(self, signature: bytes, trust: Trust) -> None:
        with self.content.open("rb") as source:
            verify_detached(source, signature, trust, NOW)

    def verify_attached(self, trust: Trust) -> None:
        with self.signed.open("rb") as source:
            verify_attached(source, trust, NOW, Nowhere())

    def seal(self) -> None:
        self._seal_into(Nowhere())

    def write_sealed(self) -> None:
        with self.sealed.open("wb") as sink:
            self._seal_into(sink)

    def open_sealed(self) -> None:
        with self.sealed.open("rb") as source:
            for _ in SealedReader(source, Masters(MASTER)).blocks():
                pass

    def _seal_into(self, sink: Sink) -> None:
        with self.content.open("rb") as source, SealedWriter(sink, MASTER) as writer:
            while block := source.read(BLOCK_BYTES):
                writer.write(block)


def run(megabytes: int = 256) -> list[Ratio]:
    """Each way of signing and sealing beside plain hashing of the same file."""
    size_bytes = megabytes * MEGABYTE
    ratios: list[Ratio] = []
    with tempfile.TemporaryDirectory(prefix="bench-keys-") as folder:
        files = Files(Path(folder), size_bytes)

        def show(name: str, work: Callable[[], object]) -> None:
            baseline, ours = compare(files.hash, work)
            ratios.append(
                Ratio(
                    name=name,
                    baseline="plain SHA-256",
                    baseline_microseconds=baseline / megabytes * 1e6,
                    our_microseconds=ours / megabytes * 1e6,
                    unit="MB",
                )
            )

        measure_signatures(files, show)
        show("seal AES-256-GCM", files.seal)
        files.write_sealed()
        show("open sealed", files.open_sealed)
    return ratios


def measure_signatures(files: Files, show: Callable[[str, Callable[[], object]], None]) -> None:
    authority = Authority.create("CN=Bench CA", START, END)
    trust = Trust("bench", "test", [Anchor("ca", authority.certificate, AnchorKind.ROOT)])
    signers = {
        kind: authority.issue("CN=Bench", START, END, kind).signer(kind) for kind in ("rsa-3072", "ec-p256")
    }
    for kind, signer in signers.items():
        show(f"{kind} sign detached", lambda signer=signer: files.sign_detached(signer))
        show(f"{kind} sign attached", lambda signer=signer: files.sign_attached(signer))
        signature = files.sign_detached(signer)
        show(f"{kind} verify detached", lambda signature=signature: files.verify_detached(signature, trust))
        files.write_signed(signer)
        show(f"{kind} verify attached", lambda: files.verify_attached(trust))


def measure_small() -> None:
    texts = ["户名不符:买买提"] * TEXTS
    sealed = seal_texts(MASTER, texts)
    fingerprinter = Fingerprinter(bytes(32))
    ids = ["370902199001011235"] * TEXTS
    for name, work in (
        ("seal texts", lambda: seal_texts(MASTER, texts)),
        ("open texts", lambda: open_texts(Masters(MASTER), sealed)),
        ("fingerprints", lambda: fingerprinter.of(ids)),
    ):
        print(f"{name:24} {best(work) / TEXTS * 1e6:7.2f} microseconds each")


def best(work: Callable[[], object]) -> float:
    """Seconds of the fastest of a few runs."""
    return compare(lambda: None, work)[1]


if __name__ == "__main__":
    for ratio in run(int(sys.argv[1]) if len(sys.argv) > 1 else 256):
        print(ratio.line())
    measure_small()
