"""What two programs that are killed write down."""

import os
import time


class Log:
    """An append-only log of what happened when, in nanoseconds of the machine's monotonic clock."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(self, *what: str) -> None:
        os.write(self._file, f"{' '.join(what)} {time.monotonic_ns()}\n".encode())
