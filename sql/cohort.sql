-- cohort: one row per person at baseline. The columns that the study's codebook defines are added to it
-- (stegvis/study/covariates.py), and the table outcome_answers is the baseline questionnaire with the answers on the
-- outcome (stegvis/study/outcome_columns.py).
with people_with_recordings as (
    select distinct person
    from recordings
    where status = 'accepted'
)

select
    b.person,
    b.baseline_date,
    b.sex,
    b.age,
    b.age >= getvariable('covariates.older_from_age') as older,
    b.outcome_screen as pain_screen,
    -- Two steps: the question, then the box that counts. Strict mode lets a screen answered "no" overrule the box.
    case
        when b.outcome_screen is null then null
        when getvariable('study.mode') = 'strict' and b.outcome_screen = 'no' then 'no'
        when b.outcome_box then 'yes'
        else 'no'
    end as low_back_pain,
    b.outcome_screen = 'no' and b.outcome_box as box_against_screen,
    r.person is not null as has_recording
from outcome_answers as b
left join people_with_recordings as r using (person)
