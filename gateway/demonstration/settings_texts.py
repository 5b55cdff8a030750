"""The TOML of a demonstration site: gateway, three banks with different habits, agreements.

The rural bank wants a flag file beside a detached RSA signature; the city bank SM2 signatures
beside SM4 envelopes, both ways, as GM/T 0010 has them; the ISO bank XML signatures inside its files.
"""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from gateway.demonstration.people import DemonstrationBank
from gateway.demonstration.plan import DEPARTMENTS, PLATFORM, programmes_of
from gateway.simulator.scenario import NamedPayment

GATEWAY_FOLDER_ON_SERVER = "to-bank"
ANSWERS_FOLDER_ON_SERVER = "from-bank"
ARCHIVE_FOLDER_ON_SERVER = "archive"
USER = "yikatong"
PERSONS = {"reviewer-a": "复核员甲", "reviewer-b": "复核员乙"}
PASSWORD_BANKS = frozenset({"city-bank"})
"""Banks whose server asks for a password; the others take a key."""
NATIONAL_BANKS = frozenset({"city-bank"})
"""Banks that sign with SM2 and send envelopes; the others sign with RSA."""
SCENARIOS = {
    "rural-credit": "failures,fee-lines",
    "city-bank": "failures,fee-column,short-credit",
    "iso-bank": "failures,unknown-code",
}
PAYER_NAME = "惠民补贴资金专户"

_FIRST_BUSINESS_NUMBER = 300_100


class Conduct(Struct, frozen=True, kw_only=True):
    """How a simulated bank behaves: see docs/simulator.md."""

    scenario: str
    reasons: tuple[str, ...] = ()
    payments: tuple[NamedPayment, ...] = ()


def usual_conduct(bank: str) -> Conduct:
    """Some of everything that goes wrong, each for a share of the payments."""
    return Conduct(scenario=SCENARIOS.get(bank, "all-well"))


def gateway_text(*, judged: bool = False) -> str:
    """`bankgate.toml`; `judged`: payments are held to `catalogue.toml` beside it."""
    catalogue = 'catalogue   = "catalogue.toml"\n' if judged else ""
    persons = "".join(f'\n[person.{key}]\nname = "{name}"\n' for key, name in PERSONS.items())
    return f"""\
# A demonstration: everything in it is made up.

[gateway]
environment = "test"
instance    = "demo"
profiles    = "profiles"
agreements  = "agreements"
{catalogue}keys        = "keys.toml"

[intake]
policy = "set-aside"

[platform.{PLATFORM}]
name = "社会保障卡一卡通平台(示例)"
kind = "card"
require_signature = true
{persons}
[anchor]
kind = "folder"
root = "../anchor"
"""


def profile_text(bank: DemonstrationBank, port: int) -> str:
    """`profiles/BANK.toml`; `port` is where the simulated bank listens."""
    prefixes = f'prefixes = ["{bank.card_prefix}"]\n'
    return _profile_text(bank, port, _HABITS[bank.bank], _RELEASE[bank.bank], prefixes)


def added_profile_text(bank: DemonstrationBank, port: int, *, acknowledged: bool) -> str:
    """The profile of a bank that is added, with layouts named after it: plain habits, cards of any prefix."""
    name = bank.bank
    acknowledgement = f'acknowledgement = "{name}-acknowledgement"\n' if acknowledged else ""
    answers = [("acknowledgement", "A")] if acknowledged else []
    inbound = "".join(
        f'''
[[inbound]]
kind      = "{kind}"
pattern   = "{{stem}}_{letter}{{number:1}}.txt"
complete  = "flag"
'''
        for kind, letter in [*answers, ("result", "R")]
    )
    habits = f"""
[layouts]
request         = "{name}-request"
result          = ["{name}-result"]
{acknowledgement}
[files]
name             = "{{unit_no}}_{{bank_day:%Y%m%d}}_{{sequence:06d}}.txt"
flag             = "{{name}}.ok"
flag_content     = "{{name}}|{{size}}|{{sha256}}|{{count}}|{{total}}"
temporary_suffix = ".tmp"

[seal]
out = ["cms-sign-detached"]
in  = ["cms-verify-detached"]
{inbound}"""
    return _profile_text(bank, port, habits, "flag", "")


def _profile_text(bank: DemonstrationBank, port: int, habits: str, release: str, prefixes: str) -> str:
    return f"""\
bank        = "{bank.bank}"
name        = "{bank.title}"
stage       = "live"
environment = "test"
zone        = "Asia/Shanghai"
{habits}
[channel]
kind             = "sftp"
host             = "127.0.0.1"
port             = {port}
user             = "{USER}"
authentication   = "{"password" if bank.bank in PASSWORD_BANKS else "key"}"
outbox           = "{GATEWAY_FOLDER_ON_SERVER}"
inbox            = "{ANSWERS_FOLDER_ON_SERVER}"
archive          = "{ARCHIVE_FOLDER_ON_SERVER}"
release          = "{release}"
bank_keeps_files = true

[limits]
records_per_file = 100000

[accounts.card]
luhn     = true
{prefixes}lengths  = [19]

[accounts.passbook]
lengths = [{bank.passbook_digits}]
"""


def agreement_text(
    number: int,
    department: str,
    bank: DemonstrationBank,
    today: date,
    since: date | None = None,
    *,
    by_working_days: bool = False,
) -> str:
    """`agreements/BANK-NN.toml`; valid from the year before today's, or from `since`, to the end of the next.

    `by_working_days`: files go in the bank's hours only, and are answered within two working days.
    """
    first = date(today.year - 1, 1, 1)
    valid_from = first if since is None else min(first, since)
    deadline = "2 workdays" if by_working_days else "3 days"
    windows = _WINDOWS if by_working_days else ""
    programmes = "".join(f'    "{programme.name}",\n' for programme in programmes_of(department))
    return f"""\
number            = "DL-{today.year}-{number:04d}"
department        = "{department}"
bank              = "{bank.bank}"
payer_account     = "88{bank.card_prefix}{number:011d}"
payer_name        = "{PAYER_NAME}"
payer_bank        = "{bank.title}"
payer_bank_code   = "{bank.code}"
business_no       = "{_FIRST_BUSINESS_NUMBER + number}"
unit_no           = "TS{number:06d}"
valid_from        = {valid_from}
valid_until       = {today.year + 1}-12-31
feedback_deadline = "{deadline}"
platforms         = ["{PLATFORM}"]
programmes        = [
{programmes}]
{windows}"""


def simulator_text(bank: DemonstrationBank, login_key: str, conduct: Conduct) -> str:
    """`banks/BANK/simulator.toml`; `login_key` is the gateway's public key, as an OpenSSH line."""
    if bank.bank in PASSWORD_BANKS:
        login = 'credential_file = "keys/login-word"'
    else:
        login = f'public_keys = ["{login_key}"]'
    envelopes = _ENVELOPE_KEYS if bank.bank in NATIONAL_BANKS else ""
    quoted = ", ".join(f'"{reason}"' for reason in conduct.reasons)
    reasons = f"reasons         = [{quoted}]\n" if quoted else ""
    return f"""\
# The simulated {bank.title}: which keys it has, who may log in, and how it behaves.

bank            = "{bank.bank}"
scenario        = "{conduct.scenario}"
seed            = 1
share_per_mille = 20
drawn_by        = "payment"
{reasons}
[keys]
host_key            = "keys/host-key"
signing_key         = "keys/signing.pem"
signing_certificate = "keys/signing.crt"
gateway_certificate = "keys/gateway.crt"
{envelopes}
[[login]]
user = "{USER}"
{login}
{"".join(map(_named_text, conduct.payments))}"""


def _named_text(named: NamedPayment) -> str:
    """`[[payment]]` with what is not usual."""
    defaults = NamedPayment(account=named.account)
    lines = ["", "[[payment]]", f'account = "{named.account}"']
    for name in NamedPayment.__struct_fields__[1:]:
        value = getattr(named, name)
        if value != getattr(defaults, name):
            lines.append(f"{name} = {value}" if isinstance(value, int) else f'{name} = "{value}"')
    return "\n".join(lines) + "\n"


def agreement_numbers(banks: tuple[DemonstrationBank, ...]) -> list[tuple[int, str, DemonstrationBank]]:
    """Every pair of a lead department and a bank, with the agreement's number from 1."""
    pairs = [(department, bank) for department in DEPARTMENTS for bank in banks]
    return [(number, department, bank) for number, (department, bank) in enumerate(pairs, 1)]


_ENVELOPE_KEYS = """\
decryption_key         = "keys/decryption.pem"
decryption_certificate = "keys/decryption.crt"
gateway_encryption_certificate = "keys/gateway-encryption.crt"
"""

_WINDOWS = """
[[windows]]
days   = ["workday"]
opens  = "08:30"
closes = "17:00"
"""

_RELEASE = {"rural-credit": "flag", "city-bank": "rename", "iso-bank": "rename"}

_HABITS = {
    "rural-credit": """
[layouts]
request         = "rural-credit-request"
result          = ["rural-credit-result"]
acknowledgement = "rural-credit-acknowledgement"

[files]
name             = "DF{unit_no}{bank_day:%Y%m%d}{sequence:06d}.txt"
flag             = "{name}.ok"
flag_content     = "{name}|{size}|{sha256}|{count}|{total}"
temporary_suffix = ".tmp"

[seal]
out = ["cms-sign-detached"]
in  = ["cms-verify-detached"]

[[inbound]]
kind      = "acknowledgement"
pattern   = "{stem}_SL{number:1}.txt"
complete  = "flag"

[[inbound]]
kind      = "result"
pattern   = "{stem}_HP{number:1}.txt"
complete  = "flag"
""",
    "city-bank": """
[layouts]
request         = "comment-style-request"
result          = ["comment-style-result"]
acknowledgement = "comment-style-acknowledgement"

[files]
name             = "{unit_no}_{bank_day:%Y%m%d}_{sequence:08d}.bxt"
temporary_prefix = ".up-"

[seal]
out = ["cms-sign-detached", "cms-encrypt"]
in  = ["cms-decrypt", "cms-verify-detached"]

[seal.cms-sign-detached]
national = true

[seal.cms-encrypt]
national = true
cipher   = "sm4-cbc"

[seal.cms-verify-detached]
algorithms = ["sm2-sm3"]

[seal.cms-decrypt]
ciphers = ["sm4-cbc"]

[[inbound]]
kind      = "acknowledgement"
pattern   = "{stem}_A{number:1}.bxt"
complete  = "stable"

[[inbound]]
kind      = "result"
pattern   = "{stem}_R{number:1}.bxt"
complete  = "stable"
""",
    "iso-bank": """
[layouts]
request         = "iso20022-pain001-request"
result          = ["iso20022-pain002-result"]
acknowledgement = "iso20022-pain002-acknowledgement"

[files]
name             = "PAIN001-{unit_no}-{sequence:08d}.xml"
temporary_suffix = ".part"

[seal]
out = ["xml-sign"]
in  = ["xml-verify"]

[[inbound]]
kind      = "acknowledgement"
pattern   = "{stem}-ACK{number:1}.xml"
complete  = "stable"

[[inbound]]
kind      = "result"
pattern   = "{stem}-RES{number:1}.xml"
complete  = "stable"
""",
}
