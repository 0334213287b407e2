const KEY = 'diffrl-theme';

/** Light or dark: as chosen, else as the visitor's system has it. `onChange` hears of it, and at once. */
export function followTheme(button: HTMLElement, onChange: (dark: boolean) => void): void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const apply = () => {
    const theme = localStorage.getItem(KEY) ?? (system.matches ? 'dark' : 'light');
    document.documentElement.dataset.theme = theme;
    onChange(theme === 'dark');
  };
  system.addEventListener('change', apply);
  button.addEventListener('click', () => {
    localStorage.setItem(KEY, document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark');
    apply();
  });
  apply();
}
