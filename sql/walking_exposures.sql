-- walking_exposures: one row per person: counted days, walking minutes per day and mean walking METs.
with newest as (
    -- A person recorded in two batches counts once, with the batch that comes last by name.
    select *
    from daily_exposures
    qualify dense_rank() over (partition by person order by batch desc) = 1
),

-- Decimal sums are exact, so the order of the rows cannot change a digit.
totals as (
    select
        person,
        any_value(batch) as batch,
        count(*) filter (where recorded) as recorded_days,
        count(*) filter (where valid) as valid_days,
        avg(walking_slow::decimal(12, 3)) filter (where valid) / 60 as walking_slow_minutes,
        avg(walking_moderate::decimal(12, 3)) filter (where valid) / 60 as walking_moderate_minutes,
        avg(walking_brisk::decimal(12, 3)) filter (where valid) / 60 as walking_brisk_minutes,
        avg(walking::decimal(12, 3)) filter (where valid) / 60 as walking_minutes,
        -- The published code took running and cycling from all recorded days; the strict answer, from valid days. Both are shown.
        avg(running::decimal(12, 3)) filter (where recorded) / 60
            + avg(cycling::decimal(12, 3)) filter (where recorded) / 60 as running_cycling_minutes_as_published,
        avg(running::decimal(12, 3)) filter (where valid) / 60
            + avg(cycling::decimal(12, 3)) filter (where valid) / 60 as running_cycling_minutes_strict,
        -- How the 24 hours are spent, over valid 24-hour days: only there do the activities add up to a day.
        count(*) filter (where valid and whole_day) as whole_days,
        avg(lying::decimal(12, 3)) filter (where valid and whole_day) / 60 as whole_day_lying_minutes,
        avg(sitting::decimal(12, 3)) filter (where valid and whole_day) / 60 as whole_day_sitting_minutes,
        avg(standing::decimal(12, 3)) filter (where valid and whole_day) / 60 as whole_day_standing_minutes,
        avg(walking::decimal(12, 3)) filter (where valid and whole_day) / 60 as whole_day_walking_minutes,
        avg(running::decimal(12, 3)) filter (where valid and whole_day) / 60 as whole_day_running_minutes,
        avg(cycling::decimal(12, 3)) filter (where valid and whole_day) / 60 as whole_day_cycling_minutes
    from newest
    group by person
)

select
    *,
    -- A ratio of means, not a mean of daily ratios. Who did not walk has no intensity.
    (
        getvariable('exposures.met_slow') * walking_slow_minutes
        + getvariable('exposures.met_moderate') * walking_moderate_minutes
        + getvariable('exposures.met_brisk') * walking_brisk_minutes
    ) / nullif(walking_minutes, 0) as walking_met
from totals
