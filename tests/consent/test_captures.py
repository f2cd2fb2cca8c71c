"""What a registered label gives a row, and which purposes a yes covers (rule 1.5)."""

import pytest

from connector.consent.facts import Statement
from connector.consent.policy import Declaration
from connector.consent.reasons import Code
from connector.consent.values import Truth
from connector.model import Cell, Channel, Row
from tests.consent.people import ABSENT, decide, facts, policy_of, row, ruled

BARE = {"consent_source": "", "consent_method": " n/a ", "notice_version": ABSENT}


def labelled(form: str = "q-0002", **changes: Cell) -> Row:
    """Returns the base row as a form leaves it: no source, method or notice of its own."""
    return row(**{**BARE, "form_id": form, **changes})


def read(found: Row) -> Statement:
    """Returns the row as a statement."""
    return facts(found).own[0]


def test_label_gives_what_the_row_leaves_empty() -> None:
    """Method, source and notice come from the label that was shown."""
    statement = read(labelled(" Q-0002 "))
    assert (statement.source, statement.method) == ("web_form", "unticked_checkbox")
    assert statement.notice == "pn-2024-03"
    decision = decide(labelled())
    assert decision.code is Code.OK_CONSENT
    ground = decision.grounds[0]
    assert (ground.source, ground.method, ground.notice) == (
        *("web_form", "unticked_checkbox"),
        "pn-2024-03",
    )


@pytest.mark.parametrize(
    ("field", "own", "code"),
    [
        ("consent_source", "partner", Code.CONSENT_THIRD_PARTY),
        ("consent_source", "somewhere", Code.CONSENT_UNPROVEN),
        ("consent_method", "pre_ticked", Code.CONSENT_NOT_AFFIRMATIVE),
        ("notice_version", "PN-2018-05", Code.NOTICE_OUTDATED),
        ("notice_version", "PN-1999", Code.NOTICE_UNKNOWN),
    ],
)
def test_own_cell_stands_even_if_it_contradicts_the_label(field: str, own: str, code: Code) -> None:
    """Only EMPTY cells are filled."""
    assert decide(labelled(**{field: own})).code is code


@pytest.mark.parametrize(
    ("ts", "notice"),
    [
        ("2024-03-01T00:00:00Z", "pn-2024-03"),
        ("2024-02-29T23:59:59Z", ""),
        ("2024-02-29T00:00:00Z", ""),
        ("2024-02-28T23:59:59Z", "pn-2022-01"),
        ("2022-01-10T00:00:00Z", "pn-2022-01"),
        ("2022-01-09T23:59:59Z", ""),
        ("2024-03-01", ""),
        ("2024-03-02", "pn-2024-03"),
        ("2024-02-27", "pn-2022-01"),
        ("2024-02-28", ""),
        ("2024-02-28T10:00:00", "pn-2022-01"),
        ("2024-02-28T12:00:00", ""),
        ("soon", ""),
        ("", ""),
    ],
)
def test_label_applies_to_a_yes_wholly_inside_its_period(ts: str, notice: str) -> None:
    """Half-open, and undated or overlapping consents inherit nothing."""
    statement = read(labelled(consent_ts=ts))
    assert statement.notice == notice
    assert (statement.capture is not None) is bool(notice)


def test_unregistered_form_gives_nothing() -> None:
    """A form that the register does not know leaves the row as it is."""
    statement = read(labelled("q-9999"))
    assert (statement.source, statement.method, statement.notice) == ("", "", "")
    assert statement.capture is None
    assert decide(labelled("q-9999")).code is Code.CONSENT_UNPROVEN


@pytest.mark.parametrize(
    ("email", "phone", "form", "said"),
    [
        ("Yes", "", "q-0002", Truth.YES),
        ("Yes", "n/a", "q-0002", Truth.YES),
        ("Yes", ABSENT, "q-0002", Truth.YES),
        ("Yes", False, "q-0002", Truth.UNTICKED),
        ("Yes", "No", "q-0002", Truth.NO),
        ("Yes", "maybe", "q-0002", Truth.AMBIGUOUS),
        ("", "", "q-0002", Truth.EMPTY),
        ("No", "", "q-0002", Truth.EMPTY),
        (False, "", "q-0002", Truth.EMPTY),
        ("Yes", "", "q-0005", Truth.EMPTY),
    ],
)
def test_yes_counts_for_the_further_channels_of_its_label(
    email: Cell, phone: Cell, form: str, said: Truth
) -> None:
    """Only where the channel's own cell is EMPTY and the label names the channel."""
    assert read(labelled(form, consent_email=email, consent_phone=phone)).phone is said


def test_label_of_two_channels_pushes_both() -> None:
    """One declaration may cover several channels (BGH III ZR 196/17)."""
    assert decide(labelled()).channels == (Channel.EMAIL, Channel.PHONE)


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("evidence_ref", Code.CONSENT_UNPROVEN),
        ("tracking_consent", Code.TRACKING_NOT_CONSENTED),
    ],
)
def test_evidence_and_tracking_are_never_inherited(field: str, code: Code) -> None:
    """The submission itself is the evidence."""
    assert decide(labelled(**{field: ""})).code is code


def test_confirmation_is_never_inherited() -> None:
    """A label cannot stand for a double opt-in or a verified telephone number."""
    german = {**BARE, "form_id": "q-0002"}
    assert decide(row("DE", **{**german, "doi_ts": ""})).code is Code.DOI_REQUIRED
    confirmed = decide(row("DE", **german))
    assert confirmed.codes == (Code.OK_CONSENT, Code.PHONE_PROOF_INSUFFICIENT)
    assert confirmed.channels == (Channel.EMAIL,)


@pytest.mark.parametrize(
    ("source", "form", "covered"),
    [
        ("l-0001", "", True),
        (" L-0002 ", "", True),
        ("l-0009", "", False),
        ("l-0042", "", False),
        ("", "", False),
        ("l-0042", "q-0002", True),
        ("l-0009", "q-0002", True),
        ("l-0001", "q-0005", False),
        ("l-0001", "q-9999", True),
    ],
)
def test_label_or_else_the_list_says_what_a_yes_covers(
    source: str, form: str, covered: bool
) -> None:
    """A label overrules the list; a list that the map does not know declares nothing."""
    decision = decide(row(source=source, form_id=form))
    assert decision.codes == ((Code.OK_CONSENT if covered else Code.PURPOSE_NOT_COVERED),)


def test_list_may_declare_that_unticked_refuses() -> None:
    """``unticked_means = "refused"`` makes a no of it, on both channels, and of nothing else."""
    lists = {"l-0001": Declaration(frozenset({"sales_contact"}), unticked_refuses=True)}
    policy = ruled(lists=lists)
    refused = decide(row(consent_email=False), policy=policy)
    assert refused.codes == (Code.CONSENT_REFUSED, Code.CONSENT_MISSING)
    assert refused.refused == (Channel.EMAIL,)
    mixed = decide(row(consent_phone=False), policy=policy)
    assert (mixed.code, mixed.refused) == (Code.OK_CONSENT, (Channel.PHONE,))
    assert decide(row(), policy=policy).refused == ()
    assert decide(row(consent_email=False)).code is Code.CONSENT_MISSING


def test_the_registers_are_those_of_the_rules() -> None:
    """The case policies know the four labels, and two of them for one form."""
    captures = policy_of("consent_only").captures
    assert {form: len(found) for form, found in captures.items()} == {
        "q-0002": 2,
        "q-0005": 1,
        "q-0007": 1,
    }
