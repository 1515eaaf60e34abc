import { localTimes } from './times.js';
import { themeToggle } from './toggle.js';
import { liveRefresh } from './live.js';
import { figures } from './figures.js';

themeToggle(document.querySelector('[data-theme-toggle]'));
localTimes(document);
figures(document);
liveRefresh((part) => {
  localTimes(part);
  figures(part);
});
