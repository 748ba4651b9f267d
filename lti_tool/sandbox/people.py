"""Who is in the school: believable Irish names, and as many more as a test asks for."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class CourseRole(StrEnum):
    """What a person is in one course, in Moodle's words; other LMSs have the same four under other names."""

    STUDENT = "student"
    TEACHER = "teacher"
    EDITING_TEACHER = "editingteacher"
    MANAGER = "manager"

    @property
    def label(self) -> str:
        return _LABELS[self]

    @property
    def may_edit(self) -> bool:
        """Whether the role adds activities to the course."""
        return self in (CourseRole.EDITING_TEACHER, CourseRole.MANAGER)

    @property
    def is_staff(self) -> bool:
        return self is not CourseRole.STUDENT

    @property
    def is_gradable(self) -> bool:
        return self is CourseRole.STUDENT


_LABELS = {
    CourseRole.STUDENT: "Student",
    CourseRole.TEACHER: "Non-editing teacher",
    CourseRole.EDITING_TEACHER: "Teacher",
    CourseRole.MANAGER: "Manager",
}


@dataclass(frozen=True)
class Person:
    """An account of the LMS. `id` is the LMS's user id; `id_number` the school's own number, often empty."""

    id: str
    username: str
    given: str
    family: str
    email: str
    id_number: str = ""
    is_admin: bool = False
    job: str = ""

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}"

    @property
    def initials(self) -> str:
        return self.given[0] + self.family.split()[-1][0].upper()


ADMINISTRATOR = ("Colm", "Hennessy", "Site administrator")
PRINCIPAL = ("Eithne", "Ní Fhlatharta", "Principal")
TRAINER = ("Máire", "Nic Eoin", "Trainer")
SECOND_TRAINER = ("Diarmuid", "Ó Ríordáin", "Trainer")
NOT_ENROLLED = ("Bláthnaid", "de Búrca", "Teacher, not in the course")

TEACHERS = (
    ("Niamh", "Ní Bhriain"),
    ("Seán", "Ó Dónaill"),
    ("Siobhán", "Nic Gabhann"),
    ("Pádraig", "Mac Cárthaigh"),
    ("Gráinne", "Ní Dhomhnaill"),
    ("Éamon", "Ó Sé"),
    ("Orla", "Byrne"),
    ("Tomás", "Ó Briain"),
    ("Aoife", "Ní Mháille"),
    ("Conor", "Fitzgerald"),
    ("Ciara", "Walsh"),
    ("Cian", "Ó Conaill"),
    ("Sinéad", "Ní Chonaill"),
    ("Donncha", "Mac Gabhann"),
    ("Róisín", "Nic Dhonncha"),
    ("Fionn", "Kelly"),
    ("Caoimhe", "Murphy"),
    ("Micheál", "Ó Máille"),
    ("Áine", "Uí Laoire"),
    ("Ruairí", "Ó Súilleabháin"),
    ("Bríd", "Ní Shúilleabháin"),
    ("Oisín", "Daly"),
    ("Deirdre", "Keane"),
    ("Sorcha", "Nic an tSaoi"),
)

_WOMEN = (
    "Aisling", "Bríd", "Caitríona", "Clíona", "Deirdre", "Eilís", "Fionnuala", "Gormlaith", "Íde", "Líadan", "Muireann",
    "Nóra", "Nuala", "Orlaith", "Sadhbh", "Saoirse", "Sorcha", "Treasa", "Una",
)  # fmt: skip
_MEN = (
    "Aodhán", "Brendan", "Cathal", "Ciarán", "Colm", "Dáithí", "Dónal", "Eoin", "Fergal", "Fiachra", "Lorcán",
    "Naoise", "Niall", "Peadar", "Proinsias", "Rónán", "Séamus", "Tadhg", "Turlough",
)  # fmt: skip
# Each family in the form a man and a woman of it bears: Ó becomes Ní, Mac becomes Nic, and both soften what follows.
_FAMILIES = (
    ("Ó Briain", "Ní Bhriain"),
    ("Ó Ceallaigh", "Ní Cheallaigh"),
    ("Ó Dálaigh", "Ní Dhálaigh"),
    ("Ó Flaithearta", "Ní Fhlaithearta"),
    ("Ó Gallchóir", "Ní Ghallchóir"),
    ("Ó hEochaidh", "Ní Eochaidh"),
    ("Ó Murchú", "Ní Mhurchú"),
    ("Ó Néill", "Ní Néill"),
    ("Ó Raghallaigh", "Ní Raghallaigh"),
    ("Ó Tuathail", "Ní Thuathail"),
    ("Mac Aodha", "Nic Aodha"),
    ("Mac Cárthaigh", "Nic Cárthaigh"),
    ("Mac Diarmada", "Nic Dhiarmada"),
    ("Mac Mathúna", "Nic Mhathúna"),
    ("Mac Suibhne", "Nic Shuibhne"),
    ("Breathnach", "Breathnach"),
    ("Doyle", "Doyle"),
    ("Lynch", "Lynch"),
    ("Nolan", "Nolan"),
    ("Quinn", "Quinn"),
    ("Ryan", "Ryan"),
)


def more_names(seed: int) -> Iterator[tuple[str, str]]:
    """Endless (given, family) names, women and men in turn, the same ones for the same `seed`."""
    step = seed
    while True:
        woman = step % 2 == 0
        given_names = _WOMEN if woman else _MEN
        given = given_names[(step // 2) % len(given_names)]
        # 19 given names and 21 families share no factor, so no full name comes back before 798 others.
        masculine, feminine = _FAMILIES[(step // 2) % len(_FAMILIES)]
        yield given, feminine if woman else masculine
        step += 1


def plain(name: str) -> str:
    """`name` in plain lower-case letters, as a school writes it in an address: "Ní Mháille" gives "nimhaille"."""
    decomposed = unicodedata.normalize("NFD", name)
    return "".join(letter for letter in decomposed if letter.isascii() and letter.isalnum()).lower()
