"""By what callers are counted together, and which are not."""

from typing import Any

import pytest

from media.server.client_address import counted_address


def scope(address: str | None, header: bytes = b"") -> dict[str, Any]:
    return {"client": address and (address, 1), "headers": [(header, b"198.51.100.1")] if header else []}


@pytest.mark.parametrize(
    ("address", "header", "without_name", "named"),
    [
        ("203.0.113.7", b"", "203.0.113.7", "203.0.113.7"),
        ("203.0.113.7", b"via", "203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3::4", b"", "20010db800010002", "20010db800010002"),
        ("127.0.0.1", b"", "", ""),
        (None, b"", "", ""),
        ("127.0.0.1", b"x-forwarded-for", "127.0.0.1", ""),
        ("::1", b"forwarded", "0000000000000000", ""),
        (None, b"via", "local socket", ""),
    ],
)
def test_who_counts_as_one_address(address: str | None, header: bytes, without_name: str, named: str) -> None:
    assert counted_address(scope(address, header), named=False) == without_name
    assert counted_address(scope(address, header), named=True) == named
