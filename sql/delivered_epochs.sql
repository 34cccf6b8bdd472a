-- delivered_epochs: the rows of one delivered epochs file as canonical epochs, each with the rule it breaks, if any.
-- The view "delivered" holds the file's columns as text; "activity_codes" and "speed_codes" hold the codebook's codes.
-- A code delivered as 1, 01 or 1.0 is the same code.
with spelled as (
    select
        file_row,
        nullif(trim(person), '') as person,
        try_cast(epoch_start as timestamp) as epoch_start,
        a.activity,
        s.speed,
        d.activity as delivered_activity,
        d.speed as delivered_speed
    from delivered as d
    left join activity_codes as a on a.code = regexp_replace(trim(d.activity), '^0*(\d+)(\.0*)?$', '\1')
    left join speed_codes as s on s.code = regexp_replace(trim(d.speed), '^0*(\d+)(\.0*)?$', '\1')
)

select
    file_row,
    person,
    epoch_start,
    activity,
    if(activity = getvariable('walking'), coalesce(speed, 0), 0)::utinyint as speed,
    255::utinyint as confidence,
    case
        when person is null then 'blank'
        when epoch_start is null then 'wrong_type'
        when activity is null then 'unknown_code'
        when speed is null and nullif(trim(delivered_speed), '') is not null then 'unknown_code'
        when row_number() over (partition by person, epoch_start order by file_row) > 1 then 'duplicate'
    end as rule,
    case
        when person is null then 'person'
        when epoch_start is null then 'epoch_start'
        when activity is null then 'activity'
        when speed is null and nullif(trim(delivered_speed), '') is not null then 'speed'
        else 'epoch_start'
    end as rule_column
from spelled
