// Rings while somebody of the family calls and nobody here has said that they saw it: a tone, a shake, and the title.
// Only while this page is open: a browser wakes nobody.
import { useEffect } from 'preact/hooks';
import type { Incoming } from '../state';
import { t } from '../texts';

/// Between two rings, in milliseconds.
const EVERY_MS = 3_000;

export function useRing(incoming: Incoming[] = []) {
  const rings = incoming.some((alarm) => !alarm.closed && !alarm.acknowledged_at);
  useEffect(() => {
    if (!rings) return;
    const audio = new AudioContext();
    const before = document.title;
    const ring = () => {
      document.title = document.title === t('incoming-title-flash') ? before : t('incoming-title-flash');
      navigator.vibrate?.([300, 150, 300]);
      // A page that was never touched may make no sound.
      if (audio.state !== 'running') return void audio.resume().catch(() => undefined);
      for (const at of [0, 0.35]) {
        const [tone, volume] = [audio.createOscillator(), audio.createGain()];
        tone.frequency.value = 880;
        volume.gain.value = 0.2;
        tone.connect(volume).connect(audio.destination);
        tone.start(audio.currentTime + at);
        tone.stop(audio.currentTime + at + 0.25);
      }
    };
    ring();
    const timer = setInterval(ring, EVERY_MS);
    return () => {
      clearInterval(timer);
      void audio.close();
      document.title = before;
    };
  }, [rings]);
}
