"""The tool as the benchmark serves it: MEITHEAL_CONFIG names its settings."""

import os
from pathlib import Path

from flask import Flask

from lti_tool import settings
from lti_tool.web.app import create_app as create_tool


def create_app() -> Flask:
    """The tool, from the settings file that the benchmark wrote."""
    return create_tool(settings.load(Path(os.environ["MEITHEAL_CONFIG"])))
