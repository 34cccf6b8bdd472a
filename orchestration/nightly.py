"""The nightly refresh: the safety net under the automation.

Belongs here: a job that does what ``stegvis refresh`` does, and its schedule. It runs again what failed, and what was
not done while the automation was off; ``stegvis refresh`` itself uses the job while a daemon runs (``handover.py``).
Does not belong here: the refresh.
"""

# No postponed annotations here: Dagster reads the type of ``context`` when the op is defined.
import dagster as dg

from stegvis.assets.table import PROCESS_TAG
from stegvis.orchestration.instance import REFRESH_JOB, started_for, why_not_here
from stegvis.orchestration.refresh import by_asset, refresh
from stegvis.storage.home import Home
from stegvis.storage.process import this_process


def nightly(home: Home) -> tuple[dg.JobDefinition, dg.ScheduleDefinition]:
    """The job ``refresh`` and the schedule that runs it every night."""

    @dg.op(name="bring_up_to_date", description="Materialize what is stale and only that, and publish a release.")
    def bring_up_to_date(context: dg.OpExecutionContext) -> None:
        if reason := why_not_here(home, context.instance):
            raise dg.Failure(reason, allow_retries=False)
        from stegvis.orchestration.monitoring.watching import watched
        from stegvis.orchestration.refreshed import keep, refreshed

        # The run names its process, or it would be taken for one that was killed.
        context.instance.add_run_tags(context.run.run_id, {PROCESS_TAG: this_process()})
        with watched(home, context.log.warning):
            done = refresh(home, context.log.info)
        keep(home, context.run.run_id, refreshed(home, done))
        made = {asset: len(keys) for asset, keys in by_asset(done.materialized).items()}
        context.log.debug("materialized %s", made or "nothing: everything is up to date")
        for status in done.blocked:
            context.log.warning("blocked %s: %s", status.label, "; ".join(status.reasons))
        if done.missing_upstream:
            context.log.warning("%s partitions wait for upstream tables", len(done.missing_upstream))
        if not done.ok:
            failed = [f"{asset} [{key}]: {why}" if key else f"{asset}: {why}" for asset, key, why in done.failed]
            failed += [f"{drop.kind}/{drop.name}: {drop.reason}" for drop in done.landing.rejected]
            failed += [f"{status.label} is blocked: {'; '.join(status.reasons)}" for status in done.blocked]
            raise dg.Failure("; ".join(failed), allow_retries=False)

    @dg.job(name=REFRESH_JOB, description="What `stegvis refresh` does.", executor_def=dg.in_process_executor)
    def refresh_job() -> None:
        bring_up_to_date()

    schedule = dg.ScheduleDefinition(
        name="nightly",
        job=refresh_job,
        cron_schedule="0 3 * * *",
        execution_timezone="Europe/Oslo",
        default_status=dg.DefaultScheduleStatus.RUNNING if started_for(home) else dg.DefaultScheduleStatus.STOPPED,
        description="Runs what the automation did not, and again what failed.",
    )
    return refresh_job, schedule
