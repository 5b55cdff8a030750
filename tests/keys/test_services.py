"""A key at a signing service: the class of the page on it, a real service on loopback, a real ring."""

from __future__ import annotations

import io
import json
import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from keys.algorithms import ALGORITHMS, Transport
from keys.authority import Identity
from keys.certificate_make import make_request
from keys.cms import sign_detached, verify_detached
from keys.errors import KeyringInvalid, KeyUnavailable
from keys.keyring import Keyring
from keys.private import hold
from tests.docs.markdown import ROOT, blocks
from tests.keys.conftest import RECEIVED, Bank, run_openssl

PAGE = ROOT / "docs" / "remote-signing.md"
TOKEN = "a-token-that-nobody-sees"


class Service(ThreadingHTTPServer):
    """Signs digests with one key for whoever has the token."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.identity: Identity | None = None
        self.answer = b""
        self.asked = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/keys/rural"


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        self.server.asked += 1
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self.send_error(403)
            return
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.server.identity is not None
        key = hold(self.server.identity.private_key)
        signature = key.sign_digest(ALGORITHMS[asked["algorithm"]], bytes.fromhex(asked["digest"]))
        content = self.server.answer or signature.hex().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[Service]:
    with Service() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The page's class and entry point, as an installed package."""
    (code,) = blocks(PAGE, "python")
    entry_point, _ = blocks(PAGE, "toml")
    folder = tmp_path / "site-packages"
    metadata = folder / "http_signing-1.dist-info"
    metadata.mkdir(parents=True)
    (folder / "http_signing.py").write_text(code, "utf-8")
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: http-signing\nVersion: 1\n", "utf-8")
    line = entry_point.splitlines()[1].replace('"', "")
    (metadata / "entry_points.txt").write_text(f"[bankgate.keys]\n{line}\n", "utf-8")
    monkeypatch.syspath_prepend(str(folder))
    yield
    sys.modules.pop("http_signing", None)


@pytest.fixture
def site(bank: Bank, tmp_path: Path) -> Path:
    """A folder for a ring, with the service's token."""
    folder = tmp_path / "ring"
    (folder / "keys").mkdir(parents=True)
    (folder / "keys" / "signing-token").write_text(TOKEN + "\n", "utf-8")
    (folder / "keys" / "signing-token").chmod(0o600)
    return folder


def ring(site: Path, bank: Bank, kind: str, address: str, *changes: tuple[str, str]) -> Keyring:
    """The page's entry, for a key of that kind at that address."""
    _, entry = blocks(PAGE, "toml")
    entry = entry.replace("https://signing.example/keys/rural", address)
    for old, new in changes:
        assert old in entry
        entry = entry.replace(old, new)
    (site / "keys" / "rural-sign.crt").write_bytes(bank.certificate_path(kind).read_bytes())
    (site / "keys.toml").write_text(entry, "utf-8")
    return Keyring.load(site / "keys.toml", "production")


@pytest.mark.parametrize("kind", ["rsa-2048", "ec-p256", "sm2"])
@pytest.mark.usefixtures("package")
def test_a_key_at_a_service_signs_like_any_other(
    bank: Bank, site: Path, service: Service, kind: str, tmp_path: Path
) -> None:
    service.identity = bank.identities[kind]
    signer = ring(site, bank, kind, service.address).signer("rural", RECEIVED)
    signature = sign_detached(io.BytesIO(b"content"), signer, RECEIVED)
    verdict = verify_detached(io.BytesIO(b"content"), signature, bank.trust, RECEIVED)
    assert verdict.subject == f"CN=Settlement {kind},O=Rural Credit,C=CN"
    assert service.asked == 1
    request = tmp_path / "request"
    request.write_bytes(make_request(bank.authority.certificate.subject, signer))
    distid = ("-vfyopt", "distid:1234567812345678") if kind == "sm2" else ()
    run_openssl("req", "-inform", "DER", "-in", request, "-verify", "-noout", *distid)


@pytest.mark.usefixtures("package")
def test_a_service_with_another_key_is_found_at_once(bank: Bank, site: Path, service: Service) -> None:
    signer = ring(site, bank, "ec-p256", service.address).signer("rural", RECEIVED)
    service.identity = bank.authority.identity
    for answer in (b"", b"00", b"30060201010201ff"):
        service.answer = answer
        with pytest.raises(KeyUnavailable, match="what it signed does not fit its certificate"):
            sign_detached(io.BytesIO(b"content"), signer, RECEIVED)


@pytest.mark.usefixtures("package")
def test_a_refusal_is_told_without_the_secret_and_not_tried_again(
    bank: Bank, site: Path, service: Service
) -> None:
    service.identity = bank.identities["rsa-2048"]
    (site / "keys" / "signing-token").write_text("wrong-token", "utf-8")
    signer = ring(site, bank, "rsa-2048", service.address).signer("rural", RECEIVED)
    with pytest.raises(KeyUnavailable, match="refused with status 403") as raised:
        sign_detached(io.BytesIO(b"content"), signer, RECEIVED)
    assert "wrong-token" not in str(raised.value) + raised.value.hint + repr(signer)
    assert service.asked == 1


@pytest.mark.usefixtures("package")
def test_a_service_that_is_not_there(bank: Bank, site: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/keys/rural"
    signer = ring(site, bank, "rsa-2048", address).signer("rural", RECEIVED)
    with pytest.raises(KeyUnavailable, match="URLError"):
        sign_detached(io.BytesIO(b"content"), signer, RECEIVED)


@pytest.mark.usefixtures("package")
def test_what_the_entry_must_say(bank: Bank, site: Path) -> None:
    for change, message in (
        (('service = "http-signing"', 'service = "other"'), "0 packages offer a key service 'other'; "
         "installed services: http-signing"),
        (('service_key = "http://x"\n', ""), "service and service_key go together"),
        (('certificate = "keys/rural-sign.crt"\n', ""), "a certificate is wanted beside"),
        (('service_secret = { file = "keys/signing-token" }\n', ""), "the signing service wants a token"),
        (('service = "http-signing"', 'service = "http-signing"\nprivate_key = "x"'), "exactly one of"),
    ):  # fmt: skip
        with pytest.raises(KeyringInvalid, match=message):
            ring(site, bank, "rsa-2048", "http://x", change)


@pytest.mark.usefixtures("package")
def test_a_service_that_only_signs_opens_nothing(bank: Bank, site: Path) -> None:
    role = ('role = "sign"                       # or "decrypt", "journal-sign"', 'role = "decrypt"')
    (decrypter,) = ring(site, bank, "rsa-2048", "http://x", role).decrypters("rural", RECEIVED)
    with pytest.raises(KeyUnavailable, match="it has no unwrap"):
        decrypter.unwrap(Transport.RSA_PKCS1, bytes(256))
