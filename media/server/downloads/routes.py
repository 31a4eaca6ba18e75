"""Downloads over HTTP: asked for, looked at, fetched; a Space's by its host alone, and one's own."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response

from media.server.auth import Named, caller
from media.server.downloads.service import Downloads
from media.server.downloads.shapes import DownloadOut
from media.server.downloads.store import Download
from media.server.file_answers import KeptFile, file_answer
from media.server.routes import SEEN, SpacesHere, problems
from media.space.errors import NoRightError, WrongStateError
from media.space.space import Space
from media.space.states import State

router: Final = APIRouter(tags=["Downloads"], dependencies=[*SEEN])
own: Final = APIRouter(tags=["Downloads"], dependencies=[Depends(caller)])
_SPACE: Final = "/2/spaces/{space_id}/download"
_ME: Final = "/2/users/me/download"
_ZIP: Final[dict[str, Any]] = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}
_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The archive.", "content": _ZIP},
    206: {"description": "The range that was asked for.", "content": _ZIP},
    304: {"description": "It is as it was."},
}


async def _downloads(request: Request) -> Downloads:
    return request.app.state.downloads


DownloadsHere = Annotated[Downloads, Depends(_downloads)]


async def _hosted(space_id: str, who: Named, spaces: SpacesHere) -> Space:
    """Gate: the host; nobody else, not even who runs the service, has a claim to their data."""
    space = await spaces.get(space_id)
    if space.host != who.name:
        raise NoRightError("Only the host of a Space downloads its data.")
    return space


Hosted = Annotated[Space, Depends(_hosted)]


@router.post(_SPACE, status_code=202, responses=problems(403, 404, 409))
async def make_space_download(space: Hosted, downloads: DownloadsHere) -> DownloadOut:
    """Have the data of a Space put together as one archive; who asks again gets the same.

    Participants, messages, events, counts, decided reports, transcript, the mix and one's own track. It is kept
    for seven days. Who reported is never in it.
    """
    if space.state is not State.ENDED:
        raise WrongStateError("The data of a Space is put together when it is over.")
    return _shown(downloads, await downloads.ask(space.host, space.id))


@router.get(_SPACE, responses=problems(403, 404))
async def get_space_download(space: Hosted, downloads: DownloadsHere) -> DownloadOut:
    """Show how far the archive of a Space is."""
    return _shown(downloads, await downloads.known(space.host, space.id))


@router.get(f"{_SPACE}.zip", response_class=Response, responses=problems(403, 404, 409, 416) | _FILE)
async def fetch_space_download(space: Hosted, request: Request, downloads: DownloadsHere) -> Response:
    """Fetch the archive of a Space, also by range: a download that broke off goes on."""
    return await _file(request, downloads, await downloads.ready(space.host, space.id))


@own.post(_ME, status_code=202, responses=problems(403))
async def make_own_download(who: Named, downloads: DownloadsHere) -> DownloadOut:
    """Have one's own data put together as one archive; who asks again gets the same.

    Profile, follows, Spaces, one's own tracks and words, and the reports one has made. It is kept for seven days.
    """
    return _shown(downloads, await downloads.ask(who.name))


@own.get(_ME, responses=problems(403, 404))
async def get_own_download(who: Named, downloads: DownloadsHere) -> DownloadOut:
    """Show how far the archive of one's own data is."""
    return _shown(downloads, await downloads.known(who.name))


@own.get(f"{_ME}.zip", response_class=Response, responses=problems(403, 404, 409, 416) | _FILE)
async def fetch_own_download(who: Named, request: Request, downloads: DownloadsHere) -> Response:
    """Fetch the archive of one's own data, also by range: a download that broke off goes on."""
    return await _file(request, downloads, await downloads.ready(who.name))


def _shown(downloads: Downloads, download: Download) -> DownloadOut:
    url = f"/2/spaces/{download.space_id}/download.zip" if download.space_id else f"{_ME}.zip"
    return DownloadOut.of(download, downloads.progress_of(download), url)


async def _file(request: Request, downloads: Downloads, download: Download) -> Response:
    kept = KeptFile(
        downloads.path_of(download), download.size, download.digest, download.ready_at or 0.0, "application/zip"
    )
    name = f"space-{download.space_id}" if download.space_id else "my-data"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.zip"',
        "Cache-Control": "private, no-store",
    }
    return await file_answer(request, kept, headers)
