"""A server that is killed between any two acts loses none of those that it has answered."""

from pathlib import Path
from typing import Any

import pytest

from media.server.auth import Role, issue_from
from tests.media.server.process import Process, run


@pytest.mark.timeout(400)
def test_kill_between_any_two_acts_loses_nothing(tmp_path: Path) -> None:
    server = Process(tmp_path)
    try:
        path = server.live("ana")
        space = path.rpartition("/")[2]
        ben, eve = server.token("ben"), server.token("eve")
        host = server.token("ana")
        reviewer = issue_from(tmp_path, "rita", is_admin=False, ttl=600, roles=[Role.REVIEWER])
        server.call(ben, "POST", f"{path}/requests")
        server.call(host, "POST", f"{path}/requests/ben/approve")
        body = {"space_id": space, "user_id": "ben", "category": "disturbance", "text": "Shouts."}

        def after_kill(token: str, method: str, where: str, **more: Any) -> Any:
            found = server.call(token, method, where, **more)
            server.kill_and_start_again()
            return found

        report = after_kill(eve, "POST", "/2/reports", json=body)
        assert server.call(eve, "GET", f"/2/reports/{report['id']}") == report
        case = after_kill(reviewer, "POST", "/2/moderation/claims", json={})["data"]
        known = server.call(reviewer, "GET", f"/2/moderation/cases/{case['id']}")["data"]
        assert (known["reviewer"], known["lease_until"]) == ("rita", case["lease_until"])
        cases = f"/2/moderation/cases/{case['id']}"
        server.call(reviewer, "POST", f"{cases}/notes", json={"text": "odd"})
        after_kill(reviewer, "POST", f"{cases}/hold")
        server.call(reviewer, "POST", f"{cases}/resume")
        decision = {"actions": ["remove from the Space"], "note": "Heard."}
        decided = after_kill(reviewer, "POST", f"{cases}/decision", json=decision)["data"]
        assert decided["effects"][0]["done"]
        refused = server.http.post(f"{path}/requests", headers={"Authorization": f"Bearer {ben}"})
        assert refused.status_code in (403, 409), "ben is out, or the Space is over for want of its host"
        timeline = [each["what"] for each in server.call(reviewer, "GET", cases)["data"]["timeline"]]
        assert timeline[:5] == ["claimed", "note", "held", "claimed", "decided"]
        checked = run("audit", "--data", tmp_path)
        assert checked.returncode == 0 and "5 entries" in checked.stdout, checked.stderr
    finally:
        server.put_away()
