"""Every way in which a record of a source table can break the rules: data.

A kind changes one column (and others beside it, where the rule is about both) of a record that is
otherwise in order and in the flow's scope, so exactly one rule is broken.
"""

from collections.abc import Mapping

from synctasks.sample.kinds import (
    Kind,
    Value,
    ago,
    births,
    blank,
    disorder,
    each,
    families,
    first_alert,
    genders,
    missing,
    numbers,
    scores,
    times,
    too_long,
)

_ALERT_KINDS = (
    *missing("family_id", "alert_type", "severity", "message", "created_at"),
    *blank("family_id", "alert_type", "severity", "message"),
    *each("severity", unknown="URGENT", lower_case="high"),
    *each(
        "action_url",
        javascript="javascript:alert(document.cookie)",
        data="data:text/html,<script>alert(1)</script>",
        other_host="//evil.example/login",
        backslash="/\\evil.example/login",
        space="/schemes?q=old age",
        control="/schemes\x07",
        line_break="https://portal.example.org/\nSet-Cookie: a=b",
        without_host="https:///schemes",
        other_scheme="ftp://portal.example.org/form",
        relative="schemes/1",
    ),
    *too_long("alert_type"),
    *families(),
    *times("created_at"),
)
# The same alert from two use cases: one of the two is refused.
_LATER_ALERT_KINDS = (
    *_ALERT_KINDS,
    Kind("alert_id", "of_another_source", "consistency", first_alert),
)

#: The kinds of each source table. Where there are too few dirty records for all, the first win.
KINDS: Mapping[str, tuple[Kind, ...]] = {
    "eligibility.scheme_master": (
        *missing("scheme_name", "scheme_code", "updated_at"),
        *each("eligibility_criteria_json", scalar='"age >= 60"'),
        *blank("scheme_name", "scheme_code"),
        *each("benefits_json", scalar="1500"),
        *each("documents_required_json", scalar="true"),
        *too_long("category"),
        *times("updated_at"),
    ),
    "public.golden_records": (
        *missing("full_name", "updated_at"),
        *numbers("jan_aadhaar"),
        *families(),
        *births(),
        *genders(),
        Kind("district_id", "unknown", "consistency", "999"),
        *blank("full_name", "gr_id"),
        *times("updated_at", created_at=None),
        *disorder(),
        Kind("mobile_number", "malformed", "masked", "98290-12345"),
        Kind("email", "malformed", "masked", "ramesh(at)example.com"),
    ),
    "public.profile_360": (
        *missing("vulnerability_level"),
        *blank("vulnerability_level", "gr_id"),
        *too_long("vulnerability_level"),
    ),
    "eligibility.eligibility_snapshots": (
        *missing("family_id", "scheme_code", "eligibility_score", "evaluation_timestamp"),
        *scores("eligibility_score", "confidence_score"),
        *blank("family_id", "scheme_code"),
        *families(),
        *times("evaluation_timestamp"),
    ),
    "forecast.benefit_forecasts": (
        *missing("family_id", "horizon_months", "total_annual_value", "scheme_count"),
        *missing("generated_at"),
        *each("horizon_months", zero="0", too_long="601"),
        *each("total_annual_value", negative="-0.01", nan="NaN"),
        *each("scheme_count", negative="-1"),
        *blank("family_id"),
        *families(),
        *times("generated_at"),
    ),
    "decision.applications": (
        *missing("decision", "decision_timestamp"),
        *each("reasons", object='{"reason": "income"}', scalar='"income"'),
        *each("decision", unknown="APPROVED", lower_case="auto_approved"),
        *scores("risk_score", "confidence"),
        *blank("decision"),
        *times("decision_timestamp"),
    ),
    "ai.beneficiary_detection_alerts": _ALERT_KINDS,
    "ai.proactive_inclusion_alerts": _LATER_ALERT_KINDS,
    "ai.predictive_alerts": _LATER_ALERT_KINDS,
    "citizens": (
        *missing("aadhaar_number", "full_name", "updated_at"),
        *numbers("aadhaar_number"),
        *births(),
        *genders(),
        Kind("district", "unknown", "consistency", "Atlantis"),
        *each("pincode", short="30201", letters="3O2O17"),
        *each("mobile_number", short="982901234", letters="98290O1234", mask="******5678"),
        *each("email", two_ats="ramesh@home@example.com", mask="r***@example.com"),
        *each("full_name", mask="****"),
        *blank("aadhaar_number", "full_name"),
        *families(),
        *times("updated_at", created_at=None),
        *disorder(),
    ),
    "service_applications": (
        *missing("citizen_id", "scheme_id", "status", "submitted_at"),
        Kind("approved_at", "missing", "completeness", None, {"status": "approved"}),
        *each("status", unknown="on_hold", upper_case="SUBMITTED"),
        *blank("status"),
        *times("submitted_at"),
        *times("approved_at", status="approved"),
        *disorder(),
    ),
    "documents": (
        *missing("citizen_id", "document_type", "file_name", "file_size", "uploaded_at"),
        *each("file_size", negative="-1"),
        *blank("document_type", "file_name"),
        *too_long("document_type", "verification_status"),
        *times("uploaded_at"),
    ),
    "feedback": (
        *missing("citizen_id", "feedback_type", "created_at"),
        *each("rating", zero="0", too_high="6", negative="-3"),
        *each("comment", too_long="!" * 10_001),
        *blank("feedback_type"),
        *too_long("feedback_type"),
        *times("created_at"),
    ),
    "page_views": (
        *each("duration_seconds", negative="-1.5", nan="NaN"),
        *missing("occurred_at"),
        *times("occurred_at"),
    ),
    "scheme_clicks": (*missing("occurred_at"), *times("occurred_at")),
    "eligibility_checks": (
        *each("duration_seconds", negative="-1.5", nan="NaN"),
        *missing("occurred_at"),
        *times("occurred_at"),
    ),
    "search_queries": (*missing("occurred_at"), *times("occurred_at")),
}

#: What lets a dirty record through the filter of its flow, to the contract. (A duration counts
#: only on a complete day of the last three; a dirty time is on no such day, whatever it is.)
IN_SCOPE: Mapping[str, Mapping[str, Value]] = {
    "eligibility.scheme_master": {"status": "ACTIVE"},
    "eligibility.eligibility_snapshots": {
        "evaluation_status": "RULE_ELIGIBLE",
        # The latest of the history.
        "evaluation_timestamp": ago(0.0005),
    },
    "citizens": {"verification_status": "verified"},
    "service_applications": {
        "status": "submitted",
        "created_at": ago(5),
        "submitted_at": ago(4),
        "approved_at": None,
        "updated_at": ago(3),
    },
    "page_views": {"occurred_at": ago(1)},
    "eligibility_checks": {"occurred_at": ago(1)},
}
