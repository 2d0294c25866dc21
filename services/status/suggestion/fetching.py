"""Fetching: the feeds of warnings that the operator named, within bounds of time and size."""

import asyncio
from collections.abc import Sequence
from urllib.parse import urljoin, urlsplit

import httpx

from services.status.suggestion.cap_reader import LARGEST, Feed, UnfitFeedError, read_feed
from services.status.suggestion.model import Bulletin

WITHIN = 15.0
"""Seconds for one document."""

LINKS = 50
"""Documents of one feed at most that are fetched besides it."""

AGENT = "Valmius"


class Source:
    """One feed. What has not changed is not sent again, where the server knows how."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._tag = ""
        self._read: dict[str, Feed] = {}
        self._next = (self._tag, self._read)

    @property
    def host(self) -> str:
        """Whose it is, for the log."""
        return urlsplit(self._url).hostname or ""

    async def bulletins(self) -> list[Bulletin]:
        """The warnings in the feed, and those to which it leads at the same origin, but not what was done before.

        Raises httpx.HTTPError, OSError, TimeoutError or UnfitFeedError.
        """
        async with httpx.AsyncClient(timeout=WITHIN, trust_env=False, headers={"user-agent": AGENT}) as client:
            headers = {"if-none-match": self._tag} if self._tag else {}
            feed, tag = await self._document(client, self._url, headers)
            if feed is None:
                return []
            links = _near(self._url, feed.links)
            new = [link for link in links if link not in self._read][:LINKS]
            documents = {link: (await self._document(client, link, {}))[0] or Feed((), ()) for link in new}
        self._next = (tag, {link: found for link, found in {**self._read, **documents}.items() if link in links})
        return [*feed.bulletins, *(one for found in documents.values() for one in found.bulletins)]

    def done(self) -> None:
        """What was read last is kept: it need not be read again."""
        self._tag, self._read = self._next

    async def _document(self, client: httpx.AsyncClient, url: str, headers: dict[str, str]) -> tuple[Feed | None, str]:
        """A document, read, and its tag; None if it has not changed."""
        body = bytearray()
        async with asyncio.timeout(WITHIN), client.stream("GET", url, headers=headers) as answer:
            if answer.status_code == httpx.codes.NOT_MODIFIED:
                return None, self._tag
            if answer.status_code != httpx.codes.OK:
                raise UnfitFeedError(f"it answered {answer.status_code}")
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > LARGEST:
                    raise UnfitFeedError("it is too large")
        return await asyncio.to_thread(read_feed, bytes(body)), answer.headers.get("etag", "")


def _near(url: str, links: Sequence[str]) -> list[str]:
    """Those of the links that lead to where the feed itself is: no feed may send us elsewhere."""
    home = urlsplit(url)
    whole = dict.fromkeys(urljoin(url, link) for link in links)
    return [link for link in whole if (urlsplit(link).scheme, urlsplit(link).netloc) == (home.scheme, home.netloc)]
