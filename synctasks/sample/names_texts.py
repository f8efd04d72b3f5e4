"""What forecasts, alerts, visitors and officers say: data."""

#: (alert type, severity, message, where it leads)
DETECTION_ALERTS = (
    (
        "UNCLAIMED_BENEFIT",
        "MEDIUM",
        "Your family appears to qualify for a pension that nobody has claimed.",
        "/schemes?category=social_security",
    ),
    (
        "DUPLICATE_BENEFICIARY",
        "HIGH",
        "Two records of your family draw the same benefit. Please check your details.",
        "/profile/family",
    ),
    (
        "DORMANT_BENEFICIARY",
        "LOW",
        "A benefit has not been drawn for three months.",
        None,
    ),
    (
        "BANK_ACCOUNT_MISMATCH",
        "CRITICAL",
        "A payment came back: the bank account does not match the beneficiary.",
        "https://portal.example.org/profile/bank?step=verify",
    ),
)
INCLUSION_ALERTS = (
    (
        "NEWLY_ELIGIBLE",
        "MEDIUM",
        "A member of your family has become eligible for a scholarship.",
        "/schemes?category=education",
    ),
    (
        "UNDER_COVERED_FAMILY",
        "HIGH",
        "Your family receives fewer benefits than families like yours.",
        "/eligibility/check",
    ),
    (
        "DOCUMENT_GAP",
        "LOW",
        "One certificate is missing before you can apply for food security.",
        "/documents/upload",
    ),
)
PREDICTIVE_ALERTS = (
    (
        "PENSION_AGE_SOON",
        "LOW",
        "A member of your family reaches pension age in three months.",
        "/schemes?category=social_security",
    ),
    (
        "CROP_LOSS_RISK",
        "HIGH",
        "Little rain is expected: insure your crop before the season closes.",
        "https://portal.example.org/schemes/fasal-bima",
    ),
    (
        "DROPOUT_RISK",
        "CRITICAL",
        "Please meet the school: a stipend ends if attendance stays low.",
        None,
    ),
    (
        "CERTIFICATE_EXPIRY",
        "MEDIUM",
        "The income certificate of your family expires soon.",
        "/documents",
    ),
)

#: Why a family is thought eligible, or not; {scheme} is the scheme's name.
ELIGIBLE = (
    "Income and residence match the rules of {scheme}.",
    "All criteria of {scheme} are met; the income certificate is older than a year.",
    "The age of one member matches {scheme}; land records could not be checked.",
    "परिवार {scheme} के लिए पात्र है।",
    # Longer than the portal's 500 characters.
    "The family was compared with the rules of {scheme}. "
    + "Each criterion was checked against the latest record, and where sources disagreed the "
    "more recent one was taken. " * 6,
)

NOT_ELIGIBLE = (
    "The family's income is above the limit of {scheme}.",
    "No member has the age that {scheme} asks for.",
    "Land records are missing, so {scheme} could not be judged.",
)

REASONS = (
    "income below the limit",
    "residence confirmed",
    "land record missing",
    "age within the range",
    "already draws a similar benefit",
    'name differs: "Kumar" and "Kr."',
    "certificate expired",
)

COMMENTS = (
    "Very easy to use, thank you.",
    "The page did not load on my phone.",
    "I applied twice\nand still have no answer.",
    "बहुत अच्छी सेवा है, धन्यवाद।",
    'The officer said "come tomorrow" three times.',
    "Please add\ta list of the documents needed.",
    "Form asks for C:\\scan.pdf only 👎",
    "Money arrived within a week!",
    None,
)
FEEDBACK_TYPES = ("PORTAL", "SCHEME", "APPLICATION", "GRIEVANCE", "SUGGESTION")

#: (document type, how its file is called)
DOCUMENTS = (
    ("AADHAAR_CARD", "aadhaar.pdf"),
    ("INCOME_CERTIFICATE", "income certificate.pdf"),
    ("CASTE_CERTIFICATE", "caste_certificate.jpg"),
    ("BANK_PASSBOOK", "passbook-page-1.jpeg"),
    ("RATION_CARD", "राशन कार्ड.pdf"),
    ("DISABILITY_CERTIFICATE", "disability.pdf"),
    ("PHOTO", "IMG_20240817_101512.jpg"),
)

PATHS = (
    "/",
    "/schemes",
    "/schemes?category=education",
    "/profile",
    "/documents",
    "/applications",
    "/eligibility/check",
    "/help",
)
QUERIES = (
    "pension",
    "scholarship for girls",
    "kisan samman",
    "छात्रवृत्ति",
    "ration card",
    "free medicine",
    "awas yojana list",
    "gas cylinder 500",
)
