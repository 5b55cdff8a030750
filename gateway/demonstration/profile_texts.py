"""`profiles/BANK.toml` of a demonstration site: three banks with different habits, and banks that are added.

The rural bank wants a flag file beside a detached RSA signature; the city bank SM2 signatures
beside SM4 envelopes, both ways, as GM/T 0010 has them; the ISO bank XML signatures inside its files.
"""

from __future__ import annotations

from gateway.demonstration.people import DemonstrationBank
from gateway.demonstration.settings_texts import PASSWORD_BANKS, USER

GATEWAY_FOLDER_ON_SERVER = "to-bank"
ANSWERS_FOLDER_ON_SERVER = "from-bank"
ARCHIVE_FOLDER_ON_SERVER = "archive"


def profile_text(bank: DemonstrationBank, port: int, *, statements: bool = False) -> str:
    """`profiles/BANK.toml`; `port` is where the simulated bank listens.

    `statements`: the bank sends a statement of the payer account (对账单) for each file, too.
    """
    prefixes = f'prefixes = ["{bank.card_prefix}"]\n'
    habits = _HABITS[bank.bank]
    if statements:
        layout, inbound = _STATEMENTS[bank.bank]
        layouts = f'[layouts]\nstatement       = ["{layout}"]\n'
        habits = habits.replace("[layouts]\n", layouts, 1) + inbound
    return _profile_text(bank, port, habits, _RELEASE[bank.bank], prefixes)


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

_DELIMITED = """
[statements]
debit  = ["借"]
credit = ["贷"]
"""
_STATEMENTS = {
    "rural-credit": (
        "delimited-statement",
        """
[[inbound]]
kind      = "statement"
pattern   = "DZ{bank_day:%Y%m%d}_{number:6}.txt"
complete  = "flag"
"""
        + _DELIMITED,
    ),
    "city-bank": (
        "delimited-statement",
        """
[[inbound]]
kind      = "statement"
pattern   = "DZ_{bank_day:%Y%m%d}_{number:6}.txt"
complete  = "stable"
"""
        + _DELIMITED,
    ),
    "iso-bank": (
        "iso20022-camt053-statement",
        """
[[inbound]]
kind      = "statement"
pattern   = "CAMT053-{bank_day:%Y%m%d}-{number:6}.xml"
complete  = "stable"
""",
    ),
}
"""By bank: the layout of its statements of the payer account, and how they come."""
