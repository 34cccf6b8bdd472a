-- attrition: one row per exclusion step of a wave, in order, with how many it excludes and how many remain.
with people as (
    select reason
    from exclusions
    where wave = getvariable('wave')
),

steps as (
    select 0 as step, 'cohort' as rule
    union all
    select generate_subscripts(getvariable('exclusions.order'), 1), unnest(getvariable('exclusions.order'))
),

counted as (
    select
        s.step,
        s.rule,
        count(p.reason) as excluded
    from steps as s
    left join people as p on p.reason = s.rule
    group by s.step, s.rule
)

select
    getvariable('wave') as wave,
    step::integer as step,
    rule,
    excluded,
    (select count(*) from people) - sum(excluded) over (order by step)::bigint as remaining
from counted
