"""What tests of ``deploy/`` share."""

import pytest

from tests.deploy.manifests import READINGS, Manifests


@pytest.fixture(params=["written", pytest.param("kustomized", marks=pytest.mark.kustomize)])
def manifests(request: pytest.FixtureRequest) -> Manifests:
    return READINGS[request.param]()
