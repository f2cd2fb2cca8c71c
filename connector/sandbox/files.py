"""The three files that fit this account: connection, policy, credentials."""

from typing import Final

from connector.sandbox.limits import CLIENT_ID, CLIENT_SECRET, PASSWORD, USERNAME

FORM_COLUMNS: Final = """email = "E-mail Address"
score = "Lead Score"
first_name = "First Name"
last_name = "Last Name"
company = "Company"
job_title = "Job Title"
phone = "Phone"
country = "Country"
subscriber_type = "Subscriber Type"
consent_email = { column = "OK to contact", covers = ["sales_contact"] }
consent_phone = "OK to phone"
consent_ts = "Consent Date"
consent_source = "Consent Source"
consent_method = "Consent Method"
form_id = "Form"
evidence_ref = "Submission"
notice_version = "Privacy Notice"
doi_ts = "Double Opt-in Date"
phone_verified_ts = "Phone Verified"
tracking_consent = "Tracking OK"
first_visit_ts = "First Visit"
request_form = "Request Form"
request_ts = "Request Date"
request_channels = "Request Channels"
do_not_contact = "Do Not Contact"
birth_date = "Birth Date"
last_purchase_ts = "Last Purchase"
last_inquiry_ts = "Last Inquiry"
last_activity_ts = "Last Activity"
optout_ts = "Opted Out On"
"""
EVENT_COLUMNS: Final = """email = "Email"
score = "Score"
first_name = "First Name"
last_name = "Last Name"
company = "Company"
phone = "Phone"
country = "Country"
consent_email = { column = "GDPR Consent", covers = ["sales_contact"] }
consent_ts = "GDPR Date"
consent_source = "Source"
consent_method = "Method"
evidence_ref = "Badge Scan"
notice_version = "Notice"
doi_ts = "Double Opt-in"
tracking_consent = "Tracking"
"""
LISTS: Final = f"""[[source]]                             # web forms
kind = "marketing_list"
id = "l-0001"
[source.columns]                       # our field = their heading
{FORM_COLUMNS}
[[source]]                             # events and imports
kind = "marketing_list"
id = "l-0002"
[source.columns]
{EVENT_COLUMNS}"""
CONTACTS: Final = f"""[[source]]                             # everybody, as Act-On Contacts
kind = "contacts"
id = "l-unified-contacts"
origin = "Origin List"                 # the column that names the list a contact came from
[source.columns]
{FORM_COLUMNS}"""
CONNECTOR: Final = """# Where contacts come from and where leads go. No secrets here.
[account]
id = "12345"
base_url = "{url}"
credentials_file = "credentials.toml"  # mode 0600

{sources}
[tag]
list = "l-0900"                        # a list that the connector owns

[[destination]]
name = "crm"
type = "local"
path = "crm.db"

[state]
url = "sqlite:///state.db"

[policy]
file = "policy.toml"
"""
CREDENTIALS: Final = f"""[acton]
client_id = "{CLIENT_ID}"
client_secret = "{CLIENT_SECRET}"
username = "{USERNAME}"
password = "{PASSWORD}"
"""
_NOTICE: Final = """[[notice]]
version = "{0}"
effective_from = {1}
discloses_scoring = {2}
discloses_handover = {3}
names_legitimate_interest = {4}
states_right_to_object = {5}

"""
_NOTICES: Final = (
    ("PN-2018-05", "2018-05-25", "false", "false", "false", "false"),
    ("PN-2022-01", "2022-01-10", "true", "false", "false", "false"),
    ("PN-2024-03", "2024-03-01", "true", "true", "true", "true"),
    ("PN-2025-04", "2025-04-01", "true", "true", "false", "true"),
    ("PN-2026-06", "2026-06-01", "true", "true", "true", "true"),
)
_CAPTURE: Final = """[[capture]]
form = "{0}"
from = {1}{2}
covers = ["{3}"]
channels = [{4}]
method = "{5}"
source = "web_form"
notice = "{6}"

"""
_CAPTURES: Final = (
    ("q-0002", "2024-03-01", "", "sales_contact", '"email", "phone"', "unticked_checkbox",
     "PN-2024-03"),
    ("q-0002", "2022-01-10", "\nto = 2024-02-29", "sales_contact", '"email"', "unticked_checkbox",
     "PN-2022-01"),
    ("q-0005", "2024-03-01", "", "newsletter", '"email"', "unticked_checkbox", "PN-2024-03"),
    ("q-0007", "2018-05-25", "\nto = 2019-01-01", "sales_contact", '"email"', "pre_ticked",
     "PN-2018-05"),
)  # fmt: skip
_POLICY: Final = """# What is asked of a consent. A data-protection officer reads and signs this.
name = "acme-demo"
version = "2026.11"
extends = "strict"
home_profile = "UK"

[score]
threshold = 40
watch = 24
uses_tracking = true

[controller]
name = "ACME"
names = ["ACME", "ACME EU"]
established_in = ["GB"]
internal_domains = ["acme.example"]
contact = "privacy@acme.example"
preferences_url = "https://acme.example/preferences"

[tracking]
opt_in_mode_since = 2024-06-01

[categories]
"Sales contact" = "ALL"
"Product news" = "EMAIL"
Events = "NONE"
Newsletter = "NONE"

[[request_form]]
form = "q-0101"
asks_for = "demo"
channels = ["email", "phone"]
window_days = 30

[[request_form]]
form = "q-0102"
asks_for = "call-back"
channels = ["phone"]
window_days = 7

[[request_form]]
form = "q-0103"
asks_for = "quote"
channels = ["email"]
window_days = 60

[[list]]
id = "l-0001"
covers = ["sales_contact"]

[[list]]
id = "l-0002"
covers = ["sales_contact"]

"""


def config_files(url: str, kind: str = "marketing_list") -> dict[str, str]:
    """Returns file names and texts; the policy is not signed yet.

    ``kind`` is ``marketing_list`` (two lists) or ``contacts`` (Act-On Contacts).
    """
    sources = LISTS if kind == "marketing_list" else CONTACTS
    policy = (
        _POLICY
        + "".join(_NOTICE.format(*notice) for notice in _NOTICES)
        + "".join(_CAPTURE.format(*capture) for capture in _CAPTURES)
    )
    return {
        "connector.toml": CONNECTOR.format(url=url, sources=sources),
        "policy.toml": policy.rstrip() + "\n",
        "credentials.toml": CREDENTIALS,
    }
