"""Who may ask the page: the right host, the right origin, and the token where the page is not on this machine alone.

A page on 127.0.0.1 can be reached from any web page that the browser shows, if a name of that page's server is made to
mean 127.0.0.1 (DNS rebinding). So the host that the browser asks for must be one of ours. A page on another address is
for those who have its token, which becomes a cookie on the first visit.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
COOKIE = "ecggan_token"
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors {framed_by}"
)


@dataclass(frozen=True)
class Access:
    """What a request must bring.

    Args:
        hosts: the names and addresses by which the page may be asked for, without the port; None for any, which is safe
            with a token alone.
        token: None for none.
        framed_by: the origins whose pages may show this one in a frame; none by default.
    """

    hosts: tuple[str, ...] | None = LOOPBACK
    token: str | None = None
    framed_by: tuple[str, ...] = ()

    def refusal(self, method: str, headers: Mapping[str, str]) -> str | None:
        """Why a request is refused, its token aside; None if it is not."""
        host = headers.get("host", "")
        if self.hosts is not None and _name(host) not in self.hosts:
            return f"this page is not {_name(host) or 'without a host'}: open it by the address that it printed"
        origin = headers.get("origin")
        if method not in ("GET", "HEAD") and origin is not None and urlsplit(origin).netloc != host:
            return "another page may not send anything here"
        return None

    def knows(self, token: str) -> bool:
        return self.token is None or secrets.compare_digest(token.encode(), self.token.encode())


def access_for(host: str) -> Access:
    """The access to a page that listens on an address: with a new token unless it is this machine's own."""
    if host in ("127.0.0.1", "localhost", "::1"):
        return Access()
    return Access(None, secrets.token_urlsafe(24))


class Guard:
    """The gate before the application: refuses, sets the cookie, and adds the headers that bind the browser."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app, self.access = app, access
        framed_by = " ".join(access.framed_by) or "'none'"
        self.headers = {**HEADERS, "content-security-policy": POLICY.format(framed_by=framed_by)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await (self._refusal(scope) or self.app)(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if why := self.access.refusal(scope["method"], headers):
            return PlainTextResponse(why, 421 if scope["method"] == "GET" else 403)
        if self.access.token is None:
            return None
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        if "token" in query and self.access.knows(query["token"]):
            rest = urlencode({name: value for name, value in query.items() if name != "token"})
            answer = RedirectResponse(scope["path"] + (f"?{rest}" if rest else ""), 303)
            answer.set_cookie(COOKIE, query["token"], httponly=True, samesite="lax")
            return answer
        if self.access.knows(_cookies(headers).get(COOKIE, "")):
            return None
        return PlainTextResponse("open the page by the address that it printed, with its token", 403)


def _name(host: str) -> str:
    """The host without its port, in lower case."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).lower()


def _cookies(headers: Headers) -> dict[str, str]:
    pairs = (pair.strip().partition("=") for pair in headers.get("cookie", "").split(";"))
    return {name: value for name, _, value in pairs}
