-- outcome_questionnaire: one row per response of a wave: the outcome at follow-up, with severity.
-- The table outcome_answers is the follow-up questionnaire with the answers on the outcome; other outcomes are added
-- (stegvis/study/outcome_columns.py, covariates.py).
with answers as (
    select
        f.*,
        c.person is not null as in_cohort,
        date_diff('day', c.baseline_date, f.answer_date) / 365.0 as follow_up_years,
        case
            when f.outcome_screen is null then null
            when f.outcome_box then 1
            else 0
        end as low_back_pain_as_published
    from outcome_answers as f
    left join cohort as c using (person)
    where f.wave = getvariable('wave')
),

-- The published code follows the box although the screen was answered "no"; the strict answer follows the screen.
both_modes as (
    select
        *,
        if(outcome_screen = 'no', 0, low_back_pain_as_published) as low_back_pain_strict,
        if(getvariable('study.mode') = 'strict', low_back_pain_strict, low_back_pain_as_published) as low_back_pain
    from answers
)

select
    wave,
    person,
    answer_date,
    follow_up_years,
    outcome_screen as pain_screen,
    low_back_pain,
    low_back_pain_as_published,
    low_back_pain_strict,
    -- The published code keeps low back pain that is not severe as 0; the strict answer leaves it out. Both are shown.
    case
        when not outcome_limited_asked then null
        when low_back_pain = 1 and outcome_limited = 'yes' then 1
        when low_back_pain is not null then 0
    end as severe_low_back_pain_as_published,
    case
        when not outcome_limited_asked then null
        when low_back_pain = 1 and outcome_limited = 'yes' then 1
        when low_back_pain = 0 then 0
    end as severe_low_back_pain_strict,
    outcome_screen = 'no' and outcome_box as box_against_screen,
    in_cohort
from both_modes
