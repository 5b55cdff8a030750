"""A signature without what was signed: the proof of a digest that outlives the content."""

from __future__ import annotations

from keys import tlv
from keys.armour import open_armour
from keys.errors import SignatureMalformed
from keys.tlv import SeekableSource, TlvReader


def strip_content(source: SeekableSource) -> bytes:
    """SignedData (DER, BER, PEM or Base64; RFC 5652 section 5, GM/T 0010), its content left out.

    The signatures are the same: over the same content beside it they verify as detached ones.
    Nothing is verified here. Raises `SignatureMalformed`, also where there is no content inside.
    """
    reader = TlvReader(open_armour(source))
    reader.enter(tlv.SEQUENCE)
    kind = reader.element(tlv.OBJECT_IDENTIFIER).raw
    reader.enter(tlv.CONTEXT_0)
    reader.enter(tlv.SEQUENCE)
    before = reader.element(tlv.INTEGER).raw + reader.element(tlv.SET).raw
    reader.enter(tlv.SEQUENCE)
    content_kind = reader.element(tlv.OBJECT_IDENTIFIER).raw
    if reader.at_end():
        raise SignatureMalformed("a signature without content")
    reader.enter(tlv.CONTEXT_0)
    reader.skip_octets()
    reader.leave()
    reader.leave()
    after = b""
    while (identifier := reader.next_identifier()) is not None:
        after += reader.element(identifier).raw
    for _ in range(3):
        reader.leave()
    reader.finish()
    signed = tlv.wrap(tlv.SEQUENCE, before + tlv.wrap(tlv.SEQUENCE, content_kind) + after)
    return tlv.wrap(tlv.SEQUENCE, kind + tlv.wrap(tlv.CONTEXT_0, signed))
