"""The shape of downloads in the API."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, Field

from media.server.downloads.store import Download


class DownloadOut(BaseModel):
    """An archive, or how far it is."""

    state: Literal["waiting", "ready", "failed"]
    progress: float = Field(description="how much of it is there, 0 to 1", examples=[0.4])
    fault: str | None = Field(description="why it failed; ask for it again when that is mended")
    asked_at: datetime
    expires_at: datetime | None = Field(description="until when it can be fetched; null until it is ready")
    size: int = Field(description="bytes, when it is ready")
    url: str = Field(description="where it is fetched, also by range", examples=["/2/users/me/download.zip"])

    @classmethod
    def of(cls, download: Download, progress: float, url: str) -> "DownloadOut":
        """Show one."""
        expires = download.expires_at
        return cls(
            state=download.state.value,
            progress=round(progress, 3),
            fault=download.fault or None,
            asked_at=datetime.fromtimestamp(download.asked_at, UTC),
            expires_at=None if expires is None else datetime.fromtimestamp(expires, UTC),
            size=download.size,
            url=url,
        )
