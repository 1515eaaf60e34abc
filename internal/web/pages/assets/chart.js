// Draws the timeline of a campaign: how much mail was sent, what became of it, and what Gmail users reported. All three share
// their time and their cursor. What has not arrived is hatched, never drawn as zero.
const dayLength = 86_400;

const series = [
  { name: 'hard_bounced', label: 'Bounced hard', color: '--c-hard' },
  { name: 'soft_bounced', label: 'Bounced softly', color: '--c-soft' },
  { name: 'delayed', label: 'Delayed', color: '--c-delay' },
  { name: 'complained', label: 'Complained, where that is told', color: '--c-complaint' },
];

const gmailLine = 0.1;
const gmailUpperLine = 0.3;

// colors reads a colour of the style sheet as a canvas understands it: in the theme that is on.
function colors(place) {
  const probe = place.appendChild(document.createElement('span'));
  probe.hidden = true;
  const known = new Map();
  return (name) => {
    if (!known.has(name)) {
      place.append(probe);
      probe.style.color = `var(${name})`;
      known.set(name, getComputedStyle(probe).color);
    }
    return known.get(name);
  };
}

function whole(n) {
  return n === null || n === undefined ? '–' : Math.round(n).toLocaleString('en');
}

function percent(v) {
  if (v === null || v === undefined) return '–';
  return `${v >= 10 ? v.toFixed(1) : v >= 0.1 || v === 0 ? v.toFixed(2) : v.toFixed(3)} %`;
}

// mark labels a line of a grid.
function mark(v) {
  return `${Number(v.toFixed(3))} %`;
}

const dates = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const hours = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const moments = new Intl.DateTimeFormat(undefined, { weekday: 'short', day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });

// Gmail's days are named by their date, wherever their reader is.
const days = new Intl.DateTimeFormat(undefined, { timeZone: 'UTC', weekday: 'short', day: 'numeric', month: 'short' });

function moment(t, step) {
  const date = new Date(t * 1000);
  return step < dayLength && (date.getHours() !== 0 || date.getMinutes() !== 0) ? hours.format(date) : dates.format(date);
}

function exactly(_, t) {
  return t === null || t === undefined ? '–' : moments.format(new Date(t * 1000));
}

function axes(color, format) {
  const grid = { stroke: color('--line'), width: 1 };
  return [
    { stroke: color('--dim'), grid: { show: false }, ticks: grid, font: '12px system-ui', space: 70, values: (_, all, __, ___, step) => all.map((t) => moment(t, step)) },
    { stroke: color('--dim'), grid, ticks: { show: false }, size: 62, font: '12px system-ui', values: (_, all) => all.map(format) },
  ];
}

function options(parent, title, height, extra) {
  return {
    title, width: parent.clientWidth, height, cursor: { sync: { key: 'timeline' }, drag: { x: false, y: false } },
    legend: { live: true }, ...extra,
  };
}

// bars are as wide as the time that a point holds.
function bars(width) {
  return uPlot.paths.bars({ size: [0.86, 60], align: 1, each: undefined, disp: undefined, gap: width > 0 ? 1 : 0 });
}

// unknown hatches the time before anything was published of what was sent.
function unknown(u, data, color) {
  const { ctx: context, bbox } = u;
  const right = Math.min(u.valToPos(data.since, 'x', true), bbox.left + bbox.width);
  if (right > bbox.left) hatch(context, bbox.left, right - bbox.left, bbox.top, bbox.height, color('--hatch'));
}

function mailChart(parent, data, color) {
  const scale = { x: { time: true, range: () => [data.start, data.end] }, y: { range: (_, __, max) => [0, Math.max((max ?? 0) * 1.1, 10)] } };
  const word = data.counts.sent.some((n) => n > 0) || !data.counts.delivered.some((n) => n > 0) ? 'Sent' : 'Delivered';
  return new uPlot(options(parent, word === 'Sent' ? 'Mail sent' : 'Mail delivered: what was sent is not published', 170, {
    scales: scale,
    axes: axes(color, whole),
    hooks: { drawAxes: [(u) => unknown(u, data, color)], draw: [(u) => alertMarks(u, data, color)] },
    series: [{ label: 'Sent from', value: exactly }, {
      label: word, stroke: color('--c-mail'), fill: color('--c-mail'), paths: bars(data.width), points: { show: false },
      value: (_, v, __, i) => {
        if (i === null || i === undefined) return '–';
        return v === null && data.times[i] + data.width <= data.since ? 'not known' : whole(v ?? 0);
      },
    }],
  }), [data.times, mail(data).map((n) => n || null)], parent);
}

// alertMarks draws a line where an alert began to fire or became worse.
function alertMarks(u, data, color) {
  const { ctx: context, bbox } = u;
  context.save();
  context.lineWidth = 2 * devicePixelRatio;
  for (const alert of data.alerts) {
    if (!alert.severity) continue;
    const x = u.valToPos(alert.at, 'x', true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    context.strokeStyle = color(alert.severity === 'critical' ? '--critical' : '--warning');
    context.beginPath();
    context.moveTo(x, bbox.top);
    context.lineTo(x, bbox.top + bbox.height);
    context.stroke();
  }
  context.restore();
}

// alertList says in words what the lines mean.
function alertList(part, data) {
  if (data.alerts.length === 0) return;
  const text = data.alerts.slice(0, 6).map((a) => `${moments.format(new Date(a.at * 1000))}: ${a.rule} ${a.kind}`).join(' · ');
  part.append(Object.assign(document.createElement('p'), { className: 'chart-key', textContent: `Alerts (lines): ${text}` }));
}

// mail is what was sent, or delivered where no Send events are published.
function mail(data) {
  return data.times.map((_, i) => Math.max(data.counts.sent[i], data.counts.delivered[i]));
}

function outcomeChart(parent, data, color) {
  const all = mail(data);
  // Complaints are a share of the mail to those providers that tell of them. Fewer than ten recipients make no rate that is
  // worth a dot.
  const parts = ({ name }) => (name === 'complained' ? [data.reported, data.reported_of] : [data.counts[name], all]);
  const rates = series.map((s) => {
    const [counts, of] = parts(s);
    return counts.map((n, i) => (of[i] >= 10 ? (n / of[i]) * 100 : null));
  });
  return new uPlot(options(parent, 'What became of it, of the mail sent at that time', 190, {
    scales: { x: { time: true, range: () => [data.start, data.end] }, y: { range: (_, __, max) => [0, Math.max(max * 1.1, 1)] } },
    axes: axes(color, mark),
    series: [{ label: 'Sent from', value: exactly }, ...series.map((s) => ({
      label: s.label, stroke: color(s.color), width: 2, points: { show: true, size: 6, fill: color(s.color) }, spanGaps: false,
      value: (_, v) => percent(v),
    }))],
  }), [data.times, ...rates], parent);
}

function hatch(context, left, width, top, height, color) {
  context.save();
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  context.strokeStyle = color;
  context.lineWidth = 1;
  for (let x = left - height; x < left + width; x += 7) {
    context.beginPath();
    context.moveTo(x, top + height);
    context.lineTo(x + height, top);
    context.stroke();
  }
  context.restore();
}

// telling is the identifier to draw: the campaign's own before those it shares, and of them the one with the most rates.
function telling(all) {
  const rates = (g) => g.days.filter((d) => d.rate !== null).length;
  return all.toSorted((a, b) => (b.own - a.own) || (rates(b) - rates(a)))[0];
}

function gmailChart(parent, data, color) {
  const best = telling(data.gmail);
  const byDay = new Map(best.days.map((d) => [d.start, d]));
  const first = Math.floor(data.start / dayLength) * dayLength;
  const times = [];
  for (let t = first; t < data.end; t += dayLength) times.push(t);
  const rates = times.map((t) => { const d = byDay.get(t); return d && d.rate !== null ? d.rate * 100 : null; });
  const whose = best.own ? 'this campaign’s own' : 'shared with other campaigns: it blames none';
  const draw = (u) => {
    const { ctx: context, bbox } = u;
    for (const [i, t] of times.entries()) {
      if (rates[i] !== null) continue;
      const left = Math.max(u.valToPos(t, 'x', true), bbox.left);
      const right = Math.min(u.valToPos(t + dayLength, 'x', true), bbox.left + bbox.width);
      if (right <= left) continue;
      const arrived = byDay.has(t);
      hatch(context, left, right - left, bbox.top, bbox.height, color(arrived ? '--hatch-soft' : '--hatch'));
    }
    for (const [at, name] of [[gmailLine, '--warning'], [gmailUpperLine, '--critical']]) {
      const y = u.valToPos(at, 'y', true);
      context.save();
      context.strokeStyle = color(name);
      context.setLineDash([6, 4]);
      context.beginPath();
      context.moveTo(bbox.left, y);
      context.lineTo(bbox.left + bbox.width, y);
      context.stroke();
      context.restore();
    }
  };
  const plot = new uPlot(options(parent, `Gmail: spam reports of ${best.identifier} (${whose})`, 170, {
    scales: { x: { time: true, range: () => [data.start, data.end] }, y: { range: (_, __, max) => [0, Math.max((max ?? 0) * 1.15, 0.4)] } },
    axes: axes(color, mark),
    hooks: { drawAxes: [draw] },
    series: [{ label: 'Day', value: (_, t) => (t === null || t === undefined ? '–' : days.format(new Date(t * 1000))) }, {
      label: 'Reported as spam', stroke: color('--c-gmail'), fill: color('--c-gmail'), paths: bars(dayLength), points: { show: false },
      value: (_, v, __, i) => {
        if (i === null || i === undefined) return '–';
        return v !== null ? percent(v) : byDay.has(times[i]) ? 'not reported' : 'no data';
      },
    }],
  }), [times, rates], parent);
  const key = parent.appendChild(document.createElement('p'));
  key.className = 'chart-key';
  for (const [name, text] of [
    ['hatched', 'no data: the day has not arrived'], ['hatched soft', 'not reported: too little mail, or shared'],
    ['first', 'stay below 0.1 %'], ['second', 'never reach 0.3 %'],
  ]) {
    key.append(Object.assign(document.createElement('span'), { className: `key ${name}`, textContent: text }), ' ');
  }
  return plot;
}

function draw(place, data) {
  place.replaceChildren();
  const color = colors(place);
  const plots = [];
  const part = () => place.appendChild(Object.assign(document.createElement('div'), { className: 'chart' }));
  const first = part();
  plots.push(mailChart(first, data, color));
  alertList(first, data);
  plots.push(outcomeChart(part(), data, color));
  if (data.gmail.length > 0) plots.push(gmailChart(part(), data, color));
  return plots;
}

async function read(place) {
  const answer = await fetch(place.dataset.chart, { cache: 'no-store' });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return answer.text();
}

async function start(place) {
  let text = await read(place);
  let plots = draw(place, JSON.parse(text));
  const again = () => {
    const shown = plots.map((plot) => plot.series.map((s) => s.show));
    place.style.minHeight = `${place.offsetHeight}px`; // so that nothing below moves meanwhile
    for (const plot of plots) plot.destroy();
    plots = draw(place, JSON.parse(text));
    for (const [i, plot] of plots.entries()) {
      for (const n of plot.series.keys()) if (shown[i]?.[n] === false) plot.setSeries(n, { show: false });
    }
    place.style.minHeight = '';
  };
  document.addEventListener('themechange', again);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', again);
  document.addEventListener('refreshed', async () => {
    const fresh = await read(place).catch(() => text); // the page says itself that the daemon does not answer
    if (fresh === text || place.matches(':hover')) return;
    text = fresh;
    again();
  });
  let width = place.clientWidth;
  new ResizeObserver(() => {
    if (place.clientWidth === width) return;
    width = place.clientWidth;
    for (const plot of plots) plot.setSize({ width, height: plot.height });
  }).observe(place);
  place.dataset.drawn = 'true';
}

for (const place of document.querySelectorAll('[data-chart]')) {
  start(place).catch(() => { place.textContent = 'The charts could not be drawn. The table below has the same numbers.'; });
}
