from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from formats.standard import canonical_batch_bytes
from gateway import AccountKind, Batch, Gateway, Payment
from keys.cms import sign_detached
from keys.private import load_signer

payments = [
    Payment(
        payment_id=f"MZ-2026-12-001-{number}",
        amount_minor=15_000,  # fen, always an integer
        bank="rural-credit",
        account=account,
        account_kind=AccountKind.CARD,
        beneficiary_name=name,
        beneficiary_id=id_number,
    )
    for number, (name, id_number, account) in enumerate(
        [
            ("王建国", "370990195203150210", "6231910000000010011"),
            ("李秀兰", "370991194811022214", "6231910000000010029"),
        ],
        start=1,
    )
]
batch = Batch(
    batch_id="MZ-2026-12-001",
    source_platform="yikatong",
    declared_count=len(payments),
    declared_total_minor=sum(payment.amount_minor for payment in payments),
    department="区民政局",
    programme="经济困难老年人生活补贴",
    period="2026-12",
    summary="老年生活",
)

# The platform signs the canonical bytes of what it hands over; see docs/platform.md.
keys = Path("demo/department")
signer = load_signer("yikatong", keys / "platform.pem", keys / "platform.crt")
signed_bytes = BytesIO(b"".join(canonical_batch_bytes(batch, payments)))
signature = sign_detached(signed_bytes, signer, datetime.now(UTC))

with Gateway.open("demo/gateway/bankgate.toml") as gateway:
    receipt = gateway.submit(batch, payments, signature=signature)
    gateway.run("rural-credit")  # what is due now; without a name: at every bank
    for outcome in gateway.outcomes(receipt.batch_id):
        print(outcome.payment_id, outcome.status, outcome.reason, outcome.credited_minor)
    print(gateway.status(receipt.batch_id)[0].open_count, "still open")
