// Keeps an open page true: now and then it is fetched again, and the parts that changed are put in place. A part in which
// somebody reads (focus, a pointer, a selection, or a detail that they opened or closed) is left alone until they are done.
const every = 10_000;
const longest = 120_000;

// opened are the details that came open.
const opened = new WeakSet();

function served(root) {
  for (const details of root.querySelectorAll('details[open]')) opened.add(details);
}

function busy(part) {
  const selection = document.getSelection();
  return part.contains(document.activeElement) || part.matches(':hover') ||
    [...part.querySelectorAll('details')].some((details) => details.open !== opened.has(details)) ||
    (selection && !selection.isCollapsed && part.contains(selection.anchorNode));
}

function parts(root) {
  return [...root.querySelectorAll('[data-live]')].map((part) => part.dataset.live).join('\n');
}

// refresh says whether the page has the parts that it would have were it opened now.
async function refresh(seen) {
  const answer = await fetch(location.href, { headers: { Accept: 'text/html' }, cache: 'no-store' });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  for (const part of document.querySelectorAll('[data-live], #as-of')) {
    const key = part.id === 'as-of' ? '#as-of' : `[data-live="${CSS.escape(part.dataset.live)}"]`;
    const now = fresh.querySelector(key);
    if (!now || busy(part)) continue;
    const text = now.outerHTML;
    if (seen.get(key) === text) continue;
    seen.set(key, text);
    const imported = document.importNode(now, true);
    part.replaceWith(imported);
    served(imported);
    document.dispatchEvent(new CustomEvent('partchange', { detail: imported }));
  }
  return parts(fresh) === parts(document);
}

export function liveRefresh(changed) {
  if (!document.querySelector('[data-live]')) return;
  const seen = new Map();
  let wait = every;
  document.addEventListener('partchange', (event) => changed(event.detail));
  served(document);
  const say = (...words) => document.querySelector('[data-live-state]')?.replaceChildren(...words);
  const reload = Object.assign(document.createElement('a'), { href: location.href, textContent: 'load the page again' });
  reload.addEventListener('click', (event) => {
    event.preventDefault();
    location.reload();
  });
  const tick = async () => {
    if (!document.hidden) {
      try {
        const whole = await refresh(seen);
        wait = every;
        if (whole) say('Kept up to date.');
        else if (!reload.isConnected) say('Parts have come or gone: ', reload, '.');
        document.dispatchEvent(new CustomEvent('refreshed'));
      } catch {
        wait = Math.min(wait * 2, longest);
        say('Not up to date: the daemon does not answer.');
      }
    }
    setTimeout(tick, wait);
  };
  setTimeout(tick, every);
}
