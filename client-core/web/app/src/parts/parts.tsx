// The pieces that every screen is made of.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { failed, t } from '../texts';

export function go(path: string) {
  window.location.hash = path;
}

/// A screen: its title gets the focus, so that a screen reader says where one is.
export function Screen({ title, children, back }: { title: string; children: ComponentChildren; back?: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} – Baken`;
    heading.current?.focus();
    window.scrollTo(0, 0);
  }, [title]);
  return (
    <main id="main" class="screen">
      {back !== undefined && <a class="back" href={`#${back}`}><span aria-hidden="true">‹</span> {t('back')}</a>}
      <h1 ref={heading} tabIndex={-1}>{title}</h1>
      {children}
    </main>
  );
}

export function Call112({ why }: { why?: boolean }) {
  return (
    <div class="call-box">
      {why && <p>{t('call-112-why')}</p>}
      <a class="call-112" href="tel:112"><PhoneSign /> {t('call-112')}</a>
    </div>
  );
}

export function PhoneSign() {
  return <svg class="sign" viewBox="0 0 24 24" aria-hidden="true"><path d="M6.6 10.8a15 15 0 0 0 6.6 6.6l2.2-2.2a1 1 0 0 1 1-.25 11.4 11.4 0 0 0 3.6.58 1 1 0 0 1 1 1V20a1 1 0 0 1-1 1A17 17 0 0 1 3 4a1 1 0 0 1 1-1h3.5a1 1 0 0 1 1 1c0 1.25.2 2.45.57 3.57a1 1 0 0 1-.25 1z" /></svg>;
}

export function Notice({ kind = 'info', children, live }: { kind?: 'info' | 'good' | 'warn' | 'bad'; children: ComponentChildren; live?: boolean }) {
  return <div class={`notice ${kind}`} role={live ? (kind === 'bad' ? 'alert' : 'status') : undefined}>{children}</div>;
}

export function Failure({ error }: { error: unknown }) {
  return error ? <Notice kind="bad" live><strong>{t('error-title')}</strong><p>{failed(error)}</p></Notice> : null;
}

interface FieldProps {
  id: string; label: string; hint?: string; value: string; change: (value: string) => void;
  type?: string; name?: string; class?: string; inputMode?: 'numeric'; autocomplete?: string; required?: boolean; minLength?: number; maxLength?: number;
}
export function Field({ id, label, hint, value, change, ...rest }: FieldProps) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
      <input id={id} value={value} aria-describedby={hint ? `${id}-hint` : undefined} spellcheck={false} autocomplete="off" onInput={(event) => change(event.currentTarget.value)} {...(rest as object)} />
    </div>
  );
}

export function Area({ id, label, hint, value, change, rows = 3 }: { id: string; label: string; hint?: string; value: string; change: (value: string) => void; rows?: number }) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {hint && <p class="hint" id={`${id}-hint`}>{hint}</p>}
      <textarea id={id} spellcheck={false} autocomplete="off" rows={rows} value={value} aria-describedby={hint ? `${id}-hint` : undefined} onInput={(event) => change(event.currentTarget.value)} />
    </div>
  );
}

/// Not called a password: the browser would offer to keep the PIN, and to send it to its maker's cloud.
export function Pin({ id = 'pin', label, hint, value, change, isNew, name = 'pin' }: { id?: string; label?: string; hint?: string; value: string; change: (value: string) => void; isNew?: boolean; name?: string }) {
  return <Field id={id} name={name} label={label ?? t('pin')} hint={hint} value={value} change={change} type="password" inputMode="numeric" autocomplete={isNew ? 'off' : 'one-time-code'} required minLength={6} maxLength={64} class="pin" />;
}

export function Choice({ id, label, value, options, change }: { id: string; label: string; value: string; options: [string, string][]; change: (value: string) => void }) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => change(event.currentTarget.value)}>
        {options.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
      </select>
    </div>
  );
}

/// A form that tells when it is busy, and what went wrong. Nothing typed is lost by an error.
export function Form({ submit, label, busy: busyText, children, kind = 'primary' }: { submit: () => Promise<unknown>; label: string; busy?: string; children?: ComponentChildren; kind?: string }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const here = useRef(true);
  useEffect(() => () => void (here.current = false), []);
  const send = async (event: Event) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(undefined);
    try {
      await submit();
    } catch (error) {
      if (here.current) setError(error);
    }
    if (here.current) setBusy(false);
  };
  return (
    <form autocomplete="off" onSubmit={(event) => void send(event)}>
      {children}
      <Failure error={error} />
      <button type="submit" class={`button ${kind}`} aria-disabled={busy}>{busy ? (busyText ?? t('busy')) : label}</button>
      {busy && <p class="hint" role="status">{busyText ?? t('busy')}</p>}
    </form>
  );
}

/// What was done, and a way back, for as long as it is looked at.
export function Undo({ text, undo }: { text: string; undo?: () => void }) {
  return <Notice kind="good" live><span>{text}</span>{undo && <button type="button" class="button quiet" onClick={undo}>{t('undo')}</button>}</Notice>;
}

export function Tile({ to, title, hint }: { to: string; title: string; hint?: string }) {
  return <li><a class="tile" href={`#${to}`}><span class="tile-title">{title}</span>{hint && <span class="hint">{hint}</span>}</a></li>;
}

export function Qr({ width, modules, label }: { width: number; modules: string; label: string }) {
  const rows = Array.from({ length: width }, (_, y) => modules.slice(y * width, (y + 1) * width));
  const path = rows.flatMap((row, y) => [...row].map((dark, x) => (dark === '1' ? `M${x} ${y}h1v1h-1z` : ''))).join('');
  return <svg class="qr" viewBox={`-4 -4 ${width + 8} ${width + 8}`} role="img" aria-label={label} shape-rendering="crispEdges"><rect x="-4" y="-4" width={width + 8} height={width + 8} fill="#fff" /><path d={path} fill="#000" /></svg>;
}

export function Copy({ text }: { text: string }) {
  const [done, setDone] = useState(false);
  return (
    <>
      <output class="code">{text}</output>
      <button type="button" class="button" onClick={() => void navigator.clipboard.writeText(text).then(() => setDone(true))}>{done ? t('copied') : t('copy')}</button>
    </>
  );
}
