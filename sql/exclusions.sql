-- exclusions: one row per person of the cohort and wave, with the first exclusion that applies (none for the analyzed).
with everyone as (
    select
        c.person,
        map {
            'no_accelerometer_day': coalesce(w.recorded_days, 0) = 0,
            'no_valid_walking_day': coalesce(w.valid_days, 0) < getvariable('exposures.minimum_valid_days'),
            'baseline_screen_missing': c.pain_screen is null,
            'baseline_low_back_pain': coalesce(c.low_back_pain = 'yes', false),
            'followup_screen_missing': o.low_back_pain is null,
            'covariate_missing': len(list_filter(
                getvariable('exclusions.complete_case'),
                lambda covariate: json_extract_string(to_json(c), covariate) is null
            )) > 0
        } as applies
    from cohort as c
    left join walking_exposures as w using (person)
    left join outcome_questionnaire as o on o.person = c.person and o.wave = getvariable('wave')
),

first_exclusion as (
    select
        person,
        list_filter(getvariable('exclusions.order'), lambda rule: applies[rule])[1] as reason
    from everyone
)

select
    getvariable('wave') as wave,
    person,
    reason,
    list_position(getvariable('exclusions.order'), reason)::integer as step
from first_exclusion
