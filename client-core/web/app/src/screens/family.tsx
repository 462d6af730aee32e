// The family, on the office-holder's side: a circle of its own, who is in it, what they read, and who is called.
import { useState } from 'preact/hooks';
import { Choice, Failure, Field, Form, Notice, Pin, Screen } from '../parts/parts';
import { phone } from '../phone';
import { refresh, send, useCall, useDevice } from '../state';
import { t } from '../texts';
import { Unlock } from './activate';
import { LetIn } from './let-in';

export interface Member { device: string; name?: string; role: string; state: string; this: boolean }
export interface Circle { circle: string; kind: 'dossier' | 'family' | 'case'; name?: string; role?: string; members: Member[]; safety_number: string }
interface Called { device: string; name?: string; agreed: boolean; chosen: boolean; called: boolean; check_ins: string[] }
export interface Circles { circles: Circle[]; family: Called[]; places: { alarms: number; check_ins: number } }

export function Family() {
  const { state } = useDevice();
  const { value, error, reload } = useCall<Circles>('circles', {}, state.unlocked);
  const [out, setOut] = useState<string>();
  if (!state.unlocked) return <Unlock title={t('family-title')} />;
  // Two devices that were apart may have made one each.
  const families = value?.circles.filter((one) => one.kind === 'family') ?? [];
  const there = new Set(families.flatMap((one) => one.members.map((member) => member.device)));
  const gone = value?.family.filter((one) => one.check_ins.length > 0 && !there.has(one.device)) ?? [];
  return (
    <Screen title={t('family-title')} back="/">
      <p class="lead">{t('family-text')}</p>
      <Failure error={error} />
      {out && <Notice kind="good" live>{t('family-removed', { name: out })}</Notice>}
      {gone.map((one) => <Notice key={one.device} kind="warn">{t('family-check-in-left', { name: one.name ?? t('family-somebody-out') })}</Notice>)}
      {value && families.length === 0 && <Found done={reload} />}
      {value && families.map((circle) => <OneCircle key={circle.circle} circle={circle} all={value} reload={reload} said={setOut} />)}
    </Screen>
  );
}

/// A circle: who is in it, inviting somebody, and what they read.
function OneCircle({ circle, all, reload, said }: { circle: Circle; all: Circles; reload: () => void; said: (out?: string) => void }) {
  const [inviting, setInviting] = useState(false);
  const own = new Set(all.circles.find((one) => one.kind === 'dossier')?.members.map((one) => one.device));
  const guests = circle.members.filter((one) => !own.has(one.device));
  const id = `members-${circle.circle.slice(0, 8)}`;
  return (
    <>
      <section aria-labelledby={id}>
        <h2 id={id}>{t('family-members')}</h2>
        {guests.length === 0 && <p>{t('family-nobody')}</p>}
        <ul class="list">{guests.map((one) => <OneMember key={one.device} member={one} circle={circle.circle} called={all.family.find((other) => other.device === one.device)} places={all.places} done={reload} removed={() => { said(one.name ?? t('devices-unnamed')); reload(); }} />)}</ul>
      </section>
      {inviting
        ? <LetIn circle={circle.circle} done={reload} />
        : <button type="button" class="button primary" onClick={() => { setInviting(true); said(undefined); }}>{t('family-invite')}</button>}
      {!inviting && <Theirs circle={circle.circle} />}
      <details class="fold"><summary>{t('safety-number')}</summary><p>{t('safety-number-text')}</p><output class="code number">{circle.safety_number}</output></details>
    </>
  );
}

/// How somebody of the family stands. A choice that was made stays in sight, so that it can be taken back.
function standing(called: Called | undefined, places: Circles['places']) {
  if (called?.called) return places.alarms > 0 ? 'called' : 'called-check-ins';
  if (called?.chosen) return 'chosen';
  if (places.alarms + places.check_ins === 0) return 'no-place';
  return called?.agreed ? 'agreed' : 'silent';
}

function Found({ done }: { done: () => void }) {
  const [name, setName] = useState(t('family-name-default'));
  const found = async () => {
    await phone.call('found_circle', { name });
    done();
    void send();
  };
  return <Form submit={found} label={t('family-found')}><Field id="circle-name" label={t('family-name')} value={name} change={setName} required maxLength={60} /></Form>;
}

/// Somebody of the family: whether they are called, and taking them out. Why is asked nowhere, and they are not told.
function OneMember({ member, circle, called, places, done, removed }: { member: Member; circle: string; called?: Called; places: Circles['places']; done: () => void; removed: () => void }) {
  const [pin, setPin] = useState('');
  const name = called?.name ?? member.name ?? t('devices-unnamed');
  const stands = standing(called, places);
  const isChosen = called?.chosen ?? false;
  const act = (what: string, more: object = {}) => phone.call(what, { device: member.device, pin, ...more }).finally(() => setPin(''));
  const choose = (what: string) => act(what).then(send).then(done).then(refresh);
  const id = `pin-${member.device.slice(0, 8)}`;
  return (
    <li class="running" data-member={name}>
      <h3>{name}</h3>
      <p class={called?.called ? 'good-text' : 'hint'}>{t(`family-stands-${stands}`, { name })}</p>
      {called && called.check_ins.length > 0 && !called.called && <Notice kind="warn">{t('family-check-in-left', { name })}</Notice>}
      {(stands === 'agreed' || isChosen) && (
        <details key={stands} class="fold">
          <summary>{t(isChosen ? 'family-call-not' : 'family-call')}</summary>
          {stands === 'agreed' && <p>{t('family-call-text', { name })}</p>}
          <Form submit={() => choose(isChosen ? 'stop_calling_family' : 'call_family')} label={t(isChosen ? 'family-call-not' : 'family-call')} kind=""><Pin id={id} value={pin} change={setPin} /></Form>
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
