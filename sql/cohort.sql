-- cohort: one row per person at baseline, with typed covariates.
with people_with_recordings as (
    select distinct person
    from recordings
    where status = 'accepted'
),

diseases as (
    select
        person,
        [diabetes, cancer, angina, infarction, heart_failure, atrial_fibrillation, stroke] as answers
    from baseline_questionnaire
)

select
    b.person,
    b.baseline_date,
    b.sex,
    b.age,
    b.age >= getvariable('covariates.older_from_age') as older,
    b.education,
    b.income,
    b.employment,
    b.smoking,
    case
        when b.depression_score >= getvariable('covariates.depression_cut') then 'yes'
        when b.depression_score is not null then 'no'
    end as depression,
    coalesce(b.bmi_clinic, b.bmi_home) as bmi,
    case
        when b.employment = 'non-employed' or b.work_type is null then 'none'
        else b.work_type
    end as work_type,
    b.self_rated_health,
    b.pain_last_4_weeks,
    case
        when list_contains(d.answers, 'yes') then 'yes'
        when len(list_filter(d.answers, lambda answer: answer = 'no')) = len(d.answers) then 'no'
    end as other_disease,
    b.exercise_frequency,
    b.pain_screen,
    -- Two steps: the screen, then a box for the low back. Strict mode lets a screen answered "no" overrule the box.
    case
        when b.pain_screen is null then null
        when getvariable('study.mode') = 'strict' and b.pain_screen = 'no' then 'no'
        when b.low_back_box then 'yes'
        else 'no'
    end as low_back_pain,
    b.pain_screen = 'no' and b.low_back_box as box_against_screen,
    r.person is not null as has_recording
from baseline_questionnaire as b
inner join diseases as d using (person)
left join people_with_recordings as r using (person)
