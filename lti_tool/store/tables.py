"""The complete list of tables: metadata knows a table only once the module that declares it was imported."""

import importlib
import pkgutil

import lti_tool
import moodle_sync


def import_all_models() -> None:
    """Imports every `models` module of the rooms (and the store's own), so that Base.metadata holds all tables."""
    for module in (
        *pkgutil.walk_packages(lti_tool.__path__, "lti_tool."),
        *pkgutil.walk_packages(moodle_sync.__path__, "moodle_sync."),
    ):
        if module.name.rpartition(".")[2] in ("models", "jobs_models"):
            importlib.import_module(module.name)
