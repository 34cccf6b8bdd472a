-- analysis_set: one row per analyzed person of a wave: exposures, covariates and outcome. Categories are added after.
select * exclude (reason, answered, state, vital_status_known, vital_event, vital_years, responded_after_death)
from eligible_people
where wave = getvariable('wave')
    and reason is null
order by person
