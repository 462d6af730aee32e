// Guidance and contacts: read with no network, no account and no PIN.
import { useEffect, useState } from 'preact/hooks';
import { ContactRow, Spans, type Contact, type Span } from '../parts/guidance';
import { Call112, Failure, Field, Notice, Screen, Tile } from '../parts/parts';
import { phone } from '../phone';
import { useCall, useDevice } from '../state';
import { t } from '../texts';
import { dial } from '../parts/guidance';

interface Titled { id: string; title: string; summary?: string }
interface Question { id: string; question: string; cards: Titled[]; chapters: Titled[]; contacts: Contact[] }
interface Overview { questions: Question[]; cards: Titled[]; chapters: Titled[]; layers: { version: number; stale_since?: string }[] }
interface Hit { kind: 'card' | 'chapter' | 'contact'; id: string; title: string; excerpt: string; number?: string }

export function Guidance() {
  const { value, error } = useCall<Overview>('guidance');
  const [words, setWords] = useState('');
  const [hits, setHits] = useState<Hit[]>();
  useEffect(() => {
    let gone = false;
    if (words.trim().length < 2) return setHits(undefined);
    void phone.call<Hit[]>('search', { words }).then((found) => gone || setHits(found));
    return () => void (gone = true);
  }, [words]);
  return (
    <Screen title={t('guidance-title')} back="/">
      <Field id="search" type="search" label={t('guidance-search')} value={words} change={setWords} autocomplete="off" />
      <Failure error={error} />
      {hits && <p role="status">{hits.length ? t('guidance-found', { count: hits.length }) : t('guidance-none')}</p>}
      {hits ? (
        <ul class="hits">
          {hits.map((hit) => (
            <li key={`${hit.kind}${hit.id}`}>
              <a class="tile" href={hit.kind === 'contact' ? dial(hit.number ?? '112') : `#/${hit.kind}/${hit.id}`}>
                <span class="tile-title">{hit.title}{hit.number ? ` (${hit.number})` : ''}</span><span class="hint">{hit.excerpt}</span>
              </a>
            </li>
          ))}
        </ul>
      ) : value && (
        <>
          <section aria-labelledby="cards"><h2 id="cards">{t('guidance-cards')}</h2><ul class="tiles">{value.cards.map((card) => <Tile key={card.id} to={`/card/${card.id}`} title={card.title} />)}</ul></section>
          <section aria-labelledby="chapters"><h2 id="chapters">{t('guidance-chapters')}</h2><ul class="list">{value.chapters.map((chapter) => <Tile key={chapter.id} to={`/chapter/${chapter.id}`} title={chapter.title} hint={chapter.summary} />)}</ul></section>
          <p class="hint">{t('guidance-offline')} {value.layers[0] && t('guidance-version', { version: value.layers[0].version })}</p>
          {value.layers[0]?.stale_since && <Notice kind="warn">{t('stale', { date: value.layers[0].stale_since })}</Notice>}
        </>
      )}
    </Screen>
  );
}

export function QuestionScreen({ id }: { id: string }) {
  const { value } = useCall<Overview>('guidance');
  const question = value?.questions.find((one) => one.id === id);
  if (!question) return <Screen title={t('guidance-title')} back="/"><p role="status">{t('busy')}</p></Screen>;
  return (
    <Screen title={question.question} back="/">
      {question.cards.length > 0 && <section aria-labelledby="cards"><h2 id="cards">{t('guidance-cards')}</h2><ul class="tiles">{question.cards.map((card) => <Tile key={card.id} to={`/card/${card.id}`} title={card.title} />)}</ul></section>}
      {question.contacts.length > 0 && <section aria-labelledby="call"><h2 id="call">{t('question-call')}</h2><ul class="contacts">{question.contacts.map((contact) => <ContactRow key={contact.id} contact={contact} />)}</ul></section>}
      <section aria-labelledby="chapters"><h2 id="chapters">{t('guidance-chapters')}</h2><ul class="list">{question.chapters.map((chapter) => <Tile key={chapter.id} to={`/chapter/${chapter.id}`} title={chapter.title} />)}</ul></section>
    </Screen>
  );
}

interface Chapter { title: string; summary: string; body: { kind: string; lines: Span[][] }[]; checklist: Span[][]; facts: { text: string; status: string; check_at?: string }[]; sources: { title: string; year?: number }[]; written: string; review_by: string; stale_since?: string }

export function ChapterScreen({ id }: { id: string }) {
  const { value, error } = useCall<{ chapter: Chapter; numbers: Record<string, string> }>('chapter', { id });
  if (!value) return <Screen title={t('guidance-title')} back="/guidance"><Failure error={error} /></Screen>;
  const { chapter, numbers } = value;
  const sources = [...new Set(chapter.sources.map((source) => (source.year ? `${source.title} (${source.year})` : source.title)))];
  return (
    <Screen title={chapter.title} back="/guidance">
      <p class="lead">{chapter.summary}</p>
      {chapter.stale_since && <Notice kind="warn">{t('stale', { date: chapter.stale_since })}</Notice>}
      <article class="reading">
        {chapter.body.map((block, at) => {
          if (block.kind === 'heading') return <h2 key={at}>{block.lines.map((line) => <Spans key={0} spans={line} numbers={numbers} />)}</h2>;
          if (block.kind === 'list') return <ul key={at}>{block.lines.map((line, n) => <li key={n}><Spans spans={line} numbers={numbers} /></li>)}</ul>;
          return block.lines.map((line, n) => <p key={`${at}.${n}`}><Spans spans={line} numbers={numbers} /></p>);
        })}
        {chapter.checklist.length > 0 && <><h2>{t('checklist')}</h2><ul class="checks">{chapter.checklist.map((line, n) => <li key={n}><Spans spans={line} numbers={numbers} /></li>)}</ul></>}
        {chapter.facts.filter((fact) => fact.status === 'unconfirmed').map((fact, n) => <Notice key={n} kind="warn">{t('unconfirmed', { text: fact.text })}</Notice>)}
      </article>
      <p class="hint">{t('written', { date: chapter.written, review: chapter.review_by })}</p>
      {sources.length > 0 && <details class="fold"><summary>{t('sources')}</summary><ul>{sources.map((source) => <li key={source}>{source}</li>)}</ul></details>}
    </Screen>
  );
}

interface Card { title: string; lines: Span[][]; call: Contact[]; stale_since?: string }

export function CardScreen({ id }: { id: string }) {
  const { value, error } = useCall<{ card: Card; numbers: Record<string, string> }>('card', { id });
  if (!value) return <Screen title={t('guidance-title')} back="/guidance"><Failure error={error} /></Screen>;
  const { card, numbers } = value;
  return (
    <Screen title={card.title} back="/guidance">
      {card.stale_since && <Notice kind="warn">{t('stale', { date: card.stale_since })}</Notice>}
      <ol class="card-lines">{card.lines.map((line, n) => <li key={n}><Spans spans={line} numbers={numbers} /></li>)}</ol>
      {card.call.length > 0 && <ul class="contacts">{card.call.map((contact) => <ContactRow key={contact.id} contact={contact} />)}</ul>}
    </Screen>
  );
}

interface OwnContact { record: string; deleted: boolean; fields: Record<string, string | boolean | null> }

export function Contacts() {
  const { state } = useDevice();
  const { value, error } = useCall<Contact[]>('contacts');
  return (
    <Screen title={t('contacts-title')} back="/">
      <Call112 why />
      {state.activated && (
        <section aria-labelledby="own">
          <h2 id="own">{t('contacts-own')}</h2>
          {state.unlocked ? <OwnContacts /> : <p>{t('contacts-own-locked')} <a href="#/dossier">{t('unlock')}</a></p>}
        </section>
      )}
      <section aria-labelledby="public">
        <h2 id="public">{t('contacts-public')}</h2>
        <Failure error={error} />
        <ul class="contacts">{value?.map((contact) => <ContactRow key={contact.id} contact={contact} />)}</ul>
      </section>
    </Screen>
  );
}

function OwnContacts() {
  const { value } = useCall<OwnContact[]>('records', { kind: 'contact' });
  const own = (value ?? []).filter((one) => !one.deleted);
  own.sort((a, b) => Number(b.fields.emergency ?? false) - Number(a.fields.emergency ?? false));
  if (value && own.length === 0) return <p>{t('contacts-own-none')} <a href="#/dossier/contact">{t('do-dossier')}</a></p>;
  return (
    <ul class="contacts">
      {own.map(({ record, fields }) => (
        <li key={record} class="contact">
          <div><strong>{fields.name}</strong><p>{[fields.relation, fields.available].filter(Boolean).join(', ')}</p></div>
          {fields.phone && <a class="button primary" href={dial(String(fields.phone))} aria-label={t('call-number', { name: String(fields.name ?? ''), number: String(fields.phone) })}>{fields.phone}</a>}
        </li>
      ))}
    </ul>
  );
}
