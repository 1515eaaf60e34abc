// Runs before the page is drawn, so that a chosen theme never flashes the other one first.
(() => {
  'use strict';
  try {
    const chosen = localStorage.getItem('mailvane-theme');
    if (chosen === 'dark' || chosen === 'light') document.documentElement.dataset.theme = chosen;
  } catch { /* storage is off: the system's theme holds */ }
})();
