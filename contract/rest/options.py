"""The command line of the suite, and the endpoint that it names."""

from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from contract.rest.arranging import LiveKit
from contract.rest.connection import Address, Patience
from contract.rest.endpoint import Endpoint, Tenant

_TENANTS = 2


def add_options(parser: pytest.Parser) -> None:
    """Add the options of the suite to pytest's."""
    group = parser.getgroup("REST suite of livekit-mute")
    with suppress(ValueError):  # another plugin has an option of this name and meaning
        group.addoption("--base-url", metavar="URL", help="the server under test")
    add = group.addoption
    add("--livekit-url", metavar="URL", help="the LiveKit double in front of which it runs")
    add("--livekit-api-key", metavar="KEY", default="devkey", help="default: devkey")
    add("--livekit-api-secret", metavar="SECRET", default="secret", help="default: secret")
    add(
        "--token",
        metavar="TENANT=TOKEN",
        action="append",
        default=[],
        dest="tenant_tokens",
        help="a tenant's id and a token that the server accepts for it; give two tenants",
    )
    add(
        "--leave-out",
        metavar="NUMBER=REASON",
        action="append",
        default=[],
        help="list a clause as left out, and do not run it; repeatable",
    )
    add(
        "--answer-timeout",
        metavar="SECONDS",
        type=float,
        default=10.0,
        help="how long to wait for an answer; longer than the server waits for LiveKit (10)",
    )
    add("--markdown", metavar="PATH", help="write a table with one row a clause to this file")


def endpoint_of(config: pytest.Config) -> Endpoint:
    """Return the endpoint that the command line names.

    Raises:
        UsageError: an option is missing or invalid; the text says which.
    """
    tenants = [_tenant(text) for text in config.getoption("tenant_tokens")]
    if len({tenant.id for tenant in tenants}) != _TENANTS or len(tenants) != _TENANTS:
        raise pytest.UsageError(
            "tokens of two tenants are needed: --token TENANT=TOKEN --token OTHER=TOKEN,"
            f" not of {len({tenant.id for tenant in tenants})}"
        )
    return Endpoint(
        address=Address(_url(config, "--base-url", "the server under test")),
        livekit=LiveKit(
            url=_url(config, "--livekit-url", "the LiveKit double behind it"),
            api_key=config.getoption("--livekit-api-key"),
            api_secret=config.getoption("--livekit-api-secret"),
        ),
        tenants=tenants,
        patience=Patience(config.getoption("--answer-timeout")),
    )


def left_out(config: pytest.Config, known: set[str]) -> Mapping[str, str]:
    """Return the reason for each clause that is left out.

    Raises:
        UsageError: a number is unknown, or has no reason.
    """
    reasons: dict[str, str] = {}
    for text in config.getoption("--leave-out"):
        number, _, reason = (part.strip() for part in text.partition("="))
        if number not in known:
            raise pytest.UsageError(f"--leave-out {text}: there is no clause {number!r}")
        if not reason:
            raise pytest.UsageError(f"--leave-out {text}: say why: --leave-out {number}=REASON")
        reasons[number] = reason
    return reasons


def _url(config: pytest.Config, option: str, what: str) -> str:
    url: str = config.getoption(option) or ""
    if not url:
        raise pytest.UsageError(f"{option} URL is missing: {what}")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise pytest.UsageError(f"{option} {url} is no URL such as http://127.0.0.1:3001")
    return url


def _tenant(text: str) -> Tenant:
    name, _, token = text.partition("=")
    if not name or not token:
        raise pytest.UsageError("--token is TENANT=TOKEN, the id and the token of a tenant")
    return Tenant(id=name, token=token)
