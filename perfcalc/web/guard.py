"""What every request passes before anything else sees it: host, origin, token, sizes; and the headers of every answer."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import json
import logging
import re
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from perfcalc.web.settings import Settings, is_loopback

log = logging.getLogger("perfcalc.web")

COOKIE: Final = "perfcalc"
MOST_HEADERS, HEADER_BYTES, PATH_BYTES = 64, 16 << 10, 8 << 10
#: Of a request that brings no sheet.
SMALL_BODY: Final = 1 << 20
#: Beside the file, a multipart body holds its boundaries and the options.
AROUND_THE_FILE: Final = 64 << 10
#: A body must go on arriving: never silent for so long, and on the whole not slower than so many bytes a second.
SILENCE_SECONDS: Final = 30.0
SLOWEST: Final = 4 << 10
UPLOADS: Final = ("/upload", "/api/jobs", "/api/score")
#: Open without a token: the page that asks for it, and what it looks like.
OPEN_PATHS: Final = ("/login", "/static/page.css", "/static/page.js", "/api/health")
SAFE_METHODS: Final = frozenset(("GET", "HEAD", "OPTIONS"))

#: Scripts, styles and requests of this very server only; never inside another page's frame.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
ANSWER_HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # "no-referrer" would have browsers send our own forms with "Origin: null"
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}


class RefusedError(HTTPException):
    """A request that goes no further: status, what is wrong, what to do."""

    def __init__(self, status: int, what: str, remedy: str) -> None:
        super().__init__(status, what)
        self.what, self.remedy = what, remedy


def session(token: str) -> str:
    """What the cookie holds: made from the token, but not the token."""
    return hmac.new(token.encode(), b"perfcalc session", hashlib.sha256).hexdigest()


class Guard:
    """The outermost layer of the server."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.settings = app, settings
        self._names = {name.casefold() for name in settings.names}
        self._session = session(settings.token) if settings.token else ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check a request, then hand it on with a limited body."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        begun = False

        async def answer(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in ANSWER_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            headers = Headers(scope=scope)
            self._check_sizes(scope)
            self._check_host(headers)
            self._check_origin(scope, headers)
            self._check_token(scope, headers)
            await self.app(scope, self._limited(scope, headers, receive), answer)
        except RefusedError as refused:
            if not begun:
                await _refuse(scope, refused, answer)
        except Exception:
            log.exception("a request failed")
            if not begun:
                await _refuse(scope, RefusedError(500, "perfcalc failed here", "please report it"), answer)

    def _check_sizes(self, scope: Scope) -> None:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        if len(headers) > MOST_HEADERS or sum(len(name) + len(value) for name, value in headers) > HEADER_BYTES:
            raise RefusedError(431, "the request has too many or too long headers", "clear the cookies of this address")
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > PATH_BYTES:
            raise RefusedError(414, "the address is too long", "send the options in parts")

    def _check_host(self, headers: Headers) -> None:
        """Refuse a strange name: a page elsewhere may have had its name pointed at this machine (DNS rebinding)."""
        hosts = headers.getlist("host")
        host = _host_of(hosts[0]) if len(hosts) == 1 else ""
        known = host in self._names or host == "localhost" or (host and host == self.settings.host.casefold())
        if not known:
            try:
                # A number cannot be rebound. On a server for this machine alone it must be this machine's.
                known = ipaddress.ip_address(host).is_loopback or not is_loopback(self.settings.host)
            except ValueError:
                known = False
        if not known:
            raise RefusedError(
                421, "this server does not answer to that name", "use its address, or start it with --name NAME"
            )

    @staticmethod
    def _check_origin(scope: Scope, headers: Headers) -> None:
        """Refuse what another site had the browser send (CSRF), and reading by other sites' scripts and tags."""
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        changes = scope["method"] not in SAFE_METHODS
        elsewhere = site is not None and site not in ("same-origin", "none")
        followed = headers.get("sec-fetch-mode") == "navigate" and not changes
        sender = origin if origin is not None else headers.get("referer")
        own = sender is None or _host_in(sender) == headers.get("host", "").casefold()
        if (elsewhere and not followed) or (changes and not own):
            raise RefusedError(403, "another site sent this request", "open the page itself")

    def _check_token(self, scope: Scope, headers: Headers) -> None:
        if not self.settings.token or scope["path"] in OPEN_PATHS:
            return
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.casefold() == "bearer" and same(given.strip(), self.settings.token):
            return
        if not same(_cookie(headers.get("cookie", "")), self._session):
            raise RefusedError(
                401, "this server asks for a token", "send it as 'Authorization: Bearer TOKEN', or sign in"
            )

    def _limited(self, scope: Scope, headers: Headers, receive: Receive) -> Receive:
        upload = scope["path"].rstrip("/") in UPLOADS
        most = self.settings.limits.upload_bytes + AROUND_THE_FILE if upload else SMALL_BODY
        told = headers.get("content-length", "0")
        shown = f"{self.settings.limits.upload_bytes / (1 << 20):,.4g} MiB" if upload else f"{SMALL_BODY >> 20} MiB"
        too_large = RefusedError(
            413, f"the upload is larger than {shown}", "give it in parts, or compress it with gzip"
        )
        if not told.isdecimal() or len(told) > 18:
            raise RefusedError(400, "the request does not say its length", "send it anew")
        if int(told) > most:
            raise too_large
        seen, whole = 0, False
        clock = asyncio.get_running_loop().time
        begun = clock()

        async def limited() -> Message:
            nonlocal seen, whole
            if whole:  # what comes now is only that the client has gone, whenever it likes
                return await receive()
            try:
                patience = begun + SILENCE_SECONDS + seen / SLOWEST - clock()
                message = await asyncio.wait_for(receive(), min(SILENCE_SECONDS, patience))
            except TimeoutError:
                raise RefusedError(408, "the upload stopped arriving, or is too slow", "send it anew") from None
            if message["type"] == "http.request":
                seen += len(message.get("body", b""))
                whole = not message.get("more_body", False)
                if seen > most:
                    raise too_large
            return message

        return limited


def same(given: str, right: str) -> bool:
    """Compare secrets in a time that does not tell where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())


def _host_of(text: str) -> str:
    """The name or number in a Host header, without its port."""
    found = re.fullmatch(r"(?:\[([0-9a-f:.]+)\]|([^][:]+))(?::[0-9]*)?", text.strip().casefold())
    return (found[1] or found[2]) if found else ""


def _host_in(address: str) -> str:
    """The host and port of an address; a text that is none has a host that nobody has."""
    try:
        return urlsplit(address).netloc.casefold()
    except ValueError:
        return "?"


def _cookie(text: str) -> str:
    try:
        found = SimpleCookie(text).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None else ""


def wants_json(scope: Scope) -> bool:
    """Whether the API is asked, and not a page."""
    return str(scope["path"]).startswith("/api")


async def _refuse(scope: Scope, refused: RefusedError, send: Send) -> None:
    if refused.status_code == 401 and not wants_json(scope):
        headers, body = [(b"location", b"/login")], b""
        await send({"type": "http.response.start", "status": 303, "headers": headers})
    else:
        body = json.dumps({"error": refused.what, "remedy": refused.remedy}).encode()
        kind = b"application/json"
        if not wants_json(scope):
            body, kind = f"{refused.what}\n{refused.remedy}\n".encode(), b"text/plain; charset=utf-8"
        headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": refused.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": body})
