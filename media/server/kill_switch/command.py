"""``python -m media end-all``: tells the running server, with a token of its own data folder, to end Spaces.

Without a library and without a proxy: it is for a bad moment, on the machine of the server.
"""

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final

from media.server.auth import issue_from

PATIENCE: Final = 30.0
"""Seconds until the server must have answered."""
ADMIN: Final = "kill-switch"
"""Who acts, as the audit log says."""


def end_all(data: Path, server: str, host: str | None) -> str:
    """Return one sentence on what was ended.

    :param server: address of the server, as ``http://127.0.0.1:8080/``
    :raises ValueError: the server does not answer, or has not ended them all; one sentence
    """
    token = issue_from(data, ADMIN, is_admin=True, ttl=60)
    request = urllib.request.Request(  # noqa: S310 - the operator names the server
        f"{server.rstrip('/')}/2/moderation/end-spaces",
        json.dumps({"host": host}).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=PATIENCE) as response:
            count = json.load(response)["data"]["ended_count"]
    except urllib.error.HTTPError as error:
        raise ValueError(_detail(error)) from None
    except OSError as error:
        raise ValueError(f"No server answers at {server} ({error}); name another with --server.") from None
    return f"{count} Spaces ended."


def _detail(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError):
        return f"The server answered {error.code}; nothing is known to have ended, so repeat it."
