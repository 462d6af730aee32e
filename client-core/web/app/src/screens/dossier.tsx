// The dossier: lists, and one form for every kind of record. What is deleted can be had back.
import { useEffect, useState } from 'preact/hooks';
import { Area, Choice, Failure, Field, Form, Notice, Screen, Tile, Undo, go } from '../parts/parts';
import { phone } from '../phone';
import { refresh, useCall, useDevice } from '../state';
import { has, moment, t } from '../texts';
import { Unlock } from './activate';
import type { Circles } from './family';

type Value = string | number | boolean | null;
export interface Record_ { record: string; circle: string; kind: string; deleted: boolean; fields: { [name: string]: Value }; conflicts: { [name: string]: unknown } }
type Type = 'text' | 'long' | 'time' | 'bool' | 'tel' | 'email' | string[];

/// Which fields a screen shows of a kind, the first of them its title. The core knows more; the form leaves those alone.
export const KINDS: { [kind: string]: { [field: string]: Type } } = {
  profile: { name: 'text', phone: 'tel', home_address: 'text', household: 'long', car: 'text', medical: 'long', code_word: 'text' },
  contact: { name: 'text', relation: 'text', phone: 'tel', email: 'email', available: 'text', emergency: 'bool', remark: 'long' },
  measure: { title: 'text', status: ['', 'proposed', 'wished', 'decided', 'done', 'ended', 'not-wanted'], provider: 'text', due: 'time', ends: 'time', remark: 'long' },
  incident: { what: 'long', happened_at: 'time', place: 'text', who: 'text', with_what: 'text', how: 'text', why: 'text', witnesses: 'text', reported_to: 'text', police_number: 'text' },
  note: { title: 'text', text: 'long' },
  plan: { title: 'text', when: 'time', text: 'long' },
};
/// What only a family circle has.
const FAMILY_KINDS = ['plan'];
const titleOf = (record: Record_) => String(record.fields[Object.keys(KINDS[record.kind] ?? {})[0] ?? ''] ?? '–');

export function Dossier() {
  const { state } = useDevice();
  if (!state.unlocked) return <Unlock title={t('dossier-title')} />;
  return (
    <Screen title={t('dossier-title')} back="/">
      <ul class="tiles">
        {Object.keys(KINDS).filter((kind) => !FAMILY_KINDS.includes(kind)).map((kind) => <Tile key={kind} to={`/dossier/${kind}`} title={t(`kind-${kind}`)} hint={has(`kind-${kind}-hint`) ? t(`kind-${kind}-hint`) : undefined} />)}
      </ul>
      <button type="button" class="button" onClick={() => void phone.call('lock').then(refresh)}>{t('lock')}</button>
    </Screen>
  );
}

export function Kind({ kind }: { kind: string }) {
  const { state } = useDevice();
  const [gone, setGone] = useState<string>();
  const { value, error, reload } = useCall<Record_[]>('records', { kind }, state.unlocked);
  const { value: circles } = useCall<Circles>('circles', {}, state.unlocked);
  if (!KINDS[kind] || FAMILY_KINDS.includes(kind)) return <Dossier />;
  if (!state.unlocked) return <Unlock title={t(`kind-${kind}`)} />;
  const home = circles?.circles.find((one) => one.kind === 'dossier')?.circle;
  const records = (value ?? []).filter((record) => !record.deleted && record.circle === home);
  if (kind === 'profile') {
    return <Screen title={t('kind-profile')} back="/dossier"><p class="lead">{t('kind-profile-hint')}</p><Failure error={error} />{value && home && <Edit key={records[0]?.record ?? 'new'} kind={kind} record={records[0]} done={() => go('/dossier')} />}</Screen>;
  }
  const remove = (record: string) => phone.call('delete', { record }).then(() => {
    setGone(record);
    reload();
  });
  const restore = (record: string) => phone.call('restore', { record }).then(() => {
    setGone(undefined);
    reload();
  });
  return (
    <Screen title={t(`kind-${kind}`)} back="/dossier">
      <Failure error={error} />
      {gone && <Undo text={t('deleted')} undo={() => void restore(gone)} />}
      {value && home && records.length === 0 && <p>{t('dossier-empty')}</p>}
      <ul class="list">
        {records.map((record) => (
          <li key={record.record} class="row">
            <a class="tile" href={`#/record/${kind}/${record.record}`}>
              <span class="tile-title">{titleOf(record)}</span>
              {typeof record.fields.happened_at === 'number' && <span class="hint">{moment(record.fields.happened_at)}</span>}
              {Object.keys(record.conflicts).length > 0 && <span class="hint warn-text">{t('conflicts-title')}</span>}
            </a>
            <button type="button" class="button quiet" aria-label={`${t('delete')}: ${titleOf(record)}`} onClick={() => void remove(record.record)}>{t('delete')}</button>
          </li>
        ))}
      </ul>
      <a class="button primary" href={kind === 'incident' ? '#/incident' : `#/record/${kind}/new`}>{t('add')}</a>
    </Screen>
  );
}

/// One record; a new one goes into the dossier, or into the circle that is named.
export function OneRecord({ kind, id, circle = '' }: { kind: string; id: string; circle?: string }) {
  const { state } = useDevice();
  const { value, error } = useCall<Record_[]>('records', { kind }, state.unlocked);
  if (!KINDS[kind]) return <Dossier />;
  if (!state.unlocked) return <Unlock title={t(`kind-${kind}-one`)} />;
  const record = value?.find((one) => one.record === id);
  const back = circle ? '/family' : `/dossier/${kind}`;
  return (
    <Screen title={t(`kind-${kind}-one`)} back={back}>
      <Failure error={error} />
      {circle && <Notice>{t('family-reads-this')}</Notice>}
      {(id === 'new' || record) && <Edit key={id} kind={kind} record={record} circle={circle} done={() => go(back)} />}
      {record && kind === 'incident' && <Files record={record.record} />}
    </Screen>
  );
}

function Edit({ kind, record, circle = '', done }: { kind: string; record?: Record_; circle?: string; done: () => void }) {
  const [changed, setChanged] = useState<{ [name: string]: Value }>({});
  const save = async () => {
    if (Object.keys(changed).length > 0) {
      if (record) await phone.call('put', { record: record.record, fields: changed });
      else await phone.call('create', { kind, circle, fields: changed });
      await refresh();
    }
    done();
  };
  return (
    <Form submit={save} label={t('save')}>
      <Inputs kind={kind} values={{ ...record?.fields, ...changed }} change={(name, value) => setChanged({ ...changed, [name]: value })} />
    </Form>
  );
}

/// The fields of a kind as inputs.
export function Inputs({ kind, values, change, only }: { kind: string; values: { [name: string]: Value }; change: (name: string, value: Value) => void; only?: string[] }) {
  const all = Object.entries(KINDS[kind] ?? {}).filter(([name]) => !only || only.includes(name));
  return (
    <>
      {all.map(([name, type]) => {
        const value = values[name];
        const common = { id: `f-${name}`, label: t(`field-${name}`) };
        if (type === 'bool') {
          return <div key={name} class="field check"><input id={common.id} type="checkbox" checked={value === true} onChange={(event) => change(name, event.currentTarget.checked)} /><label for={common.id}>{common.label}</label></div>;
        }
        if (type === 'long') return <Area key={name} {...common} value={String(value ?? '')} change={(text) => change(name, text)} />;
        if (type === 'time') return <Field key={name} {...common} type="datetime-local" value={typeof value === 'number' ? localInput(value) : ''} change={(text) => change(name, text ? new Date(text).getTime() : null)} />;
        if (Array.isArray(type)) return <Choice key={name} {...common} value={String(value ?? '')} options={type.map((word) => [word, word ? t(`word-${word}`) : '–'])} change={(word) => change(name, word)} />;
        return <Field key={name} {...common} type={type} value={String(value ?? '')} change={(text) => change(name, text)} />;
      })}
    </>
  );
}

/// As an input of date and time wants it: local, to the minute.
export function localInput(ms: number): string {
  const at = new Date(ms);
  return new Date(ms - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

interface Attachment { record: string; name: string; size?: number; here: boolean; deleted: boolean }
/// What is taken in at once; larger files belong to a computer.
const MAX_FILE_BYTES = 25 * 1024 * 1024;

function Files({ record }: { record: string }) {
  const { value, reload } = useCall<Attachment[]>('attachments', { record });
  const [error, setError] = useState<unknown>();
  const add = async (files: FileList | null) => {
    setError(undefined);
    try {
      for (const file of files ?? []) await attach(record, file);
    } catch (error) {
      setError(error);
    }
    reload();
  };
  const open = async (one: Attachment) => {
    try {
      const { bytes } = await phone.call<{ bytes: string }>('attachment', { record: one.record });
      download(bytes, one.name);
    } catch (error) {
      setError(error);
    }
  };
  return (
    <section aria-labelledby="files">
      <h2 id="files">{t('incident-photo')}</h2>
      <p class="hint">{t('incident-photo-hint')}</p>
      <Failure error={error} />
      <ul class="list">{value?.filter((one) => !one.deleted).map((one) => <li key={one.record}><button type="button" class="tile" onClick={() => void open(one)}>{one.name}</button></li>)}</ul>
      <div class="field"><label for="file">{t('incident-photo')}</label><input id="file" type="file" accept="image/*,application/pdf,audio/*,video/*" multiple onChange={(event) => void add(event.currentTarget.files)} /></div>
    </section>
  );
}

export async function attach(record: string, file: File) {
  if (file.size > MAX_FILE_BYTES) throw { code: 'value_refused' };
  const bytes = new Uint8Array(await file.arrayBuffer());
  let binary = '';
  for (let at = 0; at < bytes.length; at += 32_768) binary += String.fromCharCode(...bytes.subarray(at, at + 32_768));
  await phone.call('attach', { record, name: file.name, media_type: file.type || 'application/octet-stream', bytes: btoa(binary) });
}

export function download(base64: string, name: string) {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const url = URL.createObjectURL(new Blob([bytes]));
  const link = document.createElement('a');
  Object.assign(link, { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/// An incident in two minutes: what, when and where, with a photo; locked too.
export function Incident() {
  const { state } = useDevice();
  const [fields, setFields] = useState<{ [name: string]: Value }>({ happened_at: Math.floor(Date.now() / 60_000) * 60_000 });
  const [more, setMore] = useState(false);
  const [files, setFiles] = useState<File[]>([]);
  const [saved, setSaved] = useState<{ record?: string }>();
  useEffect(() => {
    if (saved) document.getElementById('saved')?.focus();
  }, [saved]);
  const save = async () => {
    const { record } = await phone.call<{ record?: string }>('note_incident', { fields });
    if (record) for (const file of files) await attach(record, file);
    await refresh();
    setSaved({ record });
  };
  if (saved) {
    return (
      <Screen title={t('incident-title')} back="/">
        <Notice kind="good" live><strong id="saved" tabIndex={-1}>{t('incident-saved')}</strong></Notice>
        {saved.record && <a class="button" href={`#/record/incident/${saved.record}`}>{t('incident-more')}</a>}
        <a class="button primary" href="#/question/report-or-not">{t('incident-next')}</a>
      </Screen>
    );
  }
  return (
    <Screen title={t('incident-title')} back="/">
      <p class="lead">{t('incident-text')}</p>
      {!state.unlocked && <Notice>{t('incident-locked')}</Notice>}
      <Form submit={save} label={t('save')}>
        <Inputs kind="incident" values={fields} change={(name, value) => setFields({ ...fields, [name]: value })} only={more ? undefined : ['what', 'happened_at', 'place', 'who']} />
        {state.unlocked
          ? <div class="field"><label for="file">{t('incident-photo')}</label><p class="hint" id="file-hint">{t('incident-photo-hint')}</p><input id="file" type="file" aria-describedby="file-hint" accept="image/*,application/pdf,audio/*,video/*" multiple onChange={(event) => setFiles([...(event.currentTarget.files ?? [])])} /></div>
          : <p class="hint">{t('incident-photo-locked')}</p>}
        {!more && <button type="button" class="button quiet" onClick={() => setMore(true)}>{t('incident-more')}</button>}
      </Form>
    </Screen>
  );
}

interface Conflict { record: string; kind: string; name: string; values: { value: Value; by: string; at: number }[] }

export function Conflicts() {
  const { state } = useDevice();
  const { value, error, reload } = useCall<{ conflicts: Conflict[]; devices: { device: string; name?: string }[] }>('conflicts', {}, state.unlocked);
  if (!state.unlocked) return <Unlock title={t('conflicts-title')} />;
  const device = (id: string) => value?.devices.find((one) => one.device === id)?.name ?? t('devices-unnamed');
  const keep = (conflict: Conflict, choice: number) => phone.call('resolve', { record: conflict.record, name: conflict.name, choice }).then(() => {
    reload();
    return refresh();
  });
  const shown = (value: Value, name: string) => typeof value === 'boolean' ? t(value ? 'yes' : 'no') : typeof value === 'number' ? moment(value) : value === null ? '–' : has(`word-${value}`) && name === 'status' ? t(`word-${value}`) : value;
  return (
    <Screen title={t('conflicts-title')} back="/">
      <p class="lead">{t('conflicts-text')}</p>
      <Failure error={error} />
      {value?.conflicts.length === 0 && <Notice kind="good">{t('conflicts-none')}</Notice>}
      {value?.conflicts.map((conflict) => {
        const label = `${has(`kind-${conflict.kind}`) ? t(`kind-${conflict.kind}`) : conflict.kind}: ${has(`field-${conflict.name}`) ? t(`field-${conflict.name}`) : conflict.name}`;
        return (
          <section key={conflict.record + conflict.name} class="running" aria-label={label}>
            <h2>{label}</h2>
            <ul class="list">
              {conflict.values.map((one, at) => (
                <li key={at} class="row"><div><strong>{shown(one.value, conflict.name)}</strong><p class="hint">{t('conflicts-by', { device: device(one.by), time: moment(one.at) })}</p></div>
                  <button type="button" class="button" aria-label={`${t('conflicts-keep')}: ${shown(one.value, conflict.name)}`} onClick={() => void keep(conflict, at)}>{t('conflicts-keep')}</button></li>
              ))}
            </ul>
          </section>
        );
      })}
    </Screen>
  );
}
