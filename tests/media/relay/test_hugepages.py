"""A server has its malloc on huge pages, and leaves alone what somebody else chose."""

from media.relay.hugepages import TUNABLES, environment_with_huge_pages


def test_the_tunables_are_added_to_those_that_are_there():
    assert environment_with_huge_pages({"A": "b"}) == {"A": "b", "GLIBC_TUNABLES": ":".join(TUNABLES)}
    others = environment_with_huge_pages({"GLIBC_TUNABLES": "glibc.pthread.rseq=0"})
    assert others == {"GLIBC_TUNABLES": ":".join(["glibc.pthread.rseq=0", *TUNABLES])}


def test_a_choice_that_was_made_is_kept_and_nothing_starts_twice():
    assert environment_with_huge_pages({"GLIBC_TUNABLES": "glibc.malloc.hugetlb=0"}) is None
    assert environment_with_huge_pages(environment_with_huge_pages({}) or {}) is None
