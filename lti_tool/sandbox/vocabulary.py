"""The names that LTI 1.3, Advantage and their security framework give to things."""

from typing import Final

LTI: Final = "https://purl.imsglobal.org/spec/lti/claim/"
CLAIM_VERSION: Final = LTI + "version"
CLAIM_MESSAGE_TYPE: Final = LTI + "message_type"
CLAIM_DEPLOYMENT_ID: Final = LTI + "deployment_id"
CLAIM_TARGET_LINK_URI: Final = LTI + "target_link_uri"
CLAIM_RESOURCE_LINK: Final = LTI + "resource_link"
CLAIM_ROLES: Final = LTI + "roles"
CLAIM_CONTEXT: Final = LTI + "context"
CLAIM_LIS: Final = LTI + "lis"
CLAIM_CUSTOM: Final = LTI + "custom"
CLAIM_EXT: Final = LTI + "ext"
CLAIM_LAUNCH_PRESENTATION: Final = LTI + "launch_presentation"
CLAIM_TOOL_PLATFORM: Final = LTI + "tool_platform"
CLAIM_BASIC_OUTCOME: Final = "https://purl.imsglobal.org/spec/lti-bo/claim/basicoutcome"
CLAIM_AGS: Final = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
CLAIM_NRPS: Final = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"

DEEP_LINKING: Final = "https://purl.imsglobal.org/spec/lti-dl/claim/"
CLAIM_DEEP_LINKING_SETTINGS: Final = DEEP_LINKING + "deep_linking_settings"
CLAIM_CONTENT_ITEMS: Final = DEEP_LINKING + "content_items"
CLAIM_DEEP_LINKING_DATA: Final = DEEP_LINKING + "data"
CLAIM_DEEP_LINKING_MESSAGE: Final = DEEP_LINKING + "msg"
CLAIM_DEEP_LINKING_ERROR: Final = DEEP_LINKING + "errormsg"

RESOURCE_LINK_REQUEST: Final = "LtiResourceLinkRequest"
DEEP_LINKING_REQUEST: Final = "LtiDeepLinkingRequest"
DEEP_LINKING_RESPONSE: Final = "LtiDeepLinkingResponse"

SCOPE_LINE_ITEM: Final = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"
SCOPE_LINE_ITEM_READ: Final = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem.readonly"
SCOPE_RESULT_READ: Final = "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly"
SCOPE_SCORE: Final = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
SCOPES_GRADES: Final = (SCOPE_LINE_ITEM, SCOPE_LINE_ITEM_READ, SCOPE_RESULT_READ, SCOPE_SCORE)
SCOPE_MEMBERS_READ: Final = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
SCOPE_TOOL_SETTING: Final = "https://purl.imsglobal.org/spec/lti-ts/scope/toolsetting"
SCOPES_ALL: Final = (*SCOPES_GRADES, SCOPE_MEMBERS_READ, SCOPE_TOOL_SETTING)
SCOPE_BASIC_OUTCOME: Final = "https://purl.imsglobal.org/spec/lti-bo/scope/basicoutcome"

TOOL_CONFIGURATION: Final = "https://purl.imsglobal.org/spec/lti-tool-configuration"
PLATFORM_CONFIGURATION: Final = "https://purl.imsglobal.org/spec/lti-platform-configuration"

ROLE_CONTEXT: Final = "http://purl.imsglobal.org/vocab/lis/v2/membership#"
ROLE_INSTITUTION: Final = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#"
ROLE_SYSTEM: Final = "http://purl.imsglobal.org/vocab/lis/v2/system/person#"

MEDIA_MEMBERS: Final = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
MEDIA_LINE_ITEMS: Final = "application/vnd.ims.lis.v2.lineitemcontainer+json"
MEDIA_LINE_ITEM: Final = "application/vnd.ims.lis.v2.lineitem+json"
MEDIA_RESULTS: Final = "application/vnd.ims.lis.v2.resultcontainer+json"
MEDIA_SCORE: Final = "application/vnd.ims.lis.v1.score+json"

CLIENT_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

ACTIVITY_PROGRESS: Final = ("Initialized", "Started", "InProgress", "Submitted", "Completed")
GRADING_PROGRESS: Final = ("FullyGraded", "Pending", "PendingManual", "Failed", "NotReady")
