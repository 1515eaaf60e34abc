// Times come in UTC, which holds without a script. Here they turn into the reader's zone, with UTC on hover.
const near = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
const zoned = new Intl.DateTimeFormat(undefined, { timeZoneName: 'short' });

function zoneOf(date) {
  return zoned.formatToParts(date).find((part) => part.type === 'timeZoneName')?.value ?? '';
}

export function localTimes(root) {
  for (const time of root.querySelectorAll('time[datetime]:not([data-utc])')) {
    const date = new Date(time.dateTime);
    if (Number.isNaN(date.getTime())) continue;
    time.dataset.utc = time.textContent;
    time.title = time.dataset.utc;
    const zone = zoneOf(date);
    time.textContent = zone === 'UTC' ? time.dataset.utc : `${near.format(date)} ${zone}`;
  }
}
