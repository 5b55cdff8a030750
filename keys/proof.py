"""What is kept of a signed file whose content is destroyed: the signature, over a digest."""

from __future__ import annotations

from typing import BinaryIO

from keys.cms_strip import strip_content
from keys.errors import SignatureMalformed
from keys.xmldsig import strip_document


def proof_of(signed: BinaryIO) -> bytes | None:
    """The signature around a content, CMS or XML, without the content; None where there is none."""
    for strip in (strip_content, strip_document):
        signed.seek(0)
        try:
            return strip(signed)
        except SignatureMalformed:
            continue
    return None
