package main

import "strconv"

// number writes a value as Grafana's mappings spell it.
func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// field is the name that Grafana gives a column before it is renamed.
func (p *panel) field(c *column) string {
	switch {
	case c.label != "":
		return c.label
	case len(p.queries) == 1:
		return "Value"
	default:
		return "Value #" + refID(c.value-1)
	}
}

// transformations join the answers of a table's queries by their labels, put its columns in order under their names, and drop
// what has no column.
func (p *panel) transformations() []object {
	order, names := object{}, object{}
	var shown []string
	for i := range p.columns {
		c := &p.columns[i]
		field := p.field(c)
		order[field], names[field] = i, c.title
		shown = append(shown, field)
	}
	list := []object{
		{"id": "merge", "options": object{}},
		{"id": "filterFieldsByName", "options": object{"include": object{"names": shown}}},
		{"id": "organize", "options": object{"excludeByName": object{}, "includeByName": object{}, "indexByName": order, "renameByName": names}},
	}
	if p.sorted != "" {
		list = append(list, object{"id": "sortBy", "options": object{"fields": object{}, "sort": []object{{"field": p.sorted, "desc": !p.ascending}}}})
	}
	if p.limit > 0 {
		list = append(list, object{"id": "limit", "options": object{"limitField": p.limit}})
	}
	return list
}

// overrides give columns their units, lines and links.
func (p *panel) overrides() []object {
	list := []object{}
	for i := range p.columns {
		c := &p.columns[i]
		var properties []object
		set := func(id string, value any) { properties = append(properties, object{"id": id, "value": value}) }
		if c.value > 0 {
			set("unit", c.unit.grafana)
			if n, ok := c.unit.decimals(); ok {
				set("decimals", n)
			}
			if len(c.states) > 0 {
				set("mappings", mappings(c.states))
			}
			if (c.lines != lines{} || len(c.states) > 0) {
				set("thresholds", c.lines.thresholds())
				if p.kind == table {
					set("custom.cellOptions", object{"type": "color-background", "mode": "basic"})
				}
			}
		}
		if c.link != nil {
			set("links", []object{c.link.model()})
		}
		if c.width > 0 {
			set("custom.width", c.width)
		}
		if len(properties) > 0 {
			list = append(list, object{"matcher": object{"id": "byName", "options": c.title}, "properties": properties})
		}
	}
	return list
}
