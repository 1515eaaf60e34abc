// Keeps an open page true: now and then it is fetched again, and the parts that changed are put in place. A part in which
// somebody reads (focus, a pointer, an opened detail or a selection) is left alone until they are done.
const every = 10_000;
const longest = 120_000;

function busy(part) {
  const selection = document.getSelection();
  return part.contains(document.activeElement) || part.matches(':hover') ||
    part.querySelector('details[open]') !== null ||
    (selection && !selection.isCollapsed && part.contains(selection.anchorNode));
}

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
    document.dispatchEvent(new CustomEvent('partchange', { detail: imported }));
  }
}

export function liveRefresh(changed) {
  if (!document.querySelector('[data-live]')) return;
  const seen = new Map();
  let wait = every;
  document.addEventListener('partchange', (event) => changed(event.detail));
  const say = (text) => {
    const state = document.querySelector('[data-live-state]');
    if (state) state.textContent = text;
  };
  const tick = async () => {
    if (!document.hidden) {
      try {
        await refresh(seen);
        wait = every;
        say('Kept up to date.');
      } catch {
        wait = Math.min(wait * 2, longest);
        say('Not up to date: the daemon does not answer.');
      }
    }
    setTimeout(tick, wait);
  };
  setTimeout(tick, every);
}
