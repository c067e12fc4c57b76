"""Loads the suite's plugin where pytest is given this folder by its path."""

import pytest

from contract.rest import plugin


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Register the plugin, unless it is there already."""
    if not pluginmanager.is_registered(plugin):
        pluginmanager.register(plugin)
