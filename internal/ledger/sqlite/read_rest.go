package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/mailvane/mailvane/internal/ledger"
	"github.com/mailvane/mailvane/internal/observation"
)

const defaultLimit = 100

func limitOf(n int) int {
	if n <= 0 {
		return defaultLimit
	}
	return n
}

func milli(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// inTx runs fn for each row of a query within a transaction.
func inTx(ctx context.Context, tx *sql.Tx, fn func(scan func(dest ...any) error) error, text string, args ...any) error {
	rows, err := tx.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	return eachRow(rows, fn)
}

// Published implements ledger.Reader.
func (r *Reader) Published(ctx context.Context) ([]ledger.Published, error) {
	var out []ledger.Published
	err := r.query(ctx, func(scan func(...any) error) error {
		var p ledger.Published
		var name string
		var first, last int64
		err := scan(&p.Origin.Account, &p.Origin.Region, &p.Origin.ConfigurationSet, &name, &first, &last)
		p.Type, _ = observation.ParseEventType(name)
		p.First, p.Last = milli(first), milli(last)
		out = append(out, p)
		return err
	}, `SELECT account, region, configuration_set, type, first_ms, last_ms
		FROM published JOIN origin ON origin.id = origin_id ORDER BY 1, 2, 3, 4`)
	return out, err
}

// OwnTime implements ledger.Reader.
func (r *Reader) OwnTime(ctx context.Context, from, to time.Time) ([]ledger.OwnTimeRow, error) {
	var out []ledger.OwnTimeRow
	err := r.query(ctx, func(scan func(...any) error) error {
		o := ledger.OwnTimeRow{Width: time.Hour}
		var start int64
		err := scan(&start, &o.Origin.Account, &o.Origin.Region, &o.Origin.ConfigurationSet, &o.Outcome, &o.N)
		o.Start = time.Unix(start, 0).UTC()
		out = append(out, o)
		return err
	}, `SELECT start, account, region, configuration_set, outcome, n
		FROM own_time JOIN origin ON origin.id = origin_id WHERE start >= ? AND start < ? ORDER BY 1, 2, 3, 4, 5`,
		ceilSeconds(from), ceilSeconds(to))
	return out, err
}

// Uses implements ledger.Reader.
func (r *Reader) Uses(ctx context.Context, from, to time.Time) ([]ledger.UseRow, error) {
	var out []ledger.UseRow
	err := r.snapshot(ctx, func(tx *sql.Tx) error {
		return inTx(ctx, tx, func(scan func(...any) error) (err error) {
			var hour int64
			var stamp, campaign, origin uint32
			var u ledger.UseRow
			if err := scan(&hour, &stamp, &campaign, &origin, &u.Sent, &u.GmailDelivered); err != nil {
				return err
			}
			u.Hour = time.Unix(hour, 0).UTC()
			if u.Stamp, err = r.words.stamps.name(tx, stamp); err != nil {
				return err
			}
			if u.Campaign, err = r.words.campaigns.name(tx, campaign); err != nil {
				return err
			}
			o, err := r.words.origins.name(tx, origin)
			u.Account, u.Region = o.Account, o.Region
			out = append(out, u)
			return err
		}, `SELECT hour, stamp_id, campaign_id, origin_id, sent, gmail_delivered
			FROM use WHERE hour >= ? AND hour < ? ORDER BY 1, 2, 3, 4`, ceilSeconds(from), ceilSeconds(to))
	})
	return out, err
}

// Samples implements ledger.Reader. Their cells have no origin: equal texts of several origins are counted together.
func (r *Reader) Samples(ctx context.Context, q ledger.SampleQuery) ([]ledger.SampleRow, error) {
	var out []ledger.SampleRow
	err := r.query(ctx, func(scan func(...any) error) error {
		var s ledger.SampleRow
		var first, last int64
		var ids string
		c := &s.Cell
		err := scan(&c.Campaign.Tenant, &c.Campaign.Name, &c.Campaign.Send, &c.Provider, &c.Outcome, &c.Reason,
			&s.Text, &s.N, &first, &last, &ids)
		s.First, s.Last, s.MessageIDs = milli(first), milli(last), splitMessageIDs(ids)
		out = append(out, s)
		return err
	}, `SELECT tenant, campaign.name, send, provider.name, outcome, coalesce(reason.name, ''),
			text, n, first_ms, last_ms, message_ids
		FROM sample JOIN campaign ON campaign.id = campaign_id JOIN provider ON provider.id = provider_id
			LEFT JOIN reason ON reason.id = reason_id
		WHERE (?1 = '' OR tenant = ?1) AND (?2 = '' OR campaign.name = ?2) AND (?3 = '' OR provider.name = ?3)
			AND (?4 = '' OR reason.name = ?4)
		ORDER BY n DESC, last_ms DESC, sample.id LIMIT ?5`,
		q.Tenant, q.Campaign, q.Provider, q.Reason, limitOf(q.Limit))
	return out, err
}

// Versions implements ledger.Reader.
func (r *Reader) Versions(ctx context.Context, kind string) ([]ledger.Version, error) {
	var out []ledger.Version
	err := r.query(ctx, func(scan func(...any) error) error {
		var v ledger.Version
		var since int64
		err := scan(&since, &v.Body)
		v.Since = milli(since)
		out = append(out, v)
		return err
	}, "SELECT since_ms, body FROM version WHERE kind = ? ORDER BY since_ms", kind)
	return out, err
}

// LearnedDomains implements ledger.Reader.
func (r *Reader) LearnedDomains(ctx context.Context) ([]ledger.LearnedDomain, error) {
	var out []ledger.LearnedDomain
	err := r.query(ctx, func(scan func(...any) error) error {
		var d ledger.LearnedDomain
		var since int64
		err := scan(&d.Domain, &since, &d.Provider)
		d.Since = milli(since)
		out = append(out, d)
		return err
	}, "SELECT domain, since_ms, provider FROM learned_domain ORDER BY 1, 2")
	return out, err
}

// Positions implements ledger.Reader.
func (r *Reader) Positions(ctx context.Context, source string) (map[string]string, error) {
	out := map[string]string{}
	err := r.query(ctx, func(scan func(...any) error) error {
		var subject, position string
		err := scan(&subject, &position)
		out[subject] = position
		return err
	}, "SELECT subject, position FROM position WHERE source = ?", source)
	return out, err
}

// Readings implements ledger.Reader.
func (r *Reader) Readings(ctx context.Context, q ledger.ReadingQuery) ([]ledger.ReadingRow, error) {
	var out []ledger.ReadingRow
	err := r.query(ctx, func(scan func(...any) error) error {
		var o ledger.ReadingRow
		var start, end, first, last int64
		k := &o.Key
		err := scan(&k.Source, &k.Subject, &k.Metric, &k.Detail, &start, &end, &o.Value, &o.Text, &first, &last)
		o.Start, o.End, o.FirstSeen, o.LastChanged = milli(start), milli(end), milli(first), milli(last)
		out = append(out, o)
		return err
	}, readingsQuery(q.Source != ""), q.Source, q.Subject, q.Metric, q.From.UnixMilli(), q.To.UnixMilli())
	return out, err
}

// readingsQuery selects readings by source, subject, metric and start, of which the first three may be empty. A source is
// compared by itself, so that the index of sources serves.
func readingsQuery(ofSource bool) string {
	source := "?1 = ''"
	if ofSource {
		source = "source = ?1"
	}
	return `SELECT source, subject, metric, detail, start_ms, end_ms, value, text, first_seen_ms, last_changed_ms FROM reading
		WHERE ` + source + ` AND (?2 = '' OR subject = ?2) AND (?3 = '' OR metric = ?3)
			AND start_ms >= ?4 AND start_ms < ?5
		ORDER BY 1, 2, 3, 4, 5, 6`
}

// Statuses implements ledger.Reader.
func (r *Reader) Statuses(ctx context.Context, since time.Time) ([]observation.Status, error) {
	var out []observation.Status
	err := r.query(ctx, func(scan func(...any) error) error {
		var s observation.Status
		var at int64
		err := scan(&s.ID, &at, &s.Message, &s.DetailType, &s.Account, &s.Region, &s.Resource, &s.Detail)
		s.At = milli(at)
		out = append(out, s)
		return err
	}, `SELECT event_id, at_ms, message, detail_type, account, region, resource, detail
		FROM status WHERE at_ms >= ? ORDER BY at_ms, id`, since.UnixMilli())
	return out, err
}

// Quarantined implements ledger.Reader.
func (r *Reader) Quarantined(ctx context.Context, q ledger.QuarantineQuery) ([]ledger.QuarantineRow, error) {
	var out []ledger.QuarantineRow
	err := r.query(ctx, func(scan func(...any) error) error {
		var o ledger.QuarantineRow
		var at int64
		err := scan(&o.ID, &o.Source, &o.MessageID, &o.Message, &at, &o.Reason, &o.Detail, &o.Size, &o.Body)
		o.At = milli(at)
		out = append(out, o)
		return err
	}, `SELECT id, source, message_id, message, at_ms, reason, detail, size, CASE WHEN ?1 THEN body ELSE x'' END
		FROM quarantine WHERE (?2 = 0 OR id = ?2) AND (?3 = '' OR source = ?3) AND (?4 = '' OR reason = ?4)
			AND (?5 = 0 OR id < ?5)
		ORDER BY id DESC LIMIT ?6`, q.Bodies, q.ID, q.Source, q.Reason, q.Before, limitOf(q.Limit))
	return out, err
}

// Status implements ledger.Reader. What is in flight is in the daemon's memory: Unconfirmed has the pins alone.
func (r *Reader) Status(ctx context.Context) (ledger.Status, error) {
	s := ledger.Status{Unconfirmed: map[string]int64{}}
	err := r.snapshot(ctx, func(tx *sql.Tx) error {
		var asOf int64
		var forgotten [classes]int64
		err := tx.QueryRow(`SELECT (SELECT value FROM meta WHERE key = 'as_of_ms'), (SELECT value FROM meta WHERE key = 'fold'),
			(SELECT value FROM meta WHERE key = ?), (SELECT value FROM meta WHERE key = ?),
			(SELECT coalesce(sum(n), 0) FROM id_segment WHERE class = ?), (SELECT coalesce(sum(n), 0) FROM id_segment WHERE class = ?),
			(SELECT count(*) FROM held), (SELECT count(*) FROM quarantine),
			(SELECT coalesce(sum(length(body)), 0) FROM quarantine)`,
			forgottenKeys[routine], forgottenKeys[exceptional], routine, exceptional).Scan(
			&asOf, &s.Through, &forgotten[routine], &forgotten[exceptional],
			&s.RoutineIDs, &s.ExceptionalIDs, &s.Held, &s.Quarantined, &s.QuarantineBytes)
		if err != nil {
			return err
		}
		s.AsOf = milli(asOf)
		s.RoutineHorizon = horizon(forgotten[routine], s.AsOf)
		s.ExceptionalHorizon = horizon(forgotten[exceptional], s.AsOf)
		return inTx(ctx, tx, func(scan func(...any) error) error {
			var source string
			var n int64
			err := scan(&source, &n)
			s.Unconfirmed[source] = n
			return err
		}, "SELECT name, count(*) FROM pin JOIN source ON source.id = source_id GROUP BY name")
	})
	s.Size, s.WALSize = fileSize(r.path), fileSize(r.path+"-wal")
	return s, err
}

// Campaigns implements ledger.Reader.
func (r *Reader) Campaigns(ctx context.Context) ([]ledger.CampaignUse, error) {
	var out []ledger.CampaignUse
	err := r.query(ctx, func(scan func(...any) error) error {
		var c ledger.CampaignUse
		var seen int64
		err := scan(&c.Campaign.Tenant, &c.Campaign.Name, &c.Campaign.Send, &seen)
		c.LastUsed = time.Unix(86400*seen, 0).UTC()
		out = append(out, c)
		return err
	}, "SELECT tenant, name, send, seen FROM campaign")
	return out, err
}
