package main

import "strings"

// The parts of Grafana's classic dashboard model (schemaVersion 39, Grafana 10.4 and later) that the boards use.

type object = map[string]any

const schemaVersion = 39

// datasource is the one that the reader chose.
func datasource() object { return object{"type": "prometheus", "uid": "${datasource}"} }

// model is the board as Grafana imports it.
func (b *board) model() object {
	return object{
		"uid": b.uid, "title": "Mailvane / " + b.title, "description": b.about, "tags": []string{"mailvane"},
		"schemaVersion": schemaVersion, "version": 1, "editable": true, "graphTooltip": 1, "timezone": "", "weekStart": "",
		"refresh": "1m", "time": object{"from": "now-" + b.span, "to": "now"}, "timepicker": object{},
		"fiscalYearStartMonth": 0, "liveNow": false, "preload": false,
		"annotations": object{"list": []object{{
			"builtIn": 1, "datasource": object{"type": "grafana", "uid": "-- Grafana --"}, "enable": true, "hide": true,
			"iconColor": "rgba(0, 211, 255, 1)", "name": "Annotations & Alerts", "type": "dashboard",
		}}},
		"links": []object{{
			"title": "Mailvane", "type": "dashboards", "tags": []string{"mailvane"}, "asDropdown": false, "includeVars": true,
			"keepTime": true, "targetBlank": false, "icon": "external link", "tooltip": "", "url": "",
		}},
		"templating": object{"list": b.variables()},
		"panels":     b.placed(),
	}
}

// variables begin with what every board has: where the metrics are, and which Mailvane. Both kinds of metrics, scraped and
// pushed, have a job; nothing else that names their origin is on both.
func (b *board) variables() []object {
	list := []object{
		{
			"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "refresh": 1, "hide": 0,
			"multi": false, "includeAll": false, "regex": "", "options": []object{}, "skipUrlSync": false, "current": object{},
		},
		filter{name: "job", label: "Mailvane", multi: true, all: true, values: "label_values(mailvane_build_info, job)"}.model(),
	}
	for _, f := range b.filters {
		list = append(list, f.model())
	}
	return list
}

// model of a filter asks the data source for its values, or lists those that it was given.
func (f filter) model() object {
	m := object{
		"name": f.name, "label": f.label, "hide": 0, "multi": f.multi, "includeAll": f.all, "skipUrlSync": false,
		"options": []object{}, "current": object{},
	}
	if f.all {
		m["allValue"] = ".*"
		m["current"] = object{"selected": true, "text": "All", "value": "$__all"}
		if f.multi {
			m["current"] = object{"selected": true, "text": []string{"All"}, "value": []string{"$__all"}}
		}
	}
	if len(f.choices) == 0 {
		m["type"], m["datasource"], m["refresh"], m["sort"], m["regex"] = "query", datasource(), 2, 1, ""
		m["definition"], m["query"] = f.values, object{"qryType": 1, "query": f.values, "refId": "values"}
		return m
	}
	options := make([]object, len(f.choices))
	for i, c := range f.choices {
		options[i] = object{"selected": c == f.chosen, "text": c, "value": c}
	}
	m["type"], m["query"], m["options"] = "custom", strings.Join(f.choices, ","), options
	m["current"] = object{"selected": true, "text": f.chosen, "value": f.chosen}
	return m
}

// columns is the width of Grafana's grid.
const columns = 24

// placed lays the sections out from the top, each under its title, its panels side by side from the left.
func (b *board) placed() []object {
	var list []object
	id, y := 0, 0
	place := func(m object, x, width, height int) {
		id++
		m["id"], m["gridPos"] = id, object{"h": height, "w": width, "x": x, "y": y}
		list = append(list, m)
	}
	for _, s := range b.sections {
		if s.title != "" {
			place(object{"type": "row", "title": s.title, "collapsed": false, "panels": []object{}}, 0, columns, 1)
			y++
		}
		x := 0
		for i := range s.panels {
			p := &s.panels[i]
			place(p.model(), x, p.width, s.height)
			x += p.width
		}
		if x != columns {
			panic(b.title + ": a section does not fill its width: " + s.title)
		}
		y += s.height
	}
	return list
}
