"""Limits of the process."""

import resource
from collections.abc import Iterator

import pytest

from entrypoints.service import raise_nofile_limit


@pytest.fixture
def hard() -> Iterator[int]:
    """The highest number of open files that this process may have."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_limit_of_open_files_is_raised_as_far_as_it_can_be(hard: int) -> None:
    if hard == resource.RLIM_INFINITY:
        pytest.skip("there is no limit here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard - 1, hard))
    [problem] = raise_nofile_limit(hard + 1)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    assert f"is {hard}; the settings may need {hard + 1}" in problem


def test_a_limit_that_is_enough_stays_as_it_is(hard: int) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert raise_nofile_limit(before[0] - 1) == []
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[0], hard)
