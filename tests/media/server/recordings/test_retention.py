"""Evidence is erased when its time is over, not while anybody holds it, and whatever is killed meanwhile."""

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.moderation.audit import first_fault
from media.moderation.policy import DEFAULT
from media.moderation.retention import Evidence
from media.recorder.sealed_file import SealedFile
from media.server.audit.audit import Audit
from media.server.recordings.evidence_keys import EvidenceKeys, load_master
from media.server.recordings.retention import Retention
from media.server.recordings.slot_file import SlotError, SlotFile
from media.server.recordings.store import EvidenceGoneError, Recording, RecordingStore
from media.server.store import Store
from tests.media.server.databases import database_of

DAY = 86_400.0
START = 1_700_000_000.0


class Archive:
    """Evidence of Spaces that are over, and the clock of its retention."""

    def __init__(self, url: str, folder: Path) -> None:
        self.now, self.folder = START, folder / "recordings"
        self.database = Store(url)
        self.store = RecordingStore(self.database.database)
        self.audit = Audit(self.database.database, lambda: self.now)
        self.slots = SlotFile(folder / "evidence.slots")
        self.keys = EvidenceKeys(load_master(folder), self.slots)
        self.retention = Retention(self.store, lambda: self.keys, self.folder, self.audit, lambda: self.now)

    async def keep(self, space_id: str, ended_at: float = START) -> None:
        slot, commitment = self.keys.take()
        await self.store.add(Recording(space_id, slot, commitment, ended_at - 60, None, False, False, None))
        await self.store.end(space_id, ended_at)
        (self.folder / space_id).mkdir(parents=True)
        SealedFile(self.folder / space_id / "a.spseal", self.keys.key(space_id, slot, commitment)).end()

    async def is_there(self, space_id: str) -> bool:
        """Whether it opens; the row, the files, the secret and the receipt agree."""
        row = await self.store.find(space_id)
        assert row is not None
        receipts = [e async for e in self.audit.entries() if e.details["subject"] == space_id]
        if row.erased_at is None:
            assert not receipts and (self.folder / space_id).exists()
            self.keys.key(space_id, row.slot, row.commitment)
            return True
        assert len(receipts) == 1 and row.commitment in receipts[0].details["reason"]
        assert not (self.folder / space_id).exists()
        with pytest.raises(SlotError):
            self.keys.key(space_id, row.slot, row.commitment)
        return False

    async def close(self) -> None:
        await self.database.close()
        self.keys.close()


@pytest.fixture
async def archive(database: str, tmp_path: Path) -> AsyncIterator[Archive]:
    made = Archive(database, tmp_path)
    await made.database.open()
    yield made
    await made.close()


async def test_thirty_days_ninety_more_and_not_while_it_is_held(archive: Archive) -> None:
    for name in ("plain", "violation", "held"):
        await archive.keep(name)
    await archive.store.hold("violation", "case 1")
    await archive.store.release("violation", "case 1", violation=True)
    await archive.store.hold("held", "case 2")
    await archive.store.hold("held", "case 2")
    archive.now = START + 30 * DAY - 1
    assert await archive.retention.run() == 0
    archive.now = START + 30 * DAY
    assert await archive.retention.run() == 1 and not await archive.is_there("plain")
    archive.now = START + 120 * DAY
    assert await archive.retention.run() == 1 and not await archive.is_there("violation")
    archive.now = START + 400 * DAY
    assert await archive.retention.run() == 0 and await archive.is_there("held")
    await archive.store.release("held", "case 2", violation=False)
    assert await archive.retention.run() == 1 and not await archive.is_there("held")
    assert await archive.retention.run() == 0
    assert first_fault([entry async for entry in archive.audit.entries()]) is None
    with pytest.raises(EvidenceGoneError, match="Nothing of this Space is kept"):
        await archive.store.hold("held", "case 3")
    with pytest.raises(EvidenceGoneError):
        await archive.store.hold("never there", "case 3")


@pytest.mark.parametrize("step", ["begin_erasure", "erase", "rmtree", "note_erased", "write"])
async def test_a_run_that_is_killed_is_taken_up_by_the_next(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Killed after ``step`` has been done, and its slot given to another Space before the next run."""

    class KilledError(Exception):
        pass

    await archive.keep("over")
    archive.now = START + 31 * DAY
    where = {
        "begin_erasure": archive.store,
        "erase": archive.slots,
        "rmtree": __import__("shutil"),
        "note_erased": archive.store,
        "write": archive.audit,
    }[step]
    real = getattr(where, step)

    async def killed_later(*arguments: object, **more: object) -> None:
        await real(*arguments, **more)
        raise KilledError

    def killed(*arguments: object, **more: object) -> None:
        real(*arguments, **more)
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(where, step, killed if step in ("erase", "rmtree") else killed_later)
        with pytest.raises(KilledError):
            await archive.retention.run()
    with pytest.raises(EvidenceGoneError):
        await archive.store.hold("over", "case")
    archive.slots._free.sort()
    await archive.keep("another", archive.now)
    assert await archive.retention.run() == 1
    assert not await archive.is_there("over") and await archive.is_there("another")
    assert await archive.retention.run() == 0


async def test_a_case_that_comes_in_between_keeps_it(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    await archive.keep("over")
    archive.now = START + 31 * DAY
    real = archive.store.begin_erasure

    async def later(spaces: list[str]) -> set[str]:
        await archive.store.hold("over", "case")
        return await real(spaces)

    monkeypatch.setattr(archive.store, "begin_erasure", later)
    assert await archive.retention.run() == 0
    assert await archive.is_there("over")


steps = st.lists(
    st.tuples(st.sampled_from(["wait", "hold", "release", "violation"]), st.integers(0, 2), st.integers(1, 70)),
    max_size=12,
)


@settings(max_examples=25, deadline=None)
@given(steps)
async def test_it_is_erased_exactly_when_the_rules_say(steps: list[tuple[str, int, int]]) -> None:
    """Against :class:`media.moderation.retention.Evidence`, whose clock it is."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with database_of("sqlite", folder) as url:
            archive = Archive(url, folder)
            await archive.database.open()
            rules = {str(n): Evidence(str(n), START, DEFAULT) for n in range(3)}
            for space_id in rules:
                await archive.keep(space_id)
            for what, n, days in steps:
                space_id, evidence = str(n), rules[str(n)]
                if what == "wait":
                    archive.now += days * DAY
                    erased = sum(bool(each.handle_timer(archive.now)) for each in rules.values())
                    assert await archive.retention.run() == erased
                elif what == "hold" and evidence.erased_at is None:
                    evidence.hold("case")
                    await archive.store.hold(space_id, "case")
                elif "case" in evidence.holds:
                    evidence.release("case", violation=what == "violation")
                    await archive.store.release(space_id, "case", violation=what == "violation")
                assert await archive.is_there(space_id) == (evidence.erased_at is None)
            await archive.close()


def test_the_master_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    first = load_master(tmp_path)
    path = tmp_path / "evidence.key"
    assert load_master(tmp_path) == first and path.stat().st_mode & 0o077 == 0
    path.write_bytes(secrets.token_bytes(7))
    with pytest.raises(SlotError, match="has 7 bytes and not 32"):
        load_master(tmp_path)
