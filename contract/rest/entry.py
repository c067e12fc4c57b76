"""The entry point by which pytest finds the suite: ``pytest --pyargs`` and this package's name.

pytest parses the command line before it looks for the conftest.py of a package that is named. This
module adds the suite's options only then; other runs of pytest do not see the suite at all.
"""

import importlib

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> None:
    """Load the suite's plugin if the command line names its package."""
    if any(f"{arg}.".startswith(f"{__package__}.") for arg in args):
        plugin = importlib.import_module(f"{__package__}.plugin")
        if not early_config.pluginmanager.is_registered(plugin):
            early_config.pluginmanager.register(plugin)
