-- outcome_questionnaire: one row per response of a wave: chronic low back pain at follow-up, with severity.
with answers as (
    select
        f.*,
        c.person is not null as in_cohort,
        date_diff('day', c.baseline_date, f.answer_date) / 365.0 as follow_up_years,
        case
            when f.pain_screen is null then null
            when f.low_back_box then 1
            else 0
        end as low_back_pain_as_published
    from followup_questionnaire as f
    left join cohort as c using (person)
    where f.wave = getvariable('wave')
),

-- The published code follows the box although the screen was answered "no"; the strict answer follows the screen.
both_modes as (
    select
        *,
        if(pain_screen = 'no', 0, low_back_pain_as_published) as low_back_pain_strict,
        if(getvariable('study.mode') = 'strict', low_back_pain_strict, low_back_pain_as_published) as low_back_pain
    from answers
)

select
    wave,
    person,
    answer_date,
    follow_up_years,
    pain_screen,
    low_back_pain,
    low_back_pain_as_published,
    low_back_pain_strict,
    -- The published code keeps low back pain that is not severe as 0; the strict answer leaves it out. Both are shown.
    case
        when low_back_pain = 1 and leisure_limited = 'yes' then 1
        when low_back_pain is not null then 0
    end as severe_low_back_pain_as_published,
    case
        when low_back_pain = 1 and leisure_limited = 'yes' then 1
        when low_back_pain = 0 then 0
    end as severe_low_back_pain_strict,
    pain_screen = 'no' and low_back_box as box_against_screen,
    in_cohort
from both_modes
