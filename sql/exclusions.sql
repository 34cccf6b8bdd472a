-- exclusions: one row per person of the cohort and wave, with the first exclusion that applies (none for the analyzed).
with complete_people as (
    select person
    from cohort
    -- Of every column that the list names; the person too, so that an empty list names a column.
    where columns(
        lambda name: name = 'person' or list_contains(getvariable('exclusions.complete_case'), name)
    ) is not null
),

-- A rule is its position in the protocol's order; one that the protocol does not list has none and takes nobody.
first_exclusion as (
    select
        c.person,
        least(
            case when coalesce(w.recorded_days, 0) = 0
                then list_position(getvariable('exclusions.order'), 'no_accelerometer_day') end,
            case when coalesce(w.valid_days, 0) < getvariable('exposures.minimum_valid_days')
                then list_position(getvariable('exclusions.order'), 'no_valid_walking_day') end,
            case when c.pain_screen is null
                then list_position(getvariable('exclusions.order'), 'baseline_screen_missing') end,
            case when c.low_back_pain = 'yes'
                then list_position(getvariable('exclusions.order'), 'baseline_low_back_pain') end,
            case when o.low_back_pain is null
                then list_position(getvariable('exclusions.order'), 'followup_screen_missing') end,
            case when p.person is null
                then list_position(getvariable('exclusions.order'), 'covariate_missing') end
        ) as step
    from cohort as c
    left join walking_exposures as w using (person)
    left join outcome_questionnaire as o on o.person = c.person and o.wave = getvariable('wave')
    left join complete_people as p on p.person = c.person
)

select
    getvariable('wave') as wave,
    person,
    getvariable('exclusions.order')[step] as reason,
    step::integer as step
from first_exclusion
