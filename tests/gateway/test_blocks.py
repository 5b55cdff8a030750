"""The signature block of a seal and the blocks of a layout are the same bytes, seen from two rooms."""

from __future__ import annotations

import base64
import io
from datetime import UTC, datetime

import pytest

from gateway.simulator.store import MemoryBlob
from keys.authority import Authority, Identity
from keys.seal_plain import BlockSign, BlockVerify
from tests.formats.test_frames import encoded, request
from tests.keys.test_seal import Party

NOW = datetime(2026, 6, 1, tzinfo=UTC)
VALID = NOW.replace(year=2020), NOW.replace(year=2040)


def party(own: Identity, other: Identity) -> Party:
    return Party([own], [other], NOW)


@pytest.mark.parametrize("kind", ["rsa-2048", "sm2"])
@pytest.mark.parametrize("content", ["plain", "cms"])
@pytest.mark.parametrize("covers", ["body", "header-and-body"])
def test_the_block_is_where_the_layout_sees_it(kind: str, content: str, covers: str) -> None:
    codec, unsigned = request(), encoded()
    root = Authority.create("CN=Root,C=CN", *VALID)
    us, bank = (root.issue(f"CN={name},C=CN", *VALID, kind) for name in ("us", "bank"))
    step = BlockSign(covers=covers, content=content)  # type: ignore[arg-type]
    sink = io.BytesIO()
    step.transform(MemoryBlob(unsigned), party(us, bank), sink)
    signed = sink.getvalue()
    parts = codec.split(io.BytesIO(signed))
    assert base64.b64decode(parts.signature, validate=True)
    header, body = unsigned[: len(parts.header)], unsigned[len(parts.header) :]
    assert codec.signed(header, parts.signature) + body == signed
    assert signed[parts.body_offset :] == body
    opened = io.BytesIO()
    BlockVerify(covers=covers, content=content).open(  # type: ignore[arg-type]
        MemoryBlob(signed), b"", party(bank, us), opened
    )
    assert opened.getvalue() == unsigned
