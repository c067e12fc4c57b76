"""The way to LiveKit: its name, its port, its certificate."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime

from cryptography import x509
from cryptography.x509.oid import NameOID
from yarl import URL

from adapters.http_client.errors import CannotConnectError
from adapters.http_client.way import addresses_of, certificate_of, closed_addresses
from entrypoints.check.finding import Finding, Verdict

_SOON_DAYS = 7
_RESOLVE = "Correct the host in LIVEKIT_URL, or let this machine's name server know it."
_OPEN = "Start LiveKit, correct the port in LIVEKIT_URL, or open the firewall between the two."
_SOME = "Clients that try that address first wait for it: correct it, or remove it from DNS."
_RENEW = "Renew LiveKit's certificate."
_TRUST = (
    "Renew or replace LiveKit's certificate, use the host in LIVEKIT_URL that it is for, or name"
    " the file with its CA in SSL_CERT_FILE; if the port is without TLS, begin with ws://."
)


async def check_way(url: URL, timeout_s: float) -> AsyncIterator[Finding]:
    """Check name, port and certificate in turn; the first that fails is the last."""
    try:
        addresses = await addresses_of(url, timeout_s=timeout_s)
    except CannotConnectError as error:
        yield Finding("livekit dns", Verdict.FAILED, f"{url.host}: {error.reason}", _RESOLVE)
        return
    yield Finding("livekit dns", Verdict.OK, f"{url.host}: {', '.join(addresses)}")
    closed = await closed_addresses(url, addresses, timeout_s=timeout_s)
    yield port_finding(url, addresses, closed)
    if len(closed) < len(addresses):
        yield await _check_tls(url, timeout_s)


def port_finding(url: URL, addresses: Sequence[str], closed: Mapping[str, str]) -> Finding:
    """Judge a port that is closed at some of a host's addresses, each with the cause."""
    causes = "; ".join(f"{address}: {cause}" for address, cause in closed.items())
    if len(closed) == len(addresses):
        return Finding("livekit tcp", Verdict.FAILED, f"port {url.port} at {causes}", _OPEN)
    if closed:
        return Finding("livekit tcp", Verdict.WARNING, f"port {url.port} at {causes}", _SOME)
    return Finding("livekit tcp", Verdict.OK, f"port {url.port} is open")


async def _check_tls(url: URL, timeout_s: float) -> Finding:
    if url.scheme not in ("https", "wss"):
        return Finding("livekit tls", Verdict.OK, f"not used, LIVEKIT_URL is {url.scheme}://")
    try:
        der = await certificate_of(url, trusted=True, timeout_s=timeout_s)
    except CannotConnectError as error:
        seen = await _describe_untrusted(url, timeout_s)
        return Finding("livekit tls", Verdict.FAILED, f"{error.reason}{seen}", _TRUST)
    text, days = describe(der)
    if days < _SOON_DAYS:
        return Finding("livekit tls", Verdict.WARNING, text, _RENEW)
    return Finding("livekit tls", Verdict.OK, text)


async def _describe_untrusted(url: URL, timeout_s: float) -> str:
    try:
        der = await certificate_of(url, trusted=False, timeout_s=timeout_s)
    except CannotConnectError:
        return ""
    return f"; it is {describe(der)[0]}"


def describe(der: bytes) -> tuple[str, int]:
    """Say how long a certificate is valid and, as it says itself, who issued it.

    Returns:
        the text, and for how many days it is still valid.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        issuer = certificate.issuer
    except (TypeError, ValueError):  # cryptography is stricter than OpenSSL
        return "of a form that cannot be shown", _SOON_DAYS
    ends = certificate.not_valid_after_utc
    days = (ends - datetime.now(UTC)).days
    valid = f"valid for {days} days more" if days >= 0 else f"invalid since {ends:%Y-%m-%d}"
    oids = (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)
    names = [each.value for oid in oids for each in issuer.get_attributes_for_oid(oid)]
    authority = " ".join(map(str, names)) or "an authority without a name"
    return f"{valid}, issued by {authority}", days
