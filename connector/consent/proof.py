"""What makes a yes provable: where it came from, how it was given, and what shows it.

Source: rules 1.1 (enumerations), 1.4 and table 2.2, H1-H5.
"""

from typing import Final

from connector.consent.facts import Facts, Statement
from connector.consent.policy import Relaxable
from connector.model import Interval

AFFIRMATIVE: Final = frozenset({"unticked_checkbox", "button", "signature", "verbal_recorded"})
NOT_AFFIRMATIVE: Final = frozenset(
    {"pre_ticked", "prefilled", "implied", "bundled_terms", "silence", "opt_out_box", "assumed"}
)
WITNESSED: Final = frozenset({"signature", "verbal_recorded"})
"""Methods that need neither double opt-in nor phone proof."""
FIRST_HAND: Final = frozenset(
    {"web_form", "preference_centre", "event", "paper", "phone_call", "import", "crm_sync", "api"}
)
THIRD_PARTY: Final = frozenset({"purchased_list", "partner", "data_broker"})
SELF_SERVICE: Final = frozenset({"web_form", "preference_centre"})

RELAXED_BY: Final = {
    "consent_source": Relaxable.SOURCE,
    "consent_method": Relaxable.METHOD,
    "evidence_ref": Relaxable.EVIDENCE_ID,
}
"""Which relaxation does without a missing field; nothing does without the time."""


def missing_proof(statement: Statement) -> tuple[str, ...]:
    """Names the fields without which a yes is unproven (Art. 7(1), 5(2); EDPB para 108)."""
    missing = []
    if statement.at is None:
        missing.append("consent_ts")
    if statement.source not in FIRST_HAND and statement.source not in THIRD_PARTY:
        missing.append("consent_source")
    if statement.method not in AFFIRMATIVE and statement.method not in NOT_AFFIRMATIVE:
        missing.append("consent_method")
    if not statement.evidence:
        missing.append("evidence_ref")
    return tuple(missing)


def names_another_company(statement: Statement, facts: Facts) -> bool:
    """Says whether the consent names a controller that is not ours (PECR 22(2))."""
    return bool(statement.controller) and statement.controller not in facts.policy.controllers


def carries(statement: Statement, facts: Facts) -> bool:
    """Says whether this yes stands against an older no (rule 1.4 "Negative against positive").

    It must be proven, an act of the person, to us, first-hand and for contact by Sales;
    relaxations do not help it.
    """
    return (
        isinstance(statement.at, Interval)
        and not missing_proof(statement)
        and statement.method in AFFIRMATIVE
        and statement.source in FIRST_HAND
        and not names_another_company(statement, facts)
        and statement.covers_sales
    )
