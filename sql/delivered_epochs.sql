-- delivered_epochs: the rows of one delivered epochs file as canonical epochs, each with the number of the problem it has
-- on its own. Duplicate epochs are not a matter of one row: stegvis/storage/delivered_epochs.py finds them.
-- The view "delivered" holds the file's rows, the tables "people" and "spellings" the meaning of each spelling that occurs
-- (stegvis/storage/epoch_spellings.py).
select
    d.file_row,
    p.person,
    -- The lake's clock counts milliseconds.
    if(d.start_problem is null, d.epoch_start::timestamp_ms, null) as epoch_start,
    s.activity,
    s.speed,
    255::utinyint as confidence,
    coalesce(p.problem, d.start_problem, s.problem) as problem
from delivered as d
join people as p
    on d.person is not distinct from p.delivered
join spellings as s
    on d.activity is not distinct from s.delivered_activity
    and d.speed is not distinct from s.delivered_speed
