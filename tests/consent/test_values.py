"""What a cell says: the word lists of rule 1.4, written out here once more by hand."""

from datetime import UTC, datetime

import pytest

from connector.consent.times import point
from connector.consent.values import (
    Truth,
    digits_in,
    is_clear,
    is_set,
    negative_truth,
    normal,
    text_of,
    truth,
    without_invisible,
    word,
)
from connector.model import Cell


def listed(words: str) -> list[str]:
    """Returns the words of a list in which spaces are part of a word."""
    return words.split("|")


OPT_IN = listed(
    "opt-in|optin|opt in|opted in|opted-in|granted|given|agree|agreed|accept|accepted|consent"
    "|consented|i agree|i consent"
)
PLAIN_YES = listed("yes|y|true|t|1|1.0|on|checked|confirmed|oui|ja|si|sí|sì|sim|tak|✓|✔|☑")
YES = [*PLAIN_YES, *OPT_IN]
NO = listed("no|n|declined|decline|refused|denied|non|nein|nee|nej|não|nao|nie")
WITHDRAWN = listed("withdrawn|revoked|unsubscribed|opt-out|optout|opt out|opted out|opted-out")
UNTICKED = listed("false|f|0|0.0|off|unchecked|☐")
EMPTY = listed("|null|none|n/a|na|nan|-|--|?|unknown|undefined|not set|tbd|#n/a|(blank)")
UNCLEAR = listed("x|j|o|ok|maybe|pending|2|-1|yes;no|01|yes.|nope")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (YES, Truth.YES),
        (NO, Truth.NO),
        (WITHDRAWN, Truth.WITHDRAWN),
        (UNTICKED, Truth.UNTICKED),
        (EMPTY, Truth.EMPTY),
        (UNCLEAR, Truth.AMBIGUOUS),
    ],
)
def test_each_listed_word_is_read_as_listed(words: list[str], said: Truth) -> None:
    """A word means what the list says, in any case and padding; nothing else is guessed."""
    for one in words:
        for spelled in (one, one.upper(), f"\u00a0 {one}\u200b\t", one.title()):
            assert truth(spelled) is said, spelled


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (True, Truth.YES),
        (False, Truth.UNTICKED),
        (1, Truth.YES),
        (1.0, Truth.YES),
        (0, Truth.UNTICKED),
        (0.0, Truth.UNTICKED),
        (2, Truth.AMBIGUOUS),
        (-1, Truth.AMBIGUOUS),
        (0.5, Truth.AMBIGUOUS),
        (None, Truth.EMPTY),
        (point(datetime(2026, 3, 10, tzinfo=UTC)), Truth.AMBIGUOUS),
    ],
)
def test_json_scalars_read_as_their_text(cell: Cell, said: Truth) -> None:
    """Numbers and booleans of JSON mean what they would mean as text."""
    assert truth(cell) is said


@pytest.mark.parametrize(
    ("text", "compared"),
    [
        ("  Yes ", "yes"),
        ("\uff39\uff25\uff33", "yes"),
        ("opt\u00ad-in", "opt-in"),
        ("opt\u2003\n in", "opt in"),
        ("Straße", "strasse"),
        ("\ufeffPN-2024-03", "pn-2024-03"),
        ("✔\ufe0f", "✔"),
        ("✔\ufe0e", "✔"),
        ("I  CONSENT", "i consent"),
    ],
)
def test_texts_are_compared_without_what_nobody_sees(text: str, compared: str) -> None:
    """NFKC, then invisible characters, then spaces, then case (rule 1.4)."""
    assert normal(text) == compared


def test_invisible_characters_alone_are_an_empty_cell() -> None:
    """A cell of zero-width characters is EMPTY, and only they are taken away."""
    assert word("\u200b\u200d\ufeff\u00ad") == ""
    assert without_invisible("a\u200bb c") == "ab c"
    assert truth("\u200b") is Truth.EMPTY


@pytest.mark.parametrize("text", EMPTY)
def test_empty_words_are_missing_in_every_column(text: str) -> None:
    """``NA`` in a country column is missing, not Namibia."""
    assert word(text.upper()) == ""


def test_other_words_keep_their_compared_form() -> None:
    """What is not EMPTY is compared in its normal form, numbers by their text."""
    assert word(" Web_Form ") == "web_form"
    assert word(7) == "7"
    assert word(True) == "true"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (PLAIN_YES, Truth.YES),
        (WITHDRAWN, Truth.YES),
        (OPT_IN, Truth.AMBIGUOUS),
        (UNCLEAR, Truth.AMBIGUOUS),
        (NO, Truth.NO),
        (UNTICKED, Truth.NO),
        (EMPTY, Truth.EMPTY),
    ],
)
def test_in_a_negative_column_yes_forbids(words: list[str], said: Truth) -> None:
    """A *do not contact* column forbids by yes or by an opt-out; words of opt-in are unclear."""
    for one in words:
        assert negative_truth(f" {one.upper()}") is said, one


@pytest.mark.parametrize("value", [True, 1, "yes", "opted out", "maybe", "opt-in", "2"])
def test_crm_flag_that_cannot_be_read_counts_as_set(value: Cell) -> None:
    """The least permissive reading of a flag wins."""
    assert is_set(value)


@pytest.mark.parametrize("value", [False, 0, "no", "", None, "off", "n/a"])
def test_crm_flag_that_says_no_or_nothing_is_not_set(value: Cell) -> None:
    """A blank or negative flag forbids nothing."""
    assert not is_set(value)


@pytest.mark.parametrize("value", [True, "yes", "", None, "maybe", "withdrawn", "listed"])
def test_screening_is_clear_only_if_it_says_so(value: Cell) -> None:
    """A registry that says nothing, or something unclear, permits no call."""
    assert not is_clear(value)


@pytest.mark.parametrize("value", [False, 0, "false", "No", "off"])
def test_screening_that_says_not_listed_is_clear(value: Cell) -> None:
    """The registry value is there and false."""
    assert is_clear(value)


def test_digits_are_counted_in_any_script() -> None:
    """A number is counted by its decimal digits, whatever stands between them."""
    assert digits_in("+44 (0)20 7946-0000") == 13
    assert digits_in("١٢٣٤٥٦٧") == 7
    assert digits_in("²³") == 0
    assert digits_in(None) == 0
    assert digits_in(4930) == 4


def test_cells_have_a_text() -> None:
    """Booleans are written as in JSON, an interval by its start, nothing as nothing."""
    assert [text_of(c) for c in (True, False, None, "x", 1.5)] == ["true", "false", "", "x", "1.5"]
    assert text_of(point(datetime(2026, 3, 10, tzinfo=UTC))) == "2026-03-10T00:00:00+00:00"
