// What the family sees: on a family member's own device it is the first screen, and all there is.
import { useEffect, useState } from 'preact/hooks';
import { ContactRow, dial, type Contact } from '../parts/guidance';
import { Failure, Field, Form, Notice, Pin, PhoneSign, Screen, Tile } from '../parts/parts';
import { phone } from '../phone';
import { refresh, send, useCall, useDevice, type Incoming } from '../state';
import { moment, t } from '../texts';
import { Unlock, UnlockForm } from './activate';
import type { Record_ } from './dossier';

interface Page {
  name: string; is_out: boolean; safety_number?: string; plans: Record_[]; contacts: Record_[]; notes: Record_[]; public_contacts: Contact[];
  chapters: { id: string; title: string; remark: string }[]; children: { id: string; title: string }[]; cards: { id: string; title: string }[];
}

/// The first screen of a guest: alarms of the person first, 112, then what is theirs.
export function FamilyHome() {
  const { state } = useDevice();
  // Who calls, and whether one is chosen, is noted at a sync.
  useEffect(() => {
    if (state.unlocked) void send();
  }, [state.unlocked]);
  return (
    <Screen title={t('app-name')}>
      <Ringing alarms={state.incoming ?? []} />
      <Answering />
      {state.unlocked ? <Theirs /> : <section class="running" aria-labelledby="open"><h2 id="open">{t('family-open')}</h2><UnlockForm hint={t('family-open-hint')} /></section>}
      {!state.unlocked && <PublicContacts />}
      <ul class="tiles"><Tile to="/guidance" title={t('nav-guidance')} hint={t('guidance-offline')} /><Tile to="/settings" title={t('do-settings')} hint={t('do-settings-guest')} /></ul>
    </Screen>
  );
}

/// The same on the office-holder's device, to see what they see.
export function FamilyPageScreen() {
  const { state } = useDevice();
  if (!state.unlocked) return <Unlock title={t('family-see')} />;
  return <Screen title={t('family-see')} back="/family"><p class="lead">{t('family-see-hint')}</p><Theirs mayDelete /></Screen>;
}

function Ringing({ alarms }: { alarms: Incoming[] }) {
  const open = alarms.filter((alarm) => !alarm.closed);
  return (
    <>
      {open.map((alarm) => (
        <Notice key={alarm.alarm} kind={alarm.acknowledged_at ? 'warn' : 'bad'} live>
          <strong>{t('incoming-from', { name: alarm.caller ?? t('incoming-unknown') })}</strong>
          <p>{moment(alarm.arrived_at)}</p>
          <a class="button alarm-link" href={`#/incoming/${alarm.alarm}`}>{t('alarm-look')}</a>
        </Notice>
      ))}
    </>
  );
}

/// Whether this person is called in an alarm: their own word, given and taken back here.
function Answering() {
  const { state } = useDevice();
  const [pin, setPin] = useState('');
  const [name, setName] = useState('');
  const agree = () => phone.call('agree', { pin, name }).then(send).then(refresh).finally(() => setPin(''));
  const stop = () => phone.call('stop_agreeing', { pin }).then(send).then(refresh).finally(() => setPin(''));
  if (state.responds_as) {
    return (
      <section key="agreed" class="way" data-agreed aria-labelledby="answering">
        <div><h2 id="answering">{t('answering-title')}</h2><p>{t('answering-as', { name: state.responds_as })}</p><p class="hint">{t('answering-open')}</p></div>
        {state.unlocked && <details class="fold"><summary>{t('answering-stop')}</summary><Form submit={stop} label={t('answering-stop')} kind=""><Pin id="pin-stop" value={pin} change={setPin} /></Form></details>}
      </section>
    );
  }
  if (!state.unlocked) return null;
  return (
    <section key="asks" class="way warn" aria-labelledby="answering">
      <div><h2 id="answering">{t('answering-title')}</h2><p>{t('answering-text')}</p></div>
      <details class="fold">
        <summary>{t('answering-agree')}</summary>
        <Form submit={agree} label={t('answering-agree')}><Field id="called-as" label={t('answering-name')} value={name} change={setName} required maxLength={60} /><Pin id="pin-agree" value={pin} change={setPin} /></Form>
      </details>
    </section>
  );
}

function PublicContacts() {
  const { value } = useCall<Contact[]>('contacts', { audience: 'family' });
  if (!value) return null;
  return <section aria-labelledby="call"><h2 id="call">{t('family-call-title')}</h2><ul class="contacts">{value.filter((one) => one.emergency).map((one) => <ContactRow key={one.id} contact={one} />)}</ul></section>;
}

function Theirs({ mayDelete }: { mayDelete?: boolean }) {
  const { state } = useDevice();
  const { value: page, error, reload } = useCall<Page>('family_page', {}, state.unlocked);
  if (!page) return <><Failure error={error} /><PublicContacts /></>;
  const text = (record: Record_, field: string) => String(record.fields[field] ?? '');
  const remove = (record: Record_) => phone.call('delete', { record: record.record }).then(reload);
  const written = (record: Record_) => (
    <li key={record.record} class="tile">
      <span class="tile-title">{text(record, 'title')}</span>
      {typeof record.fields.when === 'number' && <span class="hint">{moment(record.fields.when)}</span>}
      {text(record, 'text') && <p class="written">{text(record, 'text')}</p>}
      {mayDelete && <button type="button" class="button quiet" aria-label={`${t('delete')}: ${text(record, 'title')}`} onClick={() => void remove(record)}>{t('delete')}</button>}
    </li>
  );
  return (
    <>
      {page.is_out && <Notice>{t('family-nothing-new')}</Notice>}
      <section aria-labelledby="plan">
        <h2 id="plan">{t('family-plan')}</h2>
        {page.plans.length + page.notes.length === 0 && <p class="hint">{t('family-no-plan')}</p>}
        <ul class="list">{[...page.plans, ...page.notes].map(written)}</ul>
      </section>
      <section aria-labelledby="call">
        <h2 id="call">{t('family-call-title')}</h2>
        <ul class="contacts">
          {page.public_contacts.filter((one) => one.emergency).map((one) => <ContactRow key={one.id} contact={one} />)}
          {page.contacts.map((one) => <li key={one.record} class="contact"><div><strong>{text(one, 'name')}</strong><p class="hint">{[text(one, 'relation'), text(one, 'available')].filter(Boolean).join(', ')}</p></div>{text(one, 'phone') && <a class="button primary" href={dial(text(one, 'phone'))} aria-label={t('call-number', { name: text(one, 'name'), number: text(one, 'phone') })}><PhoneSign /> {text(one, 'phone')}</a>}</li>)}
        </ul>
        <details class="fold"><summary>{t('family-more-numbers')}</summary><ul class="contacts">{page.public_contacts.filter((one) => !one.emergency).map((one) => <ContactRow key={one.id} contact={one} />)}</ul></details>
      </section>
      <section aria-labelledby="read">
        <h2 id="read">{t('family-read')}</h2>
        <ul class="tiles">{page.chapters.map((one) => <Tile key={one.id} to={`/chapter/${one.id}`} title={one.title} hint={one.remark} />)}</ul>
      </section>
      {page.children.length > 0 && <section aria-labelledby="children"><h2 id="children">{t('family-children')}</h2><ul class="tiles">{page.children.map((one) => <Tile key={one.id} to={`/card/${one.id}`} title={one.title} />)}</ul></section>}
      {page.cards.length > 0 && <section aria-labelledby="cards"><h2 id="cards">{t('guidance-cards')}</h2><ul class="tiles">{page.cards.map((one) => <Tile key={one.id} to={`/card/${one.id}`} title={one.title} />)}</ul></section>}
      {page.safety_number && !page.is_out && <details class="fold"><summary>{t('safety-number')}</summary><p>{t('safety-number-text')}</p><output class="code number">{page.safety_number}</output></details>}
    </>
  );
}
