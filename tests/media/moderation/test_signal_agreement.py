"""SignalAgreement with people's decisions: counted, bounded, and what a signal's place in the queue goes by."""

from hypothesis import given
from hypothesis import strategies as st

from media.moderation.signal_agreement import SignalAgreement, priority


@given(st.lists(st.booleans(), max_size=50))
def test_agreement_counts_what_people_decided(decisions: list[bool]) -> None:
    agreement = SignalAgreement()
    for violation in decisions:
        agreement = agreement.after(violation)
    low, high = agreement.interval
    assert (agreement.agreed, agreement.decisions) == (sum(decisions), len(decisions))
    assert 0 <= low <= high <= 1 and low <= agreement.rate <= high
    assert not decisions or low - 1e-9 <= sum(decisions) / len(decisions) <= high + 1e-9
    assert priority(1.0, agreement.after(True)) > priority(1.0, agreement.after(False))
    assert priority(0.2, agreement) < priority(0.8, agreement)
