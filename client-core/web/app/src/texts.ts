// The texts of both languages, from the Fluent files that all of Baken shares, and times as a reader writes them.
import { FluentBundle, FluentResource } from '@fluent/bundle';
import en from '../../../../schemas/locales/en/app.ftl?raw';
import nl from '../../../../schemas/locales/nl/app.ftl?raw';
import type { PhoneError } from './phone';

export type Language = 'nl' | 'en';
const bundles = { nl: bundle('nl', nl), en: bundle('en', en) };
let language: Language = 'nl';

function bundle(locale: Language, source: string): FluentBundle {
  // Without marks around what is filled in: names and numbers here are short, and copied.
  const made = new FluentBundle(locale, { useIsolating: false });
  made.addResource(new FluentResource(source));
  return made;
}

export function speak(chosen: Language) {
  language = chosen;
  document.documentElement.lang = chosen;
}
export const spoken = () => language;

export function has(id: string): boolean {
  return bundles[language].hasMessage(id);
}

export function t(id: string, filled: Record<string, string | number> = {}): string {
  const message = bundles[language].getMessage(id);
  return message?.value ? bundles[language].formatPattern(message.value, filled) : id;
}

/// How times are written: in English as in Britain, which has 24 hours like the Netherlands.
const written = () => (language === 'en' ? 'en-GB' : 'nl-NL');

/// A moment: the time alone today, the day before it otherwise.
export function moment(ms: number): string {
  const at = new Date(ms);
  const today = at.toDateString() === new Date().toDateString();
  const time = { hour: '2-digit', minute: '2-digit' } as const;
  return at.toLocaleString(written(), today ? time : { ...time, day: 'numeric', month: 'short' });
}
/// To the second, for who counts them.
export function exact(ms: number): string {
  return new Date(ms).toLocaleTimeString(written(), { hour: '2-digit', minute: '2-digit', second: '2-digit' });
}

export function failed(error: unknown): string {
  const { code = 'other', wait_ms = 0, left = 0 } = (error ?? {}) as Partial<PhoneError>;
  const id = `error-${code}`;
  return has(id) ? t(id, { seconds: Math.ceil(wait_ms / 1000), left }) : t('error-other', { code });
}
