package sqlite

// storePins writes the pending changes of pins. Its caller marks them as written after the COMMIT.
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

func (w *writer) loadPins() (pins []pinWrite, confirmedThrough int64, err error) {
	err = w.get([]any{&confirmedThrough}, `SELECT max((SELECT value FROM meta WHERE key = 'confirmed_through'),
		coalesce((SELECT max(confirmed_through) FROM batch), 0))`)
	if err != nil {
		return nil, 0, err
	}
	err = w.each(func(scan func(...any) error) error {
		var p pinWrite
		var id int64
		err := scan(&p.pin.source, &p.pin.sourceID, &id, &p.until)
		p.pin.id = uint64(id)
		pins = append(pins, p)
		return err
	}, "SELECT source.name, source_id, pin.id, until FROM pin JOIN source ON source.id = source_id")
	return pins, confirmedThrough, err
}

func (w *writer) loadSources() (map[uint32]string, error) {
	sources := map[uint32]string{}
	err := w.each(func(scan func(...any) error) error {
		var id uint32
		var name string
		err := scan(&id, &name)
		sources[id] = name
		return err
	}, "SELECT id, name FROM source")
	return sources, err
}
