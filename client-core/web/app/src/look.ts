// Light, dark or high contrast: as the device, or as chosen here.
const KEY = 'baken-look';
export const looks = ['auto', 'light', 'dark', 'contrast'];
export const look = () => localStorage.getItem(KEY) ?? 'auto';
export function setLook(to: string) {
  localStorage.setItem(KEY, to);
  document.documentElement.dataset.look = to;
}
