-- daily_exposures: one row per person and day of a batch: seconds per activity and walking speed, and whether the day counts.
-- The view "bouts" holds this batch's 5-second epochs: of each bout its start, its seconds, and codes of activity and speed.
with counted as (
    -- There are fifty times fewer bouts than epochs; codes become words once they are counted.
    select
        person,
        start::date as date,
        activity,
        speed,
        wear_back,
        wear_thigh,
        sum(seconds)::bigint as seconds
    from bouts
    group by all
),

in_words as (
    select
        person,
        date,
        activity_in_words(activity) as activity,
        speed_in_words(speed) as speed,
        wear_back,
        wear_thigh,
        seconds
    from counted
),

epoch_days as (
    select
        person,
        date,
        -- One sensor cannot distinguish most lying from sitting: its epochs do not know the wear of the other. Both together
        -- are sitting, and how long the person lay is unknown.
        count(wear_back) = 0 and count(wear_thigh) > 0 as one_sensor,
        if(one_sensor, null, coalesce(sum(seconds) filter (where activity = 'lying'), 0)) as lying,
        coalesce(
            sum(seconds) filter (where activity = 'sitting'), 0
        ) + if(one_sensor, coalesce(sum(seconds) filter (where activity = 'lying'), 0), 0) as sitting,
        coalesce(sum(seconds) filter (where activity = 'standing'), 0) as standing,
        coalesce(sum(seconds) filter (where activity = 'walking' and speed = 'slow'), 0) as walking_slow,
        coalesce(sum(seconds) filter (where activity = 'walking' and speed = 'moderate'), 0) as walking_moderate,
        coalesce(sum(seconds) filter (where activity = 'walking' and speed = 'brisk'), 0) as walking_brisk,
        coalesce(sum(seconds) filter (where activity = 'walking'), 0) as walking,
        coalesce(sum(seconds) filter (where activity = 'walking' and speed is not null), 0) as walking_with_speed,
        coalesce(sum(seconds) filter (where activity = 'running'), 0) as running,
        coalesce(sum(seconds) filter (where activity = 'cycling'), 0) as cycling,
        -- Of signals and delivered epochs it is not known which sensor was worn.
        if(count(wear_back) > 0, coalesce(sum(seconds) filter (where wear_back), 0), null) as wear_back,
        if(count(wear_thigh) > 0, coalesce(sum(seconds) filter (where wear_thigh), 0), null) as wear_thigh
    from in_words
    group by person, date
    having count(*) filter (where activity <> 'nonwear') > 0
),

classified as (
    select
        person,
        dense_rank() over (partition by person order by date) as day,
        date,
        'epochs' as source,
        lying, sitting, standing,
        -- Walking whose speed was not delivered has a volume but no intensity.
        if(walking_with_speed = walking, walking_slow, null) as walking_slow,
        if(walking_with_speed = walking, walking_moderate, null) as walking_moderate,
        if(walking_with_speed = walking, walking_brisk, null) as walking_brisk,
        walking, running, cycling, wear_back, wear_thigh
    from epoch_days
),

delivered as (
    select
        person,
        day,
        null::date as date,
        'day totals' as source,
        lying, sitting, standing, walking_slow, walking_moderate, walking_brisk, walking, running, cycling,
        null as wear_back,
        null as wear_thigh
    from delivered_days
    where batch = getvariable('batch')
),

days as (
    select * from delivered
    union all by name
    select * from classified
),

assessed as (
    select
        *,
        coalesce(lying, sitting, standing, walking_slow, walking_moderate, walking_brisk, running, cycling) is not null
            as recorded,
        -- Only an exact zero disqualifies; a missing component does not. Of several, the protocol's first is named.
        least(
            case when lying = 0 then list_position(getvariable('days.must_be_positive'), 'lying') end,
            case when sitting = 0 then list_position(getvariable('days.must_be_positive'), 'sitting') end,
            case when standing = 0 then list_position(getvariable('days.must_be_positive'), 'standing') end,
            case when walking = 0 then list_position(getvariable('days.must_be_positive'), 'walking') end,
            case when running = 0 then list_position(getvariable('days.must_be_positive'), 'running') end,
            case when cycling = 0 then list_position(getvariable('days.must_be_positive'), 'cycling') end
        ) as zero_activity,
        coalesce(lying, 0) + coalesce(sitting, 0) + coalesce(standing, 0) + coalesce(walking, 0)
            + coalesce(running, 0) + coalesce(cycling, 0) as worn_seconds
    from days
),

-- The three rules of a day side by side; the protocol says which one counts.
ruled as (
    select
        *,
        recorded and walking is not null and zero_activity is null as valid_as_published,
        recorded and walking is not null and worn_seconds >= getvariable('days.seconds_per_day') as valid_whole_day,
        recorded and walking is not null and worn_seconds >= 3600 * getvariable('days.smallest_wear_hours') as valid_worn
    from assessed
)

select
    getvariable('batch') as batch,
    person,
    day::integer as day,
    date,
    source,
    lying::double as lying,
    sitting::double as sitting,
    standing::double as standing,
    walking_slow::double as walking_slow,
    walking_moderate::double as walking_moderate,
    walking_brisk::double as walking_brisk,
    walking::double as walking,
    running::double as running,
    cycling::double as cycling,
    worn_seconds::double as worn,
    wear_back::double as wear_back,
    wear_thigh::double as wear_thigh,
    recorded,
    case getvariable('days.rule')
        when 'whole_day' then valid_whole_day
        when 'worn' then valid_worn
        else valid_as_published
    end as valid,
    case
        when not recorded then 'nothing recorded'
        when getvariable('days.rule') = 'whole_day' and not valid_whole_day and walking is not null then 'under 24 hours'
        when getvariable('days.rule') = 'worn' and not valid_worn and walking is not null then 'worn too little'
        when getvariable('days.rule') = 'as_published' and zero_activity is not null
            then 'no ' || getvariable('days.must_be_positive')[zero_activity]
        when walking is null then 'walking missing'
    end as reason,
    valid_as_published,
    valid_whole_day,
    valid_worn,
    abs(walking - (walking_slow + walking_moderate + walking_brisk)) <= getvariable('days.speed_sum_tolerance_seconds')
        as speeds_sum_to_walking,
    lying + sitting + standing + walking + running + cycling
        >= getvariable('days.seconds_per_day') - getvariable('days.speed_sum_tolerance_seconds') as whole_day
from ruled
