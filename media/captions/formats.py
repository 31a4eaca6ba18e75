"""Transcripts as files: WebVTT (W3C), SubRip, and JSON.

SubRip is written from the lines and never from WebVTT, whose readers do not unescape: it has no escapes of its
own, so text that looks like a tag is taken apart instead.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from media.captions.lines import Line, Word, cues_of, words_of

MEDIA_TYPES: Final = {"vtt": "text/vtt", "srt": "application/x-subrip", "json": "application/json"}
NOTE: Final = "Lines without a mark are automatic; those marked (corrected) were corrected by their speakers."


def vtt(lines: Iterable[Line], name_of: Callable[[str], str]) -> str:
    """Write WebVTT, each cue with its speaker as a voice."""
    parts = [f"WEBVTT\n\nNOTE {NOTE}\n"]
    for line in lines:
        voice = _escaped(" ".join(name_of(line.user_id).split()) or line.user_id)
        kind = ".corrected" if line.corrected else ".automatic"
        for cue in cues_of(line):
            times = f"{_clock(cue.start_ms, '.')} --> {_clock(cue.end_ms, '.')}"
            parts.append(f"{times}\n<v{kind} {voice}>{_escaped(cue.text)}\n")
    return "\n".join(parts)


def srt(lines: Iterable[Line], name_of: Callable[[str], str]) -> str:
    """Write SubRip: cues are numbered from 1 and begin with the speaker's name."""
    cues: list[tuple[str, Word]] = [(line.user_id, cue) for line in lines for cue in cues_of(line)]
    parts: list[str] = []
    for number, (user_id, cue) in enumerate(cues, 1):
        times = f"{_clock(cue.start_ms, ',')} --> {_clock(cue.end_ms, ',')}"
        name = " ".join(name_of(user_id).split()) or user_id
        parts.append(f"{number}\n{times}\n{_no_tags(name)}: {_no_tags(cue.text)}\n")
    return "\n".join(parts)


def as_json(lines: Iterable[Line], name_of: Callable[[str], str], about: Mapping[str, object]) -> str:
    """Write the lines with their words; ``about`` goes before them."""
    data = [
        {
            "id": line.id,
            "user_id": line.user_id,
            "name": name_of(line.user_id),
            "start_ms": line.start_ms,
            "end_ms": line.end_ms,
            "text": line.text,
            "language": line.language or None,
            "automatic": line.automatic,
            "corrected": line.corrected,
            "words": [[word.start_ms, word.end_ms, word.text] for word in words_of(line)],
        }
        for line in lines
    ]
    return json.dumps({**about, "lines": data}, ensure_ascii=False)


def _clock(ms: int, point: str) -> str:
    seconds, ms = divmod(ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{ms:03}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _no_tags(text: str) -> str:
    return text.replace("<", "‹").replace(">", "›").replace("{", "(").replace("}", ")")
