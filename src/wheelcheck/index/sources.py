"""Sources: indexes and find-links locations, on a server or in a directory."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from wheelcheck.common.errors import UsageError
from wheelcheck.common.records import field, record
from wheelcheck.common.urls import path_of_url, shown, url_fault
from wheelcheck.index.http.auth import Login, split_credentials
from wheelcheck.index.snapshot_index import Recording, recording_in


@record(kw_only=False)
class SimpleIndex:
    """An index with a folder for each project: an http, https or file URL, or a directory."""

    url: str = field(repr=False)


@record(kw_only=False)
class FindLinks:
    """Files of any project: a directory that holds them, or an HTML page, local or not, that links to them."""

    location: str = field(repr=False)


Source: TypeAlias = "SimpleIndex | FindLinks"


@record
class Remote:
    """A source on a server. `label` names it in reports, `url` has no credentials, `links` is set for `FindLinks`."""

    label: str
    links: bool
    url: str
    login: Login | None = field(default=None, repr=False)


@record
class Local:
    """A source in the local file system; `recorded` where it is a snapshot."""

    label: str
    links: bool
    path: Path
    recorded: Recording | None = None


Placed: TypeAlias = "Remote | Local"


def placed(source: Source) -> Placed:
    """Return a source in the form in which it is read.

    Raises:
        UsageError: it is neither a URL nor a directory.
    """
    links = isinstance(source, FindLinks)
    given = source.location if isinstance(source, FindLinks) else source.url
    if given.lower().startswith(("http://", "https://")):
        try:
            url, credentials = split_credentials(given)
            fault = url_fault(url)
        except ValueError:
            fault = "its address is malformed"
        if fault is not None:
            advice = "give one such as https://host/simple/, with special characters of a password as %23 and the like"
            raise UsageError(f"The index URL {shown(given)} cannot be used, because {fault}; {advice}.")
        login = Login(url, credentials) if credentials else None
        return Remote(label=shown(given), links=links, url=url, login=login)
    path = path_of_url(given) if "://" in given or given.lower().startswith("file:") else given
    if path is None:
        raise UsageError(f"{shown(given)} is not an index: give an http, https or file URL, or a directory.")
    place = Path(path).expanduser().absolute()
    return Local(label=given, links=links, path=place, recorded=None if links else recording_in(place))
