// Figures explain themselves on hover and on focus without a script. With one, a table is a single stop for the tab key: the
// arrow keys lead from figure to figure, and Escape puts an explanation away.
function stops(table) {
  return [...table.querySelectorAll('.fig[tabindex]')];
}

function move(table, from, key) {
  const row = from.closest('tr');
  const inRow = [...row.querySelectorAll('.fig[tabindex]')];
  const at = inRow.indexOf(from);
  if (key === 'ArrowRight') return inRow[at + 1];
  if (key === 'ArrowLeft') return inRow[at - 1];
  if (key === 'Home') return inRow[0];
  if (key === 'End') return inRow[inRow.length - 1];
  const cell = from.closest('td, th').cellIndex;
  let other = row;
  do {
    other = key === 'ArrowDown' ? other.nextElementSibling : other.previousElementSibling;
    const there = other?.cells[cell]?.querySelector('.fig[tabindex]');
    if (there) return there;
  } while (other);
  return undefined;
}

const keys = new Set(['ArrowRight', 'ArrowLeft', 'ArrowUp', 'ArrowDown', 'Home', 'End']);

export function figures(root) {
  const tables = root.matches?.('table.grid') ? [root] : root.querySelectorAll('table.grid');
  for (const table of tables) {
    for (const [i, stop] of stops(table).entries()) stop.tabIndex = i === 0 ? 0 : -1;
    table.addEventListener('keydown', (event) => {
      const from = event.target.closest('.fig[tabindex]');
      if (!from || !keys.has(event.key)) return;
      const to = move(table, from, event.key);
      if (!to) return;
      event.preventDefault();
      from.tabIndex = -1;
      to.tabIndex = 0;
      to.focus();
    });
  }
}

document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  document.activeElement?.closest?.('.fig')?.blur();
  document.body.classList.add('quiet');
  document.addEventListener('pointermove', () => document.body.classList.remove('quiet'), { once: true });
});
