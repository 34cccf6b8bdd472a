-- epoch_classification: one row per person of the batch's epochs: the expectations evaluate these instead of every epoch.
-- The view "bouts" holds this batch's epochs; one of several activities is there as epochs of one second. A run is a set of bouts of a person between which nothing is
-- missing: they share the moment at which the first bout of all would have begun, had they all followed each other. A run
-- has no duplicate epochs, so only people whose runs overlap in time are counted epoch by epoch. Any order of the bouts
-- would do; that of the shards, which are sorted, makes the fewest runs.
with placed as (
    select
        *,
        seconds // epoch_seconds as parts,
        (sum(seconds) over (rows between unbounded preceding and current row) - seconds)::bigint as seconds_before
    from bouts
),

runs as (
    select
        person,
        epoch_ms(start) - 1000 * seconds_before as line,
        sum(seconds) as seconds,
        min(start) as first_epoch,
        max(start + to_seconds(seconds - epoch_seconds)) as last_epoch,
        coalesce(sum(parts) filter (where activity_in_words(activity) is null), 0) as unknown_activities,
        coalesce(
            sum(parts) filter (
                where speed_in_words(speed) is not null and activity_in_words(activity) <> 'walking'
            ), 0
        ) as speeds_without_walking,
        sum(epoch_seconds * if(len(confidence) = 1, parts * confidence[1], list_sum(confidence))) as confidence,
        -- Changes with any epoch; independent of the order of bouts.
        sum(
            hash(
                start, seconds, epoch_seconds, activity, speed, wear_back, wear_thigh, confidence, cadence,
                centimeters_per_second
            )::hugeint
        ) as content
    from placed
    group by person, line
),

overlapping as (
    select distinct person
    from (
        select
            person,
            first_epoch <= max(last_epoch) over (
                partition by person order by first_epoch rows between unbounded preceding and 1 preceding
            ) as again
        from runs
    )
    where again
),

repeated as (
    select person, count(*) - count(distinct epoch_start) as repeated_epochs
    from epochs
    where person in (select person from overlapping)
    group by person
)

select
    person,
    (sum(seconds) // getvariable('epochs.seconds'))::bigint as epochs,
    min(first_epoch) as first_epoch,
    max(last_epoch) as last_epoch,
    sum(unknown_activities)::bigint as unknown_activities,
    coalesce(any_value(repeated_epochs), 0)::bigint as repeated_epochs,
    sum(speeds_without_walking)::bigint as speeds_without_walking,
    round(sum(confidence) / sum(seconds) / 255, 3) as mean_confidence,
    sum(content)::varchar as content
from runs
left join repeated using (person)
group by person
