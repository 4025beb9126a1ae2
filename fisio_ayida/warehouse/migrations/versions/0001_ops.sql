CREATE SCHEMA IF NOT EXISTS bdns;
COMMENT ON SCHEMA bdns IS 'Mirror of the Spanish subsidies database: what the source publishes now, and history';
COMMENT ON SCHEMA ops IS 'How the mirror is kept: loads, rejected records, pacing, version of the tables';

-- Unlogged: after a crash of the server no request of before is worth remembering, and a turn costs no disk write.
CREATE UNLOGGED TABLE ops.request_clock (
    service text PRIMARY KEY,
    -- The next request may not start before this moment.
    next_start timestamptz NOT NULL,
    -- The spacing of the last turn: next_start much further away means that the wall clock was set back.
    spacing interval NOT NULL,
    last_holder text NOT NULL,
    -- Who has waited longest, and until when we believe that it still waits: it comes before anybody new.
    reserved_for text,
    reserved_until timestamptz
);
COMMENT ON TABLE ops.request_clock IS 'One row per outside service: when the next request may start';

CREATE UNLOGGED TABLE ops.requests_in_flight (
    service text NOT NULL,
    holder text NOT NULL,
    started_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    -- The server process that serves the holder; NULL behind a transaction pooler, where it says nothing.
    backend_pid integer,
    backend_start timestamptz,
    PRIMARY KEY (service, holder)
);
COMMENT ON TABLE ops.requests_in_flight IS 'One row per request under way, until it ends, its process ends or its lease expires';

-- Ask for the next start. Answers (true, seconds until the agreed start) or (false, seconds until asking again pays).
--
-- Guarantees, over all callers: agreed starts lie p_spacing apart; never more than p_max_in_flight rows that are
-- neither expired nor left by a dead process; nobody is passed over for ever. All of it under the lock of the service's row, in one statement.
--
-- p_transit is the way from here to the caller. A start is agreed at most twice that, and 3 ms, ahead, so that
-- the caller can sleep until the exact moment: no pace is lost to the way or to late wake-ups.
-- Asking again with the same holder moves its own start, if nobody has been given a later one.
CREATE FUNCTION ops.take_turn(
    p_service text, p_holder text, p_spacing interval, p_max_in_flight integer, p_lease interval,
    p_transit interval, p_watch_backend boolean,
    OUT granted boolean, OUT wait_seconds double precision,
    OUT decided_seconds double precision, OUT server_seconds double precision)
LANGUAGE plpgsql AS $$
DECLARE
    clock ops.request_clock;
    now_at timestamptz;
    start_at timestamptz;
    in_flight integer;
    under_way interval;
    my_place boolean;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    SELECT * INTO clock FROM ops.request_clock WHERE service = p_service FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO ops.request_clock (service, next_start, spacing, last_holder)
            VALUES (p_service, '-infinity', p_spacing, '') ON CONFLICT DO NOTHING;
        SELECT * INTO clock FROM ops.request_clock WHERE service = p_service FOR UPDATE;
    END IF;

    now_at := clock_timestamp();
    DELETE FROM ops.requests_in_flight f
        WHERE f.service = p_service AND f.holder <> p_holder
          AND (f.expires_at <= now_at
               OR f.backend_pid IS NOT NULL AND NOT EXISTS (
                   SELECT FROM pg_stat_get_activity(f.backend_pid) a
                   -- Another role's start is hidden from us: then the number alone must do.
                   WHERE a.backend_start = f.backend_start OR a.backend_start IS NULL));
    SELECT count(*), coalesce(now_at - max(f.started_at), '0') INTO in_flight, under_way FROM ops.requests_in_flight f
        WHERE f.service = p_service AND f.holder <> p_holder;

    IF clock.next_start > now_at + greatest(clock.spacing, p_spacing) + interval '1 s' THEN
        -- No start is agreed that far ahead: the wall clock was set back.
        UPDATE ops.request_clock SET next_start = now_at + p_spacing WHERE service = p_service
            RETURNING next_start INTO clock.next_start;
    END IF;
    start_at := clock.next_start;
    IF clock.last_holder = p_holder OR p_spacing = interval '0' THEN
        start_at := now_at;
    END IF;
    start_at := greatest(start_at, now_at + p_transit);
    wait_seconds := extract(epoch FROM start_at - now_at);

    -- One place in front of everybody: else the process that has just ended a call would always be first again.
    -- Who has a call in flight and only agrees anew on its start must not queue behind those who wait for its end.
    my_place := clock.reserved_for IS NULL OR clock.reserved_for = p_holder OR clock.reserved_until < now_at
        OR EXISTS (SELECT FROM ops.requests_in_flight f WHERE f.service = p_service AND f.holder = p_holder);
    granted := my_place AND in_flight < p_max_in_flight AND start_at <= now_at + 2 * p_transit + interval '3 ms';
    IF granted THEN
        INSERT INTO ops.requests_in_flight
            SELECT p_service, p_holder, start_at, start_at + p_lease,
                   CASE WHEN p_watch_backend THEN pg_backend_pid() END,
                   CASE WHEN p_watch_backend THEN a.backend_start END
            FROM pg_stat_get_activity(pg_backend_pid()) a
            ON CONFLICT (service, holder) DO UPDATE
                SET started_at = excluded.started_at, expires_at = excluded.expires_at, backend_pid = excluded.backend_pid,
                    backend_start = excluded.backend_start;
        UPDATE ops.request_clock
            SET next_start = start_at + p_spacing, spacing = p_spacing, last_holder = p_holder,
                reserved_for = CASE WHEN reserved_for <> p_holder THEN reserved_for END
            WHERE service = p_service;
    ELSE
        -- The next question shall arrive a little before the start, within the 3 ms in which it is granted.
        -- The end of another's request is not announced: whose place is first looks again soon, others later,
        -- and both less often the longer the request takes (a page of a listing takes seconds).
        wait_seconds := greatest(
            wait_seconds - extract(epoch FROM 2 * p_transit + interval '2 ms'),
            CASE
                WHEN NOT my_place THEN least(0.1, greatest(0.02, 0.1 * extract(epoch FROM under_way)))
                WHEN in_flight >= p_max_in_flight THEN least(0.05, greatest(0.006, 0.02 * extract(epoch FROM under_way)))
                ELSE 0.0005
            END);
        IF clock.reserved_for IS NULL OR clock.reserved_for = p_holder OR clock.reserved_until < now_at THEN
            UPDATE ops.request_clock
                SET reserved_for = p_holder,
                    reserved_until = now_at + make_interval(secs => wait_seconds) + 2 * p_transit + interval '50 ms'
                WHERE service = p_service;
        END IF;
    END IF;
    -- From the question's arrival to the moment that wait_seconds counts from: the time spent waiting for the row.
    decided_seconds := extract(epoch FROM now_at - statement_timestamp());
    server_seconds := extract(epoch FROM clock_timestamp() - statement_timestamp());
END $$;

-- Give the turn back. p_sent_ago: how long ago the request really left; NULL when it never did.
-- A process may have been held up between its agreed start and the request: then the next start moves along.
CREATE FUNCTION ops.end_turn(p_service text, p_holder text, p_spacing interval, p_sent_ago interval)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    IF p_sent_ago IS NOT NULL THEN
        UPDATE ops.request_clock
            SET next_start = clock_timestamp() - p_sent_ago + p_spacing - interval '3 ms'
            WHERE service = p_service
              AND next_start < clock_timestamp() - p_sent_ago + p_spacing - interval '3 ms';
    END IF;
    DELETE FROM ops.requests_in_flight WHERE service = p_service AND holder = p_holder;
END $$;
