-- eligible_people: participants with valid days and without the outcome at baseline, respondents of the wave or not.
-- The columns of the cohort that the codebook defines are added to it (stegvis/study/covariates.py).
select
    e.wave,
    c.person,
    e.reason,
    o.low_back_pain is not null as answered,
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
left join outcome_questionnaire as o on o.person = e.person and o.wave = e.wave
where e.wave = getvariable('wave')
    and (e.reason is null or e.reason in ('followup_screen_missing', 'covariate_missing'))
order by c.person
