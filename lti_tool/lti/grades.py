"""Assignment and Grade Services 2.0: completion, and nothing more."""

LINE_ITEM_SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"
RESULT_SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly"
SCORE_SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
SCOPES = (LINE_ITEM_SCOPE, RESULT_SCOPE, SCORE_SCOPE)
"""All that reporting completion needs; of no use to a school whose trainers never choose it."""
