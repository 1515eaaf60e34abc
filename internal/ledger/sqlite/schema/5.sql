-- Reports about closed periods. The body is in a form that only whoever made it knows.
CREATE TABLE report (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL, owner TEXT NOT NULL, due_ms INTEGER NOT NULL, made_ms INTEGER NOT NULL,
    start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL, period TEXT NOT NULL, edition INTEGER NOT NULL,
    size INTEGER NOT NULL, body BLOB NOT NULL,
    UNIQUE (name, owner, due_ms)
);
CREATE INDEX report_period ON report (name, owner, period, edition);
CREATE INDEX report_made ON report (made_ms, size);

-- Where each report goes. settled_ms is null until nothing will be done about it any more.
CREATE TABLE report_delivery (
    report_id INTEGER NOT NULL, destination TEXT NOT NULL, kind TEXT NOT NULL,
    state TEXT NOT NULL, attempts INTEGER NOT NULL, next_ms INTEGER NOT NULL, reason TEXT NOT NULL, error TEXT NOT NULL,
    settled_ms INTEGER,
    PRIMARY KEY (report_id, destination)
) WITHOUT ROWID;
CREATE INDEX report_delivery_open ON report_delivery (report_id) WHERE settled_ms IS NULL;

-- How far the schedules of reports have been followed.
CREATE TABLE report_schedule (name TEXT PRIMARY KEY, schedule TEXT NOT NULL, through_ms INTEGER NOT NULL);
