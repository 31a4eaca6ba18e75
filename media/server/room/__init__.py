"""What people do in a Space beside speaking, over HTTP: reactions, hands, posts, messages, invitation links."""

from typing import Final

from fastapi import APIRouter

from media.server.room import hands, links, messages, posts, reactions

ROUTERS: Final[tuple[APIRouter, ...]] = (
    *(reactions.router, hands.router, posts.router, messages.router, links.router),
)
