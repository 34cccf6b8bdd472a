"""Each kind of cause alone: how grave it is, what status prints, what is sent, and when it is another cause."""

from __future__ import annotations

from typing import Any

import pytest

from stegvis.orchestration.monitoring.causes import NEXT, Cause, causes
from stegvis.orchestration.monitoring.seen import LIVE
from tests.orchestration.monitoring.facts import deliveries, facts

PLACE = {"asset": "release", "partition": ""}
DROP = {"delivery": "recordings/x", "reason": "P17.cwa differs", "nameless": ("recordings/x", "a file differs")}
LIST = {"delivery": "withdrawals/P17", "reason": "P17.csv differs", "nameless": ("withdrawals", "a list")}


def now(kind: str, severity: str = "error") -> dict[str, Any]:
    return {"causes": [{"kind": kind, "severity": severity, "subject": "x", "sentence": "SAID", "identity": ""}]}


# The facts, and the cause's kind, severity and sentence.
ERRORS: dict[str, tuple[dict[str, Any], str]] = {
    "blocked": (facts(blocked=[PLACE | {"reasons": ["why"]}]), "BLOCKED release: why"),
    "failed": (facts(failed=[PLACE | {"reason": "why"}]), "FAILED release: why"),
    "run": (facts(failed_jobs=[{"job": "refresh", "run": "1", "reason": "why"}]), "FAILED job refresh: why"),
    "withdrawal": (facts(withdrawals={"not_applied": ["withdrawals/P17 row 3: x"]}), "WITHDRAWAL NOT APPLIED with"),
    "rejected": (facts(deliveries=deliveries(rejected=[DROP])), "REJECTED delivery recordings/x: P17.cwa differs"),
    "alarm": (facts(deliveries=deliveries(alarms=[DROP])), "ALARM delivery recordings/x: P17.cwa differs"),
    "unusable": (facts(deliveries=deliveries(unusable=[DROP])), "UNUSABLE delivery recordings/x: P17.cwa differs"),
    **{
        kind: (facts(now=now(kind)), "SAID")
        for kind in ("disk", "daemon", "silence", "refresh", "settings", "warehouse")
    },
}
OVERDUE = {"source": "followup", "days_since_last": 1500.2, "overdue": True}
WARNINGS: dict[str, tuple[dict[str, Any], str]] = {
    "open": (facts(too_open="the home is open"), "the home is open"),
    "gone": (facts(gone=[{"kind": "wave", "name": "2027", "message": "no delivery"}]), "gone wave 2027: no delivery"),
    "unlinked": (
        facts(unlinked=[{"kind": "wave", "key": "2027", "too_many": True, "message": "few"}]),
        "UNLINKED wave 2027: few",
    ),
    "incomplete": (
        facts(deliveries=deliveries(waiting=[DROP | {"too_long": True, "days": 3.1}])),
        "INCOMPLETE delivery recordings/x: P17.cwa differs; nothing has changed for 3 days",
    ),
    "expired": (
        facts(withdrawals={"not_applied": [], "backups_to_delete": ["/backup/2026"]}),
        "BACKUP past its time, with people who withdrew since: /backup/2026",
    ),
    "signature": (facts(waiting_release={"release": "r", "signatures_missing": 1}), "release r needs 1 signature"),
    "edition": (facts(editions=[{"wave": "2024", "state": "refused", "why": "few"}]), "publish wave 2024: few"),
    "overdue": (facts(sources=[OVERDUE]), "overdue followup: the last delivery came 1500 days ago"),
    **{kind: (facts(now=now(kind, "warning")), "SAID") for kind in ("channel", "backup")},
}  # fmt: skip


@pytest.mark.parametrize("kind", [*ERRORS, *WARNINGS])
def test_each_kind_alone_is_one_cause_of_its_severity(kind: str) -> None:
    found, sentence = (ERRORS | WARNINGS)[kind]
    (cause,) = causes(found)
    assert (cause.kind, cause.severity) == (kind, "error" if kind in ERRORS else "warning")
    assert cause.sentence.startswith(sentence.removesuffix(" with"))
    assert "P17" not in cause.message + cause.subject + cause.key
    assert cause.next


def test_of_a_home_in_order_there_is_none() -> None:
    assert causes(facts()) == []


def test_every_next_step_is_of_a_kind_that_there_is() -> None:
    assert set(NEXT) <= {*ERRORS, *WARNINGS, "home"}  # the last where the facts could not be gathered
    assert set(LIVE) <= {*ERRORS, *WARNINGS}


@pytest.mark.parametrize(
    "found",
    [
        facts(failing_checks=[PLACE | {"severity": "critical", "meaning": "m", "failing": 1, "total": 2}]),
        facts(editions=[{"wave": "2024", "state": "waiting", "why": ""}]),
    ],
)
def test_what_only_explains_another_cause_is_printed_and_not_sent(found: dict[str, Any]) -> None:
    (cause,) = causes(found)
    assert cause.severity == "info"


def test_many_lists_of_withdrawals_are_printed_and_sent_as_one() -> None:
    found = causes(
        facts(
            withdrawals={"not_applied": ["withdrawals/P17: differs", "withdrawals/P18 row 3: x"]},
            deliveries=deliveries(rejected=[LIST]),
        )
    )
    assert len({cause.sentence for cause in found}) == 3
    assert len({cause.key for cause in found}) == len({cause.message for cause in found}) == 1


def key(found: dict[str, Any]) -> str:
    (cause,) = causes(found)
    assert isinstance(cause, Cause)
    return cause.key


def test_it_is_another_cause_where_a_correction_fails_too_and_the_same_where_only_a_number_grew() -> None:
    def blocked(why: str) -> str:
        return key(facts(blocked=[PLACE | {"reasons": [why]}]))

    assert blocked("a critical check failed: x") != blocked("a critical check failed: y")
    assert blocked("waits for wave 2027") == blocked("waits for wave 2024")
    assert key(facts(sources=[OVERDUE])) == key(facts(sources=[OVERDUE | {"days_since_last": 1501.2}]))
    nightly = {"job": "refresh", "run": "1", "reason": "x"}
    assert key(facts(failed_jobs=[nightly])) == key(facts(failed_jobs=[nightly | {"run": "2"}]))
    assert key(facts(failed_jobs=[nightly])) != key(facts(failed_jobs=[nightly | {"reason": "y"}]))
