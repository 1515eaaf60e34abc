package sqlite

import (
	"database/sql"
	"errors"
	"strings"

	"github.com/mailvane/mailvane/internal/observation"
)

// maxCached bounds the names of a kind that are kept in memory, so that a flood of names costs time and not memory.
const maxCached = 100_000

// names turns names into the ids of their tables, within the writer's transaction. After a rollback it must be forgotten.
type names struct {
	origins   dimension[observation.Origin]
	campaigns dimension[observation.Campaign]
	stamps    dimension[observation.Stamp]
	providers dimension[string]
	reasons   dimension[string]
	sources   dimension[string]
}

// dimension is one table of names.
type dimension[K comparable] struct {
	w *writer
	// find, insert and touch are its statements; columns spreads a key over their arguments.
	find, insert, touch string
	columns             func(K) []any
	// clone copies a key's strings, which may share memory with a message.
	clone  func(K) K
	cached map[K]nameRef
}

type nameRef struct {
	id uint32
	// seen is the day that the table says.
	seen int32
}

func newNames(w *writer) *names {
	return &names{
		origins: newDimension(w, "origin", []string{"account", "region", "configuration_set"},
			func(o observation.Origin) []any { return []any{o.Account, o.Region, o.ConfigurationSet} },
			func(o observation.Origin) observation.Origin {
				return observation.Origin{
					Account: strings.Clone(o.Account), Region: strings.Clone(o.Region),
					ConfigurationSet: strings.Clone(o.ConfigurationSet),
				}
			}),
		campaigns: newDimension(w, "campaign", []string{"tenant", "name", "send"},
			func(c observation.Campaign) []any { return []any{c.Tenant, c.Name, c.Send} },
			func(c observation.Campaign) observation.Campaign {
				return observation.Campaign{
					Tenant: strings.Clone(c.Tenant), Name: strings.Clone(c.Name), Send: strings.Clone(c.Send),
				}
			}),
		stamps: newDimension(w, "stamp", []string{"from_domain", "a", "b", "c", "feedback_from"},
			func(s observation.Stamp) []any { return []any{s.FromDomain, s.A, s.B, s.C, s.FeedbackFrom} },
			func(s observation.Stamp) observation.Stamp {
				return observation.Stamp{
					FromDomain: strings.Clone(s.FromDomain), A: strings.Clone(s.A), B: strings.Clone(s.B),
					C: strings.Clone(s.C), FeedbackFrom: strings.Clone(s.FeedbackFrom),
				}
			}),
		providers: newWords(w, "provider"),
		reasons:   newWords(w, "reason"),
		sources:   newWords(w, "source"),
	}
}

func newWords(w *writer, table string) dimension[string] {
	return newDimension(w, table, []string{"name"}, func(s string) []any { return []any{s} }, strings.Clone)
}

func newDimension[K comparable](
	w *writer, table string, columns []string, spread func(K) []any, clone func(K) K,
) dimension[K] {
	return dimension[K]{
		w:    w,
		find: "SELECT id, seen FROM " + table + " WHERE " + strings.Join(columns, " = ? AND ") + " = ?",
		insert: "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ", seen) VALUES (" +
			strings.Repeat("?, ", len(columns)) + "?)",
		touch:   "UPDATE " + table + " SET seen = ? WHERE id = ?",
		columns: spread, clone: clone, cached: map[K]nameRef{},
	}
}

// id returns the key's id, which it makes if there is none, and notes that the key was seen today (days since 1970).
func (d *dimension[K]) id(key K, today int32) (uint32, error) {
	ref, ok := d.cached[key]
	if ok && ref.seen == today {
		return ref.id, nil
	}
	ref, err := d.store(key, today)
	if err != nil {
		return 0, err
	}
	if len(d.cached) >= maxCached {
		clear(d.cached)
	}
	d.cached[d.clone(key)] = ref
	return ref.id, nil
}

func (d *dimension[K]) store(key K, today int32) (nameRef, error) {
	var ref nameRef
	args := d.columns(key)
	err := d.w.get([]any{&ref.id, &ref.seen}, d.find, args...)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		id, err := d.w.insert(d.insert, append(args, today)...)
		return nameRef{uint32(id), today}, err
	case err != nil:
		return ref, err
	case ref.seen != today:
		ref.seen = today
		return ref, d.w.exec(d.touch, today, ref.id)
	}
	return ref, nil
}

// forget empties the caches: what they hold may have been rolled back.
func (n *names) forget() {
	clear(n.origins.cached)
	clear(n.campaigns.cached)
	clear(n.stamps.cached)
	clear(n.providers.cached)
	clear(n.reasons.cached)
	clear(n.sources.cached)
}
