-- Alerts. Bodies are JSON, in a form that only package alerts knows; the columns beside them are what is searched for.

-- What is remembered of each rule and subject.
CREATE TABLE alert (
    id TEXT PRIMARY KEY, version INTEGER NOT NULL,
    rule TEXT NOT NULL, subject TEXT NOT NULL, severity TEXT NOT NULL, body TEXT NOT NULL
);

-- What each notifier has been told of the alerts that belong together.
CREATE TABLE alert_group (
    notifier TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (notifier, key)
);

-- What happened to alerts, in that order.
CREATE TABLE alert_history (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL, kind TEXT NOT NULL,
    alert_id TEXT NOT NULL, rule TEXT NOT NULL, subject TEXT NOT NULL,
    severity TEXT NOT NULL, was TEXT NOT NULL, reason TEXT NOT NULL, body TEXT NOT NULL
);
CREATE INDEX alert_history_at ON alert_history (at_ms);
CREATE INDEX alert_history_alert ON alert_history (alert_id);
CREATE INDEX alert_history_rule ON alert_history (rule);
CREATE INDEX alert_history_subject ON alert_history (subject);

-- Notifications, in the order in which they were made. settled_ms is null until nothing will be done about one any more.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    notification TEXT NOT NULL UNIQUE,
    notifier TEXT NOT NULL, key TEXT NOT NULL, opens INTEGER NOT NULL, closes INTEGER NOT NULL,
    made_ms INTEGER NOT NULL,
    state TEXT NOT NULL, attempts INTEGER NOT NULL, next_ms INTEGER NOT NULL, reason TEXT NOT NULL, error TEXT NOT NULL,
    settled_ms INTEGER,
    size INTEGER NOT NULL, body TEXT NOT NULL
);
CREATE INDEX outbox_key ON outbox (notifier, key, state);
CREATE INDEX outbox_state ON outbox (notifier, state, made_ms);
CREATE INDEX outbox_live ON outbox (notifier, key) WHERE settled_ms IS NULL;
CREATE INDEX outbox_settled ON outbox (settled_ms, size) WHERE settled_ms IS NOT NULL;

CREATE TABLE silence (id TEXT PRIMARY KEY, ends_ms INTEGER NOT NULL, body TEXT NOT NULL);
CREATE INDEX silence_ends ON silence (ends_ms);
