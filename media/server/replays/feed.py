"""A podcast of somebody's replays: RSS 2.0 with the tags of Apple and of the podcast namespace.

The namespace is that of github.com/Podcastindex-org/podcast-namespace; what it requires of a tag is held against
this in ``tests/media/server/replays/test_podcast.py``. Elements are made by ElementTree, which escapes.
"""

import json
import re
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final
from xml.etree import ElementTree as ET

from media.server.replays.episode import Episode

MEDIA_TYPE: Final = "application/rss+xml"
CHAPTERS_TYPE: Final = "application/json+chapters"
AUDIO_TYPE: Final = "audio/ogg"
_ITUNES: Final = "http://www.itunes.com/dtds/podcast-1.0.dtd"
_PODCAST: Final = "https://podcastindex.org/namespace/1.0"
_ATOM: Final = "http://www.w3.org/2005/Atom"
_GUIDS: Final = uuid.UUID("ead4c236-bf58-58c6-a2c6-a6b28d128cb6")
"""Namespace of the UUIDs of feeds, by the specification of ``podcast:guid``."""
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 has no way to write (section 2.2)."""


@dataclass(frozen=True, slots=True)
class Channel:
    """Whose podcast it is."""

    user_id: str
    name: str
    base: str
    """Address of this server, ending with a slash."""
    changed_at: float
    """Unix seconds."""

    @property
    def url(self) -> str:
        """Address of the feed."""
        return f"{self.base}2/users/{self.user_id}/podcast.xml"


def feed_of(channel: Channel, episodes: Sequence[Episode], transcribed: Collection[str] = ()) -> bytes:
    """Write a feed, the newest episode first; ``transcribed``: the Spaces that have a transcript."""
    for prefix, name in (("itunes", _ITUNES), ("podcast", _PODCAST), ("atom", _ATOM)):
        ET.register_namespace(prefix, name)
    root = ET.Element("rss", {"version": "2.0"})
    top = ET.SubElement(root, "channel")
    _text(top, "title", f"{channel.name} on Spaces Lab")
    _text(top, "link", channel.base)
    _text(top, "description", f"Spaces of {channel.name} that can be heard again.")
    _text(top, "language", episodes[0].space.lang if episodes else "en")
    _text(top, "lastBuildDate", _date(channel.changed_at))
    _text(top, "generator", "Spaces Lab")
    about = {"href": channel.url, "rel": "self", "type": MEDIA_TYPE}
    ET.SubElement(top, f"{{{_ATOM}}}link", about)
    _text(top, f"{{{_ITUNES}}}author", channel.name)
    _text(top, f"{{{_ITUNES}}}explicit", "false")
    _text(top, f"{{{_ITUNES}}}type", "episodic")
    ET.SubElement(top, f"{{{_ITUNES}}}category", {"text": "Society & Culture"})
    _text(top, f"{{{_PODCAST}}}guid", str(uuid.uuid5(_GUIDS, channel.url.partition("://")[2].rstrip("/"))))
    _text(top, f"{{{_PODCAST}}}medium", "podcast")
    for episode in episodes:
        _item(top, channel, episode, transcribed=episode.space.id in transcribed)
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def chapters_json(episode: Episode, base: str) -> str:
    """Write the chapters in the form of the podcast namespace (JSON chapters 1.2.0); times in seconds."""
    chapters = [
        {
            "startTime": turn.start_ms / 1000,
            "endTime": turn.end_ms / 1000,
            "title": name,
            "url": f"{base}users/{turn.user_id}",
        }
        for name, turn in episode.chapters
    ]
    return json.dumps({"version": "1.2.0", "title": episode.title, "chapters": chapters}, ensure_ascii=False)


def _item(top: ET.Element, channel: Channel, episode: Episode, *, transcribed: bool) -> None:
    item = ET.SubElement(top, "item")
    space, replay = episode.space, episode.replay
    files = f"{channel.base}2/spaces/{space.id}/replay"
    who = ", ".join(voice.name for voice in episode.voices)
    _text(item, "title", episode.title)
    _text(item, "link", f"{channel.base}s/{space.id}")
    _text(item, "guid", f"{space.id}@spaces-lab", isPermaLink="false")
    _text(item, "pubDate", _date(replay.published_at or 0.0))
    _text(item, "description", f"With {who}." if who else episode.title)
    enclosure = {"url": f"{files}.ogg", "length": str(replay.size), "type": AUDIO_TYPE}
    ET.SubElement(item, "enclosure", enclosure)
    _text(item, f"{{{_ITUNES}}}duration", str(round(episode.duration_ms / 1000)))
    _text(item, f"{{{_ITUNES}}}explicit", "false")
    _text(item, f"{{{_ITUNES}}}episodeType", "full")
    chapters = {"url": f"{files}/chapters.json", "type": CHAPTERS_TYPE}
    ET.SubElement(item, f"{{{_PODCAST}}}chapters", chapters)
    if transcribed:
        transcript = {"url": f"{files}/transcript.vtt", "type": "text/vtt", "language": space.lang}
        ET.SubElement(item, f"{{{_PODCAST}}}transcript", transcript)
    for voice in episode.voices:
        attributes = {"role": voice.role, "group": "cast", "href": f"{channel.base}users/{voice.user_id}"}
        _text(item, f"{{{_PODCAST}}}person", voice.name, **attributes)


def _text(parent: ET.Element, tag: str, text: str, **attributes: Any) -> None:
    ET.SubElement(parent, tag, attributes).text = _NO_XML.sub("", text)


def _date(at: float) -> str:
    return format_datetime(datetime.fromtimestamp(int(at), UTC), usegmt=True)
