"""The items by which a new wave or batch is compared with the earlier ones: what each is, and how it is printed."""

from __future__ import annotations

LABELS: dict[str, tuple[str, str]] = {
    "response": ("the share of the cohort who responded", "{:.1%}"),
    "screen_missing": ("the share of responses without a pain screen", "{:.1%}"),
    "prevalence": ("the share with low back pain", "{:.1%}"),
    "limited": ("the share limited in leisure among those with low back pain", "{:.1%}"),
    "date_missing": ("the share of responses without a date", "{:.1%}"),
    "before_baseline": ("the share of responses dated before the baseline", "{:.1%}"),
    "covariate_missing": ("the share of respondents without a covariate of the models", "{:.1%}"),
    "women": ("the share of women among respondents", "{:.1%}"),
    "mean_age": ("the mean age of respondents at baseline, years", "{:.1f}"),
    "without_valid_day": ("the share of people without a valid day", "{:.1%}"),
    "hours_a_day": ("mean hours recorded a day", "{:.1f}"),
    "walking_minutes": ("mean minutes of walking in 24 hours", "{:.0f}"),
    "slow_share": ("the mean share of walking that is slow", "{:.1%}"),
    "brisk_share": ("the mean share of walking that is brisk", "{:.1%}"),
    "lying_hours": ("mean hours of lying in 24 hours", "{:.1f}"),
    "sitting_hours": ("mean hours of sitting in 24 hours", "{:.1f}"),
    "standing_hours": ("mean hours of standing in 24 hours", "{:.1f}"),
}


def outside(item: str) -> str:
    """The column of a table's summary that says how far an item is beyond its range."""
    return f"{item}_outside"
