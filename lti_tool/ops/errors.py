"""What goes wrong in a command, as one line for the operator."""


class CommandFailed(Exception):
    """The text says what happened and what to do. `is_usage`: the input was wrong (exit status 2), not the run (1)."""

    def __init__(self, text: str, *, is_usage: bool = False) -> None:
        super().__init__(text)
        self.is_usage = is_usage
