"""Judges SignedData (RFC 5652, GM/T 0010): every signature in it, and who may sign here.

Verification takes any bytes and ends in a `Verdict` or a `SealError`: every signature that is
in the structure must verify and be by somebody who may sign.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from cryptography import x509
from msgspec import Struct
from msgspec.structs import replace

from keys import tlv
from keys.algorithms import Algorithm, Scheme
from keys.armour import open_armour, remove_armour
from keys.certificates import Trust, certificate_sha256, serial_hex
from keys.cms_forms import USUAL_FORM, MessageDigest, SignedForm
from keys.cms_read import SignedDataReader, SignedParts, SignerInfo, looks_like_attributes
from keys.cms_write import certificate_issuer
from keys.digests import Hasher, new_digest
from keys.errors import KeyUnavailable, SignatureInvalid, SignatureMalformed, SignerUntrusted
from keys.public import certified_key
from keys.signature_forms import to_der
from keys.signer import Verifier
from keys.stages import ByteSink
from keys.tlv import BLOCK_BYTES, ByteSource, SeekableSource
from keys.verifier import make_verifier

_ATTRIBUTES_LIMIT_BYTES = 64 * 1024
"""Content up to this is looked at for being somebody's signed attributes."""


class Cosigner(Struct, frozen=True):
    """A further signer, verified like the first."""

    certificate_sha256: str
    subject: str
    serial: str
    algorithm: str
    key_id: str


class Verdict(Struct, frozen=True):
    """A signature that verified, by somebody who may sign."""

    certificate_sha256: str
    """Of the first signer's certificate; hex."""
    subject: str
    """RFC 4514."""
    serial: str
    """Upper-case hex, as OpenSSL prints it."""
    algorithm: str
    """As `Signer.algorithm`."""
    digest: str
    """Of the content, with the algorithm's digest; hex."""
    signing_time: datetime | None
    """What the signer claims. Nothing was judged by it."""
    key_id: str
    """The pin or root in the keyring by which the signer was accepted."""
    cosigners: tuple[Cosigner, ...] = ()
    """Further signers, all of them verified too."""


def verify_detached(
    source: ByteSource, signature: bytes, trust: Trust, at: datetime, form: SignedForm = USUAL_FORM
) -> Verdict:
    """Verify a signature (DER, BER, PEM or Base64) over everything that is left in `source`.

    `at` is our time of receipt. Raises `SignatureMalformed`, `SignatureInvalid`, or
    `SignerUntrusted`.
    """
    verifying = DetachedVerifying(signature, trust, at, form)
    while block := source.read(BLOCK_BYTES):
        verifying.update(block)
    return verifying.verdict()


def verify_attached(
    source: SeekableSource, trust: Trust, at: datetime, sink: ByteSink, form: SignedForm = USUAL_FORM
) -> Verdict:
    """Verify SignedData (DER, BER, PEM or Base64) with its content inside, which goes to `sink`.

    The sink gets bytes before anything is known about them: nobody may use them until this
    has returned, and they must be thrown away when it raises. Raises as `verify_detached`.
    The source is read twice: who signed stands behind what was signed, and SM2's digest begins
    with the signer; nothing is written for somebody who may not sign.
    """
    start = source.tell()
    parts = _read_parts(source, at, form)
    judges = _accept_signers(parts, trust, at, form)
    content = _Content(judges)
    source.seek(start)
    reader = SignedDataReader(open_armour(source), _permits_sha1(form, at))
    for block in reader.content():
        content.update(block)
        sink.write(block)
    if reader.finish() != parts:
        raise SignatureMalformed("the file changed while it was read")
    return _judge(judges, content)


def _read_parts(source: SeekableSource, at: datetime, form: SignedForm) -> SignedParts:
    reader = SignedDataReader(open_armour(source), _permits_sha1(form, at))
    if not reader.attached:
        raise SignatureMalformed("a signature without content; the file must stand beside it")
    reader.skip_content()
    return reader.finish()


class DetachedVerifying:
    """A detached signature, and the running digests of the content that it should be over.

    Making one raises as `verify_detached` does: everything but the content is judged then.
    """

    def __init__(self, signature: bytes, trust: Trust, at: datetime, form: SignedForm = USUAL_FORM) -> None:
        reader = SignedDataReader(tlv.BytesSource(remove_armour(signature)), _permits_sha1(form, at))
        if reader.attached:
            raise SignatureMalformed("the signature beside the file has a content of its own")
        reader.skip_content()
        self._judges = _accept_signers(reader.finish(), trust, at, form)
        self._content = _Content(self._judges)

    def update(self, block: bytes) -> None:
        self._content.update(block)

    def verdict(self) -> Verdict:
        """Raises `SignatureInvalid`."""
        return _judge(self._judges, self._content)


class _Judge(Struct, frozen=True):
    """One signature by somebody who may sign; whether it fits is not known yet."""

    info: SignerInfo
    certificate: x509.Certificate
    key_id: str
    verifier: Verifier
    form: SignedForm

    @property
    def identity_in_digest(self) -> bool:
        """Whether what is signed as the content's digest begins with the signer's identity."""
        if self.info.algorithm.scheme is not Scheme.SM2:
            return False
        return self.info.attributes is None or self.form.message_digest is MessageDigest.IDENTITY

    def judge(self, content: _Content) -> Verdict:
        """Raises `SignatureInvalid`."""
        signature = self.info.signature
        if self.form.raw_signature:
            signature = to_der(signature, certified_key(self.certificate))
        self.verifier.verify_digest(signature, self._signed_digest(content))
        return Verdict(
            certificate_sha256(self.certificate),
            self.certificate.subject.rfc4514_string(),
            serial_hex(self.certificate),
            self.info.algorithm.name,
            content.digest(self.info.digest).hex(),
            self.info.attributes.signing_time if self.info.attributes else None,
            self.key_id,
        )

    def _signed_digest(self, content: _Content) -> bytes:
        attributes = self.info.attributes
        if attributes is None:
            if content.may_be_attributes():
                raise SignatureInvalid(
                    "the content is a set of signed attributes, taken from another signature"
                )
            return content.digest_for(self)
        found, plain = attributes.message_digest, content.digest(self.info.digest)
        wanted = content.digest_for(self) if self.identity_in_digest else plain
        if found != wanted:
            raise SignatureInvalid(
                "the content is not what was signed: its digest differs", self._digest_hint(found == plain)
            )
        hasher = self.verifier.hasher()
        hasher.update(attributes.der)
        return hasher.digest()

    def _digest_hint(self, is_plain: bool) -> str:
        """A bank that takes the other digest is perhaps what differs, not the file."""
        if self.identity_in_digest and is_plain:
            return 'the bank signs SM3(content): the profile wants message_digest = "plain"'
        if self.info.algorithm.scheme is Scheme.SM2 and not self.identity_in_digest:
            return 'a bank that signs SM3(Z || content) wants message_digest = "identity" in the profile'
        return ""


class _Content:
    """Running digests of the content, and its beginning while it is short."""

    def __init__(self, judges: Iterable[_Judge]) -> None:
        self._plain: dict[str, Hasher] = {}
        self._own: dict[int, Hasher] = {}
        for judge in judges:
            self._plain.setdefault(judge.info.digest, new_digest(judge.info.digest))
            if judge.identity_in_digest:
                self._own[id(judge)] = judge.verifier.hasher()
        self._head: bytearray | None = bytearray()

    def update(self, block: bytes) -> None:
        for hasher in (*self._plain.values(), *self._own.values()):
            hasher.update(block)
        if self._head is not None:
            self._head += block
            if len(self._head) > _ATTRIBUTES_LIMIT_BYTES:
                self._head = None

    def digest(self, name: str) -> bytes:
        """Of the content alone."""
        return self._plain[name].digest()

    def digest_for(self, judge: _Judge) -> bytes:
        """As the signer's algorithm takes it: with the identity where it is SM2."""
        own = self._own.get(id(judge))
        return self.digest(judge.info.digest) if own is None else own.digest()

    def may_be_attributes(self) -> bool:
        return self._head is not None and looks_like_attributes(bytes(self._head))


def _accept_signers(parts: SignedParts, trust: Trust, at: datetime, form: SignedForm) -> list[_Judge]:
    """Every signer must be one who may sign, before a byte of the content is looked at."""
    judges = []
    for info in parts.signer_infos:
        if form.algorithms and info.algorithm.name not in form.algorithms:
            raise SignatureInvalid(
                f"signed with {info.algorithm.name}, wanted {', '.join(form.algorithms)}",
                "the profile lists which algorithms are accepted",
            )
        certificate = _find_certificate(info, parts.certificates or trust.pinned, trust)
        key_id = trust.accept(certificate, parts.certificates, at)
        algorithm = replace(info.algorithm, signer_id=form.signer_id)
        judges.append(_Judge(info, certificate, key_id, _make_verifier(certificate, algorithm), form))
    return judges


def _judge(judges: Sequence[_Judge], content: _Content) -> Verdict:
    """Every signature must hold; one that does not spoils the file, whoever else signed it."""
    first, *further = [judge.judge(content) for judge in judges]
    cosigners = tuple(
        Cosigner(each.certificate_sha256, each.subject, each.serial, each.algorithm, each.key_id)
        for each in further
    )
    return replace(first, cosigners=cosigners)


def _make_verifier(certificate: x509.Certificate, algorithm: Algorithm) -> Verifier:
    try:
        return make_verifier(certified_key(certificate), algorithm)
    except KeyUnavailable as error:
        raise SignatureInvalid(f"{algorithm.name} with this certificate: {error}", error.hint) from None


def _find_certificate(
    info: SignerInfo, candidates: Sequence[x509.Certificate], trust: Trust
) -> x509.Certificate:
    for certificate in candidates:
        if _is_named(certificate, info):
            return certificate
    raise SignerUntrusted(
        f"the certificate of a signer is neither in the signature nor pinned for {trust.owner}",
        "ask the bank to send its certificate along, or pin it",
    )


def _is_named(certificate: x509.Certificate, info: SignerInfo) -> bool:
    if info.issuer_and_serial is not None:
        return (certificate_issuer(certificate), certificate.serial_number) == info.issuer_and_serial
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.SubjectKeyIdentifier):
            return extension.value.digest == info.subject_key_id
    return False


def _permits_sha1(form: SignedForm, at: datetime) -> bool:
    return form.sha1_until is not None and at < form.sha1_until
