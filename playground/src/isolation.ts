const TRIED = 'diffrl-isolation';

/**
 * Where the host sends no headers for cross-origin isolation, a service worker adds them and the page loads once more.
 *
 * @returns whether the page is about to load anew
 */
export async function isolate(): Promise<boolean> {
  if (crossOriginIsolated || !isSecureContext || !navigator.serviceWorker || sessionStorage.getItem(TRIED))
    return false;
  sessionStorage.setItem(TRIED, 'yes');
  try {
    await navigator.serviceWorker.register('./isolate.js');
    await navigator.serviceWorker.ready;
  } catch {
    return false; // a browser that forbids it: one thread then
  }
  location.reload();
  return true;
}
