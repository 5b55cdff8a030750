"""Which of our files a received file answers: everything in it that names one must agree.

A name is not enough and neither is a reference: whatever the bank wrote that points at a
file of ours (original name, message id, sequence in its own name, first reference) is
looked up within that bank, and all of it must point at the same file, which must have left.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from formats import AcknowledgementVerdict, Codec, Decoder, Problem, RecordChunk, parse_reference
from formats.masking import LONGEST_NUMBER, mask_account, mask_number, mask_text
from gateway.configuration.profile import Profile
from gateway.installation import Installation
from gateway.ledger.files import FileRow, find_file
from gateway.ledger.parts import pinned_layout
from gateway.ledger.received import ReceivedRow
from gateway.ledger.spool import destroyed_since
from gateway.money import money
from gateway.settlement.double_payments import stop_payments_of
from gateway.states import AT_THE_BANK, FileState
from gateway.wording import Wording


class Hold(Exception):
    """Undo everything of this received file and keep it for a person."""

    def __init__(self, problems: list[Problem], file_pk: int | None = None) -> None:
        super().__init__(problems[0].message)
        self.problems = problems
        self.file_pk = file_pk
        """Our file that it is about, where that is known."""


def find_our_file(
    installation: Installation,
    profile: Profile,
    received: ReceivedRow,
    decoder: Decoder,
    first: RecordChunk | None,
) -> tuple[FileRow, list[Problem]]:
    """The file, and what the answer says of it that is not so. Raises `Hold`."""
    claims = _claims(profile, received, decoder, first)
    file = _agreed_file(installation, profile, received, claims)
    _refuse_destroyed(installation, received, file)
    if file.state not in AT_THE_BANK and not _rejects_again(file, decoder, first):
        with installation.ledger.write() as transaction:
            stop_payments_of(transaction, file, installation.clock.now())
        message = f"file {file.name} is {file.state}, it was not sent"
        raise Hold([problem_of(received, "not-at-the-bank", message)], file.file_pk)
    return file, _other_facts(received, decoder.facts, file)


def pinned_codec(installation: Installation, received: ReceivedRow, file: FileRow, codec: Codec) -> Codec:
    """The layout as it was when the file was made. Raises `Hold` where it was not kept."""
    digest = msgspec.json.decode(file.pins)["layouts"].get(codec.name, codec.digest)
    if digest == codec.digest:
        return codec
    with installation.ledger.read() as transaction:
        text = pinned_layout(transaction, digest)
    if text is None:
        message = f"layout {codec.name} {digest[:12]} is not kept"
        raise Hold([problem_of(received, "pinned-layout", message)])
    return installation.codecs.from_text(text, codec.name)


def problem_of(received: ReceivedRow, code: str, message: str, hint: str = "") -> Problem:
    """A problem of the received file as a whole or at a line that the message names."""
    return Problem(code=code, source=received.name, message=f"{received.name}: {message}", hint=hint)


def _claims(
    profile: Profile, received: ReceivedRow, decoder: Decoder, first: RecordChunk | None
) -> dict[str, dict[str, Any]]:
    """What points at a file of ours, each with the key to look it up by."""
    claims: dict[str, dict[str, Any]] = {}
    wording = Wording(profile)
    if name := decoder.facts.get("file.original_name"):
        claims[f"original file name {wording.word(name)}"] = {"name": name}
    if message_id := decoder.facts.get("file.original_message_id"):
        claims[f"original message id {wording.word(message_id)}"] = {"message_id": message_id}
    match = profile.recognise(received.name)
    if match is not None and match[1].claim:
        claims[f"its own name {received.name}"] = match[1].key
    if first is not None and "attempt.reference" in first.columns:
        reference = first.columns["attempt.reference"][0]
        parsed = parse_reference(reference)
        if parsed is not None:
            # It may be an account in the wrong column: both are digits.
            claims[f"first reference {mask_account(reference)}"] = {"sequence": parsed[0]}
    return claims


def _agreed_file(
    installation: Installation, profile: Profile, received: ReceivedRow, claims: dict[str, dict[str, Any]]
) -> FileRow:
    found: dict[int, FileRow] = {}
    with installation.ledger.read() as transaction:
        for claim, key in claims.items():
            file = find_file(transaction, profile.bank, **key)
            if file is None:
                message = f"{claim} is no file that was sent to {profile.bank}"
                raise Hold([problem_of(received, "unknown-file", message)])
            found[file.file_pk] = file
    if len(found) != 1:
        what = " and ".join(claims) or "nothing in it"
        message = f"{what} name{'s' * (not claims)} one file of ours"
        raise Hold([problem_of(received, "which-file", message)])
    return next(iter(found.values()))


def _refuse_destroyed(installation: Installation, received: ReceivedRow, file: FileRow) -> None:
    """Nothing is believed of payments of which nobody can say any more for whom they were."""
    with installation.ledger.read() as transaction:
        destroyed = destroyed_since(transaction, file.lane_pk)
    if destroyed is not None:
        message = f"the personal data of file {file.name} was destroyed on {destroyed[:10]}"
        hint = "nothing in it can be compared any more: settle it with the bank and the department in writing"
        raise Hold([problem_of(received, "personal-data-destroyed", message, hint)], file.file_pk)


def _rejects_again(file: FileRow, decoder: Decoder, first: RecordChunk | None) -> bool:
    """The bank says once more what it said before: that it rejected the file as a whole."""
    verdict = decoder.facts.get("file.verdict")
    return file.state is FileState.REJECTED and first is None and verdict == AcknowledgementVerdict.REJECTED


def _other_facts(received: ReceivedRow, facts: dict[str, Any], file: FileRow) -> list[Problem]:
    """Day, count and total of our file, where the answer states others."""
    ours: dict[str, Any] = {
        "file.bank_day": date.fromisoformat(file.bank_day),
        "file.count": file.payment_count,
        "file.total": file.total_minor,
        "file.currency": file.currency,
    }
    return [
        problem_of(
            received,
            "other-file",
            f"{name} is {_shown(name, facts[name])}, file {file.name} has {_shown(name, wanted)}",
        )
        for name, wanted in ours.items()
        if facts.get(name) not in (None, "", wanted)
    ]


def _shown(name: str, fact: Any) -> str:
    """Days, counts and sums; nothing that is long enough to be somebody's number."""
    if isinstance(fact, int) and name == "file.total":
        return money(fact) if len(str(fact)) <= LONGEST_NUMBER else mask_number(fact)
    if isinstance(fact, int):
        return mask_number(fact)
    return str(fact) if isinstance(fact, date) else mask_text(str(fact))
