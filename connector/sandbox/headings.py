"""The columns of this account's lists, and where each stands in Act-On Contacts."""

from typing import Final

FORMS: Final = "l-0001"
EVENTS: Final = "l-0002"
TAGS: Final = "l-0900"
UNIFIED: Final = "l-unified-contacts"
EMAIL: Final = "E-mail Address"
SCORE: Final = "Lead Score"
ORIGIN: Final = "Origin List"
"""The column of Act-On Contacts that names the list a contact came from."""

FORM_HEADINGS: Final = (
    "First Name", "Last Name", "E-mail Address", "Company", "Job Title", "Phone", "Country",
    "Subscriber Type", "Lead Score", "OK to contact", "OK to phone", "Consent Date",
    "Consent Source", "Consent Method", "Form", "Submission", "Privacy Notice",
    "Double Opt-in Date", "Phone Verified", "Tracking OK", "First Visit", "Request Form",
    "Request Date", "Request Channels", "Do Not Contact", "Birth Date", "Last Purchase",
    "Last Inquiry", "Last Activity", "Opted Out On",
)  # fmt: skip
EVENT_HEADINGS: Final = (
    "Email", "First Name", "Last Name", "Company", "Phone", "Country", "Score", "GDPR Consent",
    "GDPR Date", "Source", "Method", "Badge Scan", "Notice", "Double Opt-in", "Tracking",
)  # fmt: skip
TAG_HEADINGS: Final = (
    "E-mail Address", "Consent_Gate_Decision", "Consent_Gate_Code", "Reperm_Route",
    "Reperm_State", "Consent_Checked_At",
)  # fmt: skip
AS_FORM: Final = {
    "Email": "E-mail Address", "First Name": "First Name", "Last Name": "Last Name",
    "Company": "Company", "Phone": "Phone", "Country": "Country", "Score": "Lead Score",
    "GDPR Consent": "OK to contact", "GDPR Date": "Consent Date", "Source": "Consent Source",
    "Method": "Consent Method", "Badge Scan": "Submission", "Notice": "Privacy Notice",
    "Double Opt-in": "Double Opt-in Date", "Tracking": "Tracking OK",
}  # fmt: skip
"""Where a column of the events list stands in Act-On Contacts."""
AS_EVENT: Final = {form: event for event, form in AS_FORM.items()}
EMAIL_OF: Final = {FORMS: "E-mail Address", EVENTS: "Email", TAGS: "E-mail Address"}
USAGES: Final = {
    "EMAIL": {"E-mail Address", "Email"}, "FIRSTNAME": {"First Name"}, "LASTNAME": {"Last Name"},
}  # fmt: skip
"""System usages under which a record write may name a column (developer.act-on.com)."""
CATEGORIES: Final = ("Sales contact", "Product news", "Events", "Newsletter")
ACCOUNT_FEEDS: Final = ("optout", "hardbounce", "spamcomplaint")
