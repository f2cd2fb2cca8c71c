"""What a cell means, by rule 1.4: truth values, timestamps, addresses and countries."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from connector.consent.countries import CODES, country_code
from connector.consent.keys import broad_key, domain_part, is_blank, local_part, narrow_key
from connector.consent.profiles import Profile, profile_of
from connector.consent.times import (
    FIRST,
    LAST,
    UNREADABLE,
    after,
    in_future,
    months_after,
    past,
    point,
    provably_later,
    when,
)
from connector.consent.values import (
    EMPTY_WORDS,
    Truth,
    digits_in,
    is_clear,
    is_set,
    negative_truth,
    normal,
    text_of,
    truth,
    word,
)
from connector.model import Cell, Interval

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def words(listed: str) -> list[str]:
    """Returns the words between bars."""
    return listed.split("|")


YES = words(
    "yes|y|true|t|1|1.0|on|checked|opt-in|optin|opt in|opted in|opted-in|granted|given|agree|agreed"
    "|accept|accepted|consent|consented|i agree|i consent|confirmed|oui|ja|si|sí|sì|sim|tak|✓|✔|☑"
)
NO = words("no|n|declined|decline|refused|denied|non|nein|nee|nej|não|nao|nie")
WITHDRAWN = words("withdrawn|revoked|unsubscribed|opt-out|optout|opt out|opted out|opted-out")
UNTICKED = ("false", "f", "0", "0.0", "off", "unchecked", "☐")
EMPTY = words("|null|none|n/a|na|nan|-|--|?|unknown|undefined|not set|tbd|#n/a|(blank)")
UNCLEAR = ("x", "j", "o", "ok", "maybe", "pending", "2", "-1", "yes;no", "yes no", "✗", "00", "1,0")
OPT_IN = words(
    "opt-in|optin|opt in|opted in|opted-in|granted|given|agree|agreed|accept|accepted|consent"
    "|consented|i agree|i consent"
)


def at(text: str) -> datetime:
    """Returns an instant written in ISO form."""
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        *((said, Truth.YES) for said in YES),
        *((said, Truth.NO) for said in NO),
        *((said, Truth.WITHDRAWN) for said in WITHDRAWN),
        *((said, Truth.UNTICKED) for said in UNTICKED),
        *((said, Truth.EMPTY) for said in EMPTY),
        *((said, Truth.AMBIGUOUS) for said in UNCLEAR),
    ],
)
def test_listed_word_means_what_the_rule_says(said: str, meant: Truth) -> None:
    """Each word of rule 1.4 is read as listed, and one that is not listed is ambiguous."""
    assert truth(said) is meant


@pytest.mark.parametrize("said", [*YES, *NO, *WITHDRAWN, *UNTICKED, *EMPTY, *UNCLEAR])
def test_case_blanks_and_invisible_characters_do_not_matter(said: str) -> None:
    """Upper case, blanks around, zero-width characters and soft hyphens change no meaning."""
    assert truth(f" \u200b{said.upper()}\u00ad\u00a0\t") is truth(said)


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        (True, Truth.YES),
        (False, Truth.UNTICKED),
        (1, Truth.YES),
        (1.0, Truth.YES),
        (0, Truth.UNTICKED),
        (0.0, Truth.UNTICKED),
        (None, Truth.EMPTY),
        (float("nan"), Truth.EMPTY),
        (2, Truth.AMBIGUOUS),
        (-1, Truth.AMBIGUOUS),
        (-0.0, Truth.AMBIGUOUS),
        (0.5, Truth.AMBIGUOUS),
        (float("inf"), Truth.AMBIGUOUS),
    ],
)
def test_numbers_and_booleans_are_read_as_their_text(cell: Cell, meant: Truth) -> None:
    """JSON numbers and truth values mean what their text means, whatever Python equates."""
    assert truth(cell) is meant


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("ＹＥＳ", "yes"),
        ("opt\u00a0in", "opt in"),
        ("opt  \n in", "opt in"),
        ("y\u200be\u200ds", "yes"),
        ("ye\u00ads", "yes"),
        ("\ufeffyes", "yes"),
        ("✔\ufe0f", "✔"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("si\u0301", "sí"),
    ],
)
def test_normal_form(written: str, read: str) -> None:
    """Texts are compared after NFKC, without invisible characters, with single blanks, folded."""
    assert normal(written) == read
    assert normal(normal(written)) == normal(written)


def test_empty_words_are_missing_in_every_column() -> None:
    """``N/A`` and its like are a missing cell for source, country and id as well."""
    assert set(EMPTY) == EMPTY_WORDS
    assert {word(f" {text.upper()} ") for text in EMPTY} == {""}
    assert word(None) == ""
    assert word(" Web_Form ") == "web_form"
    assert word(False) == "false"
    assert word(0) == "0"


@pytest.mark.parametrize("said", OPT_IN)
def test_agreement_in_a_negative_column_is_ambiguous(said: str) -> None:
    """Nobody can tell what *opted in* means under *do not contact*."""
    assert negative_truth(said.upper()) is Truth.AMBIGUOUS
    assert is_set(said)


@pytest.mark.parametrize("said", sorted(set(YES) - set(OPT_IN)) + WITHDRAWN)
def test_yes_and_withdrawal_in_a_negative_column_forbid(said: str) -> None:
    """A tick or a word of withdrawal in a negative column means do not contact."""
    assert negative_truth(said) is Truth.YES
    assert is_set(said)


@pytest.mark.parametrize("said", [*NO, *UNTICKED])
def test_no_and_unticked_in_a_negative_column_forbid_nothing(said: str) -> None:
    """A No or an empty box under *do not contact* sets nothing, and clears a screening."""
    assert negative_truth(said) is Truth.NO
    assert not is_set(said)
    assert is_clear(said)


@pytest.mark.parametrize("said", [*UNCLEAR, "garbage"])
def test_unclear_flag_counts_as_set_and_unclear_screening_as_not_clear(said: str) -> None:
    """What cannot be read is taken at its worst in both directions."""
    assert negative_truth(said) is Truth.AMBIGUOUS
    assert is_set(said)
    assert not is_clear(said)


@pytest.mark.parametrize("said", [*EMPTY, None])
def test_missing_flag_is_not_set_but_a_missing_screening_is_not_clear(said: Cell) -> None:
    """An absent flag forbids nothing; an absent screening allows nothing."""
    assert negative_truth(said) is Truth.EMPTY
    assert not is_set(said)
    assert not is_clear(said)


@pytest.mark.parametrize("said", [True, "yes", 1, "withdrawn", "opted out"])
def test_listed_number_is_not_clear(said: Cell) -> None:
    """A registry that says yes or anything but no permits no call."""
    assert not is_clear(said)


@pytest.mark.parametrize(
    ("cell", "count"),
    [
        ("+44 (0)20 7946-0000", 13),
        (442079460000, 12),
        ("", 0),
        (None, 0),
        ("ext.", 0),
        ("٠١٢٣٤٥٦", 7),
        ("x²³", 0),
    ],
)
def test_digits_of_a_telephone_number_are_counted(cell: Cell, count: int) -> None:
    """Only decimal digits make a number, in whatever script and punctuation."""
    assert digits_in(cell) == count


def test_interval_reads_as_its_earliest_instant() -> None:
    """A cell that a date format made an interval has a text too."""
    assert text_of(point(NOW)) == "2026-11-23T12:00:00+00:00"
    assert truth(point(NOW)) is Truth.AMBIGUOUS


@pytest.mark.parametrize(
    ("cell", "instant"),
    [
        ("2026-03-10T09:30:00Z", "2026-03-10T09:30:00+00:00"),
        ("2026-03-10t09:30:00z", "2026-03-10T09:30:00+00:00"),
        (" 2026-03-10 09:30:00 Z ", "2026-03-10T09:30:00+00:00"),
        ("2026-03-10T09:30Z", "2026-03-10T09:30:00+00:00"),
        ("2026-03-10T09:30:00+02:00", "2026-03-10T07:30:00+00:00"),
        ("2026-03-10T09:30:00+0200", "2026-03-10T07:30:00+00:00"),
        ("2026-03-10T09:30:00-05", "2026-03-10T14:30:00+00:00"),
        ("2026-03-10T09:30:00+14:00", "2026-03-09T19:30:00+00:00"),
        ("2026-03-10T09:30:00-14:00", "2026-03-10T23:30:00+00:00"),
        ("2026-03-10T09:30:00.5Z", "2026-03-10T09:30:00.500000+00:00"),
        ("2026-03-10T09:30:00,123456789Z", "2026-03-10T09:30:00.123456+00:00"),
        ("1772530200", "2026-03-03T09:30:00+00:00"),
        (1772530200, "2026-03-03T09:30:00+00:00"),
        ("1772530200123", "2026-03-03T09:30:00.123000+00:00"),
        (1772530200123, "2026-03-03T09:30:00.123000+00:00"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59+00:00"),
        ("２０２６-03-10T09:30:00Z", "2026-03-10T09:30:00+00:00"),
    ],
)
def test_offset_or_unix_stamp_is_a_point(cell: Cell, instant: str) -> None:
    """With an offset, or as ten or thirteen digits, an instant is known exactly."""
    assert when(cell) == point(at(instant))


def test_text_without_zone_may_lie_anywhere_on_earth() -> None:
    """Without a zone the instant is fourteen hours earlier up to twelve hours later."""
    expected = Interval(at("2026-03-09T19:30:00+00:00"), at("2026-03-10T21:30:00+00:00"))
    assert when("2026-03-10T09:30:00") == expected
    assert when("2026-03-10 09:30") == expected


def test_day_alone_spans_fifty_hours() -> None:
    """A bare day runs from fourteen hours before it to thirty-six hours after its beginning."""
    expected = Interval(at("2026-03-09T10:00:00+00:00"), at("2026-03-11T12:00:00+00:00"))
    assert when("2026-03-10") == expected


@pytest.mark.parametrize(
    "cell",
    [
        *("10/03/2026", "3/10/26", "2026/03/10", "10.03.2026", "20260310", "2026-3-10"),
        *("2026-02-30", "2026-13-01", "2026-00-10", "2025-02-29", "2025-02-29T00:00:00Z"),
        *("2026-03-10T24:00:00Z", "2026-03-10T09:60:00Z", "2026-03-10T09:30:60Z"),
        *("2026-03-10T09:30:00+15:00", "2026-03-10T09:30:00+14:01", "2026-03-10T09:30:00+02:60"),
        *("2026-03-10T", "yesterday", "2026-03-10T09:30:00 CET", "12026-03-10", "-2026-03-10"),
        *(45_000, "45000", 45_000.5, 1, -1, "177253020", "17725302001", True, "1772530200.0"),
        *("2026-03-10T09:30:00Z2026-03-10T09:30:00Z", "no", "x"),
    ],
)
def test_what_cannot_be_read_is_unreadable(cell: Cell) -> None:
    """Slash dates, serial numbers, impossible dates and far offsets are invalid, not missing."""
    assert when(cell) is UNREADABLE


DAY_ZERO = (
    *("0000-00-00", "0001-01-01", "1970-01-01", "1900-01-00", "1900-01-01"),
    *("1899-12-30", "1899-12-31"),
)


@pytest.mark.parametrize("day", DAY_ZERO)
@pytest.mark.parametrize("time", ["", "T00:00:00Z", " 00:00:00", "T12:34:56.789+02:00"])
def test_sentinel_is_missing_with_or_without_a_time(day: str, time: str) -> None:
    """What systems write where they have no date is no date."""
    assert when(day + time) is None


@pytest.mark.parametrize("cell", [*EMPTY, None, "0", 0, "0000000000", "0000000000000"])
def test_empty_cell_and_zero_are_missing(cell: Cell) -> None:
    """An empty word and zero are a missing date, zero as a Unix stamp too."""
    assert when(cell) is None


def test_interval_is_taken_as_it_is() -> None:
    """A column with a declared format was read before."""
    span = Interval(NOW, NOW + timedelta(days=1))
    assert when(span) is span


def test_last_and_first_day_of_the_calendar_do_not_overflow() -> None:
    """``9999-12-31`` and the second day of year one stay inside the calendar."""
    assert when("9999-12-31") == Interval(at("9999-12-30T10:00:00+00:00"), LAST)
    assert when("0001-01-02") == Interval(
        at("0001-01-01T10:00:00+00:00"), at("0001-01-03T12:00:00+00:00")
    )
    assert when("9999-12-31T23:00:00-05:00") == point(LAST)
    assert after(LAST, timedelta(days=1)) == LAST
    assert after(FIRST, timedelta(days=-1)) == FIRST


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2024-11-23T12:00:00+00:00", 24, "2026-11-23T12:00:00+00:00"),
        ("2024-02-29T00:00:00+00:00", 12, "2025-02-28T00:00:00+00:00"),
        ("2024-02-29T00:00:00+00:00", 48, "2028-02-29T00:00:00+00:00"),
        ("2026-08-31T23:59:59+00:00", 6, "2027-02-28T23:59:59+00:00"),
        ("2026-12-31T00:00:00+00:00", 1, "2027-01-31T00:00:00+00:00"),
        ("2026-10-31T00:00:00+00:00", 1, "2026-11-30T00:00:00+00:00"),
        ("9999-11-30T00:00:00+00:00", 1, "9999-12-30T00:00:00+00:00"),
    ],
)
def test_months_clamp_to_the_end_of_the_month(start: str, months: int, end: str) -> None:
    """A month after the 31st is the last day of a shorter month."""
    assert months_after(at(start), months) == at(end)


def test_months_past_the_calendar_are_its_end() -> None:
    """Twenty-four months after ``9999-12-31`` is the last instant there is."""
    assert months_after(LAST, 24) == LAST
    assert months_after(at("9999-12-01T00:00:00+00:00"), 1) == LAST


def test_provably_later_needs_the_whole_interval() -> None:
    """Intervals that touch or overlap are not in order, nor is anything unknown."""
    early, late = when("2026-03-10"), when("2026-03-13")
    assert provably_later(late, early)
    assert not provably_later(early, late)
    assert not provably_later(when("2026-03-12"), early)
    assert not provably_later(early, early)
    touching = point(at("2026-03-11T12:00:00+00:00"))
    assert not provably_later(touching, early)
    assert provably_later(point(touching.latest + timedelta(microseconds=1)), early)
    for unknown in (None, UNREADABLE):
        assert not provably_later(unknown, early)
        assert not provably_later(late, unknown)


def test_future_begins_five_minutes_ahead() -> None:
    """Five minutes of clock difference are tolerated, one microsecond more is the future."""
    edge = NOW + timedelta(minutes=5)
    assert not in_future(point(edge), NOW)
    assert in_future(point(edge + timedelta(microseconds=1)), NOW)
    assert not in_future(Interval(edge, LAST), NOW)
    assert not in_future(point(LAST), LAST)


def test_only_the_readable_past_proves_anything() -> None:
    """A missing, unreadable or coming instant proves nothing."""
    assert past(point(NOW), NOW) == point(NOW)
    assert past(None, NOW) is None
    assert past(UNREADABLE, NOW) is None
    assert past(point(NOW + timedelta(hours=1)), NOW) is None


def test_every_instant_read_is_utc() -> None:
    """Whatever offset was written, ends of an interval are in UTC."""
    read = when("2026-03-10T09:30:00+05:30")
    assert isinstance(read, Interval)
    assert read.earliest.tzinfo is UTC
    assert read.earliest == datetime(2026, 3, 10, 9, 30, tzinfo=timezone(timedelta(hours=5.5)))


@pytest.mark.parametrize(
    ("cell", "key"),
    [
        ("Ann.Lee@Contoso.Example", "ann.lee@contoso.example"),
        ("  ann@contoso.example\n", "ann@contoso.example"),
        ("\u200bann@contoso.example\ufeff", "ann@contoso.example"),
        ("a\u200bnn@con\u00adtoso.example", "ann@contoso.example"),
        ("ａｎｎ@contoso.example", "ann@contoso.example"),
        ("ann+crm@contoso.example", "ann+crm@contoso.example"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@BÜCHER.example", "ann@xn--bcher-kva.example"),
        ("ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"),
        ("ann@contoso.example.", "ann@contoso.example"),
        ("josé@contoso.example", "josé@contoso.example"),
        ("o'brien@contoso.example", "o'brien@contoso.example"),
    ],
)
def test_narrow_key_is_the_cleaned_address(cell: Cell, key: str) -> None:
    """One narrow key is one person: cleaned, lower-case, the domain in IDNA form."""
    assert narrow_key(cell) == key


@pytest.mark.parametrize(
    "cell",
    [
        *("", None, 7, True, "n/a", "ann", "@contoso.example", "ann@", "ann@localhost"),
        *("ann@contoso@example.com", "a b@contoso.example", "ann@con toso.example"),
        *("ann@contoso.example,bob@contoso.example", "ann@contoso.example;", "a;b@c.example"),
        *("Ann Lee <ann@contoso.example>", "<ann@contoso.example>", "ann\t@contoso.example"),
        *("ann@.example", "ann@contoso..example", "ann\u00a0lee@contoso.example", "ann@."),
        *("ann@\ud800.example", "mailto:ann", "ann@contoso\n.example"),
    ],
)
def test_what_is_no_single_bare_address_has_no_key(cell: Cell) -> None:
    """Two addresses, a display name, white space inside or no dot in the domain match nobody."""
    assert narrow_key(cell) is None


@pytest.mark.parametrize(
    ("narrow", "broad"),
    [
        ("ann@contoso.example", "ann@contoso.example"),
        ("ann+crm@contoso.example", "ann@contoso.example"),
        ("ann+a+b@contoso.example", "ann@contoso.example"),
        ("ann.lee@contoso.example", "ann.lee@contoso.example"),
        ("a.n.n+x@gmail.com", "ann@gmail.com"),
        ("ann@googlemail.com", "ann@gmail.com"),
        ("a.nn@mail.gmail.com", "a.nn@mail.gmail.com"),
        ("+tag@contoso.example", "+tag@contoso.example"),
        ("...@gmail.com", "...@gmail.com"),
    ],
)
def test_broad_key_joins_the_spellings_of_one_mailbox(narrow: str, broad: str) -> None:
    """A plus-tag is dropped, at Gmail also dots and the second domain; never everything."""
    key = narrow_key(narrow)
    assert key is not None
    assert broad_key(key) == broad


def test_parts_of_a_key() -> None:
    """A role is told by what stands before the tag, a company by the whole domain."""
    key = narrow_key("Info+UK@Sub.Acme.Example")
    assert key is not None
    assert local_part(key) == "info"
    assert domain_part(key) == "sub.acme.example"


@pytest.mark.parametrize("cell", [*EMPTY, None])
def test_empty_address_is_blank(cell: Cell) -> None:
    """An empty word in the e-mail column is no address at all."""
    assert is_blank(cell)
    assert narrow_key(cell) is None


def test_all_249_countries_are_listed() -> None:
    """Each officially assigned alpha-2 code is there, reads as itself, and none beside them."""
    codes = set(CODES.values())
    assert len(codes) == 249
    assert all(country_code(code.casefold()) == code for code in codes)
    assert {text.upper() for text in CODES if len(text) == 2} - codes == {"UK", "EL"}


@pytest.mark.parametrize(
    ("written", "code"),
    [
        *((name, "GB") for name in ("UK", "Great Britain", "England", "Scotland", "Wales")),
        *((name, "GB") for name in ("Northern Ireland", " united  KINGDOM ")),
        *((name, "US") for name in ("United States", "USA", "U.S.A.", "usa")),
        ("Deutschland", "DE"),
        ("Österreich", "AT"),
        ("O\u0308sterreich", "AT"),
        ("Schweiz", "CH"),
        ("Italia", "IT"),
        ("España", "ES"),
        ("The Netherlands", "NL"),
        ("EL", "GR"),
        ("NO", "NO"),
        ("Norway", "NO"),
        ("Côte d'Ivoire", "CI"),
        ("Jersey", "JE"),
    ],
)
def test_country_is_known_by_code_and_name(written: str, code: str) -> None:
    """Codes, English short names and the everyday names of rule 1.4 are read; NO is Norway."""
    assert country_code(word(written)) == code


@pytest.mark.parametrize("written", ["XK", "Atlantis", "EU", "GBR", "1", "true", "U.K.", "G B"])
def test_unlisted_country_is_none(written: str) -> None:
    """Kosovo's code is not assigned, and a name that is not known is unlisted."""
    assert country_code(word(written)) is None


def test_na_in_a_country_column_is_missing_and_not_namibia() -> None:
    """``NA`` is an empty word before it is a code; Namibia can be written out."""
    assert word("NA") == ""
    assert country_code(word("Namibia")) == "NA"


@pytest.mark.parametrize(
    ("code", "profile"),
    [
        ("GB", Profile.UK),
        ("DE", Profile.DE),
        ("AT", Profile.AT),
        ("FR", Profile.FR),
        ("IT", Profile.IT),
        ("US", Profile.US),
        ("CA", Profile.CA),
        *((code, Profile.EU) for code in ("ES", "NL", "IE", "PL", "NO", "IS", "LI", "CH")),
        *((code, Profile.ROW) for code in ("BR", "JP", "IN")),
        *((code, Profile.ROW) for code in ("JE", "GG", "IM", "GI", "PR", "RE", "GP", "AX")),
    ],
)
def test_country_has_the_profile_of_its_law(code: str, profile: Profile) -> None:
    """A territory with a code of its own is ROW, whoever it belongs to."""
    assert profile_of(code) is profile
