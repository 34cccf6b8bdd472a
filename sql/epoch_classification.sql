-- epoch_classification: one row per person of the batch's epochs: what the expectations judge instead of every epoch.
select
    person,
    count(*) as epochs,
    min(epoch_start) as first_epoch,
    max(epoch_start) as last_epoch,
    count(*) filter (where activity is null) as unknown_activities,
    count(*) - count(distinct epoch_start) as repeated_epochs,
    count(*) filter (where speed is not null and activity <> 'walking') as speeds_without_walking,
    round(avg(confidence) / 255, 3) as mean_confidence,
    -- Changes with any epoch; independent of their order.
    sum(hash(every_column)::hugeint)::varchar as content
from epochs as every_column
group by person
