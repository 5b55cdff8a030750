"""The TOML of a demonstration site: gateway, agreements, simulated banks. Profiles are in `profile_texts`."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from gateway.demonstration.people import DemonstrationBank
from gateway.demonstration.plan import DEPARTMENTS, PASSBOOK_PLATFORM, PLATFORM, programmes_of
from gateway.simulator.scenario import NamedPayment

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
_PLATFORMS = {
    PLATFORM: ("社会保障卡一卡通平台(示例)", "card"),
    PASSBOOK_PLATFORM: ("财政惠民补贴一本通平台(示例)", "passbook"),
}

_FIRST_BUSINESS_NUMBER = 300_100


class Conduct(Struct, frozen=True, kw_only=True):
    """How a simulated bank behaves: see docs/simulator.md."""

    scenario: str
    reasons: tuple[str, ...] = ()
    payments: tuple[NamedPayment, ...] = ()


class Terms(Struct, frozen=True, kw_only=True):
    """What an agreement says beyond the least.

    `by_working_days`: files go in the bank's hours only, and are answered within two working days.
    `funded`: nothing leaves before the money is confirmed. `statements_agree`: books close only when
    statements booked what results say. `amount_per_day_minor`: the most that may leave in a day.
    """

    platforms: tuple[str, ...] = (PLATFORM,)
    by_working_days: bool = False
    funded: bool = False
    statements_agree: bool = False
    amount_per_day_minor: int | None = None


LEAST = Terms()


def usual_conduct(bank: str) -> Conduct:
    """Some of everything that goes wrong, each for a share of the payments."""
    return Conduct(scenario=SCENARIOS.get(bank, "all-well"))


def gateway_text(
    *, judged: bool = False, platforms: tuple[str, ...] = (PLATFORM,), lists_last: bool = False
) -> str:
    """`bankgate.toml`; `judged`: payments are held to `catalogue.toml` beside it.

    `lists_last`: card lists count for years, so that a month of the past can be looked at.
    """
    catalogue = 'catalogue   = "catalogue.toml"\n' if judged else ""
    persons = "".join(f'\n[person.{key}]\nname = "{name}"\n' for key, name in PERSONS.items())
    platform_tables = "\n".join(map(_platform_text, platforms))
    lists = "\n[card_lists]\nvalid_days = 3660\n" if lists_last else ""
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

{platform_tables}{persons}{lists}
[anchor]
kind = "folder"
root = "../anchor"
"""


def _platform_text(platform: str) -> str:
    name, kind = _PLATFORMS[platform]
    return f"""\
[platform.{platform}]
name = "{name}"
kind = "{kind}"
require_signature = true
"""


def agreement_text(
    number: int,
    department: str,
    bank: DemonstrationBank,
    today: date,
    since: date | None = None,
    terms: Terms = LEAST,
) -> str:
    """`agreements/BANK-NN.toml`; valid from the year before today's, or `since`, to the end of the next."""
    first = date(today.year - 1, 1, 1)
    valid_from = first if since is None else min(first, since)
    deadline = "2 workdays" if terms.by_working_days else "3 days"
    platforms = ", ".join(f'"{platform}"' for platform in terms.platforms)
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
platforms         = [{platforms}]
programmes        = [
{programmes}]
{_terms_text(terms)}"""


def _terms_text(terms: Terms) -> str:
    """The tables behind an agreement's keys."""
    tables = []
    if terms.funded:
        tables.append(_FUNDING)
    if terms.amount_per_day_minor is not None:
        tables.append(f"\n[limits]\namount_per_day_minor = {terms.amount_per_day_minor}\n")
    if terms.statements_agree:
        tables.append(_RECONCILIATION)
    if terms.by_working_days:
        tables.append(_WINDOWS)
    return "".join(tables)


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

_FUNDING = """
[funding]
required = true
"""

_RECONCILIATION = """
[reconciliation]
against         = "statements"
within_workdays = 20
"""
