"""The person behind a request, as loaded from their sign-in: what every view and every privacy question starts from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, where. Loaded by one statement; holds no secret."""

    handle: str
    """Id of the sign-in: the first part of every path this actor walks."""
    person_id: str
    membership_id: str
    course_id: str
    course_title: str
    activity_id: str | None
    """The activity that was launched."""
    name: str
    given_name: str
    lms_role: str
    """instructor, learner or other."""
    is_administrator: bool
    is_leader: bool
    is_active: bool
    is_trainer: bool
    """Trainer of the activity that was launched."""
    is_welcomed: bool
    language: str
    """The person's own choice of language, or empty."""
    locale: str
    """Language of the launch, or empty."""
    platform_origin: str
    return_url: str
    selection_id: str | None = None
    """The selection of content that was launched; None where it was an activity."""
    is_facilitator: bool = False
    """Facilitator of the activity that was launched."""
    is_in_audience: bool = True
    """Whether the activity that was launched is meant for this person, as its trainer chose."""
    platform_id: str = ""
    school_id: str | None = None
    time_zone: str = ""
    """The person's own choice, else the launch's; an IANA name, or empty."""

    @property
    def is_guest(self) -> bool:
        """An Instructor who was not made trainer here: sees neither names nor content."""
        return self.lms_role != "learner" and not self.is_trainer

    @property
    def is_above(self) -> bool:
        """A school leader or platform administrator: sees no names with activity, whatever other role they hold."""
        return self.is_administrator or self.is_leader

    @property
    def is_teacher(self) -> bool:
        """Takes part in coaching here."""
        return self.lms_role == "learner" and not self.is_above and self.is_active
