"""What the door says to a person when it stays shut: what happened, and what to do."""

from flask_babel import gettext as _

from lti_tool.lti.errors import DoorError, Reason


def texts_for(error: DoorError) -> tuple[int, str, str, str]:
    """Status, title, what happened, what to do."""
    again = _("Go back to your course and open the activity there.")
    again_or_tell = _(
        "Go back to your course and open the activity there. If it happens again, tell the people who look after "
        "your LMS, with the number below."
    )
    tell = _("Tell the people who look after your LMS, with the number below. Nothing of yours was lost.")
    match error.reason:
        case Reason.UNKNOWN_PLATFORM:
            return (
                403,
                _("This LMS is not registered here"),
                _("The activity was opened from an LMS that this installation of Meitheal does not know."),
                _("Ask the people who look after your LMS to register the tool, or to check the registration."),
            )
        case Reason.CLIENT_NEEDED:
            return (
                400,
                _("Which school is this?"),
                _("This LMS registered the tool more than once, and did not say which registration is meant."),
                _("The administrator of your LMS can fix this: the login must carry the client id."),
            )
        case Reason.PLATFORM_PENDING:
            return (
                403,
                _("Not open yet"),
                _("Your LMS is registered, and the people who run Meitheal still have to approve it."),
                _("Please try again later. Your administrator can ask them with the number below."),
            )
        case Reason.PLATFORM_SUSPENDED:
            return (
                403,
                _("Closed for now"),
                _("The people who run Meitheal have paused the connection with your LMS. Everything written is kept."),
                _("Your administrator can ask them why, with the number below."),
            )
        case Reason.DEPLOYMENT_PENDING:
            return (
                403,
                _("Not open here yet"),
                _("The tool was placed in a new part of your LMS, which the people who run Meitheal have to approve."),
                _("Please try again later. Your administrator can ask them with the number below."),
            )
        case Reason.ANONYMOUS:
            return (
                403,
                _("We would like to know who you are"),
                _(
                    "Your LMS opened this activity without saying who you are. Coaching happens between two people, so "
                    "your partner and your own notes need a name behind them, the same one each time."
                ),
                _(
                    "If you only previewed the activity, open it as yourself. Otherwise ask the administrator of your "
                    "LMS to let the tool know who opens it; no e-mail address is needed."
                ),
            )
        case Reason.LINKS_NOT_TAKEN:
            return (
                400,
                _("There is no place for an activity here"),
                _("Your LMS asked for content of a kind that this tool does not have: it places activities, as links."),
                _("Select content where your course takes activities, or add the tool to the course as a plain link."),
            )
        case Reason.UNKNOWN_MESSAGE:
            return (
                400,
                _("The tool cannot do this"),
                _("Your LMS sent a kind of message that this tool does not know."),
                tell,
            )
        case Reason.NO_COOKIES:
            return (
                403,
                _("This browser keeps no cookies"),
                _("Without them the tool cannot know from one page to the next that it is still you."),
                _(
                    "Allow cookies for this site in the settings of your browser, or use another browser; then open "
                    "the activity again from your course."
                ),
            )
        case Reason.OTHER_BROWSER:
            return (
                403,
                _("This launch began somewhere else"),
                _("It was not begun in this browser, or the browser did not keep its cookie."),
                again_or_tell,
            )
        case Reason.LOGIN_USED:
            return (
                409,
                _("Please open the activity again"),
                _("This launch was used already. Each one opens the activity once, so that nobody else can use it."),
                again,
            )
        case Reason.LOGIN_EXPIRED | Reason.TOKEN_EXPIRED | Reason.TOKEN_TOO_OLD:
            return (
                403,
                _("That took too long"),
                _("A launch is good for a few minutes only, and this one is older."),
                again_or_tell,
            )
        case Reason.LOGIN_UNKNOWN | Reason.NOT_A_POST:
            return (
                405 if error.reason is Reason.NOT_A_POST else 403,
                _("Please open the activity again"),
                _("This address only takes what your LMS sends when somebody opens the activity."),
                again,
            )
        case Reason.CODE_INVALID | Reason.FOREIGN_ORIGIN:
            return (
                403,
                _("Please open the activity again"),
                _("This step works once, for a few minutes, from the page that offered it."),
                again,
            )
        case Reason.PLATFORM_ERROR:
            said = error.said
            return (
                403,
                _("Your LMS did not open the activity"),
                _("It answered: %(said)s", said=said) if said else _("It sent an error instead of a launch."),
                _(
                    "This happens when a page is reloaded, or when you are no longer signed in to your LMS. Go back to "
                    "your course and open the activity there."
                ),
            )
        case Reason.KEYS_UNREACHABLE:
            return (
                503,
                _("Your LMS does not answer"),
                _("The tool could not read the keys with which your LMS signs."),
                _("Try again in a few minutes: go back to your course and open the activity there."),
            )
        case Reason.KEY_UNKNOWN:
            return (
                403,
                _("The signature could not be checked"),
                _("Your LMS signed with a key that it does not publish, or did not publish a minute ago."),
                _(
                    "Wait a minute, then open the activity again from your course. If it happens again, tell the "
                    "people who look after your LMS, with the number below."
                ),
            )
        case Reason.CLOCKS_DIFFER:
            return (
                403,
                _("The clocks differ"),
                _("By the clock of this tool, your LMS sent a launch from the future."),
                _("Tell the people who look after your LMS: one of the two clocks is wrong by more than a minute."),
            )
        case Reason.WRONG_TARGET:
            return (
                400,
                _("The link leads somewhere else"),
                _("The address of this activity in your course does not belong to this tool."),
                tell,
            )
        case Reason.BAD_TOKEN | Reason.BAD_SIGNATURE | Reason.WRONG_ISSUER | Reason.WRONG_AUDIENCE | Reason.WRONG_NONCE:
            return (
                403,
                _("This launch is not genuine"),
                _("What came does not fit what your LMS was asked for, so nobody was let in."),
                again_or_tell,
            )
        case Reason.BAD_CLAIM:
            return (
                400,
                _("Something is missing in this launch"),
                _(
                    "Your LMS left out, or wrote wrongly, something that every launch must say: %(name)s.",
                    name=error.detail,
                ),
                tell,
            )
        case Reason.MALFORMED:
            return (
                400,
                _("Something is missing here"),
                _("This address needs something that did not come, or came twice: %(name)s.", name=error.detail),
                again_or_tell,
            )
        case Reason.INVITE_NEEDED | Reason.INVITE_INVALID:
            return (
                403,
                _("This registration needs a fresh invite"),
                _(
                    "An LMS is registered with a link that works once and for a few days. This one is missing, used, "
                    "in use at this moment, or too old."
                ),
                _("Ask the people who run this installation of Meitheal for a new link."),
            )
        case Reason.INVITE_USED:
            return (
                403,
                _("This link has done its work"),
                _("An LMS was registered with it. Each link registers one LMS."),
                _(
                    "If that was you, nothing is left to do here: go on in your LMS. Otherwise ask the people who run "
                    "this installation of Meitheal for a new link."
                ),
            )
        case Reason.REGISTRATION_ADDRESS:
            return (
                400,
                _("This address may not be used"),
                _("The LMS gave an address that is not https, or that leads into a private network."),
                _(
                    "If the LMS really lives in a private network, the operator of Meitheal can allow that network in "
                    "the settings. The invite is still good."
                ),
            )
        case Reason.REGISTRATION_MISMATCH:
            return (
                400,
                _("The LMS is not where it says it is"),
                _("Its description names another site than the one it came from."),
                _(
                    "Canvas and Blackboard are registered by hand: open your link in a browser, and it shows how. For "
                    "any other LMS, check its address in its own settings. The invite is still good."
                ),
            )
        case Reason.REGISTRATION_UNREACHABLE:
            return (
                400,
                _("The LMS could not be read"),
                _("It did not answer, or its description is not complete."),
                _("Check that the tool can reach the LMS, then try again. The invite is still good."),
            )
        case Reason.REGISTRATION_REFUSED:
            return (
                400,
                _("The LMS did not accept the tool"),
                _("It answered the registration with a refusal."),
                _("Begin again in the LMS: its own link is good for a short time only. The invite is still good."),
            )
        case Reason.ALREADY_REGISTERED:
            return (
                409,
                _("Already registered"),
                _("This registration is known here already; nothing was changed."),
                _("If it should be replaced, the operator of Meitheal removes it first."),
            )
