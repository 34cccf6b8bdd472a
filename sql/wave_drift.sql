-- wave_drift: one row per wave: how its responses differ from those of all earlier waves together. Empty for the first.
with answers as (
    select
        wave,
        count(*) as answers,
        count(*) filter (pain_screen is null) as screen_missing,
        sum(follow_up_years) as follow_up_years
    from outcome_questionnaire
    group by wave
),

eligible as (
    select
        wave,
        count(*) as eligible,
        count(*) filter (answered) as answered,
        count(*) filter (answered and low_back_pain = 1) as cases,
        count(*) filter (answered and sex = 'female') as women,
        sum(age) filter (answered) as age
    from eligible_people
    group by wave
),

-- Whom the answers come from, in groups that do not depend on the wave.
groups as (
    select wave, 'age' as variable, floor(age / 10)::integer as part
    from eligible_people
    where answered
    union all
    select
        wave,
        'walking' as variable,
        -- Without published bounds there are no groups that would not depend on the wave.
        if(
            len(getvariable('exposures.walking_minutes.published_lower_bounds')) > 0,
            len(list_filter(getvariable('exposures.walking_minutes.published_lower_bounds'), lambda b: b <= walking_minutes)),
            null
        )
    from eligible_people
    where answered
),

parts as (
    select wave, variable, part, count(*) as people
    from groups
    group by wave, variable, part
),

every_part as (
    select w.wave, p.variable, p.part, coalesce(n.people, 0) as people
    from (select distinct wave from parts) as w
    cross join (select distinct variable, part from parts) as p
    left join parts as n using (wave, variable, part)
),

earlier_parts as (
    select
        wave,
        variable,
        people,
        sum(people) over (
            partition by variable, part order by wave rows between unbounded preceding and 1 preceding
        ) as people_before
    from every_part
),

shares as (
    select
        wave,
        variable,
        people / nullif(sum(people) over (partition by wave, variable), 0) as share,
        people_before / nullif(sum(people_before) over (partition by wave, variable), 0) as share_before
    from earlier_parts
),

-- Total variation distance: the share of people who would have to be in another group.
distances as (
    select
        wave,
        sum(abs(share - share_before)) filter (variable = 'age') / 2 as age,
        sum(abs(share - share_before)) filter (variable = 'walking') / 2 as walking
    from shares
    group by wave
),

together as (
    select
        *,
        count(*) over earlier as earlier_waves,
        sum(answers) over earlier as answers_before,
        sum(screen_missing) over earlier as screen_missing_before,
        sum(follow_up_years) over earlier as follow_up_years_before,
        sum(eligible) over earlier as eligible_before,
        sum(answered) over earlier as answered_before,
        sum(cases) over earlier as cases_before,
        sum(women) over earlier as women_before,
        sum(age) over earlier as age_before
    from answers
    left join eligible using (wave)
    window earlier as (order by wave rows between unbounded preceding and 1 preceding)
)

select
    t.wave,
    t.earlier_waves::integer as earlier_waves,
    t.answers / (t.answers_before / nullif(t.earlier_waves, 0)) as answers_ratio,
    t.answered / nullif(t.eligible, 0) - t.answered_before / nullif(t.eligible_before, 0) as response_difference,
    t.cases / nullif(t.answered, 0) - t.cases_before / nullif(t.answered_before, 0) as prevalence_difference,
    t.screen_missing / nullif(t.answers, 0) - t.screen_missing_before / nullif(t.answers_before, 0)
        as screen_missing_difference,
    t.women / nullif(t.answered, 0) - t.women_before / nullif(t.answered_before, 0) as women_difference,
    t.age / nullif(t.answered, 0) - t.age_before / nullif(t.answered_before, 0) as mean_age_difference,
    d.age as age_distance,
    d.walking as walking_distance,
    t.follow_up_years / nullif(t.answers, 0) - t.follow_up_years_before / nullif(t.answers_before, 0)
        as follow_up_years_difference
from together as t
left join distances as d using (wave)
