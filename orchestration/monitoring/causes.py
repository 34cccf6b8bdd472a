"""What somebody has to do something about: each cause in the words of ``stegvis status``, with the next step.

Belongs here: which facts are a cause, and how grave. Does not belong here: gathering facts (``orchestration/status.py``
and ``monitoring/now.py``), sending alerts (``notifying.py``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, Self

Facts = dict[str, Any]
# ``info`` is shown by ``stegvis status`` and sent to nobody.
Severity = Literal["error", "warning", "info"]

FAILED_CHECK = "a critical check failed"  # as the status of a partition says it
_STATUS = "stegvis status"
NEXT: dict[str, str] = {
    "blocked": "deliver a correction, or accept it: stegvis accept. docs/runbook.md#a-wave-or-batch-is-blocked",
    "failed": "it is tried again; see the run in the Dagster UI. docs/runbook.md#a-run-failed",
    "run": "see the run in the Dagster UI. docs/runbook.md#a-run-failed",
    "refresh": "remove the cause, then stegvis refresh. docs/runbook.md#a-run-failed",
    "withdrawal": "stegvis status names drop, row and rule. docs/runbook.md#a-withdrawal-was-not-applied",
    "rejected": "deliver it again under another name. docs/runbook.md#a-delivery-is-rejected-or-raises-an-alarm",
    "alarm": "deliver the right file, or take it away. docs/runbook.md#a-delivery-is-rejected-or-raises-an-alarm",
    "unusable": "deliver it again. docs/runbook.md#a-delivery-is-rejected-or-raises-an-alarm",
    "incomplete": "complete and seal it. docs/runbook.md#a-delivery-stays-incomplete",
    "overdue": "ask the data owner. docs/runbook.md#a-source-is-overdue",
    "disk": "free or add space. docs/runbook.md#the-disk-is-full-or-nearly-full",
    "daemon": "start it again. docs/runbook.md#the-daemon-is-not-alive",
    "silence": "look at the sensor alerts in the Dagster UI. docs/runbook.md#the-daemon-is-not-alive",
    "channel": "stegvis health --test-alerts. docs/runbook.md#an-alert-could-not-be-sent",
    "settings": "correct the file. docs/runbook.md#an-alert-could-not-be-sent",
    "warehouse": "docs/runbook.md#the-home-cannot-be-read",
    "home": "docs/runbook.md#the-home-cannot-be-read",
    "backup": "make one. docs/runbook.md#the-last-backup-is-too-old",
    "expired": "delete it. docs/runbook.md#a-backup-is-past-its-time",
    "edition": "docs/runbook.md#a-publication-is-refused",
}


@dataclass(frozen=True)
class Cause:
    """One cause.

    Attributes:
        kind: what it is about, in one word: ``blocked``, ``disk``.
        severity: ``error``: something is stopped or lost; ``warning``: it needs a look.
        subject: which partition, delivery or part; no file of a recording.
        sentence: as ``stegvis status`` prints it; may name a file.
        message: as it is sent: no name of a file that may be a person's, no count of withdrawn people.
        key: the same for the same cause at another time.
    """

    kind: str
    severity: Severity
    subject: str
    sentence: str
    message: str
    key: str

    @classmethod
    def of(
        cls, kind: str, severity: Severity, subject: str, sentence: str, identity: str = "", message: str = ""
    ) -> Self:
        """A cause.

        Args:
            kind: as above.
            severity: as above.
            subject: as above.
            sentence: as above.
            identity: what makes it another cause of the same kind and subject, such as its reasons.
            message: as above; the sentence where it is blank.
        """
        digest = hashlib.sha256(identity.encode()).hexdigest()[:12]
        key = f"{kind}:{subject}:{digest}" if identity else f"{kind}:{subject}"
        return cls(kind, severity, subject, sentence, message or sentence, key)

    @property
    def next(self) -> str:
        """The next step."""
        return NEXT.get(self.kind, _STATUS)

    @property
    def plain(self) -> Facts:
        """What is said of it elsewhere, for a program."""
        return {
            "kind": self.kind,
            "severity": self.severity,
            "subject": self.subject,
            "message": self.message,
            "next": self.next,
        }


def causes(facts: Facts) -> list[Cause]:
    """Every cause among the facts of ``stegvis status``, the gravest kinds first."""
    return [*_of_partitions(facts), *_of_deliveries(facts), *_of_publication(facts), *live_causes(facts["now"])]


def _of_partitions(facts: Facts) -> Iterator[Cause]:
    for each in facts["blocked"]:
        label, why = label_of(each["asset"], each["partition"]), "; ".join(each["reasons"])
        # A correction that fails too is another cause; a release that waits for other tables is the same one.
        identity = why if FAILED_CHECK in why else ""
        yield Cause.of("blocked", "error", label, f"BLOCKED {label}: {why}", identity)
    if facts["object_storage"]:
        sentence = f"FAILED object storage: {facts['object_storage']}"
        yield Cause.of("failed", "error", "object storage", sentence, "object storage")
    if facts["too_open"]:
        yield Cause.of("open", "warning", "home", facts["too_open"])
    for each in facts["failed"]:
        label = label_of(each["asset"], each["partition"])
        yield Cause.of("failed", "error", label, f"FAILED {label}: {each['reason']}", each["reason"])
    for each in facts["failed_jobs"]:
        yield Cause.of("run", "error", each["job"], f"FAILED job {each['job']}: {each['reason']}", each["reason"])


def _of_deliveries(facts: Facts) -> Iterator[Cause]:
    problems = facts["withdrawals"]["not_applied"]
    for problem in problems:
        yield _withdrawal(f"WITHDRAWAL NOT APPLIED {problem}", problems)
    for folder in facts["withdrawals"].get("backups_to_delete", ()):
        yield Cause.of("expired", "warning", folder, f"BACKUP past its time, with people who withdrew since: {folder}",
                       message=f"BACKUP past its time: {folder}")  # fmt: skip
    for each in facts["gone"]:
        label = f"{each['kind']} {each['name']}"
        yield Cause.of("gone", "warning", label, f"gone {label}: {each['message']}")
    for each in facts["unlinked"]:
        if each["too_many"]:
            label = f"{each['kind']} {each['key']}"
            yield Cause.of("unlinked", "warning", label, f"UNLINKED {label}: {each['message']}")
    for kind, state in (("rejected", "rejected"), ("alarm", "alarms"), ("unusable", "unusable")):
        for each in facts["deliveries"][state]:
            sentence = f"{kind.upper()} delivery {each['delivery']}: {each['reason']}"
            if each["delivery"].startswith("withdrawals/"):
                yield _withdrawal(sentence, problems)
                continue
            delivery, reason = each.get("nameless", (each["delivery"], each["reason"]))
            message = f"{kind.upper()} delivery {delivery}: {reason}"
            yield Cause.of(kind, "error", delivery, sentence, reason, message)
    yield from _incomplete(facts["deliveries"])


def _incomplete(deliveries: Facts) -> Iterator[Cause]:
    """Drops that have not been completed for days; of withdrawals, that is a cause of its own."""
    for each in deliveries["waiting"]:
        if each.get("too_long") and not each["delivery"].startswith("withdrawals/"):
            delivery, reason = each["nameless"]
            said = "INCOMPLETE delivery {}: {}; nothing has changed for {:.0f} days"
            sentence, message = (
                said.format(name, why, each["days"])
                for name, why in ((each["delivery"], each["reason"]), (delivery, reason))
            )
            yield Cause.of("incomplete", "warning", delivery, sentence, message=message)


def _withdrawal(sentence: str, problems: list[str]) -> Cause:
    """One cause for all, without drop, row or number: how many people withdrew is not sent to anybody."""
    message = "WITHDRAWAL NOT APPLIED: a list of withdrawals cannot be read or is incomplete"
    return Cause.of("withdrawal", "error", "withdrawals", sentence, "\n".join(sorted(problems)), message)


def _of_publication(facts: Facts) -> Iterator[Cause]:
    for check in facts["failing_checks"]:
        if check["severity"] == "critical":
            # That the partition is blocked by it is a cause of its own.
            label = label_of(check["asset"], check["partition"])
            yield Cause.of("check", "info", f"{label} {check['meaning']}", check_line(check))
    if waiting := facts["waiting_release"]:
        yield Cause.of("signature", "warning", waiting["release"], waits(waiting))
    for each in facts["editions"]:
        severity: Severity = "warning" if each["state"] == "refused" else "info"
        sentence = f"publish wave {each['wave']}: {each['why'] or 'waits for the next refresh'}"
        yield Cause.of("edition", severity, f"wave {each['wave']}", sentence, each["why"])
    for source in facts["sources"]:
        if source["overdue"]:
            sentence = f"overdue {source['source']}: the last delivery came {source['days_since_last']:.0f} days ago"
            yield Cause.of("overdue", "warning", source["source"], sentence)


def live_causes(now: Facts) -> list[Cause]:
    """The causes among what can be seen at any time without opening anything (``monitoring/now.py``)."""
    return [Cause.of(**each) for each in now["causes"]]


def waits(release: Facts) -> str:
    """Which release still needs signatures, and how to give one."""
    missing = release["signatures_missing"]
    signatures = f"{missing} signature{'s' if missing != 1 else ''}"
    return f"release {release['release']} needs {signatures}: stegvis sign {release['release']} --name NAME"


def check_line(check: Facts) -> str:
    """A check that does not hold, with its count."""
    label = label_of(check["asset"], check["partition"])
    return f"{check['severity']} {label}: {check['meaning']} ({check['failing']} of {check['total']})"


def label_of(asset: str, partition: str) -> str:
    """A partition of an asset, or an asset without any, as a person reads it."""
    return f"{asset} [{partition}]" if partition else asset
