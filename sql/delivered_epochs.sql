-- delivered_epochs: the rows of one delivered epochs file as canonical epochs, each with the rule it breaks on its own.
-- Repeated epochs are no matter of one row: stegvis/storage/delivered_epochs.py looks for them among the rows without a rule.
-- The view "delivered" holds the file's rows; the table "spellings" each pair of activity and speed that occurs, judged.
with stated as (
    select
        d.file_row,
        nullif(trim(d.person), '') as person,
        -- The lake's clock counts milliseconds.
        if(isfinite(d.epoch_start), d.epoch_start::timestamp_ms, null) as epoch_start,
        s.activity,
        s.speed,
        s.rule_column
    from delivered as d
    join spellings as s
        on d.activity is not distinct from s.delivered_activity
        and d.speed is not distinct from s.delivered_speed
)

select
    file_row,
    person,
    epoch_start,
    activity,
    speed,
    255::utinyint as confidence,
    case
        when person is null then 'blank'
        when epoch_start is null then 'wrong_type'
        when rule_column is not null then 'unknown_code'
    end as rule,
    case
        when person is null then 'person'
        when epoch_start is null then 'epoch_start'
        else rule_column
    end as rule_column
from stated
