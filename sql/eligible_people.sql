-- eligible_people: participants with valid days and without the outcome at baseline, respondents of the wave or not.
-- The columns of the cohort that the codebook defines are added to it (stegvis/study/covariates.py).
-- The wave's date is its last response, or the end of its years. Who died or emigrated by then is dead or emigrated,
-- unless they responded; without a registry everyone else is silent for reasons nobody knows.
with wave_date as (
    select least(
        (
            select max(answer_date)
            from outcome_questionnaire
            where wave = getvariable('wave')
        ),
        make_date(split_part(getvariable('wave'), '-', -1)::integer, 12, 31)
    ) as last_day
),

registry as (
    select exists(select 1 from vital_status) as delivered
)

select
    e.wave,
    c.person,
    e.reason,
    o.low_back_pain is not null as answered,
    case
        when o.low_back_pain is not null then 'answered'
        when not r.delivered then null
        when v.date <= d.last_day and v.event = 'died' then 'dead'
        when v.date <= d.last_day and v.event = 'emigrated' then 'emigrated'
        else 'silent'
    end as state,
    r.delivered as vital_status_known,
    if(v.date <= d.last_day, v.event, null) as vital_event,
    if(r.delivered, date_diff('day', c.baseline_date, least(v.date, d.last_day)) / 365.25, null) as vital_years,
    coalesce(v.event = 'died' and v.date < o.answer_date, false) as responded_after_death,
    c.sex,
    c.age,
    c.older,
    c.pain_screen as baseline_pain_screen,
    w.recorded_days,
    w.valid_days,
    w.walking_minutes,
    w.walking_met,
    w.running_cycling_minutes_as_published,
    w.running_cycling_minutes_strict,
    w.whole_days,
    w.whole_day_lying_minutes,
    w.whole_day_sitting_minutes,
    w.whole_day_standing_minutes,
    w.whole_day_walking_minutes,
    w.whole_day_running_minutes,
    w.whole_day_cycling_minutes,
    o.follow_up_years,
    o.low_back_pain,
    o.low_back_pain_as_published,
    o.low_back_pain_strict,
    o.severe_low_back_pain_as_published,
    o.severe_low_back_pain_strict
from exclusions as e
inner join cohort as c using (person)
inner join walking_exposures as w using (person)
cross join wave_date as d
cross join registry as r
left join vital_status as v on v.person = c.person
left join outcome_questionnaire as o on o.person = e.person and o.wave = e.wave
where e.wave = getvariable('wave')
    and (e.reason is null or e.reason in ('followup_screen_missing', 'covariate_missing'))
order by c.person
