-- cohort_selection: one row per member of the cohort: the answers at baseline that models use, exposures, and which of
-- the steps to the analysis of a wave each person passed. had_outcome is missing where the baseline answer is.
with answers as (
    select
        person,
        pain_screen,
        low_back_pain,
        -- The person is there already; so that two empty lists name a column, too.
        columns(
            lambda name: name = 'sex'
                or list_contains(getvariable('models.adjusted'), name)
                or list_contains(getvariable('exclusions.complete_case'), name)
        )
    from cohort
)

select
    a.* exclude (pain_screen, low_back_pain),
    a.pain_screen is not null as baseline_answered,
    a.low_back_pain = 'yes' as had_outcome,
    coalesce(w.recorded_days, 0) > 0
        and coalesce(w.valid_days, 0) >= getvariable('exposures.minimum_valid_days') as recorded,
    w.walking_minutes,
    w.walking_met,
    o.low_back_pain is not null as answered
from answers as a
left join walking_exposures as w using (person)
left join outcome_questionnaire as o on o.person = a.person and o.wave = getvariable('wave')
order by a.person
