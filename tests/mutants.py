"""Mutation testing: faults made one at a time, each of which the tests of its module must notice.

``python -m tests.mutants [--of PATH...] [--every K]``; nothing is written to any file: a child
process runs the faulty module in place of the true one.
"""

import argparse
import ast
import gc
import importlib.util
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import CodeType

os.environ["CI"] = "true"  # hypothesis then tries the same examples each time, and keeps none

import pytest
from attrs import frozen

from tests.faults import Fault, faults

_AT_A_TIME = 2
_TO_KILL = 0.95
_TIMED_OUT = 124
_ROOMS = {"adapters", "application", "benchmarks", "contract", "domain", "entrypoints", "tests"}
_PYTEST = ("-x", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", "-p", "no:cov", "--no-header")

_HELD_BY: Mapping[str, Sequence[str]] = {
    "domain/caller.py": ["test_caller.py"],
    "domain/room.py": ["test_room.py", "../entrypoints/http/test_audit.py::TestEvent"],
    "domain/strict_json.py": ["test_strict_json.py"],
    "domain/track.py": ["../entrypoints/http/test_errors.py"],
    "adapters/identity/claims.py": ["test_claims.py"],
    "adapters/identity/jws.py": ["test_jws.py", "test_signed_tokens.py::TestGoodTokens"],
    "adapters/livekit/errors.py": ["test_errors.py"],
    "entrypoints/http/errors.py": ["test_errors.py"],
    "entrypoints/http/credentials.py": [
        "test_credentials.py",
        "test_delegated_over_http.py::TestQuestion",
        "test_delegated_order.py",
    ],
    "adapters/identity/api_secrets.py": ["test_api_secrets.py"],
    "adapters/identity/chain.py": ["test_chain.py"],
    "adapters/identity/nobody.py": ["test_nobody.py"],
    "adapters/identity/signed_tokens.py": ["test_signed_tokens.py"],
    "adapters/identity/signing_key.py": ["test_signing_key.py"],
    "entrypoints/http/wire.py": ["test_mute_track.py"],
    "entrypoints/auth_settings.py": [
        "test_auth_settings.py",
        "test_api_secrets.py",
        "test_setting_files.py",
    ],
    "adapters/identity/public_keys.py": ["test_public_keys.py", "test_key_sets.py"],
    "adapters/identity/delegated.py": ["test_delegated_question.py", "test_delegated.py"],
    "adapters/identity/upstream.py": [
        "test_key_server.py::TestFirstFetch",
        "test_delegated.py",
        "test_failing_key_server.py",
    ],
    "adapters/identity/key_server.py": [
        "test_key_server.py",
        "test_unknown_keys.py",
        "test_failing_key_server.py",
    ],
    "entrypoints/http/body.py": ["test_mute_track.py", "test_connection.py"],
}
"""The tests that hold a module, the quickest first, told from the folder that mirrors its own."""


@frozen
class Mutant:
    """A fault in a module, or none, to see that the tests pass without."""

    path: str
    fault: Fault | None
    limit_s: float

    def start(self) -> int:
        """Run the module's tests in a child process, and tell its id."""
        child = os.fork()
        if not child:
            _be_silent()
            timer = threading.Timer(self.limit_s, os._exit, [_TIMED_OUT])
            timer.daemon = True
            timer.start()
            try:
                if self.fault:
                    _import(self.path, self.fault.make(self.path))
                os._exit(pytest.main([*_PYTEST, *_tests(self.path)]))
            finally:
                os._exit(1)
        return child


def _tests(path: str) -> list[str]:
    return [os.path.normpath(f"tests/{path}/../{name}") for name in _HELD_BY[path]]


def _import(path: str, code: CodeType) -> None:
    name = path.removesuffix(".py").replace("/", ".")
    spec = importlib.util.find_spec(name)
    assert spec is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    exec(code, module.__dict__)  # noqa: S102 - our own module, but for the fault


def _be_silent() -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)


def _warm_up(paths: Sequence[str]) -> None:
    """Import what the tests import from elsewhere, once for all children, and nothing of ours."""
    tests = dict.fromkeys(test for path in paths for test in _tests(path))
    if pytest.main([*_PYTEST, "--collect-only", "-qq", *tests]):
        sys.exit("the tests cannot be collected")
    for name in [name for name in sys.modules if name.partition(".")[0] in _ROOMS]:
        del sys.modules[name]
    gc.freeze()  # what is warm is not garbage, and need not be looked through again


def _judge(mutants: Sequence[Mutant]) -> Iterator[tuple[Mutant, int]]:
    waiting, running = list(reversed(mutants)), dict[int, Mutant]()
    while waiting or running:
        while waiting and len(running) < _AT_A_TIME:
            mutant = waiting.pop()
            running[mutant.start()] = mutant
        child, status = os.wait()
        yield running.pop(child), os.waitstatus_to_exitcode(status)


def _report(path: str, every: int) -> Counter[str]:
    began = time.monotonic()
    for _, code in _judge([Mutant(path, None, 600)]):
        if code:
            sys.exit(f"{path}: its tests fail without any fault: {code}")
    limit_s = 10 + 5 * (time.monotonic() - began)
    found = list(faults(ast.parse(Path(path).read_bytes())))[::every]
    told: Counter[str] = Counter()
    for mutant, code in _judge([Mutant(path, fault, limit_s) for fault in found]):
        fate = {0: "survived", _TIMED_OUT: "timed out"}.get(code, "killed")
        told[fate] += 1
        if fate != "killed":
            print(f"  {fate}: {path}:{mutant.fault}", flush=True)  # noqa: T201 - the result
    print(f"{path}: {_told(told)}, {time.monotonic() - began:.0f} s", flush=True)  # noqa: T201
    return told


def _told(told: Counter[str]) -> str:
    rate = 1 - told["survived"] / max(1, told.total())
    fates = ", ".join(f"{told[fate]} {fate}" for fate in ("killed", "survived", "timed out"))
    return f"{told.total()} mutants, {fates}, {rate:.1%}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("--of", nargs="+", choices=_HELD_BY, default=list(_HELD_BY), metavar="PATH")
    parser.add_argument("--every", type=int, default=1, help="judge each K-th fault only")
    chosen = parser.parse_args()
    _warm_up(chosen.of)
    all_told: Counter[str] = Counter()
    for path in chosen.of:
        all_told += _report(path, chosen.every)
    print(f"in all: {_told(all_told)}")  # noqa: T201
    return int(all_told["survived"] > (1 - _TO_KILL) * all_told.total())


if __name__ == "__main__":
    sys.exit(main())
