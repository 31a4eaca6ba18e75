"""Event streams at a server with few descriptors: how many there are when it refuses one more."""

import asyncio
from urllib.parse import urlsplit

import httpx

from loadtest.bench.crowd import request
from loadtest.bench.stand import Stand, stand


async def accepted(descriptors: int, most: int) -> int:
    """Streams that a server with so many descriptors (``RLIMIT_NOFILE``) holds, of at most ``most`` tried."""
    limit = ("prlimit", f"--nofile={descriptors}:{descriptors}")
    async with stand("open files", 1, options=("--rate-limit", "off"), prefix=limit) as built:
        names = [f"reader{number}" for number in range(most)]
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {built.server.token}"}) as client:
            asked = await client.post(f"{built.venue.base}/tokens", json={"users": names})
        tokens = [each["token"] for each in asked.raise_for_status().json()["data"]]
        held: list[asyncio.StreamWriter] = []
        try:
            for token in tokens:
                writer = await _stream(built, token)
                if writer is None:
                    break
                held.append(writer)
        finally:
            for writer in held:
                writer.close()
        return len(held)


async def _stream(built: Stand, token: str) -> asyncio.StreamWriter | None:
    """Open one more stream; None if it is refused."""
    where = urlsplit(built.venue.base)
    try:
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        writer.write(request("GET", f"/spaces/{built.venue.space}/events", token))
        line = await reader.readline()
    except OSError:
        return None
    if b" 200 " in line:
        return writer
    writer.close()
    return None
