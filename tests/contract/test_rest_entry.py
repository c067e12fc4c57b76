"""The entry point by which pytest finds the REST suite."""

import pytest

from contract.rest import entry

PLUGIN = "contract.rest.plugin"


@pytest.mark.parametrize(
    ("args", "is_loaded"),
    [([], False), (["tests"], False), (["contract.restless"], False), (["contract.rest"], True)],
)
def test_is_loaded_where_the_command_line_names_it(args: list[str], *, is_loaded: bool) -> None:
    config = pytest.Config(pytest.PytestPluginManager())
    entry.pytest_load_initial_conftests(config, args)
    entry.pytest_load_initial_conftests(config, args)  # which loads it once
    assert config.pluginmanager.has_plugin(PLUGIN) is is_loaded
