"""Clauses: functions whose docstring begins with a number."""

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from types import ModuleType

from attrs import frozen

from contract.rest import clauses
from contract.rest.endpoint import Endpoint

_NUMBERED = re.compile(r"(R\d+\.\d+) (.+)", re.DOTALL)


@frozen(kw_only=True)
class Clause:
    """One promise, and the function that raises where it is broken."""

    number: str
    promise: str
    check: Callable[[Endpoint], None]

    def run(self, endpoint: Endpoint) -> None:
        """Check the promise, with a LiveKit double in which nothing is arranged yet.

        Raises:
            BrokenPromiseError: the server does not keep it.
            NotArrangedError: the double did not do what is needed.
        """
        endpoint.livekit.reset()
        self.check(endpoint)


def clauses_in(module: ModuleType) -> Iterator[Clause]:
    """Yield the clauses of a module in the order in which they stand."""
    for function in vars(module).values():
        numbered = _NUMBERED.fullmatch(getattr(function, "__doc__", None) or "")
        if numbered and callable(function):
            promise = " ".join(numbered[2].split())
            yield Clause(number=numbered[1], promise=promise, check=function)


def all_clauses() -> list[Clause]:
    """Return every clause of the suite, in the order of the numbers."""
    names = [each.name for each in pkgutil.iter_modules(clauses.__path__, f"{clauses.__name__}.")]
    found = [clause for name in names for clause in clauses_in(importlib.import_module(name))]
    return sorted(found, key=lambda clause: [int(n) for n in clause.number[1:].split(".")])
