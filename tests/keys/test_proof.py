"""What is kept of a signed XML document when the document goes: it still says who signed which digest."""

from __future__ import annotations

import hashlib
import io

import pytest

from keys.errors import SignatureInvalid, SignatureMalformed, SignerUntrusted
from keys.proof import proof_of
from keys.xmldsig import strip_document, verify_enveloped, verify_stripped
from tests.keys.conftest import RECEIVED, Bank, signer_trust
from tests.keys.test_xmldsig import DOCUMENT, PLACE, sign


@pytest.mark.parametrize("place", [(), PLACE], ids=["root", "inside"])
@pytest.mark.parametrize("kind", ["rsa-2048", "ec-p256"])
def test_the_signature_alone_says_the_same(bank: Bank, kind: str, place: tuple[str, ...]) -> None:
    signed = sign(bank, kind, place=place)
    clear = io.BytesIO()
    whole = verify_enveloped(io.BytesIO(signed), bank.trust, RECEIVED, clear, place)
    proof = strip_document(io.BytesIO(signed))
    assert "结算".encode() not in proof
    assert verify_stripped(proof, bank.trust, RECEIVED) == whole
    assert hashlib.new(whole.algorithm.rpartition("-")[2], clear.getvalue()).hexdigest() == whole.digest


def test_a_changed_proof_is_none(bank: Bank) -> None:
    proof = strip_document(io.BytesIO(sign(bank)))
    start = proof.index(b"DigestValue>") + len(b"DigestValue>")
    changed = proof[:start] + bytes([proof[start] ^ 1]) + proof[start + 1 :]
    with pytest.raises((SignatureInvalid, SignatureMalformed)):
        verify_stripped(changed, bank.trust, RECEIVED)


def test_another_signers_proof_is_refused(bank: Bank) -> None:
    proof = strip_document(io.BytesIO(sign(bank)))
    stranger = signer_trust(bank.identities["rsa-3072"].certificate)
    with pytest.raises(SignerUntrusted):
        verify_stripped(proof, stranger, RECEIVED)


def test_what_is_not_signed_has_no_proof(bank: Bank) -> None:
    signed = sign(bank)
    assert proof_of(io.BytesIO(signed)) == strip_document(io.BytesIO(signed))
    assert proof_of(io.BytesIO(DOCUMENT)) is None
    assert proof_of(io.BytesIO(b"nothing")) is None
