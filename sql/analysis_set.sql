-- analysis_set: one row per analyzed person of a wave: exposures, covariates and outcome. Categories are added after.
select * exclude (reason, answered)
from eligible_people
where wave = getvariable('wave')
    and reason is null
order by person
