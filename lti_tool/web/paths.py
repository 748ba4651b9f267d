"""Where the pages lie: inside the installed package, or beside it in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def template_folder() -> str:
    """The folder of templates. The wheel carries it inside the package; a checkout has it at the top level."""
    packaged = _PACKAGE / "templates"
    return str(packaged if packaged.is_dir() else _PACKAGE.parent / "templates")
