// The family, on the office-holder's side: a circle of its own, who is in it, what they read, and who is called.
import { useState } from 'preact/hooks';
import { Choice, Failure, Field, Form, Notice, Pin, Screen } from '../parts/parts';
import { phone } from '../phone';
import { refresh, useCall, useDevice } from '../state';
import { t } from '../texts';
import { Unlock } from './activate';
import { LetIn } from './let-in';

export interface Member { device: string; name?: string; role: string; state: string; this: boolean }
export interface Circle { circle: string; kind: 'dossier' | 'family' | 'case'; name?: string; role?: string; members: Member[]; safety_number: string }
interface Called { device: string; name?: string; agreed: boolean; chosen: boolean; called: boolean }
export interface Circles { circles: Circle[]; family: Called[]; places: { alarms: number; check_ins: number } }

/// Sends what was changed; without a network it goes later.
export const send = () => phone.call('sync').catch(() => undefined);

export function Family() {
  const { state } = useDevice();
  const { value, error, reload } = useCall<Circles>('circles', {}, state.unlocked);
  const [inviting, setInviting] = useState(false);
  const [out, setOut] = useState<string>();
  if (!state.unlocked) return <Unlock title={t('family-title')} />;
  const circle = value?.circles.find((one) => one.kind === 'family');
  const own = new Set(value?.circles.find((one) => one.kind === 'dossier')?.members.map((one) => one.device));
  const guests = circle?.members.filter((one) => !own.has(one.device)) ?? [];
  return (
    <Screen title={t('family-title')} back="/">
      <p class="lead">{t('family-text')}</p>
      <Failure error={error} />
      {out && <Notice kind="good" live>{t('family-removed', { name: out })}</Notice>}
      {value && !circle && <Found done={reload} />}
      {value && circle && (
        <>
          <section aria-labelledby="members">
            <h2 id="members">{t('family-members')}</h2>
            {guests.length === 0 && <p>{t('family-nobody')}</p>}
            <ul class="list">{guests.map((one) => <OneMember key={one.device} member={one} circle={circle.circle} called={value.family.find((other) => other.device === one.device)} places={value.places.alarms} done={reload} removed={() => { setOut(one.name ?? t('devices-unnamed')); reload(); }} />)}</ul>
          </section>
          {inviting
            ? <LetIn circle={circle.circle} done={reload} />
            : <button type="button" class="button primary" onClick={() => { setInviting(true); setOut(undefined); }}>{t('family-invite')}</button>}
          {!inviting && <Theirs circle={circle.circle} />}
          <details class="fold"><summary>{t('safety-number')}</summary><p>{t('safety-number-text')}</p><output class="code number">{circle.safety_number}</output></details>
        </>
      )}
    </Screen>
  );
}

function Found({ done }: { done: () => void }) {
  const [name, setName] = useState(t('family-name-default'));
  const found = async () => {
    await phone.call('found_circle', { kind: 'family', name });
    done();
    void send();
  };
  return <Form submit={found} label={t('family-found')}><Field id="circle-name" label={t('family-name')} value={name} change={setName} required maxLength={60} /></Form>;
}

/// Somebody of the family: whether they are called, and taking them out. Why is asked nowhere, and they are not told.
function OneMember({ member, circle, called, places, done, removed }: { member: Member; circle: string; called?: Called; places: number; done: () => void; removed: () => void }) {
  const [pin, setPin] = useState('');
  const name = called?.name ?? member.name ?? t('devices-unnamed');
  const stands = places === 0 ? 'no-place' : called?.called ? 'called' : called?.agreed ? 'agreed' : 'silent';
  const act = (what: string, more: object = {}) => phone.call(what, { device: member.device, pin, ...more }).finally(() => setPin(''));
  const choose = (what: string) => act(what).then(send).then(done).then(refresh);
  const id = `pin-${member.device.slice(0, 8)}`;
  return (
    <li class="running" data-member={name}>
      <h3>{name}</h3>
      <p class={stands === 'called' ? 'good-text' : 'hint'}>{t(`family-stands-${stands}`, { name })}</p>
      {(stands === 'agreed' || stands === 'called') && (
        <details key={stands} class="fold">
          <summary>{t(stands === 'called' ? 'family-call-not' : 'family-call')}</summary>
          {stands === 'agreed' && <p>{t('family-call-text', { name })}</p>}
          <Form submit={() => choose(stands === 'called' ? 'stop_calling_family' : 'call_family')} label={t(stands === 'called' ? 'family-call-not' : 'family-call')} kind=""><Pin id={id} value={pin} change={setPin} /></Form>
        </details>
      )}
      <details class="fold">
        <summary>{t('family-remove')}</summary>
        <p>{t('family-remove-text', { name })}</p>
        <Form submit={() => act('remove_device', { circle }).then(removed)} label={t('family-remove-do', { name })} kind="alarm-link"><Pin id={`${id}-out`} value={pin} change={setPin} /></Form>
      </details>
    </li>
  );
}

/// What they read: written and chosen here.
function Theirs({ circle }: { circle: string }) {
  const { value } = useCall<{ chapters: { id: string; title: string }[] }>('guidance', { audience: 'family' });
  const [chapter, setChapter] = useState('');
  const [added, setAdded] = useState(false);
  const add = async () => {
    const chosen = value?.chapters.find((one) => one.id === chapter);
    if (!chosen) return;
    await phone.call('create', { kind: 'guidance', circle, fields: { chapter: chosen.id, title: chosen.title } });
    setAdded(true);
    void send();
  };
  return (
    <section aria-labelledby="theirs">
      <h2 id="theirs">{t('family-theirs')}</h2>
      <ul class="tiles">
        <li><a class="tile" href="#/family-page"><span class="tile-title">{t('family-see')}</span><span class="hint">{t('family-see-hint')}</span></a></li>
        {['plan', 'contact', 'note'].map((kind) => <li key={kind}><a class="tile" href={`#/record/${kind}/new/${circle}`}><span class="tile-title">{t(`family-add-${kind}`)}</span></a></li>)}
      </ul>
      <Form submit={add} label={t('add')} kind="">
        <Choice id="chapter" label={t('family-choose')} value={chapter} options={[['', '–'], ...(value?.chapters ?? []).map((one): [string, string] => [one.id, one.title])]} change={(to) => { setChapter(to); setAdded(false); }} />
        {added && <Notice kind="good" live>{t('saved')}</Notice>}
      </Form>
    </section>
  );
}
