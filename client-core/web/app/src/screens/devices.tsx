// The devices of this person: what waits for their word, taking one out, and being let in on a new one.
import { useEffect, useState } from 'preact/hooks';
import { Camera } from '../parts/camera';
import { Area, Copy, Failure, Field, Form, Notice, Pin, Qr, Screen, go } from '../parts/parts';
import { phone } from '../phone';
import { refresh, useCall, useDevice } from '../state';
import { moment, t } from '../texts';
import { Unlock, plain } from './activate';
import type { Circles } from './family';
import { LetIn } from './let-in';

interface Device { device: string; name?: string; this: boolean }
interface NoticeView { circle: string; kind: 'proposed' | 'leaving' | 'frozen'; device: string; name?: string; by?: string; this: boolean; takes_effect_at?: number; duress_heard_at?: number }

export function Devices() {
  const { state } = useDevice();
  const [adding, setAdding] = useState(false);
  const { value, error, reload } = useCall<{ devices: Device[]; notices: NoticeView[] }>('devices', {}, state.unlocked);
  const { value: circles } = useCall<Circles>('circles', {}, state.unlocked);
  const [removed, setRemoved] = useState<string>();
  if (!state.unlocked) return <Unlock title={t('devices-title')} />;
  const home = circles?.circles.find((one) => one.kind === 'dossier');
  // A frozen one is still there to be removed, and what waits elsewhere waits there.
  const waits = new Set(value?.notices.filter((notice) => notice.circle === home?.circle && notice.kind !== 'frozen').map((notice) => notice.device));
  const own = value?.devices.find((one) => one.this)?.device;
  return (
    <Screen title={t('devices-title')} back="/">
      <Failure error={error} />
      {removed && <Notice kind="good" live>{t('devices-removed', { name: removed })}</Notice>}
      {value?.notices.map((notice) => <Waiting key={notice.circle + notice.device + notice.kind} notice={notice} own={own} done={reload} />)}
      <ul class="list">
        {value?.devices.filter((one) => !waits.has(one.device)).map((one) => (
          <li key={one.device} class="tile">
            <span class="tile-title">{one.name ?? t('devices-unnamed')}</span>
            {one.this ? <span class="hint">{t('devices-this')}</span> : home && <Remove device={one} circle={home.circle} done={() => { setRemoved(one.name ?? t('devices-unnamed')); reload(); }} />}
          </li>
        ))}
      </ul>
      {adding ? <LetIn done={reload} /> : <button type="button" class="button primary" onClick={() => setAdding(true)}>{t('devices-add')}</button>}
    </Screen>
  );
}

/// A device that waits to be let in, is leaving, or is frozen: one tap keeps things as they were.
function Waiting({ notice, own, done }: { notice: NoticeView; own?: string; done: () => void }) {
  const [pin, setPin] = useState('');
  const name = notice.name ?? t('devices-unnamed');
  const until = notice.takes_effect_at ? moment(notice.takes_effect_at) : '';
  const veto = () => phone.call('veto', { circle: notice.circle, device: notice.device }).then(done).then(refresh);
  const confirm = () => phone.call('confirm_device', { circle: notice.circle, device: notice.device, pin }).then(done).then(refresh).finally(() => setPin(''));
  const mayVeto = !notice.this || notice.kind === 'leaving';
  const mayConfirm = notice.kind === 'proposed' && !notice.this && notice.by !== own;
  return (
    <section class="way warn" aria-label={name}>
      <div>
        <h2>{t(`devices-notice-${notice.kind}`, { name })}</h2>
        <p>{t(notice.this ? `devices-notice-${notice.kind}-this` : `devices-notice-${notice.kind}-text`, { time: until })}</p>
        {notice.duress_heard_at && <p>{t('devices-notice-duress', { time: moment(notice.duress_heard_at) })}</p>}
      </div>
      {mayVeto && <Form submit={veto} label={t(`devices-veto-${notice.kind}`)} kind={notice.kind === 'proposed' ? 'alarm-link' : ''} />}
      {mayConfirm && <details class="fold"><summary>{t('devices-confirm')}</summary><p>{t('devices-confirm-text')}</p><Form submit={confirm} label={t('devices-let-in')} kind=""><Pin id={`pin-${notice.device.slice(0, 8)}`} value={pin} change={setPin} /></Form></details>}
    </section>
  );
}

function Remove({ device, circle, done }: { device: Device; circle: string; done: () => void }) {
  const [pin, setPin] = useState('');
  const remove = () => phone.call('remove_device', { circle, device: device.device, pin }).then(done).finally(() => setPin(''));
  return (
    <details class="fold">
      <summary>{t('devices-remove')}</summary>
      <p>{t('devices-remove-text')}</p>
      <Form submit={remove} label={t('devices-remove-do', { name: device.name ?? t('devices-unnamed') })} kind="alarm-link"><Pin id={`pin-${device.device.slice(0, 8)}`} value={pin} change={setPin} /></Form>
    </details>
  );
}

/// The text of a device that lets this one in, where it came as a link.
let fromLink = '';
export function takeAddress(hash: string): boolean {
  const found = /BAKEN-RELAY:[^\s&#]+/.exec(plain(hash));
  if (!found) return false;
  fromLink = found[0];
  history.replaceState(null, '', '#/pair');
  return true;
}

export function Pair() {
  const { state } = useDevice();
  const [relay, setRelay] = useState(fromLink);
  const [name, setName] = useState(t('activate-name-default'));
  const [pin, setPin] = useState('');
  const [code, setCode] = useState<string>();
  const [digits, setDigits] = useState<string>();
  const [error, setError] = useState<unknown>();
  const begin = () => phone.call<{ code: string }>('pair_start', { relay: relay.trim(), pin, name }).then(({ code }) => setCode(code));
  useEffect(() => {
    if (!code) return;
    const join = async () => {
      setDigits((await phone.call<{ digits: string }>('pair_wait')).digits);
      await phone.call('pair_join');
      void navigator.storage?.persist?.();
      await refresh();
      void phone.call('sync').catch(() => undefined);
      go('/');
    };
    join().catch((error: unknown) => {
      setError(error);
      setCode(undefined);
      setDigits(undefined);
    });
  }, [code]);
  const qr = useCall<{ width: number; modules: string }>('qr', { text: code ?? '' });
  return (
    <Screen title={t('pair-title')} back="/">
      <Failure error={error} />
      {digits ? (
        <Notice kind="good" live><p>{t('pair-digits')}</p><output class="digits">{digits}</output></Notice>
      ) : code ? (
        <section aria-label={t('pair-show')}><h2>{t('pair-show')}</h2><p class="hint">{t('pair-show-hint')}</p>{qr.value && <Qr {...qr.value} label={t('pair-show')} />}<Copy text={code} /></section>
      ) : (
        <>
          {state.activated && <Notice kind="warn">{t('pair-already')}</Notice>}
          <p class="lead">{t('pair-text')}</p>
          {!relay && <Camera prefix="BAKEN-RELAY:" take={setRelay} />}
          <Form submit={begin} label={t('devices-next')}>
            <Area id="relay" label={t('pair-relay')} hint={t('pair-relay-hint')} value={relay} change={setRelay} />
            <Field id="name" label={t('activate-name')} value={name} change={setName} required maxLength={60} />
            <Pin label={t('activate-pin')} hint={t('activate-pin-hint')} value={pin} change={setPin} isNew />
          </Form>
        </>
      )}
    </Screen>
  );
}
