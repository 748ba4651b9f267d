"""The platform that the roster's tests talk to."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

# Test folders are no packages; what several files of this one share is loaded by its path.
_spec = importlib.util.spec_from_file_location("roster_platform", Path(__file__).with_name("roster_platform.py"))
assert _spec and _spec.loader
_module = importlib.util.module_from_spec(_spec)
sys.modules["roster_platform"] = _module
_spec.loader.exec_module(_module)


@pytest.fixture
def platform(httpserver: HTTPServer) -> Any:
    """A recorded Moodle on this machine."""
    return _module.RecordedPlatform(httpserver)
