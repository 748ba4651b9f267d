"""What is kept of one person, as files: for a request of theirs that reaches the operator."""

import os
from datetime import datetime
from pathlib import Path

from lti_tool.cycles import words as cycle_words
from lti_tool.ownership import service, words
from lti_tool.privacy.keyring import Keyring
from lti_tool.privacy.looks import service as looks
from lti_tool.settings import Settings
from lti_tool.store.database import Database
from lti_tool.web.app import create_app


def write(
    settings: Settings, database: Database, keyring: Keyring, person_id: str, folder: Path, now: datetime
) -> tuple[Path, Path]:
    """Writes meitheal.html and meitheal.json into a folder, readable by their owner only, and returns their paths.

    That it was done is kept in the logs of who looked before anything is written: theirs, and those of partners whose
    words come along. Raises OSError, also where a file is there already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    opened: set[tuple[str, str | None]] = {(person_id, None)}
    app = create_app(settings, database=database, clock=lambda: now)
    with app.test_request_context(), database.read() as session:
        taken = service.collect(
            session, keyring, person_id, cycle_words.into, lambda author, cycle: opened.add((author, cycle)), now
        )
        texts = {"meitheal.html": words.as_html(taken), "meitheal.json": words.as_json(taken)}
    for owner, cycle_id in sorted(opened, key=str):
        looks.record(
            database, keyring, viewer=looks.OPERATOR, owners=[owner], cycle_id=cycle_id, what=looks.EXPORTED, now=now
        )
    files = []
    for name, text in texts.items():
        file = folder / name
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as writing:
            writing.write(text)
        files.append(file)
    return files[0], files[1]
