-- Times are Unix seconds where a column counts whole buckets, else Unix milliseconds (columns that end in _ms).

-- meta: hash_key, zone, folded_through (the last batch that was folded), fold (the number of that fold), as_of_ms,
-- confirmed_through (every Put up to that batch is confirmed or its ids are pinned), flights_as_of (the newest batch when
-- flight was last brought up to date), forgotten_ms_routine and forgotten_ms_exceptional (when the newest id that was
-- forgotten early had been stored), mark (of the last fold or step).
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;

-- What was committed and waits for the fold; ids stay until their messages are known to have left the queue.
CREATE TABLE batch (
    seq INTEGER PRIMARY KEY,
    uuid TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    confirmed_through INTEGER NOT NULL,
    format INTEGER NOT NULL,
    body BLOB NOT NULL
);

-- Names. Ids are never used again; seen is the last day (since 1970) on which mail of that name was committed.
CREATE TABLE origin (
    id INTEGER PRIMARY KEY AUTOINCREMENT, seen INTEGER NOT NULL,
    account TEXT NOT NULL, region TEXT NOT NULL, configuration_set TEXT NOT NULL,
    UNIQUE (account, region, configuration_set)
);
CREATE TABLE campaign (
    id INTEGER PRIMARY KEY AUTOINCREMENT, seen INTEGER NOT NULL,
    tenant TEXT NOT NULL, name TEXT NOT NULL, send TEXT NOT NULL,
    UNIQUE (tenant, name, send)
);
CREATE TABLE provider (
    id INTEGER PRIMARY KEY AUTOINCREMENT, seen INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE (name)
);
CREATE TABLE reason (
    id INTEGER PRIMARY KEY AUTOINCREMENT, seen INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE (name)
);
CREATE TABLE source (
    id INTEGER PRIMARY KEY AUTOINCREMENT, seen INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE (name)
);
CREATE TABLE stamp (
    id INTEGER PRIMARY KEY AUTOINCREMENT, seen INTEGER NOT NULL,
    from_domain TEXT NOT NULL, a TEXT NOT NULL, b TEXT NOT NULL, c TEXT NOT NULL, feedback_from TEXT NOT NULL,
    UNIQUE (from_domain, a, b, c, feedback_from)
);
CREATE TABLE outcome (id INTEGER PRIMARY KEY, name TEXT NOT NULL);

-- Tallies by send time. width is 300, 3600 or 86400; 86400 stands for a day of the ledger's zone, however long it is.
CREATE TABLE cohort (
    width INTEGER NOT NULL,
    start INTEGER NOT NULL,
    campaign_id INTEGER NOT NULL,
    provider_id INTEGER NOT NULL,
    origin_id INTEGER NOT NULL,
    sent INTEGER NOT NULL DEFAULT 0,
    delivered INTEGER NOT NULL DEFAULT 0,
    hard_bounced INTEGER NOT NULL DEFAULT 0,
    soft_bounced INTEGER NOT NULL DEFAULT 0,
    autoreply_suspected INTEGER NOT NULL DEFAULT 0,
    undetermined_bounced INTEGER NOT NULL DEFAULT 0,
    suppressed INTEGER NOT NULL DEFAULT 0,
    complained INTEGER NOT NULL DEFAULT 0,
    not_spam INTEGER NOT NULL DEFAULT 0,
    rejected INTEGER NOT NULL DEFAULT 0,
    rendering_failed INTEGER NOT NULL DEFAULT 0,
    unsubscribed INTEGER NOT NULL DEFAULT 0,
    delayed INTEGER NOT NULL DEFAULT 0,
    opened INTEGER NOT NULL DEFAULT 0,
    clicked INTEGER NOT NULL DEFAULT 0,
    opened_by_bot INTEGER NOT NULL DEFAULT 0,
    clicked_by_bot INTEGER NOT NULL DEFAULT 0,
    -- How many recipients the complaints listed.
    possible INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (width, start, campaign_id, provider_id, origin_id)
) WITHOUT ROWID;
CREATE INDEX cohort_campaign ON cohort (campaign_id, width, start);

-- The part of the cohorts' counts that has a reason; what it does not split has none.
CREATE TABLE cohort_reason (
    width INTEGER NOT NULL,
    start INTEGER NOT NULL,
    campaign_id INTEGER NOT NULL,
    provider_id INTEGER NOT NULL,
    origin_id INTEGER NOT NULL,
    outcome INTEGER NOT NULL,
    reason_id INTEGER NOT NULL,
    n INTEGER NOT NULL,
    possible INTEGER NOT NULL,
    PRIMARY KEY (width, start, campaign_id, provider_id, origin_id, outcome, reason_id)
) WITHOUT ROWID;
CREATE INDEX cohort_reason_campaign ON cohort_reason (campaign_id, width, start);

-- Tallies by the hour in which events happened.
CREATE TABLE own_time (
    start INTEGER NOT NULL, origin_id INTEGER NOT NULL, outcome INTEGER NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (start, origin_id, outcome)
) WITHOUT ROWID;

-- Which campaigns used which Feedback-ID values, by the hour of sending; origins here have no configuration set.
CREATE TABLE use (
    hour INTEGER NOT NULL, stamp_id INTEGER NOT NULL, campaign_id INTEGER NOT NULL, origin_id INTEGER NOT NULL,
    sent INTEGER NOT NULL, gmail_delivered INTEGER NOT NULL,
    PRIMARY KEY (hour, stamp_id, campaign_id, origin_id)
) WITHOUT ROWID;

-- Which SES event types were seen of each origin, with the first and last send time. type is the name that SES gives it.
CREATE TABLE published (
    origin_id INTEGER NOT NULL, type TEXT NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,
    PRIMARY KEY (origin_id, type)
) WITHOUT ROWID;

-- Hours of own time in which live events of an origin were counted.
CREATE TABLE covered (
    origin_id INTEGER NOT NULL, hour INTEGER NOT NULL,
    PRIMARY KEY (origin_id, hour)
) WITHOUT ROWID;

-- Examples of reasons; message_ids are up to three, newest last, parted by newlines.
CREATE TABLE sample (
    id INTEGER PRIMARY KEY,
    campaign_id INTEGER NOT NULL, provider_id INTEGER NOT NULL, outcome INTEGER NOT NULL, reason_id INTEGER NOT NULL,
    text TEXT NOT NULL,
    n INTEGER NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, message_ids TEXT NOT NULL,
    UNIQUE (text, campaign_id, provider_id, outcome, reason_id)
);
CREATE INDEX sample_last ON sample (last_ms);

-- Known ids in commit order. class: 0 routine, 1 exceptional. through is the batch of the segment's newest id, last_ms
-- when that was stored. ids are 8 bytes each, little-endian.
CREATE TABLE id_segment (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    class INTEGER NOT NULL, through INTEGER NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,
    n INTEGER NOT NULL, ids BLOB NOT NULL
);
CREATE INDEX id_segment_class ON id_segment (class, id);

-- Ids whose messages may still be in their queue, known until then whatever the budgets say.
CREATE TABLE pin (
    source_id INTEGER NOT NULL, id INTEGER NOT NULL, until INTEGER NOT NULL,
    PRIMARY KEY (source_id, id)
) WITHOUT ROWID;
CREATE INDEX pin_until ON pin (until);

-- The Puts, by batch and place in it, that were not confirmed at the last fold.
CREATE TABLE flight (batch INTEGER NOT NULL, put INTEGER NOT NULL, PRIMARY KEY (batch, put)) WITHOUT ROWID;

-- Entries without tags that wait for a tagged copy.
CREATE TABLE held (id INTEGER PRIMARY KEY, until_ms INTEGER NOT NULL, entry BLOB NOT NULL);
CREATE INDEX held_until ON held (until_ms);

CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL, message_id TEXT NOT NULL, message INTEGER NOT NULL,
    at_ms INTEGER NOT NULL, stored INTEGER NOT NULL,
    reason TEXT NOT NULL, detail TEXT NOT NULL, size INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE UNIQUE INDEX quarantine_message ON quarantine (source, message_id) WHERE message_id <> '';
CREATE INDEX quarantine_stored ON quarantine (stored);

CREATE TABLE reading (
    source TEXT NOT NULL, subject TEXT NOT NULL, metric TEXT NOT NULL, detail TEXT NOT NULL,
    start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL,
    value REAL, text TEXT NOT NULL, first_seen_ms INTEGER NOT NULL, last_changed_ms INTEGER NOT NULL,
    PRIMARY KEY (source, subject, metric, detail, start_ms, end_ms)
) WITHOUT ROWID;
CREATE INDEX reading_start ON reading (start_ms);

CREATE TABLE position (
    source TEXT NOT NULL, subject TEXT NOT NULL, position TEXT NOT NULL,
    PRIMARY KEY (source, subject)
) WITHOUT ROWID;

CREATE TABLE status (
    id INTEGER PRIMARY KEY, event_id TEXT NOT NULL, at_ms INTEGER NOT NULL, message INTEGER NOT NULL,
    detail_type TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL, resource TEXT NOT NULL, detail BLOB NOT NULL
);
CREATE UNIQUE INDEX status_event ON status (event_id) WHERE event_id <> '';
CREATE INDEX status_at ON status (at_ms);

CREATE TABLE learned_domain (
    domain TEXT NOT NULL, since_ms INTEGER NOT NULL, provider TEXT NOT NULL,
    PRIMARY KEY (domain, since_ms)
) WITHOUT ROWID;

CREATE TABLE version (
    kind TEXT NOT NULL, since_ms INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (kind, since_ms)
) WITHOUT ROWID;

-- For people: what became of each day's mail (days of UTC), campaign by campaign.
CREATE VIEW campaign_daily AS
SELECT date(start, 'unixepoch') AS day, tenant, name AS campaign, sum(sent) AS sent, sum(delivered) AS delivered,
    sum(hard_bounced) AS hard_bounced, sum(soft_bounced) AS soft_bounced, sum(suppressed) AS suppressed,
    sum(delayed) AS delayed, sum(complained) AS complained, sum(unsubscribed) AS unsubscribed
FROM cohort JOIN campaign ON campaign.id = campaign_id
GROUP BY 1, 2, 3;
