"""What an administrator reads who registers an LMS by hand: fields by the names of their LMS, and what is wrong."""

from flask_babel import gettext as _

from lti_tool.lms.families import Family, Field
from lti_tool.people.by_hand import Problem


def label(family: Family, field: Field) -> str:
    """What a value is called in this LMS."""
    return _labels_of(family).get(field) or _labels()[field]


def usual(family: Family, field: Field) -> str:
    """What most LMSs of this kind have in a field; empty where each has its own."""
    return "1" if (family.key, field) == ("sakai", "deployment_id") else ""


def help_for(family: Family, field: Field) -> str:
    """Where the value stands, or what it looks like; empty where the steps above have said so."""
    match family.key, field:
        case "moodle" | "brightspace", "site":
            return _("The address of your %(lms)s, such as https://lms.school.ie.", lms=family.display_name)
        case "canvas", "client_id":
            return _("The long number in the column Details of the developer keys.")
        case "canvas", "site":
            return _("Only if your school runs Canvas on a server of its own: its address.")
        case "canvas", "deployment_id":
            return _("A number, a colon, and a long row of letters and digits.")
        case "sakai", "deployment_id":
            return _("Nearly always 1.")
        case "sakai", "token_url":
            return _("It ends with the number of the tool in your Sakai.")
        case "other", "deployment_id":
            return _(
                "If your LMS shows none, leave it empty: then the people who run Meitheal approve the first place from "
                "which somebody opens it."
            )
        case _, "token_audience":
            return _("Leave it empty, unless your LMS names one.")
        case _:
            return ""


def problem(family: Family, found: Problem) -> str:
    """What is wrong, and what to do about it in this LMS."""
    # Where the address of the site is asked for, that is the issuer too.
    name = label(family, "site" if found.field == "issuer" and "site" in family.asks else found.field)
    match found.code:
        case "missing":
            return _("%(name)s is missing.", name=name) + " " + where_values_stand(family)
        case "bad":
            return _(
                "%(name)s cannot be right: it is too long, or it is not an address that begins with https://.",
                name=name,
            )
        case "address":
            return _(
                "%(value)s may not be called: it is not https, or it leads into a private network. If your LMS really "
                "lives in one, the people who run Meitheal can allow that network.",
                value=found.value,
            )
        case "unreachable":
            return _(
                "Nothing answers at %(value)s (%(said)s). Check the address, and that your LMS may be reached from the "
                "internet.",
                value=found.value,
                said=found.said,
            )
        case "no_keys":
            why = found.said or _("none that can be used")
            said = _("There are no keys at %(value)s (%(said)s).", value=found.value, said=why)
            return f"{said} {where_values_stand(family)}"
        case "mismatch":
            said = _(
                "%(name)s: here stands %(value)s, but your LMS says of itself %(said)s. Copy it from there.",
                name=name,
                value=found.value,
                said=found.said,
            )
            return f"{said} {where_values_stand(family)}"
        case "no_tokens":
            said = _("What answers at %(value)s gives no tokens (%(said)s).", value=found.value, said=found.said)
            return f"{said} {where_values_stand(family)}"
        case "no_page":
            return _(
                "There was no page at %(value)s when it was tried. If people cannot open the activity, that address is "
                "wrong.",
                value=found.value,
            )
        case "no_token_yet":
            said = _(
                "Your LMS did not give the tool a token yet (%(said)s). Without one people can open the activity, but "
                "the tool cannot read who is in the course.",
                said=found.said,
            )
            return f"{said} {_why_no_token(family)}"


def already_registered(family: Family) -> str:
    """The client id is known already."""
    if family.key == "blackboard":
        return _(
            "This client ID is registered here already: schools with Blackboard share it. Then nothing is left to do "
            "here. Open the tool once in a course; the people who run Meitheal then approve your school."
        )
    return _(
        "An LMS with this client ID is registered here already. If it should be replaced, the people who run Meitheal "
        "remove it first."
    )


def link_in_use() -> str:
    """The invite is held by another registration."""
    return _(
        "This link is in use at this moment, perhaps in another window of yours. Wait three minutes, then send it "
        "again."
    )


def foreign_form() -> tuple[str, str, str]:
    """Title, what happened, what to do: the form came from a page that is not ours."""
    return (
        _("This form came from somewhere else"),
        _("What your browser sent did not come from the guide of this installation, so nothing was tried or kept."),
        _("Open your link from the people who run Meitheal, and fill in the form there."),
    )


def where_values_stand(family: Family) -> str:
    """Where this LMS shows what has to be typed."""
    match family.key:
        case "moodle":
            return _("In Moodle it stands under Manage tools: the list symbol on the tool, View configuration details.")
        case "canvas":
            return _(
                "In Canvas the client ID stands under Developer Keys, and the deployment ID in the menu of the app "
                "under Settings, Apps."
            )
        case "blackboard":
            return _("In Blackboard it stands under LTI Tool Providers: edit the tool.")
        case "brightspace":
            return _(
                "In Brightspace it stands at the end of the registration, under Manage Extensibility, LTI Advantage; "
                "the deployment ID in its deployment."
            )
        case "sakai":
            return _("In Sakai it stands on the page of the tool, under External Tools.")
        case _:
            return _("Your LMS shows it with the settings of the tool.")


def _why_no_token(family: Family) -> str:
    match family.key:
        case "moodle":
            return _(
                "In Moodle, check that Public key type is Keyset URL, and that the server of Moodle reaches the "
                "address under Public keyset. If the client ID is wrong, activities do not open either."
            )
        case "canvas":
            return _(
                "In Canvas, check that the developer key is ON, that its JWK Method is Public JWK URL, and that the "
                "client ID is right."
            )
        case "blackboard":
            return _(
                "In Blackboard, check that the tool is approved, and that the client ID is right. The address of our "
                "keys stands in the developer portal."
            )
        case "brightspace":
            return _(
                "In Brightspace, check that the registration is enabled, that it has a Keyset URL, and that the client "
                "ID is right."
            )
        case "sakai":
            return _("In Sakai, check the LTI 1.3 Tool Keyset / JWK URL, and that the client ID is right.")
        case _:
            return _("Check in your LMS that the tool is switched on, its key set address, and the client ID.")


def _labels() -> dict[Field, str]:
    return {
        "site": _("Address of your LMS"),
        "issuer": _("Issuer (platform ID)"),
        "client_id": _("Client ID"),
        "deployment_id": _("Deployment ID"),
        "authorization_url": _("Authentication request address"),
        "token_url": _("Access token address"),
        "jwks_url": _("Key set address"),
        "token_audience": _("Audience of token requests"),
    }


def _labels_of(family: Family) -> dict[Field, str]:
    """Where an LMS has other names than the usual ones."""
    match family.key:
        case "moodle":
            return {
                "site": _("Platform ID"),
                "issuer": _("Platform ID, if it is not the address"),
                "authorization_url": _("Authentication request URL"),
                "token_url": _("Access token URL"),
                "jwks_url": _("Public keyset URL"),
            }
        case "canvas":
            return {"site": _("Address of your Canvas")}
        case "blackboard":
            return {
                "client_id": _("Client ID (Application ID)"),
                "issuer": _("Issuer"),
                "authorization_url": _("OIDC auth request endpoint"),
                "token_url": _("Auth token endpoint"),
                "jwks_url": _("Public keyset URL"),
            }
        case "brightspace":
            return {
                "site": _("Issuer"),
                "issuer": _("Issuer, if it is not the address"),
                "client_id": _("Client Id"),
                "deployment_id": _("Deployment Id"),
                "authorization_url": _("OpenID Connect Authentication Endpoint"),
                "token_url": _("Brightspace OAuth2 Access Token URL"),
                "jwks_url": _("Brightspace Keyset URL"),
                "token_audience": _("Brightspace OAuth2 Audience"),
            }
        case "sakai":
            return {
                "issuer": _("LTI 1.3 Platform Issuer"),
                "client_id": _("LTI 1.3 Client ID"),
                "deployment_id": _("LTI 1.3 Deployment Id"),
                "authorization_url": _("LTI 1.3 LMS OIDC Endpoint URL"),
                "token_url": _("LTI 1.3 LMS OAuth Token URL"),
                "jwks_url": _("LTI 1.3 LMS Keyset URL"),
            }
        case _:
            return {}
