-- epoch_classification: one row per person of the batch's epochs: the expectations evaluate these instead of every epoch.
-- The view "epochs" holds this batch's 5-second epochs. A run is the rows of a person whose epochs follow each other by
-- one epoch a row; a run has no duplicate epochs, so only people whose runs overlap in time are counted epoch by
-- epoch. Any numbering of the rows would do; that of the shards, which are sorted, makes the fewest runs.
with numbered as (
    select *, row_number() over () as place
    from epochs
),

runs as (
    select
        person,
        epoch_ms(epoch_start) - 1000 * getvariable('epochs.seconds') * place as line,
        count(*) as epochs,
        min(epoch_start) as first_epoch,
        max(epoch_start) as last_epoch,
        count(*) filter (where activity is null) as unknown_activities,
        count(*) filter (where speed is not null and activity <> 'walking') as speeds_without_walking,
        sum(confidence) as confidence,
        -- Changes with any epoch; independent of their order.
        sum(
            hash(
                epoch_start, activity, speed, confidence, wear_back, wear_thigh, cadence, centimeters_per_second
            )::hugeint
        ) as content
    from numbered
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
    sum(epochs)::bigint as epochs,
    min(first_epoch) as first_epoch,
    max(last_epoch) as last_epoch,
    sum(unknown_activities)::bigint as unknown_activities,
    coalesce(any_value(repeated_epochs), 0)::bigint as repeated_epochs,
    sum(speeds_without_walking)::bigint as speeds_without_walking,
    round(sum(confidence) / sum(epochs) / 255, 3) as mean_confidence,
    sum(content)::varchar as content
from runs
left join repeated using (person)
group by person
