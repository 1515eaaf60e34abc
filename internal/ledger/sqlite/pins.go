package sqlite

// storePins writes the pending changes of pins.
func (w *writer) storePins(writes []pinWrite) error {
	for _, p := range writes {
		var err error
		if p.until == 0 {
			err = w.exec("DELETE FROM pin WHERE source_id = ? AND id = ?", p.pin.sourceID, int64(p.pin.id))
		} else {
			err = w.exec("INSERT OR REPLACE INTO pin (source_id, id, until) VALUES (?, ?, ?)",
				p.pin.sourceID, int64(p.pin.id), p.until)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// storeFlights writes the changes of open Puts, and drops the batch rows that nobody needs.
func (w *writer) storeFlights(s *unstored) error {
	for _, f := range s.opened {
		err := w.exec("INSERT OR IGNORE INTO flight (batch, put) VALUES (?, ?)", f.row.batch, f.row.put)
		if err != nil {
			return err
		}
	}
	for _, row := range s.landed {
		if err := w.exec("DELETE FROM flight WHERE batch = ? AND put = ?", row.batch, row.put); err != nil {
			return err
		}
	}
	if err := w.exec("UPDATE meta SET value = ? WHERE key = 'confirmed_through'", s.confirmedThrough); err != nil {
		return err
	}
	if err := w.exec("UPDATE meta SET value = ? WHERE key = 'flights_as_of'", s.newest); err != nil {
		return err
	}
	return w.exec(`DELETE FROM batch WHERE seq <= (SELECT value FROM meta WHERE key = 'folded_through')
		AND seq NOT IN (SELECT batch FROM flight)`)
}

// recover reads what a former process left about unconfirmed ids.
func (w *writer) recover() (*recovered, error) {
	r := &recovered{open: map[putRow]bool{}, sources: map[uint32]string{}}
	err := w.each(func(scan func(...any) error) error {
		return scan(&r.confirmedThrough, &r.asOf)
	}, `SELECT max((SELECT value FROM meta WHERE key = 'confirmed_through'),
		coalesce((SELECT max(confirmed_through) FROM batch), 0)), (SELECT value FROM meta WHERE key = 'flights_as_of')`)
	if err != nil {
		return nil, err
	}
	err = w.each(func(scan func(...any) error) error {
		var id uint32
		var name string
		err := scan(&id, &name)
		r.sources[id] = name
		return err
	}, "SELECT id, name FROM source")
	if err != nil {
		return nil, err
	}
	err = w.each(func(scan func(...any) error) error {
		var row putRow
		err := scan(&row.batch, &row.put)
		r.open[row] = true
		return err
	}, "SELECT batch, put FROM flight")
	if err != nil {
		return nil, err
	}
	err = w.each(func(scan func(...any) error) error {
		var p pinWrite
		var id int64
		err := scan(&p.pin.sourceID, &id, &p.until)
		p.pin.id, p.pin.source = uint64(id), r.sources[p.pin.sourceID]
		r.pins = append(r.pins, p)
		return err
	}, "SELECT source_id, id, until FROM pin")
	return r, err
}
