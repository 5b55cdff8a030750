"""Signing and sealing as ratios to plain hashing and ciphering: `python -m tests.bench.bench_keys`.

In one run a file of 256 MB (`... MEGABYTES` for another size) is hashed with
SHA-256 or SM3, ciphered with AES-256 or SM4, signed, verified, put into envelopes and opened,
sealed and opened at rest. Each figure is the best of three; what is written goes nowhere, so
that the disk is not measured. Prints ratios, fails never. What was promised: signing at most
1.5 times the hash, signing and encrypting at most 1.5 times hash and cipher together.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from keys.authority import Authority
from keys.certificate_make import SIGNING_AND_RECEIVING
from keys.certificates import Anchor, AnchorKind, Trust
from keys.cms import (
    EnvelopeWriter,
    SignedWriter,
    decrypt,
    sign_attached,
    sign_detached,
    verify_attached,
    verify_detached,
)
from keys.cms_forms import EnvelopeForm
from keys.content_ciphers import CONTENT_CIPHERS, ContentEncryptor
from keys.digests import new_digest
from keys.fingerprint import Fingerprinter
from keys.private import make_decrypter, make_encrypter
from keys.rest_ciphers import AES_256_GCM, SM4_GCM
from keys.sealed import MasterKey, Masters, SealedReader, SealedWriter, open_texts, seal_texts
from keys.sealed_header import Sink
from keys.signer import Decrypter, Encrypter, Signer
from keys.stages import ByteSink, connect, finish
from tests.bench.measure import Ratio, compare

MEGABYTE = 1_000_000
TEXTS = 100_000
BLOCK_BYTES = 256 * 1024
NOW = datetime.now(UTC)
START, END = NOW - timedelta(days=1), NOW + timedelta(days=1)
MASTER = MasterKey("bench", bytes(32))
KINDS = (
    ("rsa-3072", "sha256", ("aes-256-cbc", "aes-256-gcm")),
    ("ec-p256", "sha256", ()),
    ("sm2", "sm3", ("sm4-cbc", "sm4-gcm")),
)
WANTED = 1 / 1.5
"""Times as fast as the baseline, at least: at most 1.5 times its time."""


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

    def hash(self, name: str = "sha256") -> None:
        digest = new_digest(name)
        self._read(digest.update)

    def cipher(self, name: str) -> None:
        encryptor = ContentEncryptor(CONTENT_CIPHERS[name])
        self._read(encryptor.update)
        encryptor.finish()

    def hash_and_cipher(self, digest: str, cipher: str) -> None:
        self.hash(digest)
        self.cipher(cipher)

    def sign_detached(self, signer: Signer) -> bytes:
        with self.content.open("rb") as source:
            return sign_detached(source, signer, NOW)

    def sign_attached(self, signer: Signer) -> None:
        with self.content.open("rb") as source:
            sign_attached(source, self.size_bytes, signer, NOW, Nowhere())

    def sign_and_encrypt(self, signer: Signer, encrypter: Encrypter, cipher: str, sink: ByteSink) -> None:
        signed = SignedWriter(self.size_bytes, [signer], NOW)
        stages = [signed, EnvelopeWriter(signed.size_bytes, [encrypter], EnvelopeForm(cipher=cipher))]
        first = connect(stages, sink)
        self._read(first.write)
        finish(stages)

    def write_signed(self, signer: Signer) -> None:
        with self.content.open("rb") as source, self.signed.open("wb") as sink:
            sign_attached(source, self.size_bytes, signer, NOW, sink)

    def verify_detached(self, signature: bytes, trust: Trust) -> None:
        with self.content.open("rb") as source:
            verify_detached(source, signature, trust, NOW)

    def verify_attached(self, trust: Trust) -> None:
        with self.signed.open("rb") as source:
            verify_attached(source, trust, NOW, Nowhere())

    def decrypt(self, decrypter: Decrypter) -> None:
        with self.sealed.open("rb") as source:
            decrypt(source, [decrypter], Nowhere(), EnvelopeForm())

    def _read(self, take: Callable[[bytes], object]) -> None:
        with self.content.open("rb") as source:
            while block := source.read(BLOCK_BYTES):
                take(block)

    def seal(self, master: MasterKey) -> None:
        self._seal_into(Nowhere(), master)

    def write_sealed(self, master: MasterKey) -> None:
        with self.sealed.open("wb") as sink:
            self._seal_into(sink, master)

    def open_sealed(self, master: MasterKey) -> None:
        with self.sealed.open("rb") as source:
            for _ in SealedReader(source, Masters(master)).blocks():
                pass

    def _seal_into(self, sink: Sink, master: MasterKey) -> None:
        with self.content.open("rb") as source, SealedWriter(sink, master) as writer:
            while block := source.read(BLOCK_BYTES):
                writer.write(block)


Work = Callable[[], object]


class Bench:
    """Compares one piece of work after the other with its baseline."""

    def __init__(self, files: Files, megabytes: int) -> None:
        self.files = files
        self.ratios: list[Ratio] = []
        self._megabytes = megabytes

    def show(self, name: str, work: Work, baseline: tuple[str, Work], wanted: float | None = None) -> None:
        plain, ours = compare(baseline[1], work)
        self.ratios.append(
            Ratio(
                name=name,
                baseline=baseline[0],
                baseline_microseconds=plain / self._megabytes * 1e6,
                our_microseconds=ours / self._megabytes * 1e6,
                unit="MB",
                wanted=wanted,
            )
        )

    def hashed(self, digest: str) -> tuple[str, Work]:
        return f"plain {digest}", lambda: self.files.hash(digest)

    def ciphered(self, digest: str, cipher: str) -> tuple[str, Work]:
        return f"plain {digest} and {cipher}", lambda: self.files.hash_and_cipher(digest, cipher)


def run(megabytes: int = 256) -> list[Ratio]:
    """Each way of signing and sealing beside plain hashing, and ciphering, of the same file."""
    with tempfile.TemporaryDirectory(prefix="bench-keys-") as folder:
        bench = Bench(Files(Path(folder), megabytes * MEGABYTE), megabytes)
        measure_signatures(bench)
        measure_at_rest(bench)
    return bench.ratios


def measure_signatures(bench: Bench) -> None:
    files = bench.files
    authority = Authority.create("CN=Bench CA", START, END)
    trust = Trust("bench", "test", [Anchor("ca", authority.certificate, AnchorKind.ROOT)])
    for kind, digest, ciphers in KINDS:
        identity = authority.issue("CN=Bench", START, END, kind, SIGNING_AND_RECEIVING)
        signer = identity.signer(kind)
        hashed = bench.hashed(digest)
        signed = partial(files.sign_detached, signer)
        bench.show(f"{kind} sign detached", signed, hashed, WANTED)
        bench.show(f"{kind} sign attached", partial(files.sign_attached, signer), hashed, WANTED)
        bench.show(f"{kind} verify detached", partial(files.verify_detached, signed(), trust), hashed)
        files.write_signed(signer)
        bench.show(f"{kind} verify attached", partial(files.verify_attached, trust), hashed)
        for cipher in ciphers:
            encrypter = make_encrypter(identity.certificate)
            sealing = partial(files.sign_and_encrypt, signer, encrypter, cipher)
            name = f"{kind} sign+{cipher}"
            bench.show(name, partial(sealing, Nowhere()), bench.ciphered(digest, cipher), WANTED)
            with files.sealed.open("wb") as sink:
                sealing(sink)
            decrypter = make_decrypter(identity.private_key, kind, identity.certificate_der)
            opening = partial(files.decrypt, decrypter)
            baseline = (f"plain {cipher}", partial(files.cipher, cipher))
            bench.show(f"{kind} decrypt {cipher}", opening, baseline)


def measure_at_rest(bench: Bench) -> None:
    for suite, digest in ((AES_256_GCM, "sha256"), (SM4_GCM, "sm3")):
        master = MasterKey("bench", bytes(32), suite)
        baseline = bench.ciphered(digest, suite.name)
        bench.show(f"at rest, seal {suite.name}", partial(bench.files.seal, master), baseline)
        bench.files.write_sealed(master)
        bench.show(f"at rest, open {suite.name}", partial(bench.files.open_sealed, master), baseline)


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
