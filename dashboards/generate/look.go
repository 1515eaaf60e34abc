package main

const noData = "no data"

// The colours: good, bad, worse, and not known.
const (
	green  = "green"
	orange = "orange"
	red    = "red"
	blue   = "blue"
	grey   = "#808080"
)

// thresholds are the lines as Grafana draws them. Their colours begin at 0: what lies under that is no data, for which Grafana
// takes the colour of the lowest step, and which must not look well. Figures without lines are neither good nor bad.
func (l lines) thresholds() object {
	steps := []object{{"color": grey, "value": nil}}
	add := func(color string, from float64) { steps = append(steps, object{"color": color, "value": from}) }
	switch {
	case l == lines{}:
		add(blue, 0)
	case l.below:
		add(red, 0)
		if l.worse != 0 {
			add(orange, l.worse)
		}
		add(green, l.bad)
	case l.worse != 0:
		add(green, 0)
		add(orange, l.bad)
		add(red, l.worse)
	case l.mild:
		add(green, 0)
		add(orange, l.bad)
	default:
		add(green, 0)
		add(red, l.bad)
	}
	return object{"mode": "absolute", "steps": steps}
}

// mappings show names in place of values.
func mappings(states []state) []object {
	list := []object{{"type": "special", "options": object{"match": "null+nan", "result": object{"text": noData, "color": grey, "index": len(states)}}}}
	if len(states) == 0 {
		return list
	}
	options := object{}
	for i, s := range states {
		options[number(s.value)] = object{"text": s.text, "color": s.color, "index": i}
	}
	return append(list, object{"type": "value", "options": options})
}

// defaults are what all series of a panel have in common.
func (p *panel) defaults() object {
	d := object{
		"unit": p.unit.grafana, "noValue": noData, "min": 0, "mappings": mappings(p.states), "thresholds": p.lines.thresholds(),
		"color": object{"mode": "thresholds"}, "custom": object{},
	}
	if n, ok := p.unit.decimals(); ok && p.kind != graph {
		d["decimals"] = n
	}
	if p.top != 0 {
		d["max"] = p.top
	}
	switch p.kind {
	case graph:
		d["color"] = object{"mode": "palette-classic-by-name"}
		d["custom"] = p.drawn()
	case timeline:
		d["custom"] = object{"fillOpacity": 80, "lineWidth": 0}
	case table:
		delete(d, "unit") // each column has its own
		delete(d, "decimals")
		d["noValue"], d["mappings"] = "–", []object{} // an empty cell among others says enough
		d["custom"] = object{"align": "auto", "filterable": false, "cellOptions": object{"type": "auto"}}
	}
	return d
}

// drawn is how a graph is drawn. A gap is a gap: what is not known has no line.
func (p *panel) drawn() object {
	c := object{
		"drawStyle": "line", "lineWidth": 2, "fillOpacity": 0, "pointSize": 5, "showPoints": "auto", "spanNulls": false,
		"lineInterpolation": "linear", "axisSoftMin": 0, "thresholdsStyle": object{"mode": "off"},
		"stacking": object{"mode": "none", "group": "A"},
	}
	if (p.lines != lines{}) {
		c["thresholdsStyle"] = object{"mode": "dashed"}
	}
	if p.stacked {
		c["stacking"], c["fillOpacity"], c["lineWidth"] = object{"mode": "normal", "group": "A"}, 60, 1
	}
	return c
}

// options are those of the kind of panel.
func (p *panel) options() object {
	reduce := object{"calcs": []string{"lastNotNull"}, "fields": "", "values": false}
	switch p.kind {
	case stat:
		o := object{
			"colorMode": "background", "graphMode": "none", "justifyMode": "center", "orientation": "auto", "textMode": "value",
			"reduceOptions": reduce, "wideLayout": true, "showPercentChange": false,
		}
		if (p.lines == lines{}) && len(p.states) == 0 {
			o["colorMode"] = "none"
		}
		if p.named {
			o["textMode"] = "value_and_name"
		}
		if p.unit == version {
			o["textMode"] = "name"
		}
		return o
	case bars:
		return object{
			"displayMode": "basic", "orientation": "horizontal", "reduceOptions": reduce, "showUnfilled": true, "valueMode": "color",
			"namePlacement": "auto", "sizing": "auto", "minVizHeight": 16, "minVizWidth": 8, "maxVizHeight": 40,
			"legend": object{"showLegend": false, "displayMode": "list", "placement": "bottom", "calcs": []string{}},
		}
	case table:
		o := object{"cellHeight": "sm", "showHeader": true, "footer": object{"show": false, "reducer": []string{"sum"}, "countRows": false, "fields": ""}}
		if p.sorted != "" {
			o["sortBy"] = []object{{"displayName": p.sorted, "desc": !p.ascending}}
		}
		return o
	case timeline:
		return object{
			"showValue": "never", "mergeValues": true, "alignValue": "left", "rowHeight": 0.8,
			"legend": object{"showLegend": true, "displayMode": "list", "placement": "bottom"}, "tooltip": object{"mode": "single", "sort": "none"},
		}
	default:
		return object{
			"legend":  object{"showLegend": true, "displayMode": "list", "placement": "bottom", "calcs": []string{}},
			"tooltip": object{"mode": "multi", "sort": "desc"},
		}
	}
}
