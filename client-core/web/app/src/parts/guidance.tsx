// Published content as elements: never as HTML of its own.
import { t } from '../texts';
import { PhoneSign } from './parts';

export type Span = { text: string } | { bold: Span[] } | { link: { text: string; to: Record<string, string> } } | { fact: string } | { contact: string };
export interface Contact { id: string; name: string; purpose: string; number: string; also?: string; hours: string; reachable: 'now' | 'see-hours' | 'closed'; emergency: boolean; stale_since?: string }

export function Spans({ spans, numbers }: { spans: Span[]; numbers: Record<string, string> }) {
  return <>{spans.map((span, at) => <One key={at} span={span} numbers={numbers} />)}</>;
}

function One({ span, numbers }: { span: Span; numbers: Record<string, string> }) {
  if ('text' in span) return <>{span.text}</>;
  if ('bold' in span) return <strong><Spans spans={span.bold} numbers={numbers} /></strong>;
  if ('fact' in span) return <>{span.fact}</>;
  if ('contact' in span) {
    const number = numbers[span.contact] ?? span.contact;
    return <a href={dial(number)}>{number}</a>;
  }
  const { to, text } = span.link;
  if (to.chapter) return <a href={`#/chapter/${to.chapter}`}>{text}</a>;
  if (to.card) return <a href={`#/card/${to.card}`}>{text}</a>;
  return <a href={to.web} rel="noopener noreferrer" target="_blank">{text}</a>;
}

export const dial = (number: string) => `tel:${number.replace(/[^+\d]/g, '')}`;

export function ContactRow({ contact }: { contact: Contact }) {
  return (
    <li class={`contact ${contact.reachable}`}>
      <div>
        <strong>{contact.name}</strong>
        <p>{contact.purpose}</p>
        <p class="hint">{contact.hours} <span class={`reach ${contact.reachable}`}>{t(`reachable-${contact.reachable}`)}</span></p>
        {contact.stale_since && <p class="hint warn-text">{t('stale', { date: contact.stale_since })}</p>}
      </div>
      <a class={contact.emergency ? 'button alarm-link' : 'button primary'} href={dial(contact.number)} aria-label={t('call-number', { name: contact.name, number: contact.number })}><PhoneSign /> {contact.number}</a>
    </li>
  );
}
