// The theme follows the system until the reader chooses one; a third press goes back to the system's.
const next = { '': 'dark', dark: 'light', light: '' };
const words = { '': 'Theme: system', dark: 'Theme: dark', light: 'Theme: light' };

export function themeToggle(button) {
  if (!button) return;
  const root = document.documentElement;
  const show = () => { button.textContent = words[root.dataset.theme ?? '']; };
  button.hidden = false;
  button.addEventListener('click', () => {
    const theme = next[root.dataset.theme ?? ''];
    if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
    try {
      if (theme) localStorage.setItem('mailvane-theme', theme);
      else localStorage.removeItem('mailvane-theme');
    } catch { /* it holds until the page is left */ }
    show();
    document.dispatchEvent(new CustomEvent('themechange'));
  });
  show();
}
