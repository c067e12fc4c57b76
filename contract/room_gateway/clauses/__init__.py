"""The numbered clauses, in groups: what every room gateway promises, each promise a test.

Knows the port, the domain and the back door. Importing it has pytest rewrite the assertions of the
modules in it, so that a failure shows the values compared.
"""

from pkgutil import iter_modules

import pytest

pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in iter_modules(__path__)))
