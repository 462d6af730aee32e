// The alarm button: held for a moment, by finger, mouse or key, so that a pocket does not press it. Who cannot hold taps
// once and confirms; that is also what a screen reader's click does.
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../texts';

/// How long it is held, in milliseconds. The ring in the style sheet takes as long.
const HOLD_MS = 1_000;

export function HoldButton({ fire }: { fire: () => void }) {
  const [held, setHeld] = useState(false);
  const [asks, setAsks] = useState(false);
  const timer = useRef<number | undefined>(undefined);
  const fired = useRef(false);
  const confirm = useRef<HTMLButtonElement>(null);
  const begin = () => {
    if (timer.current !== undefined) return;
    fired.current = false;
    setHeld(true);
    timer.current = window.setTimeout(() => {
      fired.current = true;
      end();
      navigator.vibrate?.(200);
      fire();
    }, HOLD_MS);
  };
  const end = () => {
    window.clearTimeout(timer.current);
    timer.current = undefined;
    setHeld(false);
  };
  useEffect(() => end, []);
  useEffect(() => {
    if (asks) confirm.current?.focus();
  }, [asks]);
  const isKey = (event: KeyboardEvent) => event.key === ' ' || event.key === 'Enter';
  return (
    <>
      <button
        type="button"
        class={`hold ${held ? 'held' : ''}`}
        aria-describedby="hold-hint"
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          begin();
        }}
        onPointerUp={end}
        onPointerCancel={end}
        onContextMenu={(event) => event.preventDefault()}
        onKeyDown={(event) => {
          if (!isKey(event)) return;
          event.preventDefault();
          if (!event.repeat) begin();
        }}
        onKeyUp={(event) => {
          if (!isKey(event)) return;
          event.preventDefault();
          const was = timer.current !== undefined;
          end();
          if (was && !fired.current) setAsks(true);
        }}
        onBlur={end}
        onClick={() => !fired.current && setAsks(true)}
      >
        <svg class="ring" viewBox="0 0 100 100" aria-hidden="true"><circle cx="50" cy="50" r="47" /></svg>
        <span>{t('alarm-hold')}</span>
      </button>
      <p id="hold-hint" class="hint">{t('alarm-hold-hint')}</p>
      {asks && (
        <div class="confirm" role="group" aria-label={t('alarm-confirm-title')}>
          <button ref={confirm} type="button" class="button alarm-link" onClick={() => { setAsks(false); fire(); }}>{t('alarm-confirm')}</button>
          <button type="button" class="button" onClick={() => setAsks(false)}>{t('cancel')}</button>
        </div>
      )}
    </>
  );
}
