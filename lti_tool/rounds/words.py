"""The words of pairing rounds: what a code of the rules means to the person who reads it."""

from flask_babel import gettext as _

from lti_tool.rounds.rules import Topic


def topic(found: Topic) -> str:
    """What a topic is called: in the trainer's words, or, where one ships with the tool, in the reader's language.

    A key that ships no more is said as it is.
    """
    return found.text or shipped_topics().get(found.key, found.key)


def shipped_topics() -> dict[str, str]:
    """Key of each topic that ships → what it is called. All say what teachers could look at, none what is lacking."""
    return {
        "questions": _("Questions that make pupils think"),
        "waiting": _("Time to think after a question"),
        "pupils_talk": _("Pupils talking about their learning"),
        "engagement": _("How pupils come into the work"),
        "groups": _("Pupils working in groups"),
        "feedback": _("Feedback to pupils, and what they do with it"),
        "assessment": _("Pupils knowing what they are learning and how it goes"),
        "differentiation": _("One lesson for different pupils"),
        "inclusion": _("Pupils with special educational needs in the class"),
        "literacy": _("Reading and writing in all subjects"),
        "numeracy": _("Numbers in all subjects"),
        "digital": _("Digital tools in the lesson"),
        "routines": _("Routines of the classroom"),
        "irish": _("Irish through the school day"),
        "play": _("Play and learning outdoors"),
        "transitions": _("Moving on: from class to class, school to school"),
    }
