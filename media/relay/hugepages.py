"""Huge pages for what malloc hands out, because a fan-out touches every listener's SRTP state once per tick.

That state is megabytes in small pieces, and with pages of 4 KiB much of the time goes into finding where they are.
glibc asks the system for huge pages if its tunables say so before the process starts, and can do so from the first
byte on only for its main arena; so a relay is started with one arena on huge pages. What that is worth on a
machine, `python -m loadtest.bench fanout` tells when run in turn with and without
`GLIBC_TUNABLES=glibc.malloc.hugetlb=0` before it.
"""

TUNABLES = ("glibc.malloc.hugetlb=1", "glibc.malloc.arena_max=1", "glibc.malloc.trim_threshold=1073741824")
"""The last keeps freed memory instead of giving huge pages back and having them cleared anew."""


def environment_with_huge_pages(environment: dict[str, str]) -> dict[str, str] | None:
    """The environment to start a relay in; None if malloc was tuned already, in whatever way."""
    tunables = environment.get("GLIBC_TUNABLES", "")
    if "glibc.malloc." in tunables:
        return None
    return {**environment, "GLIBC_TUNABLES": ":".join(filter(None, [tunables, *TUNABLES]))}
