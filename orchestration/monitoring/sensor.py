"""The daemon's look at a home, once a minute: whoever is alerted hears of failures that no refresh could report."""

from __future__ import annotations

import dagster as dg

from stegvis.orchestration.instance import sensor_status, why_not_here
from stegvis.orchestration.monitoring import files
from stegvis.storage.home import Home


def alerts_sensor(home: Home) -> dg.SensorDefinition:
    """The sensor that alerts somebody, sends the daily digest, and shows that the daemon is alive."""

    @dg.sensor(
        name="alerts",
        minimum_interval_seconds=60,
        default_status=sensor_status(home),
        description="Sends what failed, is blocked or overdue to those whom alerts.toml names; and when it is over.",
    )
    def alerts(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        if reason := why_not_here(home, context.instance):
            return dg.SkipReason(reason)
        files.mark(files.place(home.create().root, files.LOOKED))
        from stegvis.orchestration.monitoring.watching import look

        whole = look(home, context.instance, if_changed=True)
        return dg.SkipReason("looked at the whole home" if whole else "nothing has changed")

    return alerts
