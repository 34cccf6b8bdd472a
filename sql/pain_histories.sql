-- pain_histories: one row per person with an exposure and wave they responded to, with their pain at the wave before and
-- at the one before that. The columns of the cohort that the codebook defines are added to it.
with waves as (
    -- Waves are named by their years, so their names are in order of time; the baseline is number 0.
    select wave, row_number() over (order by wave) as number
    from (select distinct wave from outcome_questionnaire)
),

answers as (
    select
        person,
        0 as number,
        case low_back_pain when 'yes' then 1 when 'no' then 0 end as low_back_pain
    from cohort
    union all
    select o.person, w.number, o.low_back_pain
    from outcome_questionnaire as o
    inner join waves as w using (wave)
)

select
    w.wave,
    c.person,
    x.walking_minutes,
    x.walking_met,
    c.sex,
    c.age,
    this.low_back_pain::integer as low_back_pain,
    previous.low_back_pain::integer as previous_low_back_pain,
    earlier.low_back_pain::integer as earlier_low_back_pain
from answers as this
inner join waves as w on w.number = this.number
inner join cohort as c on c.person = this.person
inner join walking_exposures as x on x.person = this.person
left join answers as previous on previous.person = this.person and previous.number = this.number - 1
left join answers as earlier on earlier.person = this.person and earlier.number = this.number - 2
where this.low_back_pain is not null
    and x.valid_days >= getvariable('exposures.minimum_valid_days')
order by w.wave, c.person
