"""Who is meant by an address: narrowly for consent, broadly for suppression (rule 1.4)."""

import pytest

from connector.consent.evidence import History
from connector.consent.keys import broad_key, domain_part, is_blank, local_part, narrow_key
from connector.consent.reasons import Code
from connector.model import Cell, Channel, Feed, Outcome, Row
from tests.consent.people import decide, entry, row


@pytest.mark.parametrize(
    ("cell", "key"),
    [
        ("ann.lee@contoso.example", "ann.lee@contoso.example"),
        ("  Ann.LEE@Contoso.Example\u200b ", "ann.lee@contoso.example"),
        ("\ufeffann@contoso.example", "ann@contoso.example"),
        ("\uff41nn@contoso.example", "ann@contoso.example"),
        ("ann+news@contoso.example", "ann+news@contoso.example"),
        ("eva@bücher.example", "eva@xn--bcher-kva.example"),
        ("eva@BÜCHER.example", "eva@xn--bcher-kva.example"),
        ("eva@xn--bcher-kva.example", "eva@xn--bcher-kva.example"),
        ("ann@contoso.example.", "ann@contoso.example"),
        ("o'hara/x=y@contoso.example", "o'hara/x=y@contoso.example"),
        ("évà@contoso.example", "évà@contoso.example"),
    ],
)
def test_valid_addresses_are_brought_to_one_form(cell: Cell, key: str) -> None:
    """NFKC, trimmed, lower case, IDNA domain; the plus-tag stays."""
    assert narrow_key(cell) == key


@pytest.mark.parametrize(
    "cell",
    [
        *(None, "", "   ", "n/a", 7, True, "ann", "ann@", "@contoso.example", "ann@contoso"),
        *("ann@@contoso.example", "ann@contoso.example@x.example", "ann lee@contoso.example"),
        *("ann@con toso.example", "ann,lee@contoso.example", "ann;lee@contoso.example"),
        *("<ann@contoso.example>", "Ann <ann@contoso.example>", "ann@contoso.example,b@c.example"),
        *("ann@contoso.example;", "ann@con<toso.example", "ann>@contoso.example", "ann@.example"),
        *(
            "ann@contoso..example",
            "ann@..",
            "ann@.",
            "a\tb@contoso.example",
            "ann@con\ntoso.example",
        ),
        *("ann@b\ufffdcher.example", "ann@" + "ü" * 70 + ".example"),
    ],
)
def test_anything_but_one_bare_address_is_nobody(cell: Cell) -> None:
    """No single valid address, nobody to be matched."""
    assert narrow_key(cell) is None


@pytest.mark.parametrize(
    ("email", "broad"),
    [
        ("ann.lee@contoso.example", "ann.lee@contoso.example"),
        ("ann.lee+news@contoso.example", "ann.lee@contoso.example"),
        ("ann.lee+a+b@contoso.example", "ann.lee@contoso.example"),
        ("+news@contoso.example", "+news@contoso.example"),
        ("ann.lee+x@gmail.com", "annlee@gmail.com"),
        ("a.n.n.lee@googlemail.com", "annlee@gmail.com"),
        ("ann.lee@mail.gmail.com", "ann.lee@mail.gmail.com"),
        ("...@gmail.com", "...@gmail.com"),
    ],
)
def test_broad_key_joins_spellings_of_one_mailbox(email: str, broad: str) -> None:
    """Plus-tags everywhere, dots and the second domain at Gmail only."""
    key = narrow_key(email)
    assert key is not None
    assert broad_key(key) == broad


def test_parts_of_an_address() -> None:
    """The role is what stands before any plus-tag, the domain is compared as a whole."""
    key = narrow_key("Sales+uk@Contoso.example")
    assert key is not None
    assert local_part(key) == "sales"
    assert domain_part(key) == "contoso.example"


def test_blank_address_cells() -> None:
    """EMPTY words are blank, anything else is not."""
    assert is_blank(None)
    assert is_blank(" n/a ")
    assert not is_blank("ann")


@pytest.mark.parametrize("subject", ["", "ann", "ann@contoso", "a@b.example, c@d.example"])
def test_nothing_is_judged_without_an_address(subject: str) -> None:
    """R2: a human looks, whatever the row says and even if it is opted out."""
    decision = decide(row(email=subject), listed=[entry(Feed.OPTOUT)])
    assert decision.outcome is Outcome.REVIEW
    assert decision.codes == (Code.IDENTITY_INVALID,)
    assert decision.lacks == ("email",)
    assert (decision.profile, decision.look_again_at, decision.grounds) == (None, None, ())


def with_email(email: str) -> Row:
    """Returns the base row under another address."""
    return row(email=email)


def test_consent_does_not_travel_between_spellings_of_a_mailbox() -> None:
    """A kin row's yes is no yes of this person; its no is one against them."""
    plain = row(consent_email="", consent_ts="", doi_ts="")
    assert decide(plain, with_email("ann.lee+x@contoso.example")).code is Code.CONSENT_MISSING
    no = row(email="ann.lee+x@contoso.example", consent_email="No", consent_ts="2026-05-01")
    assert decide(row(), no).code is Code.CONSENT_WITHDRAWN


def test_rows_of_other_mailboxes_say_nothing() -> None:
    """Evidence never travels between people."""
    for name in ("aaron", "ann", "zoe"):
        other = with_email(f"{name}@contoso.example")
        no = other._replace(cells={**other.cells, "consent_email": "No"})
        assert decide(row(), no).codes == (Code.OK_CONSENT,)


def test_own_rows_of_a_tagged_address_are_its_own_only() -> None:
    """The address without the tag is kin: its yes is not this person's, its box neither."""
    tagged = row(email="ann.lee+x@contoso.example", consent_email="", consent_ts="")
    assert decide(tagged, row()).code is Code.CONSENT_MISSING
    seen = History(seen_yes={Channel.EMAIL: None})
    box = row(consent_email=False)
    assert decide(with_email("ann.lee+x@contoso.example"), box, history=seen).codes == (
        Code.OK_CONSENT,
    )


@pytest.mark.parametrize("feed", [Feed.OPTOUT, Feed.SPAM])
def test_suppression_is_matched_broadly(feed: Feed) -> None:
    """An opt-out of ``ann.lee+x`` is one of ``ann.lee``; of another person it is not."""
    listed = [entry(feed, email="Ann.Lee+x@CONTOSO.example")]
    assert decide(row(), listed=listed).outcome is Outcome.SUPPRESS
    assert decide(row(), listed=[entry(feed, email="ann@contoso.example")]).codes == (
        Code.OK_CONSENT,
    )
    listed = [entry(feed, email="not an address"), *listed]
    assert decide(row(), listed=listed[:1]).codes == (Code.OK_CONSENT,)
    assert decide(row(), listed=listed).outcome is Outcome.SUPPRESS
    listed = [entry(feed, email=f"{name}@contoso.example") for name in ("aaron", "zoe")]
    assert decide(row(), listed=listed).codes == (Code.OK_CONSENT,)


def test_bounce_is_matched_narrowly() -> None:
    """A plus-tag that bounces says nothing about the address without it."""
    bounced = decide(row(), listed=[entry(Feed.HARDBOUNCE, email="ann.lee+x@contoso.example")])
    assert bounced.codes == (Code.OK_CONSENT,)
    assert decide(row(), listed=[entry(Feed.HARDBOUNCE)]).code is Code.HARD_BOUNCE
